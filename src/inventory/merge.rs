//! Who is in which group, and whose variables win: Ansible's rules.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::shape::RawInventory;
use super::vars::Vars;
use crate::names::{GroupName, HostName};
use crate::source::Diagnostic;

/// The groups of an inventory as a graph.
pub(super) struct Graph<'r> {
    raw: &'r RawInventory,
    parents: BTreeMap<&'r GroupName, Vec<&'r GroupName>>,
    /// Longest way from `all`.
    depth: BTreeMap<&'r GroupName, usize>,
}

impl<'r> Graph<'r> {
    /// Builds the graph.
    ///
    /// # Errors
    /// A group that contains itself.
    pub(super) fn new(raw: &'r RawInventory) -> Result<Self, Box<Diagnostic>> {
        let mut parents: BTreeMap<&GroupName, Vec<&GroupName>> = BTreeMap::new();
        for (name, group) in &raw.groups {
            for child in &group.children {
                parents.entry(child).or_default().push(name);
            }
        }
        let mut graph = Self {
            raw,
            parents,
            depth: BTreeMap::new(),
        };
        graph.measure()?;
        Ok(graph)
    }

    /// Depths by Kahn's order; what cannot be ordered is a cycle.
    fn measure(&mut self) -> Result<(), Box<Diagnostic>> {
        let mut left: BTreeSet<&GroupName> = self.raw.groups.keys().collect();
        while !left.is_empty() {
            let ready: Vec<&GroupName> =
                left.iter().copied().filter(|n| self.is_ready(n)).collect();
            if ready.is_empty() {
                return Err(Box::new(self.cycle(&left)));
            }
            for name in ready {
                let above = self
                    .parents_of(name)
                    .iter()
                    .filter_map(|p| self.depth.get(p));
                let depth = above.max().map_or(0, |most| most + 1);
                self.depth.insert(name, depth);
                left.remove(name);
            }
        }
        Ok(())
    }

    fn is_ready(&self, name: &GroupName) -> bool {
        self.parents_of(name)
            .iter()
            .all(|parent| self.depth.contains_key(parent))
    }

    fn parents_of(&self, name: &GroupName) -> &[&'r GroupName] {
        self.parents.get(name).map_or(&[], Vec::as_slice)
    }

    fn cycle(&self, left: &BTreeSet<&'r GroupName>) -> Diagnostic {
        let names: Vec<&str> = left.iter().map(|name| name.as_str()).collect();
        let message = format!("groups contain themselves: `{}`", names.join("`, `"));
        let problem = Diagnostic::error("inventory-cycle", message);
        let first = left
            .iter()
            .next()
            .and_then(|name| self.raw.groups.get(*name));
        let problem = match first {
            Some(group) => problem.at(group.span, "part of the cycle"),
            None => problem,
        };
        problem.help("remove one of them from the `children` of another")
    }

    /// A group and all groups that contain it.
    fn ancestors(&self, name: &'r GroupName, into: &mut BTreeSet<&'r GroupName>) {
        if into.insert(name) {
            for parent in self.parents_of(name) {
                self.ancestors(parent, into);
            }
        }
    }

    /// The groups of every host, the weakest first: by depth, priority, name.
    pub(super) fn groups_of_hosts(&self) -> BTreeMap<&'r HostName, Vec<&'r GroupName>> {
        let mut found: BTreeMap<&HostName, BTreeSet<&GroupName>> = BTreeMap::new();
        for (name, group) in &self.raw.groups {
            let mut above = BTreeSet::new();
            self.ancestors(name, &mut above);
            for host in &group.hosts {
                found.entry(host).or_default().extend(&above);
            }
        }
        let sorted = found.into_iter().map(|(host, groups)| {
            let mut groups: Vec<&GroupName> = groups.into_iter().collect();
            groups.sort_by_key(|name| self.rank(name));
            (host, groups)
        });
        sorted.collect()
    }

    fn rank(&self, name: &'r GroupName) -> (usize, i64, &'r GroupName) {
        let depth = self.depth.get(name).copied().unwrap_or_default();
        let group = self.raw.groups.get(name);
        let priority = group.and_then(|group| group.vars.get("ansible_group_priority"));
        let priority = priority.and_then(|var| var.node.as_str()?.parse().ok());
        (depth, priority.unwrap_or(1), name)
    }

    /// Hosts of a group and of its children, in the order of the inventory.
    pub(super) fn members(
        &self,
        groups_of: &BTreeMap<&'r HostName, Vec<&'r GroupName>>,
    ) -> BTreeMap<&'r GroupName, Vec<HostName>> {
        let mut members: BTreeMap<&GroupName, Vec<HostName>> = BTreeMap::new();
        for host in self.raw.hosts.keys() {
            for group in groups_of.get(host).into_iter().flatten() {
                members.entry(group).or_default().push(host.clone());
            }
        }
        members
    }
}

/// Variables from files, by group and by host.
#[derive(Debug, Default)]
pub(super) struct FileVars {
    pub(super) groups: IndexMap<GroupName, Vars>,
    pub(super) hosts: IndexMap<HostName, Vars>,
}

/// One host's variables: groups' inline < groups' files < host inline < host's files < `-e`.
pub(super) fn host_vars(
    raw: &RawInventory,
    files: &FileVars,
    extra: &Vars,
    host: &HostName,
    groups: &[&GroupName],
) -> Vars {
    let mut vars = Vars::default();
    let inline = groups.iter().filter_map(|name| raw.groups.get(*name));
    inline.for_each(|group| vars.overlay(&group.vars));
    let filed = groups.iter().filter_map(|name| files.groups.get(*name));
    filed.for_each(|found| vars.overlay(found));
    if let Some(own) = raw.hosts.get(host) {
        vars.overlay(&own.vars);
    }
    if let Some(found) = files.hosts.get(host) {
        vars.overlay(found);
    }
    vars.overlay(extra);
    vars
}
