//! Shared addresses: each has one holder.

use super::super::Run;
use super::super::look::futures_join;
use super::{GateView, exec};
use crate::names::HostName;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// An address and the hosts that may carry it.
type SharedAddress<'a> = (IpAddr, Vec<&'a HostName>);

/// Every address that moves between the given hosts and others is somewhere, and only there.
pub(super) async fn view(run: &Run<'_>, hosts: &BTreeSet<HostName>) -> GateView {
    let shared = shared(run, hosts);
    let lacks = futures_join(shared.iter().map(|shared| lack(run, shared))).await;
    let lacks: Vec<String> = lacks.into_iter().flatten().collect();
    match lacks.is_empty() {
        true => GateView::Open(match shared.len() {
            1 => "1 address has its holder".to_owned(),
            number => format!("{number} addresses have their holders"),
        }),
        false => GateView::Closed(lacks.join("; ")),
    }
}

async fn lack(run: &Run<'_>, (address, hosts): &SharedAddress<'_>) -> Option<String> {
    let body = format!("ip -o addr show to {address}");
    let asked = hosts.iter().map(|host| async {
        let said = exec(run, host, &body).await;
        (*host, said.map(|said| !said.trim().is_empty()))
    });
    judge(*address, &futures_join(asked).await)
}

/// One holder, and every other host says that it is none.
fn judge(address: IpAddr, answers: &[(&HostName, Result<bool, String>)]) -> Option<String> {
    let mute = answers
        .iter()
        .find_map(|(host, said)| Some((host, said.as_ref().err()?)));
    let holders = answers.iter().filter(|(_, said)| *said == Ok(true));
    let holders: Vec<&str> = holders.map(|(host, _)| host.as_str()).collect();
    match (holders.as_slice(), mute) {
        ([_], None) => None,
        ([], None) => Some(format!("nobody carries {address} yet")),
        ([] | [_], Some((host, why))) => Some(format!(
            "whether {host} carries {address} is not known: {why}"
        )),
        (many, _) => Some(format!("{} carry {address}", many.join(" and "))),
    }
}

/// Where a host was left out of this run, the address may be there: nothing can be said about it.
fn shared<'a>(run: &'a Run<'_>, hosts: &BTreeSet<HostName>) -> Vec<SharedAddress<'a>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_does_not_answer_may_be_a_second_holder() {
        let (a, b) = (HostName::from("a"), HostName::from("b"));
        let address: IpAddr = "10.0.0.9".parse().expect("an address");
        let of = |first, second| judge(address, &[(&a, first), (&b, second)]);
        assert_eq!(of(Ok(true), Ok(false)), None);
        assert_eq!(
            of(Ok(true), Err("it hangs".to_owned())).as_deref(),
            Some("whether b carries 10.0.0.9 is not known: it hangs")
        );
        assert_eq!(
            of(Ok(false), Ok(false)).as_deref(),
            Some("nobody carries 10.0.0.9 yet")
        );
        assert_eq!(
            of(Ok(true), Ok(true)).as_deref(),
            Some("a and b carry 10.0.0.9")
        );
    }
}
