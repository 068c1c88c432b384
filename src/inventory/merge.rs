//! Precedence: `all.vars` < groups, outer before inner < `group_vars/` files < the host < `host_vars/` files < `-e`.

use super::tree::Tree;
use super::{InvGroup, InvHost, Layer, Vars};
use crate::names::{GroupName, HostName};
use crate::source::{Diagnostic, Diagnostics, Node};
use indexmap::{IndexMap, IndexSet};
use std::collections::BTreeMap;

/// Variables from files beside the inventory.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub groups: BTreeMap<GroupName, Vars>,
    pub hosts: BTreeMap<HostName, Vars>,
}

/// Hosts and groups with everything merged.
pub(super) fn merge(
    tree: &Tree,
    files: &Files,
    extra: &Vars,
    problems: &mut Diagnostics,
) -> (IndexMap<HostName, InvHost>, IndexMap<GroupName, InvGroup>) {
    let depths = depths(tree, problems);
    let groups: IndexMap<GroupName, InvGroup> = tree
        .groups
        .iter()
        .map(|(name, raw)| {
            let group = InvGroup {
                name: name.clone(),
                span: raw.span,
                hosts: members(tree, name),
                children: raw.children.clone(),
                vars: raw.vars.clone(),
            };
            (name.clone(), group)
        })
        .collect();
    let hosts = tree.host_vars.iter().map(|(name, (span, own))| {
        let chain = chain(name, &groups, &depths);
        let mut vars = Vars::default();
        for group in &chain {
            vars.overlay(&groups[group].vars);
        }
        for group in &chain {
            files
                .groups
                .get(group)
                .into_iter()
                .for_each(|file| vars.overlay(file));
        }
        vars.overlay(own);
        files
            .hosts
            .get(name)
            .into_iter()
            .for_each(|file| vars.overlay(file));
        vars.overlay(extra);
        (
            name.clone(),
            InvHost {
                name: name.clone(),
                span: *span,
                groups: chain,
                vars,
            },
        )
    });
    (hosts.collect(), groups)
}

/// The groups of a host in merging order: by depth, then by `ansible_group_priority`, then by name.
fn chain(
    host: &HostName,
    groups: &IndexMap<GroupName, InvGroup>,
    depths: &BTreeMap<GroupName, usize>,
) -> Vec<GroupName> {
    let all = GroupName::new("all");
    let mut chain: Vec<&InvGroup> = groups
        .values()
        .filter(|group| group.name == all || group.hosts.contains(host))
        .collect();
    let priority = |group: &InvGroup| {
        let var = group.vars.get("ansible_group_priority");
        var.and_then(|var| var.node.as_str()?.parse::<i64>().ok())
            .unwrap_or(1)
    };
    chain.sort_by_key(|group| {
        (
            depths.get(&group.name).copied().unwrap_or(1),
            priority(group),
            group.name.clone(),
        )
    });
    chain.into_iter().map(|group| group.name.clone()).collect()
}

/// How deep each group is; `all` is 0. A group that is its own ancestor is an error.
fn depths(tree: &Tree, problems: &mut Diagnostics) -> BTreeMap<GroupName, usize> {
    let mut depths = BTreeMap::new();
    let all = GroupName::new("all");
    let mut path = IndexSet::new();
    descend(tree, &all, &mut path, &mut depths, problems);
    depths
}

fn descend(
    tree: &Tree,
    name: &GroupName,
    path: &mut IndexSet<GroupName>,
    depths: &mut BTreeMap<GroupName, usize>,
    problems: &mut Diagnostics,
) {
    let Some(raw) = tree.groups.get(name) else {
        return;
    };
    if !path.insert(name.clone()) {
        problems.push(
            Diagnostic::error("group-cycle", format!("group `{name}` contains itself"))
                .at(raw.span, "this group"),
        );
        return;
    }
    let depth = depths.entry(name.clone()).or_default();
    *depth = (*depth).max(path.len() - 1);
    for child in &raw.children {
        descend(tree, child, path, depths, problems);
    }
    path.shift_remove(name);
}

/// Hosts of a group and of its children, each once.
fn members(tree: &Tree, name: &GroupName) -> Vec<HostName> {
    let mut hosts = IndexSet::new();
    let mut waiting = vec![name.clone()];
    let mut visited = IndexSet::new();
    while let Some(group) = waiting.pop() {
        if !visited.insert(group.clone()) {
            continue;
        }
        if let Some(raw) = tree.groups.get(&group) {
            hosts.extend(raw.hosts.keys().cloned());
            waiting.extend(raw.children.iter().rev().cloned());
        }
    }
    hosts.into_iter().collect()
}

/// Variables of one file below `group_vars/` or `host_vars/`.
pub(super) fn file_vars(node: Option<&Node>, layer: &Layer, problems: &mut Diagnostics) -> Vars {
    match node {
        None => Vars::default(),
        Some(node) if node.entries().is_some() => Vars::of(node, layer),
        Some(node) => {
            problems.push(
                Diagnostic::error("wrong-shape", "a variables file must be a mapping")
                    .at(node.span, "here"),
            );
            Vars::default()
        }
    }
}
