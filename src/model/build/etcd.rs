//! The etcd cluster: the hosts of the group `etcd`, as Pigsty has it.

use super::place_of;
use crate::inventory::param;
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
        name: typed.get(param::ETCD_CLUSTER),
        members,
        client_port: typed.get(param::ETCD_PORT),
        peer_port: typed.get(param::ETCD_PEER_PORT),
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
        .get(param::ETCD_SEQ)
        .and_then(|seq| u32::try_from(seq).ok());
    if seq.is_none() && !host.vars.contains("etcd_seq") {
        problems.push(missing_seq(host));
    }
    let seq = seq?;
    Some(EtcdMember {
        name: format!("{}-{seq}", typed.get(param::ETCD_CLUSTER)),
        seq,
        host: host.name.clone(),
        address: built.address,
        learner: typed.get(param::ETCD_LEARNER),
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
