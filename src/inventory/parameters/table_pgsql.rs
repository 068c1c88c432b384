//! PostgreSQL and Patroni.

use super::Effect::{Bootstrap, Identity, Nothing, Once, Reload, Rolling, Service, Settings};
use super::Module::{Backup, Pgsql, Removal};
use super::ParamKind::{
    Any, Bool, Float, Int, IntOr, Names, OneOf, Path, PgSettings, Port, Records, Secret, Size,
    Text, Texts,
};
use super::fields::{DATABASE, EXTENSION, HBA, SERVICE, USER};
use super::key::table;
use super::{Form, Param, Support, planned, used, with};
use serde_json::Value;

const MODES: &[&str] = &[
    "pgsql", "citus", "mssql", "mysql", "ivory", "pgtde", "polar", "gpsql", "agens", "oriole",
    "pgedge",
];
const CONF: &[&str] = &[
    "oltp.yml", "olap.yml", "crit.yml", "tiny.yml", "oltp", "olap", "crit", "tiny",
];
const RTO_PLAN: &str = r#"{"fast":[20,5,5,15,5,"1s","0.5s","1s",3,3],"norm":[30,5,10,25,5,"2s","1s","2s",3,3],"safe":[60,10,20,45,10,"3s","1.5s","3s",3,3],"wide":[120,20,30,95,15,"4s","2s","4s",3,3]}"#;
const ROLES: &str = r#"[
{"name":"dbrole_readonly","login":false,"comment":"role for global read-only access"},
{"name":"dbrole_offline","login":false,"comment":"role for restricted read-only access"},
{"name":"dbrole_readwrite","login":false,"roles":["dbrole_readonly"],"comment":"role for global read-write access"},
{"name":"dbrole_admin","login":false,"roles":["pg_monitor","dbrole_readwrite"],"comment":"role for object creation"},
{"name":"${dbsu}","superuser":true,"comment":"system superuser"},
{"name":"${repl}","replication":true,"roles":["pg_monitor","dbrole_readonly"],"comment":"system replicator"},
{"name":"${admin}","superuser":true,"roles":["dbrole_admin"],"pgbouncer":true,"pool_mode":"session","pool_connlimit":16,"comment":"administrator"},
{"name":"${monitor}","roles":["pg_monitor","dbrole_readonly"],"pgbouncer":true,"parameters":{"log_min_duration_statement":1000},"pool_mode":"session","pool_connlimit":8,"comment":"monitoring user"}]"#;
const PRIVILEGES: &str = r#"[
"GRANT USAGE ON SCHEMAS TO dbrole_readonly","GRANT SELECT ON TABLES TO dbrole_readonly","GRANT SELECT ON SEQUENCES TO dbrole_readonly","GRANT EXECUTE ON FUNCTIONS TO dbrole_readonly",
"GRANT USAGE ON SCHEMAS TO dbrole_offline","GRANT SELECT ON TABLES TO dbrole_offline","GRANT SELECT ON SEQUENCES TO dbrole_offline","GRANT EXECUTE ON FUNCTIONS TO dbrole_offline",
"GRANT INSERT ON TABLES TO dbrole_readwrite","GRANT UPDATE ON TABLES TO dbrole_readwrite","GRANT DELETE ON TABLES TO dbrole_readwrite","GRANT USAGE ON SEQUENCES TO dbrole_readwrite","GRANT UPDATE ON SEQUENCES TO dbrole_readwrite",
"GRANT TRUNCATE ON TABLES TO dbrole_admin","GRANT REFERENCES ON TABLES TO dbrole_admin","GRANT TRIGGER ON TABLES TO dbrole_admin","GRANT CREATE ON SCHEMAS TO dbrole_admin"]"#;
const EXTENSIONS: &str = r#"[
{"name":"pg_stat_statements","schema":"monitor"},{"name":"pgstattuple","schema":"monitor"},{"name":"pg_buffercache","schema":"monitor"},{"name":"pageinspect","schema":"monitor"},
{"name":"pg_prewarm","schema":"monitor"},{"name":"pg_visibility","schema":"monitor"},{"name":"pg_freespacemap","schema":"monitor"},
{"name":"postgres_fdw","schema":"public"},{"name":"file_fdw","schema":"public"},{"name":"btree_gist","schema":"public"},{"name":"btree_gin","schema":"public"},{"name":"pg_trgm","schema":"public"},
{"name":"intagg","schema":"public"},{"name":"intarray","schema":"public"}]"#;
const PGB_DEFAULT_RULES: &str = r#"[
{"user":"${dbsu}","db":"pgbouncer","addr":"local","auth":"peer","title":"the superuser administers PgBouncer on its own host","order":100},
{"user":"all","db":"all","addr":"localhost","auth":"pwd","title":"everybody from localhost","order":150},
{"user":"${monitor}","db":"pgbouncer","addr":"intra","auth":"pwd","title":"monitoring from the intranet","order":200},
{"user":"${monitor}","db":"all","addr":"world","auth":"deny","title":"monitoring from nowhere else","order":250},
{"user":"${admin}","db":"all","addr":"intra","auth":"pwd","title":"the administrator from the intranet","order":300},
{"user":"${admin}","db":"all","addr":"world","auth":"deny","title":"the administrator from nowhere else","order":350},
{"user":"all","db":"all","addr":"intra","auth":"pwd","title":"everybody from the intranet","order":400}]"#;

const HBA_RULES: &str = r#"[
{"user":"${dbsu}","db":"all","addr":"local","auth":"ident","title":"the superuser on its own host","order":100},
{"user":"${dbsu}","db":"replication","addr":"local","auth":"ident","title":"replication of the superuser on its own host","order":150},
{"user":"${repl}","db":"replication","addr":"localhost","auth":"pwd","title":"replication from localhost","order":200},
{"user":"${repl}","db":"replication","addr":"intra","auth":"pwd","title":"replication from the intranet","order":250},
{"user":"${repl}","db":"postgres","addr":"intra","auth":"pwd","title":"the replication user from the intranet","order":300},
{"user":"${monitor}","db":"all","addr":"localhost","auth":"pwd","title":"monitoring from localhost","order":350},
{"user":"${monitor}","db":"all","addr":"infra","auth":"pwd","title":"monitoring from infra hosts","order":400},
{"user":"${admin}","db":"all","addr":"intra","auth":"pwd","title":"the administrator from the intranet","order":450},
{"user":"${admin}","db":"all","addr":"world","auth":"ssl","title":"the administrator from anywhere, with TLS","order":500},
{"user":"+dbrole_readonly","db":"all","addr":"localhost","auth":"pwd","title":"application roles from localhost","order":550},
{"user":"+dbrole_readonly","db":"all","addr":"intra","auth":"pwd","title":"application roles from the intranet","order":600},
{"user":"+dbrole_offline","db":"all","addr":"intra","auth":"pwd","title":"offline roles from the intranet","order":650}]"#;

// One parameter a line.
#[rustfmt::skip]
table! {
    PG_CLUSTER: Option<String> = used(Pgsql, "pg_cluster", Text(Form::Line), "", "C", "name of the Patroni cluster: letters, digits and dashes; its members are all hosts with the same name", Identity);
    PG_SEQ: Option<i64> = used(Pgsql, "pg_seq", Int(0, i64::MAX), "", "I", "number of the instance, unique in its cluster", Identity);
    PG_ROLE: Option<String> = used(Pgsql, "pg_role", OneOf(&["primary", "replica", "offline", "standby", "delayed"]), "", "I", "who bootstraps (`primary`), and who serves what", Reload);
    PG_MODE: String = used(Pgsql, "pg_mode", OneOf(MODES), "\"pgsql\"", "C", "`citus` makes the cluster a group of a formation", Identity);
    PG_SHARD: Option<String> = used(Pgsql, "pg_shard", Text(Form::Line), "", "C", "name of the formation; the Patroni scope of all its groups", Identity);
    PG_GROUP: Option<i64> = used(Pgsql, "pg_group", Int(0, i64::MAX), "", "C", "number of the group in the formation; 0 is the coordinator", Identity);
    PG_PRIMARY_DB: String = used(Pgsql, "pg_primary_db", Text(Form::SqlName), "\"postgres\"", "C", "the database that Citus distributes", Identity);
    PG_UPSTREAM: Option<String> = used(Pgsql, "pg_upstream", Text(Form::Line), "", "I", "whom to replicate from: another member (cascade), or on a primary another cluster (standby cluster)", Reload);
    PG_OFFLINE_QUERY: bool = used(Pgsql, "pg_offline_query", Bool, "false", "I", "a replica that serves the offline service as well", Reload);
    PG_WEIGHT: u32 = used(Pgsql, "pg_weight", Int(0, 256), "100", "I", "weight in HAProxy", Reload);
    PG_INSTANCES: Value = with(used(Pgsql, "pg_instances", Any, "", "I", "several instances per host", Nothing), Support::Legacy("it was never supported; use one host per instance"));
    PG_USERS: Value = used(Pgsql, "pg_users", Records(USER), "[]", "C", "roles of applications; one with the name of a default role takes its place", Reload);
    PG_DATABASES: Value = used(Pgsql, "pg_databases", Records(DATABASE), "[]", "C", "databases of applications, made in every group", Reload);
    PG_SERVICES: Value = used(Pgsql, "pg_services", Records(SERVICE), "[]", "C", "more services", Reload);
    PG_HBA_RULES: Value = used(Pgsql, "pg_hba_rules", Records(HBA), "[]", "C", "more HBA rules", Reload);
    PGB_HBA_RULES: Value = used(Pgsql, "pgb_hba_rules", Records(HBA), "[]", "C", "more HBA rules of PgBouncer", Reload);
    PG_CRONTAB: Value = used(Pgsql, "pg_crontab", Texts(Form::CronOwn), "[]", "C", "jobs of the superuser's account: `MINUTE HOUR DAY MONTH WEEKDAY COMMAND`, or `@daily COMMAND`", Nothing);
    PG_DBSU_PASSWORD: crate::secret::Secret = used(Pgsql, "pg_dbsu_password", Secret, "\"\"", "C", "the superuser's password; Citus needs it between nodes", Reload);
    PG_REPLICATION_USERNAME: String = used(Pgsql, "pg_replication_username", Text(Form::RoleName), "\"replicator\"", "G", "the replication user", Identity);
    PG_REPLICATION_PASSWORD: crate::secret::Secret = used(Pgsql, "pg_replication_password", Secret, "\"DBUser.Replicator\"", "G", "its password", Reload);
    PG_ADMIN_USERNAME: String = used(Pgsql, "pg_admin_username", Text(Form::RoleName), "\"dbuser_dba\"", "G", "the administrator, a superuser that may log in from elsewhere", Reload);
    PG_ADMIN_PASSWORD: crate::secret::Secret = used(Pgsql, "pg_admin_password", Secret, "\"DBUser.DBA\"", "G", "its password", Reload);
    PG_MONITOR_USERNAME: String = used(Pgsql, "pg_monitor_username", Text(Form::RoleName), "\"dbuser_monitor\"", "G", "the monitoring user", Reload);
    PG_MONITOR_PASSWORD: crate::secret::Secret = used(Pgsql, "pg_monitor_password", Secret, "\"DBUser.Monitor\"", "G", "its password", Reload);
    PG_DBSU: String = used(Pgsql, "pg_dbsu", Text(Form::UnixUser), "\"postgres\"", "G", "the superuser, also the operating system's account", Identity);
    PG_DBSU_UID: i64 = used(Pgsql, "pg_dbsu_uid", Int(1, 65535), "26", "G", "its user id where its account is made: it is not the package's `postgres`, or has another home; 26 is 543 on Debian", Once);
    PG_DBSU_SUDO: String = used(Pgsql, "pg_dbsu_sudo", OneOf(&["none", "limit", "all", "nopass"]), "\"none\"", "G", "what it may do with sudo (Pigsty: limit)", Nothing);
    PG_DBSU_HOME: String = used(Pgsql, "pg_dbsu_home", Path, "\"/var/lib/postgresql\"", "G", "its home where its account is made; one that is there keeps what it has (Pigsty: /var/lib/pgsql)", Once);
    PG_DBSU_SSH_EXCHANGE: bool = planned(Pgsql, "pg_dbsu_ssh_exchange", Bool, "false", "C", "let the accounts of members into each other");
    PG_VERSION: u32 = used(Pgsql, "pg_version", Int(9, 99), "17", "C", "major version of PostgreSQL (Pigsty: 18)", Identity);
    PG_BIN_DIR: Option<String> = used(Pgsql, "pg_bin_dir", Path, "", "C", "directory of PostgreSQL's programs; without it the package's own", Reload);
    PG_LOG_DIR: String = used(Pgsql, "pg_log_dir", Path, "\"/pg/log/postgres\"", "C", "PostgreSQL's logs", Reload);
    PG_PACKAGES: Value = used(Pgsql, "pg_packages", Texts(Form::Packages), "[\"pgsql-main pgsql-common\"]", "C", "packages or aliases; those of the default are always installed", Nothing);
    PG_EXTENSIONS: Value = used(Pgsql, "pg_extensions", Texts(Form::Packages), "[]", "C", "extensions, as packages or aliases; in a formation `citus` is expected here or installed already", Nothing);
    PG_DATA: String = used(Pgsql, "pg_data", Path, "\"/pg/data\"", "G", "data directory", Identity);
    PG_FS_MAIN: String = used(Pgsql, "pg_fs_main", Path, "\"/data/postgres\"", "C", "where the data directory really lives", Identity);
    PG_FS_BACKUP: String = used(Pgsql, "pg_fs_backup", Path, "\"/data/backups\"", "C", "where backups live; a removal with `pg_rm_backup` looks there", Nothing);
    PG_STORAGE_TYPE: String = used(Pgsql, "pg_storage_type", OneOf(&["SSD", "HDD"]), "\"SSD\"", "C", "costs for the planner", Reload);
    PG_DUMMY_FILESIZE: String = planned(Pgsql, "pg_dummy_filesize", Size, "\"64MiB\"", "C", "ballast file");
    PG_LISTEN: String = used(Pgsql, "pg_listen", Text(Form::Listen), "\"0.0.0.0\"", "C", "addresses to listen on; `${ip}`, `${lo}`, `${vip}`", Rolling);
    PG_PORT: u16 = used(Pgsql, "pg_port", Port, "5432", "C", "PostgreSQL's port", Identity);
    PG_LOCALHOST: String = used(Pgsql, "pg_localhost", Path, "\"/var/run/postgresql\"", "G", "directory of the Unix socket", Identity);
    PATRONI_ENABLED: bool = used(Pgsql, "patroni_enabled", Bool, "true", "C", "false: nothing is started", Service);
    PATRONI_MODE: String = planned(Pgsql, "patroni_mode", OneOf(&["default", "pause", "remove"]), "\"default\"", "C", "how Patroni runs");
    PATRONI_PORT: u16 = used(Pgsql, "patroni_port", Port, "8008", "C", "Patroni's REST port", Identity);
    PATRONI_LOG_DIR: String = used(Pgsql, "patroni_log_dir", Path, "\"/pg/log/patroni\"", "C", "Patroni's logs", Reload);
    PATRONI_SSL_ENABLED: bool = used(Pgsql, "patroni_ssl_enabled", Bool, "true", "G", "Patroni's REST API over TLS (Pigsty: false)", Reload);
    PATRONI_WATCHDOG_MODE: String = used(Pgsql, "patroni_watchdog_mode", OneOf(&["off", "automatic", "required"]), "\"off\"", "C", "watchdog", Reload);
    PATRONI_USERNAME: String = used(Pgsql, "patroni_username", Text(Form::Login), "\"postgres\"", "G", "user of the REST API", Reload);
    PATRONI_PASSWORD: crate::secret::Secret = used(Pgsql, "patroni_password", Secret, "\"Patroni.API\"", "G", "its password", Reload);
    PG_NAMESPACE: String = used(Pgsql, "pg_namespace", Path, "\"/pg\"", "G", "prefix of keys in etcd", Identity);
    PG_ETCD_PASSWORD: crate::secret::Secret = used(Pgsql, "pg_etcd_password", Secret, "\"\"", "G", "password of the formation's etcd user; empty: derived from the root password", Reload);
    PG_PARAMETERS: Value = used(Pgsql, "pg_parameters", PgSettings, "{}", "C", "PostgreSQL's parameters; they win over the profile's", Settings);
    PG_FILES: Value = planned(Pgsql, "pg_files", Texts(Form::Line), "[]", "C", "files copied into the data directory");
    PG_CONF: String = used(Pgsql, "pg_conf", OneOf(CONF), "\"oltp.yml\"", "C", "tuning profile", Settings);
    PG_MAX_CONN: Value = used(Pgsql, "pg_max_conn", IntOr(0, 262_143, &["auto"]), "\"auto\"", "C", "max_connections; `auto` or below 20: by profile", Settings);
    PG_SHARED_BUFFER_RATIO: f64 = used(Pgsql, "pg_shared_buffer_ratio", Float(0.05, 0.6), "0.25", "C", "share of memory for shared_buffers", Settings);
    PG_IO_METHOD: String = used(Pgsql, "pg_io_method", OneOf(&["auto", "sync", "worker", "io_uring"]), "\"worker\"", "C", "PostgreSQL 18 and later", Settings);
    PG_RTO: Value = used(Pgsql, "pg_rto", Any, "\"norm\"", "C", "fast, norm, safe or wide: Patroni's times; a number of seconds is the older form", Reload);
    PG_RTO_PLAN: Value = used(Pgsql, "pg_rto_plan", Any, RTO_PLAN, "G", "ttl, loop_wait, retry_timeout, primary_start_timeout, safety_margin, inter, fastinter, downinter, rise, fall", Reload);
    PG_RPO: i64 = used(Pgsql, "pg_rpo", Int(0, i64::MAX), "1048576", "C", "maximum_lag_on_failover in bytes; 0 switches synchronous mode on", Reload);
    PG_LIBS: String = used(Pgsql, "pg_libs", Text(Form::Libraries), "\"pg_stat_statements, auto_explain\"", "C", "shared_preload_libraries; citus is put first", Settings);
    PG_DELAY: String = used(Pgsql, "pg_delay", Text(Form::PgTime), "\"0\"", "I", "recovery_min_apply_delay of a replica, or of the leader of a standby cluster", Reload);
    PG_CHECKSUM: bool = used(Pgsql, "pg_checksum", Bool, "true", "C", "data checksums", Bootstrap);
    PG_PWD_ENC: String = used(Pgsql, "pg_pwd_enc", OneOf(&["scram-sha-256", "md5"]), "\"scram-sha-256\"", "C", "password encryption", Reload);
    PG_ENCODING: String = used(Pgsql, "pg_encoding", Text(Form::Locale), "\"UTF8\"", "C", "encoding of the cluster", Bootstrap);
    PG_LOCALE: String = used(Pgsql, "pg_locale", Text(Form::Locale), "\"C\"", "C", "locale", Bootstrap);
    PG_LC_COLLATE: String = used(Pgsql, "pg_lc_collate", Text(Form::Locale), "\"C\"", "C", "collation", Bootstrap);
    PG_LC_CTYPE: String = used(Pgsql, "pg_lc_ctype", Text(Form::Locale), "\"C\"", "C", "character classes (Pigsty: C)", Bootstrap);
    PGSODIUM_KEY: Option<crate::secret::Secret> = planned(Pgsql, "pgsodium_key", Secret, "", "C", "pgsodium");
    PGSODIUM_GETKEY_SCRIPT: Option<String> = planned(Pgsql, "pgsodium_getkey_script", Path, "", "C", "pgsodium");
    PG_PROVISION: bool = used(Pgsql, "pg_provision", Bool, "true", "C", "make users and databases; false: only the users of the system", Nothing);
    PG_INIT: String = planned(Pgsql, "pg_init", Text(Form::Name), "\"pg-init\"", "C", "init script");
    PG_DEFAULT_ROLES: Value = used(Pgsql, "pg_default_roles", Records(USER), ROLES, "G", "roles of every cluster; `${dbsu}`, `${repl}`, `${admin}`, `${monitor}` stand for the users of the system", Reload);
    PG_DEFAULT_PRIVILEGES: Value = used(Pgsql, "pg_default_privileges", Texts(Form::Prose), PRIVILEGES, "G", "bodies of `ALTER DEFAULT PRIVILEGES` for objects that the superuser, the administrator, `dbrole_admin` and a database's owner make", Nothing);
    PG_DEFAULT_SCHEMAS: Value = used(Pgsql, "pg_default_schemas", Texts(Form::SqlName), "[\"monitor\"]", "G", "schemas that every database begins with", Nothing);
    PG_DEFAULT_EXTENSIONS: Value = used(Pgsql, "pg_default_extensions", Names(EXTENSION), EXTENSIONS, "G", "extensions that every database begins with (Pigsty: also pg_repack)", Nothing);
    PG_RELOAD: bool = planned(Pgsql, "pg_reload", Bool, "true", "A", "not needed: reloads are planned");
    PG_DEFAULT_HBA_RULES: Value = used(Pgsql, "pg_default_hba_rules", Records(HBA), HBA_RULES, "G", "HBA rules", Reload);
    PGB_DEFAULT_HBA_RULES: Value = used(Pgsql, "pgb_default_hba_rules", Records(HBA), PGB_DEFAULT_RULES, "G", "HBA rules of PgBouncer", Reload);
    PGBACKREST_ENABLED: bool = used(Backup, "pgbackrest_enabled", Bool, "true", "C", "backups and archived WAL with pgBackRest, where `pgbackrest_repo` names a repository (docs/backup.md)", Reload);
    PGBACKREST_LOG_DIR: String = used(Backup, "pgbackrest_log_dir", Path, "\"/pg/log/pgbackrest\"", "C", "its logs", Nothing);
    PGBACKREST_METHOD: String = used(Backup, "pgbackrest_method", Text(Form::Name), "\"local\"", "C", "the repository of `pgbackrest_repo` that is used", Reload);
    PGBACKREST_INIT_BACKUP: bool = used(Backup, "pgbackrest_init_backup", Bool, "true", "C", "make a first full backup where there is none", Once);
    PGBACKREST_REPO: Value = used(Backup, "pgbackrest_repo", Any, "{}", "C", "repositories by name: options of pgBackRest's without `repo1-`, as `{ store: { host: 10.10.10.20, path: /data/backup } }` (docs/backup.md)", Reload);
    PGBACKREST_CLEAN: Option<bool> = with(used(Backup, "pgbackrest_clean", Bool, "", "A", "removed in Pigsty 4", Nothing), Support::Legacy("it has no effect"));
    PG_SAFEGUARD: bool = used(Removal, "pg_safeguard", Bool, "false", "G", "refuse removal", Nothing);
    PG_RM_DATA: Option<bool> = used(Removal, "pg_rm_data", Bool, "", "A", "removal: true deletes the data, false leaves it where it is; not given: it is put aside (Pigsty: true)", Nothing);
    PG_RM_BACKUP: bool = used(Removal, "pg_rm_backup", Bool, "false", "A", "removal of a whole group: true deletes its backups in `pg_fs_backup` as well (Pigsty: true)", Nothing);
    PG_RM_PKG: bool = used(Removal, "pg_rm_pkg", Bool, "false", "A", "removal: packages as well (Pigsty: true)", Nothing);
    PG_CLEAN: Option<bool> = with(used(Removal, "pg_clean", Bool, "", "A", "removed in Pigsty 4", Nothing), Support::Legacy("it has no effect; data is never wiped by an apply"));
    PG_PITR: Value = planned(Pgsql, "pg_pitr", Any, "", "A", "point in time recovery");
}
