//! Addresses that hosts are to share, and that a stranger has.

use crate::app::failure::{Failure, code};

use crate::fact::Observed;
use crate::model::Model;
use crate::names::HostName;
use crate::plan::Seen;
use crate::resource::{Answering, FreeAddress};
use std::net::IpAddr;

/// Refuses an address that somebody answers for while none of the hosts that are to share it takes part in holding it.
///
/// # Errors
/// Such an address, with the hardware address of who answers.
pub fn nobody_elses(model: &Model, seen: &Seen) -> Result<(), Failure> {
    let taken: Vec<String> = shared(model)
        .into_iter()
        .filter_map(|(address, hosts)| stranger(address, &hosts, seen))
        .collect();
    if taken.is_empty() {
        return Ok(());
    }
    let failure = Failure::new(code::REFUSED, taken.join("; "));
    Err(failure.hint(
        "take the address from that machine, or choose another one in the inventory (`pg_vip_address`, `vip_address`)",
    ))
}

/// All shared addresses, with the hosts that may hold them.
fn shared(model: &Model) -> Vec<(IpAddr, Vec<&HostName>)> {
    let groups = model.groups().filter_map(|(_, group)| {
        let hosts = group.members.iter().map(|member| &member.host).collect();
        Some((group.vip.as_ref()?.address, hosts))
    });
    let nodes = model.node_vips.iter();
    let nodes = nodes.map(|vip| (vip.address, vip.hosts.iter().collect()));
    groups.chain(nodes).collect()
}

/// Known for certain only where all hosts that may hold it were asked: one that was not may have it rightly.
fn stranger(address: IpAddr, hosts: &[&HostName], seen: &Seen) -> Option<String> {
    let look = |host: &&HostName| seen.hosts.get(*host).and_then(read(address));
    let found: Vec<(&HostName, Answering)> = hosts
        .iter()
        .filter_map(|host| Some((*host, look(host)?)))
        .collect();
    let held = found.iter().any(|(_, answer)| *answer == Answering::Ours);
    if held || found.len() < hosts.len() {
        return None;
    }
    found.into_iter().find_map(|(host, answer)| match answer {
        Answering::Other(mac) => Some(format!(
            "{address} is in use already: {mac} answers for it, as {host} sees it"
        )),
        Answering::Ours | Answering::Nobody => None,
    })
}

fn read(address: IpAddr) -> impl Fn(&Observed) -> Option<Answering> {
    move |seen| FreeAddress::read(address, seen)
}
