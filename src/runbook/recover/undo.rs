//! `recover undo`: takes back a recover that has not promoted anything. Afterwards there is a new timeline, and only
//! rejoin and rebuild lead on.

use super::marker::ETCD_BEFORE;
use super::promote::{DROPIN, NO_MARK, WAITS_AS_TOLD};
use super::rejoin::{forget, markers, preludes, subject};
use super::{Input, Marker, RecoverMethod, absent, pin};
use crate::command::given;
use crate::names::HostName;
use crate::resource::Impact;
use crate::runbook::{Consent, Refusal, Runbook, Script, Step};
use std::collections::BTreeMap;

/// Plans it.
pub fn plan_undo(input: Input<'_>) -> Result<Runbook, Refusal> {
    let markers = markers(input.seen)?;
    for marker in &markers {
        still_possible(input, marker)?;
    }
    // Patroni needs the hosts that were given up.
    let mut steps = vec![absent::lift(input.seen.hosts.keys().cloned())];
    if markers
        .iter()
        .any(|marker| marker.via == RecoverMethod::Etcd)
    {
        steps.push(restore(input));
    }
    steps.extend(pin::unpin(input));
    let groups = markers
        .iter()
        .filter_map(|marker| Some((input.model.group_on(&marker.survivor)?.1, &marker.survivor)));
    steps.extend(groups.filter_map(|(group, survivor)| pin::unbind(group, survivor)));
    steps.extend(commits(&markers));
    steps.push(unmask(input));
    steps.push(forget(input));
    let read_only = markers
        .iter()
        .map(|marker| format!("{} is still read-only", marker.survivor));
    Ok(Runbook {
        name: "undo",
        aim: "take back a recover that has promoted nothing yet".to_owned(),
        subject: subject(&markers),
        seen: markers
            .iter()
            .map(Marker::sentence)
            .chain(read_only)
            .collect(),
        risks: vec![
            "The formation is then where it was: without a majority of etcd nothing takes writes."
                .to_owned(),
        ],
        consent: Consent::Yes,
        steps,
        afterwards: vec![
            "Start the lost hosts, or run `citusctl recover --survivor` again.".to_owned(),
        ],
        prelude: preludes(input),
    })
}

fn still_possible(input: Input<'_>, marker: &Marker) -> Result<(), Refusal> {
    let survivor = &marker.survivor;
    match input.seen.get(survivor) {
        None => Err(Refusal::new(
            format!("{survivor}, the survivor, cannot be reached"),
            "mend the way to it first",
        )),
        Some(seen) if seen.writable() => Err(Refusal::new(
            format!(
                "{survivor} takes writes already: a promotion cannot be taken back, and what was written since would be lost"
            ),
            "`citusctl recover rejoin` takes the lost hosts in again; `citusctl recover rebuild` goes on without them",
        )),
        Some(_) => Ok(()),
    }
}

/// etcd as it was before it was made a cluster of one: the run that did it kept its data.
fn restore(input: Input<'_>) -> Step {
    let act = given(
        &[("BEFORE", ETCD_BEFORE)],
        include_str!("scripts/etcd-back.sh"),
    );
    let hosts = input.model.hosts().filter(|host| host.etcd.is_some());
    let here = hosts.filter(|host| input.seen.hosts.contains_key(&host.name));
    let scripts = here.map(|host| {
        (
            host.name.clone(),
            Script::new(&act, format!("[ ! -e {ETCD_BEFORE} ]")),
        )
    });
    Step::on_all(
        scripts.collect(),
        "etcd",
        "put etcd's data back as it was before",
    )
    .with_impact(Impact::Restart)
}

/// Commits wait for standbys again, where Patroni says so. PostgreSQL may be down.
fn commits(markers: &[Marker]) -> Option<Step> {
    let act = include_str!("scripts/commits.sh");
    let act = format!("no_mark() {{ {NO_MARK}; }}\n{act}");
    let by_hand = markers
        .iter()
        .filter(|marker| marker.via == RecoverMethod::Promote);
    let scripts: BTreeMap<HostName, Script> = by_hand
        .map(|marker| (marker.survivor.clone(), Script::new(&act, WAITS_AS_TOLD)))
        .collect();
    let title = "let commits wait for standbys as Patroni says";
    (!scripts.is_empty()).then(|| Step::on_all(scripts, "commits", title))
}

/// Services that were put aside may start again.
fn unmask(input: Input<'_>) -> Step {
    let values = [("DROPIN", DROPIN)];
    let act = given(&values, include_str!("scripts/unmask.sh"));
    let holds = given(&values, include_str!("scripts/unmasked.sh"));
    let hosts = input.seen.hosts.keys();
    let scripts = hosts
        .map(|host| (host.clone(), Script::new(&act, &holds)))
        .collect();
    Step::on_all(
        scripts,
        "unmask",
        "let Patroni and etcd start again where they were put aside",
    )
}
