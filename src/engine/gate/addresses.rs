//! Shared addresses: each has one holder.

use super::super::Run;
use super::super::look::futures_join;
use super::{View, exec};
use crate::names::HostName;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// An address and the hosts that may carry it.
type Shared<'a> = (IpAddr, Vec<&'a HostName>);

/// Every address that moves between the given hosts and others is somewhere, and only there.
pub(super) async fn view(run: &Run<'_>, hosts: &BTreeSet<HostName>) -> View {
    let shared = shared(run, hosts);
    let lacks = futures_join(shared.iter().map(|shared| lack(run, shared))).await;
    let lacks: Vec<String> = lacks.into_iter().flatten().collect();
    match lacks.is_empty() {
        true => View::Open(match shared.len() {
            1 => "1 address has its holder".to_owned(),
            number => format!("{number} addresses have their holders"),
        }),
        false => View::Closed(lacks.join("; ")),
    }
}

async fn lack(run: &Run<'_>, (address, hosts): &Shared<'_>) -> Option<String> {
    match holders(run, *address, hosts).await.as_slice() {
        [_] => None,
        [] => Some(format!("nobody carries {address} yet")),
        many => Some(format!("{} carry {address}", many.join(" and "))),
    }
}

/// Where a host was left out of this run, the address may be there: nothing can be said about it.
fn shared<'a>(run: &'a Run<'_>, hosts: &BTreeSet<HostName>) -> Vec<Shared<'a>> {
    let groups = run.model.groups().filter_map(|(_, group)| {
        let members = group.members.iter().map(|member| &member.host);
        Some((group.vip.as_ref()?.address, members.collect::<Vec<_>>()))
    });
    let nodes = run
        .model
        .node_vips
        .iter()
        .map(|vip| (vip.address, vip.hosts.iter().collect()));
    groups
        .chain(nodes)
        .filter(|(_, of)| of.iter().any(|host| hosts.contains(*host)))
        .filter(|(_, of)| of.iter().all(|host| run.fleet.get(host).is_some()))
        .collect()
}

async fn holders(run: &Run<'_>, address: IpAddr, hosts: &[&HostName]) -> Vec<String> {
    let body = format!("ip -o addr show to {address}");
    let body = body.as_str();
    let asked = hosts.iter().map(|host| async move {
        let said = exec(run, host, body).await.unwrap_or_default();
        (!said.trim().is_empty()).then(|| host.to_string())
    });
    futures_join(asked).await.into_iter().flatten().collect()
}
