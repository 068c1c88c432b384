//! Which hosts differ only in who they are: one of them shows whether the shipped catalog compiles for all.
//!
//! A host's class is made of everything that its context is made of: all of its variables as written, the model's view of it and
//! of its formation, its place there. Left open are only the formation's name where others begin with it, names of hosts, addresses
//! (but for their family), and secrets; of these the class keeps which characters they have. What is shared by all hosts is no part of it. Hosts with a part
//! of their own (etcd, `infra`, keepalived, repositories of backups) stand alone.

mod shape;

use super::part::HostTask;
use crate::inventory::parameters::{Piece, pieces};
use crate::model::{Formation, Host};
use crate::names::{FormationName, GroupName, HostName};
use crate::plan::context::{ContextInput, Contexts};
use crate::source::{Data, Node};
use crate::workers;
use serde::Serialize;
use shape::Shape;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Variables that say who a host is. They count as what follows the formation's name.
const NAMES: [&str; 5] = [
    "pg_shard",
    "pg_cluster",
    "pg_upstream",
    "node_cluster",
    "nodename",
];

/// Those of them, and others, of which only the characters count where they do not begin with the formation's name.
const FREE: [&str; 2] = ["nodename", "ansible_host"];

/// What hosts of one class have in common.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Class {
    Alone(HostName),
    /// Digests of the host and of its formation, and the numbers of its group and of its seat there.
    Alike {
        own: u64,
        formation: Option<(u64, usize, usize)>,
    },
}

/// The first host of each class.
pub(super) fn representatives<'a>(
    contexts: &Contexts<'_>,
    tasks: Vec<HostTask<'a>>,
) -> Vec<HostTask<'a>> {
    let classes = Classes::new(contexts);
    let mut met = HashSet::new();
    let mut tasks = tasks;
    tasks.retain(|task| met.insert(classes.of(task.host)));
    tasks
}

/// All that classes are made of.
struct Classes<'a> {
    contexts: &'a Contexts<'a>,
    input: &'a ContextInput<'a>,
    own: HashMap<&'a HostName, u64>,
    formations: HashMap<&'a FormationName, u64>,
}

impl<'a> Classes<'a> {
    fn new(contexts: &'a Contexts<'a>) -> Self {
        let input = contexts.input;
        let owners = owners(input);
        let hosts: Vec<&Host> = input.model.hosts().collect();
        let own = workers::each(&hosts, |known: &mut Known<'_>, host| {
            let mut digests = Digests {
                owners: &owners,
                known,
            };
            (&host.name, digests.host(host))
        });
        let own: HashMap<_, _> = own.into_iter().collect();
        let formations = workers::each(&input.model.formations, |(), formation| {
            (&formation.name, of_formation(formation, &own))
        });
        Self {
            contexts,
            input,
            formations: formations.into_iter().collect(),
            own,
        }
    }

    fn of(&self, host: &Host) -> Class {
        let own = self.own.get(&host.name).copied();
        match own.filter(|_| !self.is_alone(host)) {
            Some(own) => Class::Alike {
                own,
                formation: self.place(host),
            },
            None => Class::Alone(host.name.clone()),
        }
    }

    fn is_alone(&self, host: &Host) -> bool {
        let model = self.input.model;
        host.etcd.is_some()
            || host.groups.iter().any(|group| group.as_str() == "infra")
            || model.vips_of(&host.name).next().is_some()
            || self.contexts.keeps_backups(&host.name)
            || self.input.traits.contains_key(&host.name)
            || self.input.patroni.contains_key(&host.name)
    }

    fn place(&self, host: &Host) -> Option<(u64, usize, usize)> {
        let (formation, group) = self.input.model.group_on(&host.name)?;
        let mut groups = formation.groups.iter();
        let number = groups.position(|one| one.cluster == group.cluster)?;
        let seat = group.members.iter().position(|one| one.host == host.name)?;
        let digest = self.formations.get(&formation.name)?;
        Some((*digest, number, seat))
    }
}

/// The formation that all hosts of a group of the inventory belong to, where there is one.
fn owners<'a>(input: &ContextInput<'a>) -> HashMap<&'a GroupName, &'a FormationName> {
    let of = |host: &HostName| Some(&input.model.group_on(host)?.0.name);
    let groups = input.inventory.groups.iter().filter_map(|(name, group)| {
        let owner = of(group.hosts.first()?)?;
        let owned = group.hosts.iter().all(|host| of(host) == Some(owner));
        owned.then_some((name, owner))
    });
    groups.collect()
}

/// A formation, with all of its members.
fn of_formation(formation: &Formation, own: &HashMap<&HostName, u64>) -> u64 {
    let mut hasher = DefaultHasher::new();
    modelled(formation, &mut hasher);
    for member in formation.members() {
        own.get(&member.host).hash(&mut hasher);
    }
    hasher.finish()
}

/// What the model says, without the words: those come from variables.
fn modelled(value: &impl Serialize, hasher: &mut DefaultHasher) {
    // It writes into memory, so it cannot fail; were it to, what was written so far would tell such hosts from others.
    if serde_json::to_writer(shape::Outline::new(hasher), value).is_err() {
        "unknown".hash(hasher);
    }
}

/// Digests of values that hosts share.
type Known<'a> = HashMap<(usize, &'a str), u64>;

struct Digests<'d, 'a> {
    owners: &'d HashMap<&'a GroupName, &'a FormationName>,
    known: &'d mut Known<'a>,
}

impl<'a> Digests<'_, 'a> {
    fn host(&mut self, host: &'a Host) -> u64 {
        let mut hasher = DefaultHasher::new();
        modelled(host, &mut hasher);
        Shape::of(host.name.as_str()).hash(&mut hasher);
        let formation = host.pg.as_ref().map(|pg| &pg.formation);
        for (name, var) in host.stated.vars.iter() {
            name.hash(&mut hasher);
            match var.node.as_str() {
                Some(text) if NAMES.contains(&name) || FREE.contains(&name) => {
                    named(name, text, formation).hash(&mut hasher);
                }
                Some(_) | None => self.value(name, &var.node).hash(&mut hasher),
            }
        }
        for group in &host.groups {
            let own = self.owners.get(group).copied();
            match own.filter(|own| Some(*own) == formation) {
                Some(_) => Shape::of(group.as_str()).hash(&mut hasher),
                None => group.hash(&mut hasher),
            }
        }
        hasher.finish()
    }

    fn value(&mut self, name: &'a str, node: &Arc<Node>) -> u64 {
        let key = (Arc::as_ptr(node).addr(), name);
        *self.known.entry(key).or_insert_with(|| value(name, node))
    }
}

/// A name: what follows the formation's, else all of it, or its characters where it is free.
fn named<'t>(
    name: &str,
    text: &'t str,
    formation: Option<&FormationName>,
) -> (Shape, Option<&'t str>) {
    let rest = formation.and_then(|formation| text.strip_prefix(formation.as_str()));
    let free = FREE.contains(&name);
    (Shape::of(text), rest.or((!free).then_some(text)))
}

/// A value as written, but for its secrets.
fn value(name: &str, node: &Node) -> u64 {
    let mut hasher = DefaultHasher::new();
    pieces(name, node, &mut |piece| match piece {
        Piece::List(count) => (0, count).hash(&mut hasher),
        Piece::Mapping(count) => (1, count).hash(&mut hasher),
        Piece::Key(key) => (2, key).hash(&mut hasher),
        Piece::Scalar(node, secret) => {
            node.tag.hash(&mut hasher);
            if let Data::Scalar { text, plain } = &node.data {
                plain.hash(&mut hasher);
                match secret {
                    true => Shape::of(text).hash(&mut hasher),
                    false => text.hash(&mut hasher),
                }
            }
        }
    });
    hasher.finish()
}

#[cfg(test)]
mod tests;
