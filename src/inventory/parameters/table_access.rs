//! PgBouncer, services, VIPs of groups.

use super::Effect::{Nothing, Reload, Restart, Service};
use super::Module::{Access, Pgbouncer};
use super::ParamKind::{Bool, Cidr, OneOf, Path, Port, Records, Text, Texts};
use super::fields::SERVICE;
use super::key::table;
use super::{Form, Param, Support, used, with};
use serde_json::Value;

const SERVICES: &str = r#"[
{"name":"primary","port":5433,"dest":"default","check":"/primary","selector":"[]"},
{"name":"replica","port":5434,"dest":"default","check":"/read-only","selector":"[]","backup":"[? pg_role == `primary` || pg_role == `offline` ]"},
{"name":"default","port":5436,"dest":"postgres","check":"/primary","selector":"[]"},
{"name":"offline","port":5438,"dest":"postgres","check":"/replica","selector":"[? pg_role == `offline` || pg_offline_query ]","backup":"[? pg_role == `replica` && !pg_offline_query]"}]"#;

// One parameter a line.
#[rustfmt::skip]
table! {
    PGBOUNCER_ENABLED: bool = used(Pgbouncer, "pgbouncer_enabled", Bool, "true", "C", "run PgBouncer beside PostgreSQL", Service);
    PGBOUNCER_PORT: u16 = used(Pgbouncer, "pgbouncer_port", Port, "6432", "C", "its port", Restart);
    PGBOUNCER_LOG_DIR: String = used(Pgbouncer, "pgbouncer_log_dir", Path, "\"/pg/log/pgbouncer\"", "C", "its logs", Reload);
    PGBOUNCER_AUTH_QUERY: bool = used(Pgbouncer, "pgbouncer_auth_query", Bool, "false", "C", "look users up in the database", Reload);
    PGBOUNCER_POOLMODE: String = used(Pgbouncer, "pgbouncer_poolmode", OneOf(&["transaction", "session", "statement"]), "\"transaction\"", "C", "pool mode", Reload);
    PGBOUNCER_SSLMODE: String = used(Pgbouncer, "pgbouncer_sslmode", OneOf(&["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]), "\"prefer\"", "C", "TLS of clients; Pigsty's default is disable", Reload);
    PGBOUNCER_IGNORE_PARAM: Value = used(Pgbouncer, "pgbouncer_ignore_param", Texts(Form::Setting), r#"["extra_float_digits","application_name","TimeZone","DateStyle","IntervalStyle","search_path"]"#, "C", "start-up parameters to ignore", Reload);
    PGBOUNCER_REDIRECT_TO: Option<String> = used(Pgbouncer, "pgbouncer_redirect_to", Text(Form::HostAddr), "", "C", "another host to connect to", Reload);
    PG_SERVICE_PROVIDER: String = used(Access, "pg_service_provider", Text(Form::Line), "\"\"", "C", "group of dedicated HAProxy hosts; empty: the members themselves", Reload);
    PG_DEFAULT_SERVICE_DEST: String = used(Access, "pg_default_service_dest", OneOf(&["pgbouncer", "postgres"]), "\"pgbouncer\"", "C", "what `dest: default` means", Reload);
    PG_DEFAULT_SERVICES: Value = used(Access, "pg_default_services", Records(SERVICE), SERVICES, "G", "services of every cluster", Reload);
    PG_VIP_ENABLED: bool = used(Access, "pg_vip_enabled", Bool, "false", "C", "an address that follows the leader", Service);
    PG_VIP_ADDRESS: Option<String> = used(Access, "pg_vip_address", Cidr, "", "C", "the address, with its prefix length", Reload);
    PG_VIP_INTERFACE: String = used(Access, "pg_vip_interface", Text(Form::Interface), "\"auto\"", "C", "interface; auto: the one with the host's address", Reload);
    PG_DNS_SUFFIX: String = used(Access, "pg_dns_suffix", Text(Form::Domain), "\"\"", "C", "suffix of the names of the cluster and its services in certificates", Reload);
    PG_DNS_TARGET: String = with(used(Access, "pg_dns_target", Text(Form::Line), "\"auto\"", "C", "what the cluster's name points to; of no meaning here: no name server is written", Nothing), Support::Ignored);
}
