//! Tags of Pigsty's playbooks that select nothing here, and why: a user who types one is told, and no run passes over it.

/// Why a tag has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A module that citusctl does not have.
    Module(&'static str),
    /// Taking hosts out is one procedure, without parts.
    Removal,
    /// Anything else, in words that follow the tag.
    Words(&'static str),
}

impl Why {
    /// The rest of a sentence that begins with the tag.
    pub fn words(self) -> String {
        match self {
            Self::Module(module) => {
                format!("is of Pigsty's module {module}, which citusctl does not manage")
            }
            Self::Removal => {
                "is a part of a removal, which is done as a whole: `citusctl apply pgsql-rm`, `etcd-rm` or `node-rm`, with `-l`".to_owned()
            }
            Self::Words(words) => words.to_owned(),
        }
    }
}

use Why::{Module, Removal, Words};

const LOOKED: Why = Words("needs no step: hosts and parameters are looked at in every run");
const PITR: Why =
    Words("is of Pigsty's playbook pgsql-pitr; citusctl does not restore to a point in time yet");
const AUTHORITY: Why = Words(
    "is about the authority, which is made beside the inventory by the first run that needs it",
);
const SHELL: Why = Words(
    "is about shells of accounts, which are left alone; `node_aliases` (tag `node_alias`) makes aliases",
);

#[rustfmt::skip] // as a table
const TABLE: &[(&[&str], Why)] = &[
    (&["id", "node-id", "node_id", "preflight", "vip_check", "always"], LOOKED),
    (&["ca", "ca_dir", "ca_private", "ca_cert"], AUTHORITY),
    (&["infra", "nginx", "grafana", "dns", "dns_ins", "dns_cls", "node_dns", "vip_dns", "pg_dns", "pg_dns_ins", "pg_dns_cls", "add_dns", "rm_dns"], Module("infra")),
    (&["repo", "repo_dir", "repo_check", "repo_build", "cache"], Module("repo")),
    (&["minio", "minio_id"], Module("minio")),
    (&["redis"], Module("redis")),
    (&["docker"], Module("docker")),
    (&["monitor", "node_monitor", "pg_monitor", "haproxy_register", "node_exporter", "node_exporter_config", "node_exporter_launch", "vip_exporter",
       "vip_exporter_config", "vip_exporter_launch", "node_register", "node_deregister", "haproxy_deregister", "rm_proxy", "add_metrics", "add_logs", "rm_metrics", "rm_logs",
       "vector", "vector_install", "vector_clean", "vector_config", "vector_dir", "vector_launch", "etcd_register", "etcd_deregister", "pg_exporter", "pg_exporter_config",
       "pg_exporter_launch", "pgbouncer_exporter", "pgbouncer_exporter_config", "pgbouncer_exporter_launch", "pgbackrest_exporter", "pgbackrest_exporter_config",
       "pgbackrest_exporter_launch", "pg_register", "pg_deregister", "add_ds", "rm_ds", "register", "unregister"], Module("monitoring")),
    (&["node_sec", "node_selinux", "node_firewall", "haproxy_firewall"], Words("is about SELinux and firewalls, which are left alone")),
    (&["node_ca"], Words("is about the system's trust store, which is left alone: each service has the authority's certificate beside its own")),
    (&["node_repo_remove"], Words("removes repositories, and here they are only added: `node_repo_add`")),
    (&["node_uv", "node_pip"], Words("is about Python for other uses; nothing here needs it")),
    (&["node_admin_pk_current"], Words("adds the operator's own key, which is not done; name keys in `node_admin_pk_list`")),
    (&["pg_ssh"], Words("exchanges keys of accounts, which nothing here needs")),
    (&["pg_link", "pg_path"], Words("links PostgreSQL's programs, which stay where the package has them; `pg_bin_dir` says where")),
    (&["pg_alias"], SHELL),
    (&["pg_dummy"], Words("makes a ballast file, which is not done yet")),
    (&["pg_key"], Words("is about pgsodium, which is not set up")),
    (&["pg_pass"], Words("writes a file of passwords; here members prove themselves by what Patroni has, and application roles by `pg_dist_authinfo` (tag `pg_user`)")),
    (&["pg_file"], Words("copies `pg_files`, which is not done yet")),
    (&["pg_patroni"], Words("is about `patroni_mode`, which is not acted on; `citusctl pause` and `resume` do it")),
    (&["pg_done"], Words("prints connection strings: `citusctl connect`")),
    (&["node_remove", "pg_remove", "etcd_remove", "etcd_safeguard", "etcd_pause", "etcd_leave", "etcd_svc", "etcd_stop", "etcd_data", "etcd_pkg", "pg_safeguard", "pg_meta",
       "pg_data"], Removal),
    (&["print", "down", "pause", "stop", "stop_patroni", "stop_replica", "stop_primary", "stop_postgres", "pitr", "config", "backup", "restore", "recovery", "verify", "up",
       "start", "primary", "resume", "replica", "clonefrom"], PITR),
];

/// Why a tag of Pigsty's selects nothing here; `None`: it is not one of those.
pub fn why(tag: &str) -> Option<Why> {
    let found = TABLE.iter().find(|(tags, _)| tags.contains(&tag));
    found.map(|(_, why)| *why)
}

/// All of them, with why.
pub fn all() -> impl Iterator<Item = (&'static str, Why)> {
    let each =
        |(tags, why): &'static (&'static [&'static str], Why)| tags.iter().map(|tag| (*tag, *why));
    TABLE.iter().flat_map(each)
}
