//! What leaves a host with its roles, and what the others see of it: the wanted state before against the one after.

use super::Desired;
use super::select::narrow;
use crate::names::{HostName, ResourceId, RoleName};
use crate::resource::{Declared, Resource};
use std::collections::{BTreeMap, BTreeSet};

/// What of ours leaves a host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Going {
    /// The roles that leave, in the order in which they stop.
    pub roles: Vec<RoleName>,
    /// Units that stop, in that order.
    pub units: Vec<String>,
    /// Units that stay, with fewer files.
    pub reloads: Vec<String>,
    /// Packages that nothing else needs.
    pub packages: Vec<String>,
    /// Paths that stay wanted.
    pub kept: BTreeSet<String>,
}

impl Going {
    /// Compares what a host has before with what it has afterwards.
    pub fn of(
        before: &Desired,
        after: Option<&Desired>,
        roles: &[RoleName],
        host: &HostName,
    ) -> Self {
        let mut going = Self {
            roles: roles.to_vec(),
            ..Self::default()
        };
        let stays: Vec<&Declared> = after.iter().flat_map(|after| on(after, host)).collect();
        let wanted = |declared: &Declared| stays.iter().any(|other| same(declared, other));
        for role in roles {
            for declared in
                on(before, host).filter(|declared| role_of(&declared.id) == role.as_str())
            {
                let stays = wanted(declared);
                if let Resource::Unit(unit) = &*declared.resource {
                    let list = if stays {
                        &mut going.reloads
                    } else {
                        &mut going.units
                    };
                    list.push(unit.name.clone());
                }
                if !stays {
                    going.packages.extend(packages(declared).iter().cloned());
                }
            }
        }
        let kept = after.and_then(|after| after.owned.get(host));
        going.kept = kept.cloned().unwrap_or_default();
        let needed: BTreeSet<&String> = stays
            .iter()
            .flat_map(|declared| packages(declared))
            .collect();
        going.packages.retain(|name| !needed.contains(name));
        going
    }

    /// Whether a line of the host's manifest, `ROLE/RESOURCE PATH`, leaves.
    pub fn takes(&self, line: &str) -> bool {
        let Some((id, path)) = line.split_once(' ') else {
            return false;
        };
        let role = id.split_once('/').map_or(id, |(role, _)| role);
        self.roles.iter().any(|known| known.as_str() == role) && !self.kept.contains(path)
    }
}

/// The same unit or package: other kinds stay or leave as files.
fn same(one: &Declared, other: &Declared) -> bool {
    if let (Resource::Unit(one), Resource::Unit(other)) = (&*one.resource, &*other.resource) {
        return one.name == other.name;
    }
    one.id == other.id
}

fn packages(declared: &Declared) -> &[String] {
    if let Resource::Package(package) = &*declared.resource {
        return &package.names;
    }
    &[]
}

fn on<'a>(desired: &'a Desired, host: &'a HostName) -> impl Iterator<Item = &'a Declared> {
    desired
        .stages
        .iter()
        .filter_map(|stage| stage.hosts.get(host))
        .flatten()
}

fn role_of(id: &ResourceId) -> &str {
    id.as_str()
        .split_once('/')
        .map_or(id.as_str(), |(role, _)| role)
}

/// Only what differs between two wanted states on these hosts, and the units that react to it. What belongs to groups as
/// a whole is left out.
pub fn changed(before: &Desired, after: Desired, hosts: &BTreeSet<HostName>) -> Desired {
    let mut keep = BTreeMap::<HostName, BTreeSet<String>>::new();
    for host in hosts {
        let digests = |desired: &Desired| -> BTreeMap<String, String> {
            let all = on(desired, host)
                .map(|declared| (declared.id.to_string(), declared.resource.digest()));
            all.collect()
        };
        let (old, new) = (digests(before), digests(&after));
        let differs = new
            .iter()
            .filter(|(id, digest)| old.get(*id) != Some(digest))
            .map(|(id, _)| id);
        let gone = old.keys().filter(|id| !new.contains_key(*id));
        keep.insert(host.clone(), differs.chain(gone).cloned().collect());
    }
    narrow(after, &keep)
}
