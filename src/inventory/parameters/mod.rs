//! The one catalogue of parameters: name, type, default, meaning. It feeds `check`, `catalog vars` and the docs.
//!
//! Names and defaults are Pigsty's (v4.5) unless the meaning says otherwise.

mod abroad;
mod check;
mod effect;
mod fault;
mod fields;
mod form;
mod key;
mod kind;
mod mask;
mod noted;
mod table_access;
mod table_legacy;
mod table_node;
mod table_own;
mod table_pgsql;
#[cfg(test)]
mod tests;
mod typed;

pub use check::check_vars;
pub use effect::{Effect, kept};
pub use form::Form;
pub use key::{Key, Readable};
pub use kind::{Field, ParamKind, boolean};
pub use mask::{Piece, names_of, pieces, secrets_in, shown};
pub use typed::Typed;

use serde_json::Value;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The key of each parameter: `typed.get(param::PG_PORT)`.
pub mod param {
    pub use super::table_access::*;
    pub use super::table_node::*;
    pub use super::table_own::*;
    pub use super::table_pgsql::*;
}

/// Passwords of the system's own users: of one formation, of etcd, of HAProxy.
pub const PASSWORDS: [&str; 8] = [
    "pg_dbsu_password",
    "pg_replication_password",
    "pg_admin_password",
    "pg_monitor_password",
    "patroni_password",
    "haproxy_admin_password",
    "etcd_root_password",
    "pg_etcd_password",
];

/// What a parameter belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Module {
    Ansible,
    Ca,
    Node,
    NodeVip,
    Haproxy,
    Etcd,
    Pgsql,
    Backup,
    Pgbouncer,
    Access,
    Removal,
    Citusctl,
}

/// How far a parameter is acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    Used,
    /// Understood and checked, acted on by a later version.
    Planned,
    /// An older name or form; the text says what to write now.
    Legacy(&'static str),
    /// Ansible's own, or of no meaning here; accepted without a word.
    Ignored,
}

/// A default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultValue {
    None,
    /// As JSON text.
    Json(&'static str),
}

/// One parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Param {
    pub name: &'static str,
    pub module: Module,
    pub kind: ParamKind,
    pub default: DefaultValue,
    /// Where it is usually set: G global, C cluster, I instance, A argument.
    pub level: &'static str,
    pub doc: &'static str,
    pub support: Support,
    /// What a change of it on what runs already means.
    pub effect: Effect,
}

/// A parameter that is acted on. Without the effect of a change it does not compile.
const fn used(
    module: Module,
    name: &'static str,
    kind: ParamKind,
    default: &'static str,
    level: &'static str,
    doc: &'static str,
    effect: Effect,
) -> Param {
    let default = if default.is_empty() {
        DefaultValue::None
    } else {
        DefaultValue::Json(default)
    };
    Param {
        name,
        module,
        kind,
        default,
        level,
        doc,
        support: Support::Used,
        effect,
    }
}

/// The same with another support.
const fn with(param: Param, support: Support) -> Param {
    Param { support, ..param }
}

/// A parameter that a later version acts on.
const fn planned(
    module: Module,
    name: &'static str,
    kind: ParamKind,
    default: &'static str,
    level: &'static str,
    doc: &'static str,
) -> Param {
    with(
        used(module, name, kind, default, level, doc, Effect::Nothing),
        Support::Planned,
    )
}

/// All parameters.
pub fn all() -> impl Iterator<Item = &'static Param> {
    let tables = [
        table_node::TABLE,
        table_pgsql::TABLE,
        table_access::TABLE,
        table_own::TABLE,
    ];
    tables
        .into_iter()
        .flatten()
        .copied()
        .chain(table_legacy::TABLE)
}

/// A parameter with its default as a value.
struct Row {
    param: &'static Param,
    default: Value,
}

/// All parameters by name: they are looked up many times for each host.
static ROWS: LazyLock<HashMap<&'static str, Row>> = LazyLock::new(|| {
    let row = |param: &'static Param| Row {
        param,
        default: param.default.json(),
    };
    all().map(|param| (param.name, row(param))).collect()
});

/// The parameter of that name.
pub fn lookup(name: &str) -> Option<&'static Param> {
    ROWS.get(name).map(|row| row.param)
}

/// Older names that count as the present ones, with these.
pub(super) fn renamed() -> impl Iterator<Item = (&'static str, &'static str)> {
    table_legacy::all_renamed()
}

/// Whether a name belongs to a module that citusctl does not have (infra, minio, redis, monitoring).
pub fn is_noted(name: &str) -> Option<&'static str> {
    noted::module_of(name)
}

/// The name that somebody who misspelt this one may have meant.
pub fn suggest(name: &str) -> Option<&'static str> {
    let present = all().filter(|param| !matches!(param.support, Support::Legacy(_)));
    crate::names::nearest(name, present.map(|param| param.name))
}
