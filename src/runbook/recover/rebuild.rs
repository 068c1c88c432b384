//! `recover rebuild`: the lost hosts are gone for good. What is left goes on without them, under an inventory that
//! does not name them.

use super::adopt::{adopt_steps, primaries};
use super::edit::InventoryEdit;
use super::promote::{DROPIN, no_quorum};
use super::rejoin::{endpoint, forget, join, markers, preludes, strays, subject};
use super::via_etcd::{best_member, force};
use super::{Input, Marker, RecoverMethod, pin, settle};
use crate::command::given;
use crate::model::Model;
use crate::names::HostName;
use crate::runbook::{Consent, Refusal, Runbook, Script, Step};
use std::collections::BTreeSet;

/// The plan, and the edit of the inventory that goes with it.
pub fn plan_rebuild(input: Input<'_>) -> Result<(Runbook, InventoryEdit), Refusal> {
    let markers = markers(input.seen)?;
    let lost: BTreeSet<HostName> = markers
        .iter()
        .flat_map(|marker| marker.fenced.clone())
        .collect();
    if let Some(back) = lost
        .iter()
        .find(|host| input.seen.hosts.contains_key(*host))
    {
        return Err(Refusal::new(
            format!("{back} answers, so it is not gone"),
            "take it in again with `citusctl recover rejoin`, or switch it off for good",
        ));
    }
    let edit = edit(input, &markers, lost)?;
    let steps = steps(input, &markers)?;
    let lost: Vec<&str> = edit.lost.iter().map(HostName::as_str).collect();
    let book = Runbook {
        name: "rebuild",
        aim: format!("go on without {} for good", lost.join(", ")),
        subject: subject(&markers),
        seen: markers.iter().map(Marker::sentence).collect(),
        risks: vec![
            "Until other hosts are added there is one copy, and an etcd that survives no loss.".to_owned(),
            "The lost hosts must never come back with their old disks: wipe them before they are used again.".to_owned(),
        ],
        consent: Consent::Name,
        steps,
        afterwards: Vec::new(),
        prelude: preludes(input),
    };
    Ok((book, edit))
}

/// Every group keeps a member, its survivor becomes the one that bootstraps, and etcd keeps one, too.
fn edit(
    input: Input<'_>,
    markers: &[Marker],
    lost: BTreeSet<HostName>,
) -> Result<InventoryEdit, Refusal> {
    let mut primaries = BTreeSet::new();
    for (_, group) in input.model.groups() {
        let left: Vec<&HostName> = group
            .members
            .iter()
            .map(|member| &member.host)
            .filter(|host| !lost.contains(*host))
            .collect();
        let survivor = left
            .iter()
            .find(|host| markers.iter().any(|marker| marker.survivor == ***host));
        let Some(next) = survivor.or(left.first()) else {
            return Err(Refusal::new(
                format!(
                    "{}: all of its hosts are lost, and its data with them",
                    group.cluster
                ),
                "bring one of its hosts back, or restore it from a backup first",
            ));
        };
        if group
            .primary()
            .is_none_or(|primary| lost.contains(&primary.host))
        {
            primaries.insert((*next).clone());
        }
    }
    Ok(InventoryEdit {
        etcd: new_etcd(input.model, markers, &lost),
        lost,
        primaries,
    })
}

/// With all members of etcd lost, the survivor carries it from now on.
fn new_etcd(
    model: &Model,
    markers: &[Marker],
    lost: &BTreeSet<HostName>,
) -> Option<(HostName, u32)> {
    let etcd = model.etcd.as_ref()?;
    let left = etcd
        .members
        .iter()
        .any(|member| !lost.contains(&member.host));
    let number = etcd
        .members
        .iter()
        .map(|member| member.seq)
        .max()
        .unwrap_or(0)
        + 1;
    let survivor = markers.first().map(|marker| marker.survivor.clone());
    survivor.filter(|_| !left).map(|host| (host, number))
}

fn steps(input: Input<'_>, markers: &[Marker]) -> Result<Vec<Step>, Refusal> {
    let mut steps = match markers
        .iter()
        .all(|marker| marker.via == RecoverMethod::Etcd)
    {
        true => match input.seen.majority() {
            Some(alive) => joins(input, alive, true),
            None => {
                return Err(Refusal::new(
                    "etcd has no majority: the recover itself has not come through",
                    "run `citusctl recover --survivor HOST` again first",
                ));
            }
        },
        false => after_promote(input, markers)?,
    };
    steps.push(forget(input));
    Ok(steps)
}

fn joins(input: Input<'_>, alive: &HostName, majority: bool) -> Vec<Step> {
    let members = strays(input.model, input.seen, alive).into_iter();
    let members = members.filter(|member| majority || member.host != *alive);
    let first = settle(input.model, input.seen, alive);
    let joins = members.map(|member| join(member, endpoint(input.model, alive)));
    [first].into_iter().chain(joins).collect()
}

fn after_promote(input: Input<'_>, markers: &[Marker]) -> Result<Vec<Step>, Refusal> {
    let primaries = primaries(input, markers)?;
    let majority = input.seen.majority();
    let first = primaries.first().map(|(_, survivor)| &survivor.host);
    let member = first.and_then(|host| best_member(input, host, |_| true));
    let mut steps = Vec::new();
    match majority.or(member.map(|member| &member.host)) {
        Some(alive) => {
            if majority.is_none() {
                let others = |host: &HostName| host != alive && input.seen.hosts.contains_key(host);
                steps.extend(no_quorum(input, others));
                steps.push(force(alive));
            }
            steps.extend(adopt_steps(&primaries, alive));
            steps.extend(pin::unpin(input));
            steps.extend(joins(input, alive, majority.is_some()));
        }
        // Etcd is made by the ordinary apply that follows, and Patroni started by it.
        None => steps.push(unmask(input)),
    }
    steps.extend(
        primaries
            .iter()
            .filter_map(|(group, survivor)| pin::unbind(group, &survivor.host)),
    );
    Ok(steps)
}

/// Pinned services stay so until the apply writes them anew.
fn unmask(input: Input<'_>) -> Step {
    let act = given(
        &[("DROPIN", DROPIN)],
        include_str!("scripts/rebuild-unmask.sh"),
    );
    let holds = given(
        &[("DROPIN", DROPIN)],
        &format!(
            "{}[ ! -e /etc/citusctl/pinned ]",
            include_str!("scripts/unmasked.sh")
        ),
    );
    let scripts = input
        .seen
        .hosts
        .keys()
        .map(|host| (host.clone(), Script::new(&act, &holds)));
    Step::on_all(
        scripts.collect(),
        "unmask",
        "let Patroni and etcd be started again, by an ordinary apply",
    )
}
