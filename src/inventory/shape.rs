//! From the nodes of an inventory file to groups and hosts with their own variables.

use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use super::error::LoadContext;
use super::range;
use super::vars::{Layer, Var, Vars};
use crate::names::{GroupName, HostName};
use crate::source::{Diagnostic, Node, Span};

/// Groups and hosts as written, nothing merged.
#[derive(Debug, Default)]
pub(super) struct RawInventory {
    pub(super) groups: IndexMap<GroupName, RawGroup>,
    pub(super) hosts: IndexMap<HostName, RawHost>,
}

#[derive(Debug)]
pub(super) struct RawGroup {
    pub(super) span: Span,
    /// Direct members.
    pub(super) hosts: IndexSet<HostName>,
    pub(super) children: Vec<GroupName>,
    pub(super) vars: Vars,
}

#[derive(Debug)]
pub(super) struct RawHost {
    pub(super) span: Span,
    pub(super) vars: Vars,
}

/// Reads the whole inventory; problems go to the context.
pub(super) fn read(context: &mut LoadContext, root: &Node) -> RawInventory {
    let mut raw = RawInventory::default();
    raw.group(&GroupName::from("all"), root.span);
    let Some(groups) = root.pairs() else {
        context.report(wrong_shape(root, "an inventory", "starts with `all:`"));
        return raw;
    };
    for (key, value) in groups {
        read_group(context, &mut raw, key, value);
    }
    adopt(&mut raw, root.span);
    raw
}

/// `citusctl` has no more groups than nodes, so the depth is that of the text.
fn read_group(
    context: &mut LoadContext,
    raw: &mut RawInventory,
    key: &Node,
    value: &Node,
) -> GroupName {
    let name = GroupName::new(key.as_str().unwrap_or_default());
    raw.group(&name, key.span);
    if is_null(value) {
        return name;
    }
    let Some(parts) = value.pairs() else {
        let what = format!("group `{name}`");
        context.report(wrong_shape(
            value,
            &what,
            "has `hosts`, `children` and `vars`",
        ));
        return name;
    };
    for (part, content) in parts {
        match part.as_str().unwrap_or_default() {
            "hosts" => read_hosts(context, raw, &name, content),
            "children" => read_children(context, raw, &name, content),
            "vars" => read_vars(context, raw, &name, content),
            other => context.report(odd_part(&name, part, other)),
        }
    }
    name
}

fn read_hosts(context: &mut LoadContext, raw: &mut RawInventory, group: &GroupName, node: &Node) {
    if is_null(node) {
        return;
    }
    let Some(hosts) = node.pairs() else {
        let what = format!("`hosts` of group `{group}`");
        let problem = wrong_shape(node, &what, "maps each host to its variables");
        context.report(problem.help("write `10.10.10.11: { pg_seq: 1 }`, or `host:` alone"));
        return;
    };
    for (key, value) in hosts {
        read_host(context, raw, group, key, value);
    }
}

fn read_host(
    context: &mut LoadContext,
    raw: &mut RawInventory,
    group: &GroupName,
    key: &Node,
    value: &Node,
) {
    let written = key.as_str().unwrap_or_default();
    let (pattern, port) = split_port(written);
    let names = match range::expand(pattern) {
        Ok(names) => names,
        Err(reason) => {
            let problem =
                Diagnostic::error("inventory-range", format!("host `{written}`: {reason}"));
            context.report(problem.at(key.span, "cannot be expanded"));
            return;
        }
    };
    let mut vars = own_vars(context, &format!("host `{written}`"), value, &Layer::Host);
    if let Some(port) = port {
        let node = Arc::new(Node::string(port, key.span));
        let (key, layer) = (key.span, Layer::Host);
        vars.insert("ansible_port", Var { node, key, layer });
    }
    for name in names {
        raw.member(group, &HostName::new(name), key.span, &vars);
    }
}

/// `host:2222` names a port; IPv6 addresses and ranges hold colons too and do not.
fn split_port(written: &str) -> (&str, Option<&str>) {
    match written.rsplit_once(':') {
        Some((host, port))
            if !host.contains(':')
                && !host.is_empty()
                && !port.is_empty()
                && port.bytes().all(|b| b.is_ascii_digit()) =>
        {
            (host, Some(port))
        }
        _ => (written, None),
    }
}

fn read_children(
    context: &mut LoadContext,
    raw: &mut RawInventory,
    group: &GroupName,
    node: &Node,
) {
    if is_null(node) {
        return;
    }
    let Some(children) = node.pairs() else {
        let what = format!("`children` of group `{group}`");
        context.report(wrong_shape(node, &what, "maps each group to what is in it"));
        return;
    };
    for (key, value) in children {
        let child = read_group(context, raw, key, value);
        let parent = raw.group(group, key.span);
        if !parent.children.contains(&child) {
            parent.children.push(child);
        }
    }
}

fn read_vars(context: &mut LoadContext, raw: &mut RawInventory, group: &GroupName, node: &Node) {
    let layer = match group.as_str() {
        "all" => Layer::All,
        _ => Layer::Group(group.clone()),
    };
    let vars = own_vars(context, &format!("`vars` of group `{group}`"), node, &layer);
    raw.group(group, node.span).vars.overlay(&vars);
}

/// The variables of a mapping; anything else but nothing is a problem.
pub(super) fn own_vars(context: &mut LoadContext, what: &str, node: &Node, layer: &Layer) -> Vars {
    if !is_null(node) && node.pairs().is_none() {
        context.report(wrong_shape(node, what, "is a mapping of variables"));
    }
    let vars = Vars::from_map(node, layer);
    context.wrote(&vars);
    vars
}

impl RawInventory {
    fn group(&mut self, name: &GroupName, span: Span) -> &mut RawGroup {
        self.groups.entry(name.clone()).or_insert_with(|| RawGroup {
            span,
            hosts: IndexSet::new(),
            children: Vec::new(),
            vars: Vars::default(),
        })
    }

    fn member(&mut self, group: &GroupName, host: &HostName, span: Span, vars: &Vars) {
        self.group(group, span).hosts.insert(host.clone());
        let entry = self.hosts.entry(host.clone()).or_insert_with(|| RawHost {
            span,
            vars: Vars::default(),
        });
        entry.vars.overlay(vars);
    }
}

/// Groups without a parent become children of `all`, as in Ansible.
fn adopt(raw: &mut RawInventory, span: Span) {
    let parents = raw
        .groups
        .values()
        .flat_map(|group| group.children.iter().cloned());
    let adopted: Vec<GroupName> = parents.collect();
    let all = GroupName::from("all");
    let orphans: Vec<GroupName> = raw
        .groups
        .keys()
        .filter(|name| **name != all)
        .cloned()
        .collect();
    let orphans = orphans.into_iter().filter(|name| !adopted.contains(name));
    let orphans: Vec<GroupName> = orphans.collect();
    raw.group(&all, span).children.extend(orphans);
}

pub(super) fn is_null(node: &Node) -> bool {
    node.kind() == "null"
}

fn wrong_shape(node: &Node, what: &str, wanted: &str) -> Diagnostic {
    Diagnostic::error("inventory-shape", format!("{what} {wanted}"))
        .at(node.span, format!("this is {}", node.kind()))
}

fn odd_part(group: &GroupName, part: &Node, name: &str) -> Diagnostic {
    let message = format!("group `{group}` holds `{name}`, which is none of its parts");
    let problem = Diagnostic::error("inventory-part", message).at(part.span, "not known here");
    let parts = ["hosts", "children", "vars"];
    match parts
        .iter()
        .find(|known| strsim::damerau_levenshtein(known, name) <= 2)
    {
        Some(known) => problem.help(format!("did you mean `{known}`?")),
        None => {
            problem.help("a group has `hosts`, `children` and `vars`; groups go below `children`")
        }
    }
}
