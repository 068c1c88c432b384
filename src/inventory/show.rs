//! The inventory as people and `ansible-inventory` show it.

use super::Inventory;
use crate::names::{GroupName, HostName};
use serde_json::{Map, Value, json};

/// `--list`: the shape of `ansible-inventory --list`.
pub fn list_json(inventory: &Inventory) -> Value {
    let hostvars: Map<String, Value> = inventory
        .hosts
        .iter()
        .map(|(name, host)| (name.to_string(), host.vars.to_json()))
        .collect();
    let mut root = Map::new();
    root.insert("_meta".to_owned(), json!({ "hostvars": hostvars }));
    for (name, group) in &inventory.groups {
        let mut entry = Map::new();
        if !group.children.is_empty() {
            entry.insert("children".to_owned(), json!(group.children));
        }
        if !group.hosts.is_empty() && name.as_str() != "all" {
            entry.insert("hosts".to_owned(), json!(group.hosts));
        }
        root.insert(name.to_string(), Value::Object(entry));
    }
    Value::Object(root)
}

/// `--host`: the merged variables of one host.
pub fn host_json(inventory: &Inventory, host: &HostName) -> Option<Value> {
    inventory.hosts.get(host).map(|host| host.vars.to_json())
}

/// `--graph`: the tree of groups.
pub fn graph(inventory: &Inventory) -> String {
    let mut text = String::new();
    branch(inventory, &GroupName::new("all"), 0, &mut text);
    text
}

fn branch(inventory: &Inventory, name: &GroupName, depth: usize, text: &mut String) {
    let pad = if depth == 0 {
        String::new()
    } else {
        format!("{}|--", "  |".repeat(depth - 1))
    };
    text.push_str(&format!("{pad}@{name}:\n"));
    let Some(group) = inventory.groups.get(name) else {
        return;
    };
    for child in group.children.iter().filter(|_| depth < 32) {
        branch(inventory, child, depth + 1, text);
    }
    let below: Vec<&HostName> = group
        .children
        .iter()
        .filter_map(|child| inventory.groups.get(child))
        .flat_map(|child| &child.hosts)
        .collect();
    for host in group.hosts.iter().filter(|host| !below.contains(host)) {
        text.push_str(&format!("{}|--{host}\n", "  |".repeat(depth)));
    }
}

/// `--vars-origin`: for each host, where each value came from.
pub fn origins(inventory: &Inventory) -> Vec<(HostName, String, String, String)> {
    let mut rows = Vec::new();
    for (name, host) in &inventory.hosts {
        for (variable, var) in host.vars.iter() {
            let place = inventory.sources.place(var.node.span).to_string();
            rows.push((
                name.clone(),
                variable.to_owned(),
                var.layer.to_string(),
                place,
            ));
        }
    }
    rows
}
