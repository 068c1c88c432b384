//! Fields of the parameters that are lists of mappings (users, databases, services, HBA rules).

use super::Form;
use super::kind::ParamKind::{
    Any, Bool, Int, IntOr, Names, OneOf, PgSettings, Port, Records, Secret, Text, TextOrMap,
    TextOrTexts, Texts,
};
use super::kind::{Field, ParamKind};

const fn field(name: &'static str, kind: ParamKind) -> Field {
    Field {
        name,
        kind,
        required: false,
    }
}

const fn needed(name: &'static str, kind: ParamKind) -> Field {
    Field {
        name,
        kind,
        required: true,
    }
}

const ANY_INT: ParamKind = Int(i64::MIN, i64::MAX);
const POOL_MODE: ParamKind = OneOf(&["transaction", "session", "statement"]);
/// Names of PostgreSQL's objects.
const SQL: ParamKind = Text(Form::Line);
/// The same, where the model judges the name with words of its own (`model::objects`).
const OWN_NAME: ParamKind = Text(Form::Prose);
const STATE: ParamKind = OneOf(&["create", "present", "absent"]);

/// `pg_users`, `pg_default_roles`.
pub(super) const USER: &[Field] = &[
    needed("name", OWN_NAME),
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
    field("expire_at", Text(Form::Line)),
    field("comment", Text(Form::Prose)),
    field("roles", Names(GRANT)),
    field("parameters", PgSettings),
    field("pgbouncer", Bool),
    field("pool_mode", POOL_MODE),
    field("pool_connlimit", ANY_INT),
    field("reassign_to", SQL),
];

const GRANT: &[Field] = &[
    needed("name", SQL),
    field(
        "state",
        OneOf(&["create", "grant", "present", "absent", "revoke"]),
    ),
    field("admin", Bool),
    field("inherit", Bool),
    field("set", Bool),
];

/// `pg_databases`.
pub(super) const DATABASE: &[Field] = &[
    needed("name", OWN_NAME),
    field("state", OneOf(&["create", "absent", "recreate"])),
    field("owner", SQL),
    field("template", SQL),
    field("strategy", Text(Form::Name)),
    field("encoding", Text(Form::Locale)),
    field("locale", Text(Form::Locale)),
    field("lc_collate", Text(Form::Locale)),
    field("lc_ctype", Text(Form::Locale)),
    field("locale_provider", OneOf(&["libc", "icu", "builtin"])),
    field("icu_locale", Text(Form::Line)),
    field("icu_rules", Text(Form::Prose)),
    field("builtin_locale", Text(Form::Locale)),
    field("tablespace", SQL),
    field("is_template", Bool),
    field("allowconn", Bool),
    field("connlimit", Int(-1, i64::MAX)),
    field("revokeconn", Bool),
    field("comment", Text(Form::Prose)),
    field("baseline", Text(Form::Line)),
    field("schemas", Names(SCHEMA)),
    field("extensions", Names(EXTENSION)),
    field("parameters", PgSettings),
    field("pgbouncer", Bool),
    field("pool_auth_user", SQL),
    field("pool_mode", POOL_MODE),
    field("pool_size", ANY_INT),
    field("pool_size_min", ANY_INT),
    field("pool_reserve", ANY_INT),
    field("pool_connlimit", ANY_INT),
    field("register_datasource", Bool),
];

const SCHEMA: &[Field] = &[
    field("name", OWN_NAME),
    field("owner", SQL),
    field("state", STATE),
];

/// `pg_default_extensions`, and `extensions` of a database.
pub(super) const EXTENSION: &[Field] = &[
    field("name", SQL),
    field("schema", OWN_NAME),
    field("version", Text(Form::Version)),
    field("state", STATE),
];

/// `pg_services`, `pg_default_services`; the model says what is missing.
pub(super) const SERVICE: &[Field] = &[
    field("name", Text(Form::Line)),
    field("port", Text(Form::Line)),
    field("ip", Text(Form::Bind)),
    field("selector", Text(Form::Prose)),
    field("backup", Text(Form::Prose)),
    field(
        "dest",
        IntOr(1, 65535, &["default", "postgres", "pgbouncer"]),
    ),
    field("check", Text(Form::HttpPath)),
    field("maxconn", Int(1, i64::MAX)),
    field("balance", Text(Form::HaproxyWords)),
    field("options", Text(Form::HaproxyWords)),
];

/// `pg_hba_rules`, `pgb_hba_rules` and their defaults.
pub(super) const HBA: &[Field] = &[
    field("title", Text(Form::Line)),
    // The model says what is wrong with these.
    field("user", TextOrTexts(Form::Line)),
    field("db", TextOrTexts(Form::Line)),
    field("addr", Text(Form::Line)),
    field("auth", Text(Form::Line)),
    field("role", Text(Form::Line)),
    field("order", ANY_INT),
    field("rules", TextOrTexts(Form::Prose)),
];

/// `haproxy_services`; the model says what is missing.
pub(super) const HAPROXY_SERVICE: &[Field] = &[
    field("name", Text(Form::Line)),
    field("port", Text(Form::Line)),
    field("ip", Text(Form::Bind)),
    field("protocol", OneOf(&["tcp", "http"])),
    field("balance", Text(Form::HaproxyWords)),
    field("maxconn", Int(1, i64::MAX)),
    field("default", Text(Form::HaproxyWords)),
    field("options", TextOrTexts(Form::HaproxyLine)),
    field("servers", Records(SERVER)),
];

const SERVER: &[Field] = &[
    needed("name", Text(Form::Name)),
    needed("ip", Text(Form::HostAddr)),
    needed("port", Port),
    field("options", Text(Form::HaproxyWords)),
    field("backup", Bool),
    field("weight", Int(0, 256)),
];

/// `node_repos`.
pub(super) const REPO: &[Field] = &[
    needed("name", Text(Form::FileName)),
    needed("line", Text(Form::AptLine)),
    field("key", Text(Form::Key)),
];

/// `repo_upstream`.
pub(super) const UPSTREAM: &[Field] = &[
    needed("name", Text(Form::FileName)),
    needed("module", Text(Form::Name)),
    needed("baseurl", TextOrMap(Form::Url)),
    field("description", Text(Form::Line)),
    field("releases", Texts(Form::Name)),
    field("arch", Texts(Form::Name)),
    field("key", Text(Form::Key)),
    // Options of yum; apt has no use for them.
    field("meta", Any),
];

/// `node_facts`.
pub(super) const FACTS: &[Field] = &[
    field("cpu", Int(1, 4096)),
    field("mem_mb", Int(1, i64::MAX)),
    field("disk_gb", Int(1, i64::MAX)),
    field("os", Text(Form::Line)),
];
