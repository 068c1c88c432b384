//! Which locks a run needs, and on which hosts they are kept.
//!
//! Each host has a lock. Each formation has one, too: runs that act on different hosts of it must know of each other. It is kept
//! on the hosts of etcd and of the formation's first group: few enough to be asked each time, and some of them are there in every
//! disaster. It does not live in etcd, because it must be had when etcd is down.

use crate::model::Model;
use crate::names::{FormationName, HostName};
use std::collections::{BTreeMap, BTreeSet};

/// The hosts that keep a formation's lock.
pub fn keepers(model: &Model, name: &FormationName) -> BTreeSet<HostName> {
    let formation = model.formation(name);
    let first = formation.and_then(|formation| formation.groups.first());
    let first = first.into_iter().flat_map(|group| &group.members);
    let etcd = model.etcd.iter().flat_map(|etcd| &etcd.members);
    let first = first.map(|member| member.host.clone());
    first
        .chain(etcd.map(|member| member.host.clone()))
        .collect()
}

/// The hosts that keep the lock of any formation.
pub fn all_keepers(model: &Model) -> BTreeSet<HostName> {
    let formations = model.formations.iter();
    formations
        .flat_map(|formation| keepers(model, &formation.name))
        .collect()
}

/// The formations that work on these hosts concerns. A host without PostgreSQL, or with etcd, serves all of them.
pub(super) fn concerned(model: &Model, hosts: &BTreeSet<HostName>) -> BTreeSet<FormationName> {
    let one = |host: &HostName| {
        let etcd = model
            .hosts
            .get(host)
            .is_some_and(|host| host.etcd.is_some());
        let group = model.group_on(host).filter(|_| !etcd);
        group.map(|(formation, _)| formation.name.clone())
    };
    let mut found = BTreeSet::new();
    for host in hosts {
        match one(host) {
            Some(name) => drop(found.insert(name)),
            None => found.extend(model.formations.iter().map(|f| f.name.clone())),
        }
    }
    found
}

/// The file of a formation's lock, a name that is safe in a path.
pub(super) fn file_of(name: &FormationName) -> String {
    let safe = |c: char| match c.is_ascii_alphanumeric() || "-_".contains(c) {
        true => c.to_string(),
        false => format!("%{:x}", u32::from(c)),
    };
    format!(
        "lock.{}",
        name.as_str().chars().map(safe).collect::<String>()
    )
}

/// The files to lock on each host: those of formations first, because runs meet there.
pub(super) fn files(
    model: &Model,
    hosts: &BTreeSet<HostName>,
    formations: &BTreeSet<FormationName>,
) -> BTreeMap<HostName, Vec<String>> {
    let mut wanted = BTreeMap::<HostName, Vec<String>>::new();
    for name in formations {
        for host in keepers(model, name) {
            wanted.entry(host).or_default().push(file_of(name));
        }
    }
    for host in hosts {
        let files = wanted.entry(host.clone()).or_default();
        files.push(super::shell::HOST_LOCK.to_owned());
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn model(name: &str) -> Model {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("inventory")
            .join(name);
        let loaded = crate::inventory::load(&path, &[]).unwrap();
        crate::model::build(&loaded.inventory).0.unwrap()
    }

    fn hosts(names: &[&str]) -> BTreeSet<HostName> {
        names.iter().map(|name| HostName::new(*name)).collect()
    }

    #[test]
    fn runs_on_different_hosts_of_a_formation_meet_on_a_host() {
        let model = model("citus-ha.yml");
        let of = |host: &str| {
            let hosts = hosts(&[host]);
            files(&model, &hosts, &concerned(&model, &hosts))
        };
        let (one, other) = (of("10.10.10.14"), of("10.10.10.16"));
        let shared = |(host, files): (&HostName, &Vec<String>)| {
            let theirs = other.get(host)?;
            files.iter().find(|file| theirs.contains(file)).cloned()
        };
        let shared: BTreeSet<String> = one.iter().filter_map(shared).collect();
        assert_eq!(shared, BTreeSet::from(["lock.pg-citus".to_owned()]));
    }

    #[test]
    fn a_host_of_etcd_counts_for_all_formations() {
        let model = model("citus-ha.yml");
        let all: BTreeSet<_> = model.formations.iter().map(|f| f.name.clone()).collect();
        assert_eq!(concerned(&model, &hosts(&["10.10.10.10"])), all);
    }

    #[test]
    fn a_name_is_safe_in_a_path() {
        assert_eq!(file_of(&FormationName::new("pg-a")), "lock.pg-a");
        assert_eq!(
            file_of(&FormationName::new("../a.run")),
            "lock.%2e%2e%2fa%2erun"
        );
    }
}
