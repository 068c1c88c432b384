//! Names of Pigsty 1 to 3. Some are older names of parameters and count as those; the others did something that is gone.

use super::Module::{Access, Etcd, Node, NodeVip, Pgbouncer, Pgsql};
use super::ParamKind::{Any, Bool, Int, Path, Text, Texts};
use super::{Effect, Form, Module, Param, ParamKind, Support, used, with};

const fn old(module: Module, name: &'static str, kind: ParamKind, now: &'static str) -> Param {
    with(
        used(
            module,
            name,
            kind,
            "",
            "C",
            "of an older Pigsty",
            Effect::Nothing,
        ),
        Support::Legacy(now),
    )
}

/// Older names and what they are called now.
const RENAMED: &[(&str, &str)] = &[
    ("etcd_data_dir", "etcd_data"),
    ("node_conf", "node_tune"),
    ("node_data_dir", "node_data"),
    ("node_etc_hosts_default", "node_default_etc_hosts"),
    ("node_packages_default", "node_default_packages"),
    ("patroni_citus_db", "pg_primary_db"),
    ("pg_fs_bkup", "pg_fs_backup"),
    ("pg_sindex", "pg_group"),
];

/// The present name of a parameter that was renamed.
pub(super) fn renamed(name: &str) -> Option<&'static str> {
    let found = RENAMED.iter().find(|(old, _)| *old == name);
    found.map(|(_, new)| *new)
}

/// All older names with their present ones.
pub(super) fn all_renamed() -> impl Iterator<Item = (&'static str, &'static str)> {
    RENAMED.iter().copied()
}

#[rustfmt::skip] // one parameter a line, as a table
pub(super) const TABLE: &[Param] = &[
    old(Etcd, "etcd_data_dir", Path, "write `etcd_data`"),
    old(Etcd, "etcd_exists", Any, "it has no effect: what is there is looked at"),
    old(Node, "node_conf", Text(Form::Line), "write `node_tune`"),
    old(Node, "node_data_dir", Path, "write `node_data`"),
    old(Node, "node_etc_hosts_default", Texts(Form::HostsRecord), "write `node_default_etc_hosts`"),
    old(Node, "node_packages_default", Texts(Form::Packages), "write `node_default_packages`"),
    old(Node, "node_disable_firewall", Bool, "write `node_firewall_mode: off` or `none`"),
    old(Node, "node_disable_selinux", Bool, "write `node_selinux_mode: disabled` or `permissive`"),
    old(Node, "node_repo_method", Text(Form::Line), "write `node_repo_modules`"),
    old(Node, "node_repo_local_urls", Texts(Form::Line), "write `node_repos`"),
    old(Pgsql, "patroni_citus_db", Text(Form::Line), "write `pg_primary_db`"),
    old(Pgsql, "pg_fs_bkup", Path, "write `pg_fs_backup`"),
    old(Pgsql, "pg_sindex", Int(0, i64::MAX), "write `pg_group`"),
    old(Pgsql, "pg_backup", Bool, "it has no effect: say `pg_role: offline` or `pg_offline_query: true`"),
    old(Pgsql, "pg_cert_exists", Any, "it has no effect: what is there is looked at"),
    old(Pgsql, "pg_dcs_type", Text(Form::Line), "it has no effect: the store is etcd"),
    old(Pgsql, "pg_exists", Any, "it has no effect: what is there is looked at"),
    old(Pgsql, "pg_hostname", Bool, "write `node_id_from_pg`"),
    old(Pgsql, "pg_preflight_skip", Bool, "it has no effect"),
    old(Pgsql, "pg_uninstall", Bool, "write `pg_rm_pkg`"),
    old(Pgsql, "pg_add_repo", Bool, "write `node_repos`"),
    old(Pgsql, "pg_hba_rules_extra", Any, "write `pg_hba_rules`; those for all clusters are `pg_default_hba_rules`"),
    old(Access, "pg_services_extra", Any, "write `pg_services`; those for all clusters are `pg_default_services`"),
    old(Pgbouncer, "pgbouncer_hba_rules", Any, "write `pgb_default_hba_rules`"),
    old(Pgbouncer, "pgbouncer_hba_rules_extra", Any, "write `pgb_hba_rules`"),
    old(Pgbouncer, "pgbouncer_max_db_conn", Any, "write `pool_connlimit` in `pg_databases`"),
    old(NodeVip, "vip_cidrmask", Any, "write the prefix length into `pg_vip_address`"),
    old(NodeVip, "vip_mode", Text(Form::Line), "write `pg_vip_enabled` for a leader's address, `vip_enabled` for HAProxy hosts"),
    old(NodeVip, "vip_reload", Bool, "it has no effect: reloads are planned"),
];
