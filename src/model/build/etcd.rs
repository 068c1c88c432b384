//! The etcd cluster: the hosts of the group `etcd`, as Pigsty has it.

use super::place_of;
use crate::inventory::parameters::Typed;
use crate::inventory::{InvHost, Inventory};
use crate::model::{Etcd, EtcdMember, Host};
use crate::names::HostName;
use crate::source::{Diagnostic, Diagnostics};
use std::collections::BTreeMap;

/// The name of the group that etcd's hosts are in.
pub(crate) const GROUP: &str = "etcd";

/// The cluster, if any host is in its group.
pub(super) fn build(
    inv: &Inventory,
    hosts: &BTreeMap<HostName, Host>,
    problems: &mut Diagnostics,
) -> Option<Etcd> {
    let in_group: Vec<&InvHost> = members(inv).collect();
    let typed = Typed::new(&in_group.first()?.vars);
    let mut members: Vec<EtcdMember> = in_group
        .iter()
        .filter_map(|host| member(host, hosts.get(&host.name)?, problems))
        .collect();
    members.sort_by_key(|member| member.seq);
    Some(Etcd {
        name: typed.str("etcd_cluster"),
        members,
        client_port: port(&typed, "etcd_port", 2379),
        peer_port: port(&typed, "etcd_peer_port", 2380),
    })
}

/// The hosts that the inventory puts into etcd.
pub(crate) fn members(inv: &Inventory) -> impl Iterator<Item = &InvHost> {
    let is_member = |host: &&InvHost| host.groups.iter().any(|group| group.as_str() == GROUP);
    inv.hosts.values().filter(is_member)
}

fn member(host: &InvHost, built: &Host, problems: &mut Diagnostics) -> Option<EtcdMember> {
    let typed = Typed::new(&host.vars);
    let seq = typed
        .opt_int("etcd_seq")
        .and_then(|seq| u32::try_from(seq).ok());
    if seq.is_none() && !host.vars.contains("etcd_seq") {
        problems.push(missing_seq(host));
    }
    let seq = seq?;
    Some(EtcdMember {
        name: format!("{}-{seq}", typed.str("etcd_cluster")),
        seq,
        host: host.name.clone(),
        address: built.address,
        learner: typed.bool("etcd_learner"),
        sans: Vec::new(),
    })
}

fn missing_seq(host: &InvHost) -> Diagnostic {
    let message = format!(
        "host `{}` is in the group `etcd` but has no `etcd_seq`",
        host.name
    );
    Diagnostic::error("missing-etcd-seq", message)
        .at(place_of(host, "etcd_seq"), "needs a number of its own")
        .help("write `{ etcd_seq: N }` here; members are named after it, so it never changes later")
}

/// A port, or what it is by default where the value is unusable (which is reported elsewhere).
pub(super) fn port(typed: &Typed<'_>, name: &str, default: u16) -> u16 {
    u16::try_from(typed.int(name))
        .ok()
        .filter(|port| *port > 0)
        .unwrap_or(default)
}
