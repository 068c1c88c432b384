//! What is wrong with a model, or will be on a bad day: one function for each rule.
//!
//! Every problem has a stable code, the places it is about, its cause and a way out. Values whose
//! type is wrong are not reported here (`inventory::parameters` did); identities that are missing
//! are reported by `model::build`, which cannot go on without them.

mod agreement;
mod backup;
mod etcd;
mod formation;
mod hba;
mod identity;
mod membership;
mod network;
mod node;
mod objects;
mod packages;
mod paths;
mod ports;
mod reach;
mod secrets;
mod services;
mod settings;
mod timing;
mod topology;
mod versions;
mod ways;

use crate::inventory::parameters::Typed;
use crate::inventory::{InvHost, Inventory};
use crate::model::build::{self, clusters, place_of};
use crate::model::{Etcd, Formation, Instance, Model};
use crate::names::{ClusterName, HostName};
use crate::source::{Diagnostic, Diagnostics, Node, Span};
use crate::workers;
use indexmap::{IndexMap, IndexSet};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::Arc;

/// A rule: all breaches of it.
type LintRule = fn(&Scope<'_>) -> Vec<Diagnostic>;

const RULES: [&[LintRule]; 21] = [
    membership::RULES,
    identity::RULES,
    agreement::RULES,
    formation::RULES,
    etcd::RULES,
    topology::RULES,
    network::RULES,
    node::RULES,
    packages::RULES,
    paths::RULES,
    ports::RULES,
    services::RULES,
    objects::RULES,
    hba::RULES,
    timing::RULES,
    reach::RULES,
    settings::RULES,
    versions::RULES,
    ways::RULES,
    secrets::RULES,
    backup::RULES,
];

/// All breaches of all rules, in the order of the rules.
pub fn check(inv: &Inventory, model: &Model) -> Diagnostics {
    let scope = Scope::new(inv, model);
    let rules: Vec<LintRule> = RULES.into_iter().flatten().copied().collect();
    let mut found = Diagnostics::default();
    for problems in workers::each_large(&rules, |rule| rule(&scope)) {
        found.extend(problems);
    }
    found
}

/// What rules look at.
struct Scope<'a> {
    inv: &'a Inventory,
    model: &'a Model,
    /// All hosts by `pg_cluster`, complete or not.
    clusters: IndexMap<ClusterName, Vec<&'a InvHost>>,
    /// The etcd cluster, if its members are all known.
    etcd: Option<&'a Etcd>,
}

impl<'a> Scope<'a> {
    fn new(inv: &'a Inventory, model: &'a Model) -> Self {
        let members = build::etcd::members(inv).count();
        let known = model.etcd.as_ref();
        Self {
            inv,
            model,
            clusters: clusters::clusters(inv),
            etcd: known.filter(|etcd| etcd.members.len() == members),
        }
    }

    /// A host as the inventory has it.
    fn host(&self, name: &HostName) -> Option<&'a InvHost> {
        self.inv.hosts.get(name)
    }

    /// All hosts as the inventory has them: also one without an address, which the model does not know.
    fn hosts(&self) -> impl Iterator<Item = &'a InvHost> + use<'a> {
        self.inv.hosts.values()
    }

    /// Where a variable of an instance's host was written, or else where the host was.
    fn place(&self, instance: &Instance, variable: &str) -> Option<Span> {
        Some(place_of(self.host(&instance.host)?, variable))
    }

    /// The hosts of a formation.
    fn formation_hosts(&self, formation: &Formation) -> Vec<&'a InvHost> {
        let members = formation.members();
        members
            .filter_map(|member| self.host(&member.host))
            .collect()
    }

    /// Where `all` stands, for what is true of the whole inventory.
    fn whole(&self) -> Option<Span> {
        let all = self.inv.groups.get("all").map(|all| all.span);
        all.or_else(|| self.hosts().next().map(|host| host.span))
    }
}

/// Builders that take a place that may be unknown.
trait Placed: Sized {
    fn at_if(self, span: Option<Span>, text: impl Into<String>) -> Self;
    fn see_if(self, span: Option<Span>, text: impl Into<String>) -> Self;
}

impl Placed for Diagnostic {
    fn at_if(self, span: Option<Span>, text: impl Into<String>) -> Self {
        match span {
            Some(span) => self.at(span, text),
            None => self,
        }
    }

    fn see_if(self, span: Option<Span>, text: impl Into<String>) -> Self {
        match span {
            Some(span) => self.see(span, text),
            None => self,
        }
    }
}

/// A variable of a host as text, empty where it has none.
fn text(host: &InvHost, name: &str) -> String {
    Typed::new(&host.vars).str(name)
}

/// Where a variable of a host was written: hosts that have it from one place have the same value.
fn written(host: &InvHost, name: &str) -> Option<*const Node> {
    host.vars.get(name).map(|var| Arc::as_ptr(&var.node))
}

/// The first pair of neighbours-by-key: each item whose key an earlier item has, with that item.
fn repeated<T, K: Eq + Hash>(items: &[T], key: impl Fn(&T) -> K) -> Vec<(&T, &T)> {
    let mut firsts: HashMap<K, &T> = HashMap::new();
    let later = items
        .iter()
        .filter_map(|item| match firsts.entry(key(item)) {
            Entry::Occupied(first) => Some((*first.get(), item)),
            Entry::Vacant(free) => {
                free.insert(item);
                None
            }
        });
    later.collect()
}

/// Each problem once: what stands in a group's variables is met again on every host of it.
fn once(problems: impl IntoIterator<Item = Diagnostic>) -> Vec<Diagnostic> {
    let unique: IndexSet<Diagnostic> = problems.into_iter().collect();
    unique.into_iter().collect()
}

/// `a`, `a and b`, `a, b and c`, each in backticks.
fn list(names: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_names() {
        assert_eq!(list(["a"]), "`a`");
        assert_eq!(list(["a", "b", "c"]), "`a`, `b` and `c`");
    }

    #[test]
    fn finds_repeated_items() {
        let items = [1, 2, 1, 3, 1];
        assert_eq!(repeated(&items, |n| *n), [(&1, &1), (&1, &1)]);
    }
}
