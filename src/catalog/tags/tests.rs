//! All tags of Pigsty's playbooks for nodes, etcd and PostgreSQL.

use super::*;
use crate::catalog::Assets;

#[rustfmt::skip] // as Pigsty's playbooks have them, role by role
const PIGSTY: &[&str] = &[
    // ca, infra
    "ca", "ca_dir", "ca_private", "ca_cert", "repo", "infra", "minio",
    // node
    "id", "node-id", "node_id", "node", "node_name", "node_hosts", "node_resolv", "node_sec", "node_selinux", "node_firewall", "node_ca", "node_repo", "node_install",
    "node_repo_remove", "node_repo_upstream", "node_repo_add", "node_repo_cache", "node_pkg", "node_pkg_default", "node_pkg_extra", "node_vip", "node_uv", "node_feature",
    "node_kernel", "node_tune", "node_tune_active", "node_sysctl", "node_profile", "node_alias", "node_pip", "node_ulimit", "node_data", "node_admin", "node_admin_pk_list",
    "node_admin_pk_current", "node_timezone", "node_ntp", "node_ntp_install", "node_ntp_config", "node_ntp_launch", "node_crontab", "vip_check", "vip_config", "vip_launch",
    "vip_reload", "vip_refresh",
    // haproxy
    "haproxy", "haproxy_install", "haproxy_config", "haproxy_firewall", "haproxy_launch", "haproxy_reload",
    // monitoring
    "monitor", "node_monitor", "haproxy_register", "vip_dns", "node_exporter", "node_exporter_config", "node_exporter_launch", "vip_exporter", "vip_exporter_config",
    "vip_exporter_launch", "node_register", "add_metrics", "add_logs", "vector", "vector_install", "vector_clean", "vector_config", "vector_dir", "vector_launch",
    // node-rm
    "node_remove", "node_deregister", "rm_metrics", "rm_logs", "rm_dns", "haproxy_deregister", "rm_proxy", "vip", "profile",
    // etcd
    "etcd", "etcd_assert", "etcd_install", "etcd_dir", "etcd_config", "etcd_conf", "etcd_cert", "etcd_cert_issue", "etcd_cert_copy", "etcd_member", "etcd_launch", "etcd_auth",
    "etcd_register",
    // etcd-rm
    "etcd_safeguard", "etcd_pause", "etcd_deregister", "etcd_leave", "etcd_svc", "etcd_stop", "etcd_data", "etcd_pkg",
    // pgsql
    "pgsql", "pg_id", "pg-id", "pg_install", "pg_dbsu", "pg_dbsu_create", "pg_dbsu_sudo", "pg_ssh", "pg_pkg", "pg_pre", "pg_ext", "pg_extension", "pg_post", "pg_link", "pg_path",
    "pg_dir", "pg_bin", "pg_alias", "pg_dummy", "pg_bootstrap", "postgres", "patroni", "pg_config", "pg_etcd", "pg_conf", "pg_key", "pg_cert", "pg_cert_private", "pg_cert_issue",
    "pg_cert_copy", "pg_launch", "pg_watchdog", "pg_primary", "pg_restart", "pg_init", "pg_init_exec", "pg_pass", "pg_replica", "pg_file", "pg_hba", "pg_param", "pg_reload",
    "patroni_reload", "pg_patroni", "pg_provision", "pg_user", "pg_user_validate", "pg_user_drop", "pg_user_config", "pg_user_create", "pg_db", "pg_db_drop", "pg_db_config",
    "pg_db_create", "pg_db_baseline", "pg_backup", "pgbackrest", "pgbackrest_dir", "pgbackrest_config", "pgbackrest_init", "pgbackrest_backup", "pg_crontab", "pg_access",
    "pgbouncer", "pgbouncer_dir", "pgbouncer_config", "pgbouncer_hba", "pgbouncer_user", "pgbouncer_launch", "pgbouncer_restart", "pgbouncer_reload", "pg_vip", "pg_vip_config",
    "pg_vip_launch", "pg_dns", "pg_dns_ins", "pg_dns_cls", "add_dns", "pg_service", "pg_service_config", "pg_service_reload", "pg_done", "pg_monitor", "pg_exporter",
    "pg_exporter_config", "pg_exporter_launch", "pgbouncer_exporter", "pgbackrest_exporter", "pg_register", "add_ds",
    // pgsql-rm
    "pg_remove", "pg_safeguard", "pg_deregister", "rm_ds", "dns", "pg_meta", "pg_data",
    // pgsql-user, pgsql-db, pgsql-pitr
    "preflight", "register", "grafana", "unregister", "print", "down", "pause", "stop", "stop_patroni", "stop_replica", "stop_primary", "stop_postgres", "pitr", "config", "backup",
    "restore", "recovery", "verify", "up", "start", "primary", "resume", "replica", "clonefrom",
];

fn catalog() -> Catalog {
    Catalog::parse(Assets::embedded()).unwrap()
}

#[test]
fn every_tag_of_pigsty_selects_something_or_says_why_not() {
    let catalog = catalog();
    for tag in PIGSTY {
        let said = catalog.check_tag(&Tag::new(*tag));
        let known = matches!(said, Ok(()) | Err(TagError::Foreign { .. }));
        assert!(known, "{tag}: {said:?}");
    }
}

#[test]
fn what_selects_something_is_not_excused() {
    let tags = catalog().tags();
    let both: Vec<&str> = foreign::all()
        .map(|(tag, _)| tag)
        .filter(|tag| tags.contains_key(&Tag::new(*tag)))
        .collect();
    assert!(both.is_empty(), "{both:?}");
}

#[test]
fn each_has_one_reason() {
    let all: Vec<&str> = foreign::all().map(|(tag, _)| tag).collect();
    let unique: BTreeSet<&str> = all.iter().copied().collect();
    assert_eq!(all.len(), unique.len());
}

#[test]
fn habits_of_pigsty_mean_the_same() {
    let tags = catalog().tags();
    for (tag, selects, reacts) in [
        ("pg_hba", "pgsql/conf patroni/in-force", "patroni/service"),
        ("pgbouncer_hba", "pgbouncer/hba pgbouncer/service", ""),
        ("pgbouncer_reload", "pgbouncer/service", ""),
        (
            "pgbouncer_user",
            "pgbouncer/useropts pgbouncer/userlist pgbouncer/service",
            "",
        ),
        ("patroni_reload", "patroni/service", ""),
        ("pg_reload", "patroni/service", ""),
        ("pg_param", "formation/config", ""),
        ("pg_user", "formation/role-* pgbouncer/userlist", ""),
        ("pg_db", "formation/database-* pgbouncer/databases", ""),
        ("pg_ext", "pgsql/extension-*", ""),
        ("pg_crontab", "node/cron node/cron-unit pgsql/crontab", ""),
        ("pg_service", "haproxy/service-* haproxy/service", ""),
        (
            "haproxy_config",
            "haproxy/conf haproxy/service-*",
            "haproxy/service",
        ),
        (
            "etcd_config",
            "etcd/conf etcd/dropin etcd/cert etcd/key",
            "etcd/service",
        ),
        ("etcd_conf", "etcd/conf etcd/dropin", "etcd/service"),
        ("etcd_auth", "etcd_auth/users", ""),
        ("node_hosts", "node/hosts", ""),
        ("node_repo", "node/repo-* node/repo-update", ""),
        ("node_vip", "vip/keepalived-conf vip/keepalived", ""),
        ("pg_vip", "vip/conf vip/unit vip/service", ""),
        (
            "pg_cert_copy",
            "pgsql/ca pgsql/cert pgsql/key",
            "patroni/service pgbouncer/service vip/service",
        ),
    ] {
        let meaning = &tags[tag];
        for (words, found) in [(selects, &meaning.selects), (reacts, &meaning.reacts)] {
            let missing: Vec<&str> = words
                .split_whitespace()
                .filter(|id| !found.contains(*id))
                .collect();
            assert!(missing.is_empty(), "{tag}: {missing:?} not in {found:?}");
        }
    }
    assert_eq!(tags["node_hosts"].selects.len(), 1);
    assert_eq!(tags["pg_hba"].selects.len(), 2);
}

#[test]
fn the_whole_module_is_its_name() {
    let tags = catalog().tags();
    for (tag, parts) in [
        (
            "pgsql",
            &[
                "pg_install",
                "pg_bootstrap",
                "pg_provision",
                "pg_crontab",
                "pg_access",
            ][..],
        ),
        ("pg_access", &["pgbouncer", "pg_vip", "pg_service"]),
        ("pg_bootstrap", &["pg_config", "pg_cert", "pg_launch"]),
        ("postgres", &["pg_bootstrap"]),
        (
            "node",
            &[
                "node_name",
                "node_hosts",
                "node_repo",
                "node_pkg",
                "node_vip",
                "node_ntp",
                "node_admin",
            ],
        ),
        (
            "etcd",
            &["etcd_install", "etcd_config", "etcd_launch", "etcd_auth"],
        ),
        (
            "haproxy",
            &["haproxy_install", "haproxy_config", "haproxy_launch"],
        ),
    ] {
        for part in parts {
            let left: Vec<_> = tags[*part].selects.difference(&tags[tag].selects).collect();
            assert!(left.is_empty(), "{tag} lacks of {part}: {left:?}");
        }
    }
}

#[test]
fn what_nobody_knows_is_said() {
    let catalog = catalog();
    let said = |tag: &str| catalog.check_tag(&Tag::new(tag)).unwrap_err().to_string();
    assert_eq!(
        said("infra"),
        "tag `infra` is of Pigsty's module infra, which citusctl does not manage"
    );
    assert_eq!(said("pg_hbaa"), "no resource has the tag `pg_hbaa`");
    let Err(TagError::Unknown { suggestion, .. }) = catalog.check_tag(&Tag::new("pg_hbaa")) else {
        panic!("nobody knows it")
    };
    assert_eq!(suggestion.as_deref(), Some("pg_hba"));
}
