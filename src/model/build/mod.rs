//! From variables to the model. What cannot be read is reported and left out; the rest goes on, so
//! that one run shows every problem.

mod check;
pub(crate) mod clusters;
mod custom;
pub(crate) mod etcd;
mod hosts;
mod instances;
mod sans;
pub(crate) mod service_spec;
mod services;
mod upstream;

use super::{Host, Model, NodeVip};
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::inventory::{InvHost, Inventory, Layer};
use crate::names::HostName;
use crate::source::{Diagnostics, Span};
use indexmap::IndexMap;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::OnceLock;

/// Builds the model. `None` only if there is no host at all.
pub fn build(inv: &Inventory) -> (Option<Model>, Diagnostics) {
    let mut problems = Diagnostics::default();
    let hosts = hosts::build(inv, &mut problems);
    if hosts.is_empty() {
        return (None, problems);
    }
    let mut model = Model {
        admin_ip: admin_ip(inv),
        order: inv
            .hosts
            .keys()
            .filter(|name| hosts.contains_key(*name))
            .cloned()
            .collect(),
        etcd: etcd::build(inv, &hosts, &mut problems),
        formations: clusters::build(inv, &hosts, &mut problems),
        node_vips: node_vips(inv, &hosts),
        hosts,
        index: OnceLock::new(),
    };
    services::attach(inv, &mut model, &mut problems);
    sans::attach(inv, &mut model);
    place(&mut model);
    (Some(model), problems)
}

/// Copies instances and etcd members to their hosts, where templates look for them.
fn place(model: &mut Model) {
    let instances: Vec<_> = model.instances().cloned().collect();
    for instance in instances {
        if let Some(host) = model.hosts.get_mut(&instance.host) {
            host.pg = Some(instance);
        }
    }
    for member in model.etcd.iter().flat_map(|etcd| &etcd.members) {
        if let Some(host) = model.hosts.get_mut(&member.host) {
            host.etcd = Some(member.clone());
        }
    }
}

/// `admin_ip` of the first host that has one: it is a global parameter.
fn admin_ip(inv: &Inventory) -> Option<IpAddr> {
    inv.hosts
        .values()
        .find_map(|host| Typed::new(&host.vars).get(param::ADMIN_IP)?.parse().ok())
}

/// Addresses of keepalived, by address in the order of the inventory.
fn node_vips(inv: &Inventory, hosts: &BTreeMap<HostName, Host>) -> Vec<NodeVip> {
    let mut vips: IndexMap<IpAddr, NodeVip> = IndexMap::new();
    for host in inv
        .hosts
        .values()
        .filter(|host| hosts.contains_key(&host.name))
    {
        let Some((address, vrid)) = node_vip(host) else {
            continue;
        };
        let vip = vips.entry(address).or_insert_with(|| NodeVip {
            address,
            vrid,
            hosts: Vec::new(),
        });
        vip.hosts.push(host.name.clone());
    }
    vips.into_values().collect()
}

fn node_vip(host: &InvHost) -> Option<(IpAddr, Option<u8>)> {
    let typed = Typed::new(&host.vars);
    let address = typed.get(param::VIP_ADDRESS)?.parse().ok()?;
    let vrid = typed
        .get(param::VIP_VRID)
        .and_then(|vrid| u8::try_from(vrid).ok());
    typed.get(param::VIP_ENABLED).then_some((address, vrid))
}

/// Where a variable of a host was written, or else where the host was.
pub(crate) fn place_of(host: &InvHost, name: &str) -> Span {
    host.vars.get(name).map_or(host.span, |var| var.node.span)
}

/// Where a host stands in its cluster: beside another of its own identity parameters, else where
/// the host is first named (which may be in another group, as in `etcd`).
pub(crate) fn place_in_cluster(host: &InvHost) -> Span {
    let own = ["pg_seq", "pg_role", "pg_group", "pg_cluster"]
        .into_iter()
        .find_map(|name| {
            let var = host.vars.get(name)?;
            (var.layer == Layer::Host).then_some(var.node.span)
        });
    own.unwrap_or(host.span)
}
