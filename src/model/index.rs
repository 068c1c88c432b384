//! Where things stand in a model: a look-up does not walk through all hosts.

use super::Model;
use crate::names::{ClusterName, FormationName, HostName, InstanceName};
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

/// Positions in [`Model::formations`] and their groups, and what is asked of all hosts again and again.
///
/// It is made at the first question, when [`super::build()`] has decided who is where; only values inside members change
/// afterwards.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    formations: BTreeMap<FormationName, usize>,
    groups: BTreeMap<ClusterName, (usize, usize)>,
    hosts: BTreeMap<HostName, (usize, usize)>,
    instances: BTreeMap<InstanceName, (usize, usize, usize)>,
    pub(super) vips: BTreeMap<HostName, Vec<usize>>,
    pub(super) infra: Vec<IpAddr>,
    pub(super) proxies: BTreeSet<IpAddr>,
    /// Proxies outside of networks, as they were asked for.
    pub(super) outside: Arc<Mutex<BTreeMap<Vec<IpNet>, Vec<IpAddr>>>>,
    /// Addresses and names of hosts that carry an instance, as they are written.
    pub(super) databases: BTreeSet<String>,
}

impl Index {
    pub(super) fn of(model: &Model) -> Self {
        let mut index = Self::default();
        for (at, formation) in model.formations.iter().enumerate() {
            index.formations.entry(formation.name.clone()).or_insert(at);
            for (number, group) in formation.groups.iter().enumerate() {
                let place = (at, number);
                index.groups.entry(group.cluster.clone()).or_insert(place);
                for (seat, member) in group.members.iter().enumerate() {
                    index.hosts.entry(member.host.clone()).or_insert(place);
                    let seat = (at, number, seat);
                    index.instances.entry(member.name.clone()).or_insert(seat);
                    index.databases.insert(member.address.to_string());
                    index.databases.insert(member.host.to_string());
                }
            }
        }
        index.of_hosts(model);
        index
    }

    fn of_hosts(&mut self, model: &Model) {
        for (at, vip) in model.node_vips.iter().enumerate() {
            for host in &vip.hosts {
                self.vips.entry(host.clone()).or_default().push(at);
            }
        }
        for host in model.hosts() {
            if host.groups.iter().any(|group| group.as_str() == "infra") {
                self.infra.push(host.address);
            }
            if host.haproxy {
                self.proxies.insert(host.address);
            }
        }
    }

    pub(super) fn formation(&self, name: &FormationName) -> Option<usize> {
        self.formations.get(name).copied()
    }

    pub(super) fn group(&self, cluster: &ClusterName) -> Option<(usize, usize)> {
        self.groups.get(cluster).copied()
    }

    pub(super) fn group_on(&self, host: &HostName) -> Option<(usize, usize)> {
        self.hosts.get(host).copied()
    }

    pub(super) fn instance(&self, name: &InstanceName) -> Option<(usize, usize, usize)> {
        self.instances.get(name).copied()
    }
}
