//! Addresses that move: who carries them.

use super::StatusAnswers;
use super::findings::Findings;
use crate::event::status::VipStatus;
use crate::model::{Group, NodeVip};
use crate::names::HostName;
use std::net::IpAddr;

/// Who carries the group's address.
pub(super) fn vip(
    group: &Group,
    answers: &StatusAnswers,
    said: &mut Findings,
) -> Option<VipStatus> {
    let address = group.vip.as_ref()?.address;
    let holders = holders(
        group.members.iter().map(|member| &member.host),
        address,
        answers,
    );
    let view = answers.groups.get(&group.cluster)?.as_ref().ok();
    let leader = view.and_then(|view| view.leader());
    match (holders.as_slice(), leader.map(|leader| leader.host(group))) {
        ([], Some(leader)) if answers.hosts.contains_key(&leader) => said.problem(format!(
            "{}: nobody carries {address}, not even {leader}, who leads",
            group.cluster
        )),
        // Nobody leads, or the leader's host was left out.
        ([], _) => {}
        ([holder], Some(leader)) if *holder != leader => said.problem(format!(
            "{holder} carries {address}, but {leader} leads {}",
            group.cluster
        )),
        ([_], _) => {}
        (many, _) => said.problem(format!(
            "{}: {} hosts carry {address}",
            group.cluster,
            many.len()
        )),
    }
    Some(VipStatus {
        address,
        cluster: Some(group.cluster.clone()),
        holders,
    })
}

/// Who carries an address that moves between HAProxy hosts.
pub(super) fn node_vip(
    vip: &NodeVip,
    answers: &StatusAnswers,
    said: &mut Findings,
) -> Option<VipStatus> {
    let asked = vip
        .hosts
        .iter()
        .all(|host| answers.hosts.contains_key(host));
    let holders = holders(vip.hosts.iter(), vip.address, answers);
    match holders.len() {
        // Its holder may be a host that was left out.
        0 if !asked => return None,
        0 => said.problem(format!("nobody carries {}", vip.address)),
        1 => {}
        many => said.problem(format!("{many} hosts carry {}", vip.address)),
    }
    Some(VipStatus {
        address: vip.address,
        cluster: None,
        holders,
    })
}

fn holders<'a>(
    hosts: impl Iterator<Item = &'a HostName>,
    address: IpAddr,
    answers: &StatusAnswers,
) -> Vec<HostName> {
    let carries = |host: &&HostName| {
        let seen = answers.hosts.get(*host).and_then(|seen| seen.as_ref().ok());
        seen.is_some_and(|seen| seen.addresses.contains(&address))
    };
    hosts.filter(carries).cloned().collect()
}
