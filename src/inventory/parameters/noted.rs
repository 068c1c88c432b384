//! Parameters of Pigsty's modules that citusctl does not have: said once, never an error.

const PREFIXES: &[(&str, &str)] = &[
    ("infra_", "infra"),
    ("nginx_", "infra"),
    ("grafana_", "infra"),
    ("dns_", "infra"),
    ("dnsmasq_", "infra"),
    ("ntp_", "infra"),
    ("repo_", "repo"),
    ("vmetrics_", "monitoring"),
    ("vlogs_", "monitoring"),
    ("vtraces_", "monitoring"),
    ("vmalert_", "monitoring"),
    ("prometheus_", "monitoring"),
    ("alertmanager_", "monitoring"),
    ("loki_", "monitoring"),
    ("promtail_", "monitoring"),
    ("vector_", "monitoring"),
    ("blackbox_", "monitoring"),
    ("node_exporter_", "monitoring"),
    ("pg_exporter_", "monitoring"),
    ("pgbouncer_exporter_", "monitoring"),
    ("pgbackrest_exporter_", "monitoring"),
    ("exporter_", "monitoring"),
    ("victoria_", "monitoring"),
    ("minio_", "minio"),
    ("redis_", "redis"),
    ("mongo_", "mongo"),
    ("ferretdb_", "ferret"),
    ("docker_", "docker"),
    ("gp_", "greenplum"),
    ("juice_", "juicefs"),
    ("vibe_", "vibe"),
    ("code_", "vibe"),
    ("jupyter_", "vibe"),
    ("claude_", "vibe"),
    ("nodejs_", "vibe"),
    ("npm_", "vibe"),
];

const NAMES: &[(&str, &str)] = &[
    ("version", "pigsty"),
    ("language", "pigsty"),
    ("proxy_env", "repo"),
    ("admin_ip_v6", "infra"),
    ("vip_exporter_port", "monitoring"),
    ("pg_exporters", "monitoring"),
    ("haproxy_exporter_port_v2", "monitoring"),
    ("app", "app"),
    ("apps", "app"),
    ("no_cmdb", "infra"),
    ("node_uv_env", "node extras"),
    ("node_pip_packages", "node extras"),
    ("cert_dir", "infra"),
];

/// The module that a name belongs to, if it is one that citusctl does not have.
pub(super) fn module_of(name: &str) -> Option<&'static str> {
    let named = NAMES.iter().find(|(known, _)| *known == name);
    let prefixed = || PREFIXES.iter().find(|(prefix, _)| name.starts_with(prefix));
    named.or_else(prefixed).map(|(_, module)| *module)
}
