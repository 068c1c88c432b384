//! An inventory as data and as text, for `citusctl inventory`. Secrets are masked.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::parameters::{Typed, lookup, names_of, shown};
use super::{Inventory, Vars};
use crate::names::{GroupName, HostName};
use crate::secret::Masker;

/// What `ansible-inventory --list` prints: groups, and `_meta.hostvars`.
pub fn list_json(inv: &Inventory) -> Value {
    let names = Masker::among(names_of(inv));
    let hostvars = inv
        .hosts
        .iter()
        .map(|(name, host)| (name.to_string(), masked(&host.vars, &names)));
    let mut out = Map::new();
    out.insert(
        "_meta".to_owned(),
        json!({ "hostvars": Value::Object(hostvars.collect()) }),
    );
    for (name, group) in &inv.groups {
        let mut entry = Map::new();
        let direct = direct_hosts(inv, name);
        if !direct.is_empty() {
            entry.insert("hosts".to_owned(), json!(direct));
        }
        if !group.children.is_empty() {
            entry.insert("children".to_owned(), json!(group.children));
        }
        out.insert(name.to_string(), Value::Object(entry));
    }
    Value::Object(out)
}

/// The variables of one host, as `ansible-inventory --host` prints them.
pub fn host_json(inv: &Inventory, host: &HostName) -> Option<Value> {
    let names = Masker::among(names_of(inv));
    inv.hosts.get(host).map(|host| masked(&host.vars, &names))
}

/// A secret may come from a variable of the user's own (`patroni_password: "{{ mine }}"`): it is not shown there either.
fn masked(vars: &Vars, names: &Masker) -> Value {
    let mut masker = names.clone();
    let secrets = Typed::new(vars).secrets();
    secrets.into_iter().for_each(|secret| masker.add(secret));
    let shown = vars.iter().map(|(name, var)| {
        let value = shown(name, &var.node);
        let value = match lookup(name) {
            Some(_) => value,
            None => without(value, &masker),
        };
        (name.to_owned(), value)
    });
    Value::Object(shown.collect::<Map<_, _>>())
}

fn without(value: Value, masker: &Masker) -> Value {
    match value {
        Value::String(text) => Value::from(masker.mask(&text)),
        Value::Array(items) => items
            .into_iter()
            .map(|item| without(item, masker))
            .collect(),
        Value::Object(entries) => entries
            .into_iter()
            .map(|(key, value)| (key, without(value, masker)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

/// Host, variable, layer and place of every value, without the values.
pub fn origins(inv: &Inventory) -> Vec<(HostName, String, String, String)> {
    let rows = inv.hosts.values().flat_map(|host| {
        host.vars.iter().map(|(name, var)| {
            let place = inv.sources.place(var.node.span).to_string();
            (
                host.name.clone(),
                name.to_owned(),
                var.layer.to_string(),
                place,
            )
        })
    });
    rows.collect()
}

/// The tree of groups and hosts, as `ansible-inventory --graph` draws it.
pub fn graph(inv: &Inventory) -> String {
    let mut out = String::new();
    branch(inv, &GroupName::from("all"), 0, &mut out);
    out
}

fn branch(inv: &Inventory, name: &GroupName, depth: usize, out: &mut String) {
    line(out, depth, &format!("@{name}:"));
    let Some(group) = inv.groups.get(name) else {
        return;
    };
    for child in &group.children {
        branch(inv, child, depth + 1, out);
    }
    for host in direct_hosts(inv, name) {
        line(out, depth + 1, host);
    }
}

fn line(out: &mut String, depth: usize, text: &str) {
    let lead = match depth {
        0 => String::new(),
        _ => format!("{}--", "  |".repeat(depth)),
    };
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{lead}{text}");
}

/// Hosts that a group names itself: those of none of its children.
fn direct_hosts<'i>(inv: &'i Inventory, name: &GroupName) -> Vec<&'i str> {
    let Some(group) = inv.groups.get(name) else {
        return Vec::new();
    };
    let children = group
        .children
        .iter()
        .filter_map(|child| inv.groups.get(child));
    let below: std::collections::HashSet<&str> = children
        .flat_map(|child| child.hosts.iter().map(|host| host.as_str()))
        .collect();
    let hosts = group.hosts.iter().map(|host| host.as_str());
    hosts.filter(|host| !below.contains(host)).collect()
}
