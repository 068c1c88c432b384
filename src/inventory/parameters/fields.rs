//! Fields of the parameters that are lists of mappings (users, databases, services, HBA rules).

use super::Kind::{Any, Bool, Dict, Int, IntOr, List, OneOf, Port, Secret, Text, Texts};
use super::kind::{Field, Kind};

const fn field(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        required: false,
    }
}

const fn needed(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        required: true,
    }
}

const ANY_INT: Kind = Int(i64::MIN, i64::MAX);
const POOL_MODE: Kind = OneOf(&["transaction", "session", "statement"]);

/// `pg_users`, `pg_default_roles`.
pub(super) const USER: &[Field] = &[
    needed("name", Text),
    field("state", OneOf(&["create", "absent"])),
    field("password", Secret),
    field("login", Bool),
    field("superuser", Bool),
    field("createdb", Bool),
    field("createrole", Bool),
    field("inherit", Bool),
    field("replication", Bool),
    field("bypassrls", Bool),
    field("connlimit", Int(-1, i64::MAX)),
    field("expire_in", ANY_INT),
    field("expire_at", Text),
    field("comment", Text),
    field("roles", List),
    field("parameters", Dict),
    field("pgbouncer", Bool),
    field("pool_mode", POOL_MODE),
    field("pool_connlimit", ANY_INT),
    field("reassign_to", Text),
];

/// `pg_databases`.
pub(super) const DATABASE: &[Field] = &[
    needed("name", Text),
    field("state", OneOf(&["create", "absent", "recreate"])),
    field("owner", Text),
    field("template", Text),
    field("strategy", Text),
    field("encoding", Text),
    field("locale", Text),
    field("lc_collate", Text),
    field("lc_ctype", Text),
    field("locale_provider", OneOf(&["libc", "icu", "builtin"])),
    field("icu_locale", Text),
    field("icu_rules", Text),
    field("builtin_locale", Text),
    field("tablespace", Text),
    field("is_template", Bool),
    field("allowconn", Bool),
    field("connlimit", Int(-1, i64::MAX)),
    field("revokeconn", Bool),
    field("comment", Text),
    field("baseline", Text),
    field("schemas", List),
    field("extensions", List),
    field("parameters", Dict),
    field("pgbouncer", Bool),
    field("pool_auth_user", Text),
    field("pool_mode", POOL_MODE),
    field("pool_size", ANY_INT),
    field("pool_size_min", ANY_INT),
    field("pool_reserve", ANY_INT),
    field("pool_connlimit", ANY_INT),
    field("register_datasource", Bool),
];

/// `pg_services`, `pg_default_services`; the model says what is missing.
pub(super) const SERVICE: &[Field] = &[
    field("name", Text),
    field("port", Any),
    field("ip", Text),
    field("selector", Text),
    field("backup", Text),
    field(
        "dest",
        IntOr(1, 65535, &["default", "postgres", "pgbouncer"]),
    ),
    field("check", Text),
    field("maxconn", Int(1, i64::MAX)),
    field("balance", Text),
    field("options", Any),
];

/// `pg_hba_rules`, `pgb_hba_rules` and their defaults.
pub(super) const HBA: &[Field] = &[
    field("title", Text),
    // A text or a list of texts; the model says what is wrong.
    field("user", Any),
    field("db", Any),
    field("addr", Text),
    field("auth", Text),
    field("role", Text),
    field("order", ANY_INT),
    field("rules", Texts),
];

/// `haproxy_services`; the model says what is missing.
pub(super) const HAPROXY_SERVICE: &[Field] = &[
    field("name", Text),
    field("port", Any),
    field("ip", Text),
    field("protocol", OneOf(&["tcp", "http"])),
    field("balance", Text),
    field("maxconn", Int(1, i64::MAX)),
    field("default", Text),
    field("options", Any),
    field("servers", Kind::Records(SERVER)),
];

const SERVER: &[Field] = &[
    needed("name", Text),
    needed("ip", Text),
    needed("port", Port),
    field("options", Text),
    field("backup", Bool),
    field("weight", Int(0, 256)),
];

/// `node_repos`.
pub(super) const REPO: &[Field] = &[
    needed("name", Text),
    needed("line", Text),
    field("key", Text),
];

/// `repo_upstream`.
pub(super) const UPSTREAM: &[Field] = &[
    needed("name", Text),
    needed("module", Text),
    needed("baseurl", Any),
    field("description", Text),
    field("releases", List),
    field("arch", List),
    field("key", Text),
    // Options of yum; apt has no use for them.
    field("meta", Dict),
];

/// `node_facts`.
pub(super) const FACTS: &[Field] = &[
    field("cpu", Int(1, 4096)),
    field("mem_mb", Int(1, i64::MAX)),
    field("disk_gb", Int(1, i64::MAX)),
    field("os", Text),
];
