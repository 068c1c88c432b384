//! Under which names and addresses clients reach an instance or an etcd member.
//!
//! A client of HAProxy connects to HAProxy's host but speaks TLS with the server behind it. So the
//! server's certificate must carry the address of every host that forwards to it, and every VIP that
//! such a host may hold, or `verify-full` fails exactly where it is wanted.

use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::inventory::{InvHost, Inventory};
use crate::model::{Host, Instance, Model};
use crate::names::InstanceName;
use indexmap::IndexSet;
use std::collections::BTreeMap;

/// Fills `sans` of all instances and etcd members.
pub(super) fn attach(inv: &Inventory, model: &mut Model) {
    let serving = serving(model);
    let lists: Vec<Vec<String>> = model
        .instances()
        .map(|instance| {
            let before = serving.get(&instance.name).map_or(&[][..], Vec::as_slice);
            instance_sans(inv, model, instance, before)
        })
        .collect();
    let members = model
        .formations
        .iter_mut()
        .flat_map(|formation| &mut formation.groups);
    let members = members.flat_map(|group| &mut group.members);
    for (member, sans) in members.zip(lists) {
        member.sans = sans;
    }
    let etcd_sans = etcd_sans(model);
    let members = model.etcd.iter_mut().flat_map(|etcd| &mut etcd.members);
    for (member, sans) in members.zip(etcd_sans) {
        member.sans = sans;
    }
}

/// The hosts whose HAProxy forwards to an instance, in the order of the inventory.
fn serving(model: &Model) -> BTreeMap<&InstanceName, Vec<&Host>> {
    let mut serving: BTreeMap<&InstanceName, Vec<&Host>> = BTreeMap::new();
    for host in model.hosts() {
        let servers = host.services.iter().flat_map(|service| &service.servers);
        for name in servers.filter_map(|server| server.instance.as_ref()) {
            let hosts = serving.entry(name).or_default();
            if hosts.last().is_none_or(|last| last.name != host.name) {
                hosts.push(host);
            }
        }
    }
    serving
}

fn instance_sans(
    inv: &Inventory,
    model: &Model,
    instance: &Instance,
    serving: &[&Host],
) -> Vec<String> {
    let mut sans = Sans::default();
    sans.add(instance.name.as_str());
    sans.add(instance.cluster.as_str());
    if let Some(host) = model.hosts.get(&instance.host) {
        sans.host(host);
    }
    sans.add("localhost");
    sans.add("127.0.0.1");
    if let Some(host) = inv.hosts.get(&instance.host) {
        sans.dns(host, instance);
    }
    if instance.group == Some(0) {
        sans.add(instance.formation.as_str());
    }
    for host in serving {
        sans.host(host);
        sans.vips(model, host);
    }
    if let Some((_, group)) = model.group(&instance.cluster) {
        group
            .vip
            .iter()
            .for_each(|vip| sans.add(vip.address.to_string()));
    }
    sans.0.into_iter().collect()
}

/// Names, each once, in the order in which they were added.
#[derive(Default)]
struct Sans(IndexSet<String>);

impl Sans {
    fn add(&mut self, name: impl Into<String>) {
        let name = name.into();
        if !name.is_empty() {
            self.0.insert(name);
        }
    }

    fn host(&mut self, host: &Host) {
        self.add(host.nodename.clone());
        self.add(host.address.to_string());
        self.add(host.name.as_str());
    }

    /// Names in DNS: the cluster's, and one for each of its services.
    fn dns(&mut self, host: &InvHost, instance: &Instance) {
        let suffix = Typed::new(&host.vars).get(param::PG_DNS_SUFFIX);
        self.add(format!("{}{suffix}", instance.cluster));
        for service in ["primary", "replica", "default", "offline"] {
            self.add(format!("{}-{service}{suffix}", instance.cluster));
        }
    }

    /// Shared addresses that a host may hold.
    fn vips(&mut self, model: &Model, host: &Host) {
        if let Some(vip) = model
            .group_on(&host.name)
            .and_then(|(_, group)| group.vip.as_ref())
        {
            self.add(vip.address.to_string());
        }
        for vip in model.vips_of(&host.name) {
            self.add(vip.address.to_string());
        }
    }
}

/// etcd's members are reached by address; names are there for people.
fn etcd_sans(model: &Model) -> Vec<Vec<String>> {
    let members = model.etcd.iter().flat_map(|etcd| &etcd.members);
    let sans = members.map(|member| {
        let mut sans = Sans::default();
        sans.add(member.name.clone());
        sans.add("localhost");
        sans.add("127.0.0.1");
        sans.add(member.address.to_string());
        if let Some(host) = model.hosts.get(&member.host) {
            sans.host(host);
        }
        sans.0.into_iter().collect()
    });
    sans.collect()
}
