//! Which parts of a value are secrets: those of kind `Secret`, those under a telling name, and those that were encrypted
//! or looked up.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

use super::{ParamKind, lookup};
use crate::inventory::Inventory;
use crate::secret::{MASK, Secret};
use crate::source::Node;

/// Ends of names that hold secrets, for mappings without fields (`pgbackrest_repo`) and variables
/// of the user's own.
const TELLING: &[&str] = &[
    "password",
    "passwd",
    "_pass",
    "secret",
    "_token",
    "customer_key",
    "azure_key",
    "gcs_key",
    "passphrase",
];

fn is_telling(name: &str) -> bool {
    TELLING.iter().any(|end| name.ends_with(end))
}

/// The kind of a variable, as far as secrets go.
fn kind_of(name: &str) -> ParamKind {
    match lookup(name) {
        Some(param) => param.kind,
        None if is_telling(name) => ParamKind::Secret,
        None => ParamKind::Any,
    }
}

/// The kind of what is under a key.
fn below(kind: ParamKind, key: &str) -> ParamKind {
    let declared = match kind {
        ParamKind::Record(fields) | ParamKind::Records(fields) => {
            fields.iter().find(|f| f.name == key)
        }
        _ => None,
    };
    match declared {
        Some(field) => field.kind,
        None if is_telling(key) => ParamKind::Secret,
        None => ParamKind::Any,
    }
}

/// Whether a scalar is a secret: by its kind, or by where it came from. What came from an encrypted file, the
/// environment or a file is one unless the catalogue knows better (a port, a cluster's name).
fn hides(kind: ParamKind, node: &Node) -> bool {
    let unknown = matches!(
        kind,
        ParamKind::Any
            | ParamKind::Map(..)
            | ParamKind::PgSettings
            | ParamKind::Names(_)
            | ParamKind::TextOrMap(_)
    );
    kind == ParamKind::Secret || node.is_secret() || (unknown && node.is_guarded())
}

/// A value for people's eyes: as JSON, secrets replaced.
pub fn shown(name: &str, node: &Node) -> Value {
    show(kind_of(name), node)
}

fn show(kind: ParamKind, node: &Node) -> Value {
    if let Some(items) = node.items() {
        return items.iter().map(|item| show(kind, item)).collect();
    }
    if let Some(entries) = node.entries() {
        let shown = entries.map(|(key, value)| (key.to_owned(), show(below(kind, key), value)));
        return Value::Object(shown.collect::<Map<_, _>>());
    }
    let value = node.to_json();
    let empty = value.is_null() || value == "";
    if hides(kind, node) && !empty {
        Value::from(MASK)
    } else {
        value
    }
}

/// All secrets in a variable.
pub fn secrets_in(name: &str, node: &Node) -> Vec<Secret> {
    let mut found = Vec::new();
    gather(kind_of(name), node, &mut found);
    found.retain(|secret| !secret.is_empty());
    found
}

fn gather(kind: ParamKind, node: &Node, found: &mut Vec<Secret>) {
    for item in node.items().unwrap_or_default() {
        gather(kind, item, found);
    }
    for (key, value) in node.entries().into_iter().flatten() {
        gather(below(kind, key), value, found);
    }
    if hides(kind, node) && !node.to_json().is_null() {
        found.extend(node.as_str().map(Secret::new));
    }
}

/// A piece of a value, in the order written.
#[derive(Debug)]
pub enum Piece<'n> {
    /// A list of so many items.
    List(usize),
    /// A mapping of so many entries; a key goes before each.
    Mapping(usize),
    Key(&'n str),
    /// A scalar, and whether it is a secret.
    Scalar(&'n Node, bool),
}

/// Hands all pieces of a variable to `take`.
pub fn pieces<'n>(name: &str, node: &'n Node, take: &mut impl FnMut(Piece<'n>)) {
    take_apart(kind_of(name), node, take);
}

fn take_apart<'n>(kind: ParamKind, node: &'n Node, take: &mut impl FnMut(Piece<'n>)) {
    if let Some(items) = node.items() {
        take(Piece::List(items.len()));
        items.iter().for_each(|item| take_apart(kind, item, take));
    } else if let Some(pairs) = node.pairs() {
        take(Piece::Mapping(pairs.len()));
        for (key, value) in pairs {
            let key = key.as_str().unwrap_or_default();
            take(Piece::Key(key));
            take_apart(below(kind, key), value, take);
        }
    } else {
        take(Piece::Scalar(node, hides(kind, node)));
    }
}

/// Variables that name something.
const NAMING: &[&str] = &[
    "pg_cluster",
    "pg_shard",
    "pg_primary_db",
    "nodename",
    "node_cluster",
];

/// Names that stand in the open, with their parts: of hosts, groups, clusters, roles, databases and services, and Pigsty's
/// own. They are in file names, plans and logs.
pub fn names_of(inv: &Inventory) -> BTreeSet<String> {
    let vars = inv.hosts.values().flat_map(|host| host.vars.iter());
    let given = vars.flat_map(|(name, var)| names_in(name, &var.node));
    let hosts = inv.hosts.keys().map(|name| name.as_str());
    let groups = inv.groups.keys().map(|name| name.as_str());
    let own = hosts.chain(groups).chain(["pigsty"]).flat_map(words);
    given.chain(own).collect()
}

/// The names that a variable gives.
fn names_in(name: &str, node: &Node) -> Vec<String> {
    let own = node.as_str().filter(|_| NAMING.contains(&name));
    let items = node.items().unwrap_or_default();
    let records = items
        .iter()
        .filter(|_| matches!(kind_of(name), ParamKind::Records(_)));
    let named = records.filter_map(|item| item.get("name"));
    let named = named
        .filter(|name| !name.is_secret())
        .filter_map(Node::as_str);
    own.into_iter().chain(named).flat_map(words).collect()
}

/// A name and its parts.
fn words(name: &str) -> Vec<String> {
    let parts = name.split(|letter: char| !letter.is_alphanumeric());
    parts.chain([name]).map(str::to_owned).collect()
}
