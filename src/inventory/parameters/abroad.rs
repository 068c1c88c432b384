//! Names that other tools have for fields of our records.

/// The field of another tool (Autobase, Ansible's PostgreSQL modules, Zalando's and CloudNativePG's operators, `pg_hba.conf`
/// itself, HAProxy), and ours.
const FIELDS: &[(&str, &str)] = &[
    ("access", "auth"),
    ("address", "addr"),
    ("addresses", "addr"),
    ("admin_option", "admin"),
    ("auth_method", "auth"),
    ("authentication", "auth"),
    ("backend", "servers"),
    ("can_login", "login"),
    ("canlogin", "login"),
    ("cidr", "addr"),
    ("conn_limit", "connlimit"),
    ("connection_limit", "connlimit"),
    ("connectionLimit", "connlimit"),
    ("contype", "auth"),
    ("create_db", "createdb"),
    ("create_role", "createrole"),
    ("ctype", "lc_ctype"),
    ("collate", "lc_collate"),
    ("database", "db"),
    ("databases", "db"),
    ("datname", "name"),
    ("description", "comment"),
    ("destination", "dest"),
    ("dbname", "db"),
    ("ensure", "state"),
    ("expires", "expire_at"),
    ("ext", "name"),
    ("extension", "extensions"),
    ("health_check", "check"),
    ("healthcheck", "check"),
    ("host", "ip"),
    ("in_roles", "roles"),
    ("inRoles", "roles"),
    ("ip_address", "addr"),
    ("is_superuser", "superuser"),
    ("limit", "connlimit"),
    ("lc_type", "lc_ctype"),
    ("listen_port", "port"),
    ("max_conn", "maxconn"),
    ("member_of", "roles"),
    ("memberof", "roles"),
    ("method", "auth"),
    ("mode", "pool_mode"),
    ("network", "addr"),
    ("options", "parameters"),
    ("pass", "password"),
    ("passwd", "password"),
    ("path", "check"),
    ("pool", "pool_mode"),
    ("poolmode", "pool_mode"),
    ("priority", "order"),
    ("pwd", "password"),
    ("repo", "line"),
    ("role", "name"),
    ("rolname", "name"),
    ("schema", "schemas"),
    ("set", "parameters"),
    ("settings", "parameters"),
    ("source", "addr"),
    ("source_address", "addr"),
    ("target", "dest"),
    ("type", "auth"),
    ("url", "line"),
    ("user_name", "user"),
    ("username", "user"),
    ("users", "user"),
    ("usename", "name"),
    ("valid_until", "expire_at"),
    ("validUntil", "expire_at"),
    ("vars", "parameters"),
];

/// The names that stand for `name` in records whose own key is `name`.
const NAMES: &[&str] = &[
    "user", "username", "role", "db", "database", "rolname", "datname", "title", "service",
];

/// What a field of another tool is called here; `None` when no tool is known to have it.
pub(super) fn ours(name: &str) -> Option<&'static str> {
    FIELDS
        .iter()
        .find(|(theirs, _)| *theirs == name)
        .map(|(_, ours)| *ours)
}

/// Whether another tool calls `name` so.
pub(super) fn is_name(name: &str) -> bool {
    NAMES.contains(&name)
}
