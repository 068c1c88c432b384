//! `recover rejoin`: the lost hosts are back and their disks are good. Their etcd joins the survivor's cluster as new
//! members, one by one, each without a vote first; their PostgreSQL follows under Patroni.

use super::follow::follow;
use super::marker::{ETCD_BEFORE, MARKER_PATH};
use super::{Input, Marker, RecoverMethod, Surveyed, absent, settle};
use crate::command::quote;
use crate::model::{EtcdMember, Model};
use crate::names::HostName;
use crate::resource::Impact;
use crate::runbook::{Consent, Refusal, Runbook, Script, Step, host_functions};
use std::collections::{BTreeMap, BTreeSet};

/// Plans the return of every lost host that answers.
pub fn plan_rejoin(input: Input<'_>) -> Result<Runbook, Refusal> {
    let markers = markers(input.seen)?;
    match markers
        .iter()
        .any(|marker| marker.via == RecoverMethod::Promote)
    {
        false => after_etcd(input, &markers),
        true => super::adopt::after_promote(input, &markers),
    }
}

/// The notes of all open recovers: one at least.
pub(super) fn markers(seen: &Surveyed) -> Result<Vec<Marker>, Refusal> {
    let found: Vec<Marker> = seen.markers().into_iter().cloned().collect();
    match found.is_empty() {
        false => Ok(found),
        true => Err(Refusal::new(
            format!("no host that answers has {MARKER_PATH}: no recover is open here"),
            "`citusctl status` shows the formation; an ordinary `citusctl apply` brings hosts back that were only off",
        )),
    }
}

fn after_etcd(input: Input<'_>, markers: &[Marker]) -> Result<Runbook, Refusal> {
    let Some(alive) = input.seen.majority().cloned() else {
        return Err(Refusal::new(
            "etcd has no majority: the recover itself has not come through",
            "run `citusctl recover --survivor HOST` again first",
        ));
    };
    let fenced: BTreeSet<&HostName> = markers.iter().flat_map(|marker| &marker.fenced).collect();
    let (back, absent): (Vec<&HostName>, Vec<&HostName>) = fenced
        .into_iter()
        .partition(|host| input.seen.hosts.contains_key(*host));
    let strays = strays(input.model, input.seen, &alive);
    if back.is_empty() && strays.is_empty() && !absent.is_empty() {
        let absent: Vec<&str> = absent.into_iter().map(HostName::as_str).collect();
        return Err(Refusal::new(
            format!("none of the lost hosts answers: {}", absent.join(", ")),
            "start one of them; if they are gone for good: `citusctl recover rebuild`",
        ));
    }
    let joins = strays
        .into_iter()
        .map(|member| join(member, endpoint(input.model, &alive)));
    let hosts = back.iter().filter_map(|host| input.model.hosts.get(*host));
    let follows = hosts.filter(|host| host.pg.is_some());
    let follows = follows.map(|host| follow(input, host));
    let first = settle(input.model, input.seen, &alive);
    let steps = [first].into_iter().chain(joins).chain(follows);
    let steps = steps
        .chain([close(input)])
        .chain(super::serve::served(input))
        .collect();
    let lines = back.iter().map(|host| format!("{host} is back"));
    let gone = absent.iter().map(|host| {
        format!("{host} does not answer: it stays out until `citusctl recover rejoin` is run again")
    });
    let mut book = way_back(input, markers, steps);
    book.aim = format!(
        "take the hosts back that {} was recovered without",
        book.subject
    );
    book.seen.extend(lines.chain(gone));
    book.risks
        .push("Their old etcd data is moved aside, below /var/lib/citusctl/replaced.".to_owned());
    Ok(book)
}

/// What all ways back have in common. A recover that was ended in the middle may still refuse connections to those that
/// are back.
pub(super) fn way_back(input: Input<'_>, markers: &[Marker], steps: Vec<Step>) -> Runbook {
    let lift = absent::lift(input.seen.hosts.keys().cloned());
    Runbook {
        name: "rejoin",
        aim: String::new(),
        subject: subject(markers),
        seen: markers.iter().map(Marker::sentence).collect(),
        risks: vec![
            "A copy with transactions that only a returned host has is put aside there (DATA.diverged-RUN) and cloned anew: this takes as much room again.".to_owned(),
        ],
        consent: Consent::Name,
        steps: [lift].into_iter().chain(steps).collect(),
        afterwards: vec!["`citusctl status` shows the formation; `citusctl plan` should find nothing to do.".to_owned()],
        prelude: preludes(input),
    }
}

/// Functions for every host that answers.
pub(in crate::runbook) fn preludes(input: Input<'_>) -> BTreeMap<HostName, crate::secret::Secret> {
    let hosts = input
        .model
        .hosts()
        .filter(|host| input.seen.hosts.contains_key(&host.name));
    hosts
        .map(|host| (host.name.clone(), host_functions(input.model, host)))
        .collect()
}

pub(in crate::runbook) fn endpoint(model: &Model, host: &HostName) -> String {
    let etcd = model.etcd.as_ref();
    let member = etcd.and_then(|etcd| {
        Some((
            etcd,
            etcd.members.iter().find(|member| member.host == *host)?,
        ))
    });
    member
        .map(|(etcd, member)| member.client_url(etcd.client_port))
        .unwrap_or_default()
}

/// Members of the inventory whose hosts answer, and that the living cluster does not count as voters.
pub(super) fn strays<'a>(
    model: &'a Model,
    seen: &Surveyed,
    alive: &HostName,
) -> Vec<&'a EtcdMember> {
    let known = seen
        .get(alive)
        .filter(|seen| seen.etcd.majority)
        .map(|seen| &seen.etcd.members);
    let voters: BTreeSet<&str> = known
        .into_iter()
        .flatten()
        .filter(|member| member.started && !member.learner)
        .map(|member| member.name.as_str())
        .collect();
    let members = model.etcd.iter().flat_map(|etcd| &etcd.members);
    members
        .filter(|member| {
            seen.hosts.contains_key(&member.host) && !voters.contains(member.name.as_str())
        })
        .collect()
}

/// Old data aside, in as a learner, then a voter.
pub(in crate::runbook) fn join(member: &EtcdMember, alive: String) -> Step {
    joining(member, alive, "", "")
}

/// The same; a new machine is set up by `apply`, which takes it in as well.
pub(in crate::runbook) fn join_if_set_up(member: &EtcdMember, alive: String) -> Step {
    let unless = "[ -e \"$ETCD_CONF\" ] || exit 0\n";
    joining(
        member,
        alive,
        unless,
        " (a new machine: by `citusctl apply`)",
    )
}

fn joining(member: &EtcdMember, alive: String, unless: &str, more: &str) -> Step {
    let alive = quote(&alive);
    let act = format!("ALIVE={alive}\n{}", include_str!("scripts/etcd-join.sh"));
    let holds = format!(
        "{unless}case \"$(etcd_ctl_at {alive} member list | grep -F \", $ETCD_PEER,\")\" in *', started, '*', false') ;; *) echo 'not a voting member yet'; false ;; esac\n\
         etcd_majority || {{ echo 'etcd here does not answer yet'; false; }}"
    );
    let title = format!(
        "take {} into etcd as a new member (a learner first); its old data is moved aside{more}",
        member.name
    );
    Step::on(&member.host, "etcd", title, Script::new(act, holds))
        .with_impact(Impact::Restart)
        .within(60)
}

/// What the operator types: the formation.
pub(super) fn subject(markers: &[Marker]) -> String {
    markers
        .first()
        .map(|marker| marker.formation.to_string())
        .unwrap_or_default()
}

/// With all hosts back the recover is closed; else its note names those that are still out.
pub(super) fn close(input: Input<'_>) -> Step {
    let out = |marker: &Marker| -> Vec<HostName> {
        let absent = marker
            .fenced
            .iter()
            .filter(|host| !input.seen.hosts.contains_key(*host));
        absent.cloned().collect()
    };
    let left: BTreeSet<HostName> = input.seen.markers().into_iter().flat_map(out).collect();
    if left.is_empty() {
        return forget(input);
    }
    let holders = input
        .seen
        .hosts
        .iter()
        .filter_map(|(host, seen)| Some((host, seen.marker.as_ref()?)));
    let scripts = holders.map(|(host, marker)| (host.clone(), note(marker, out(marker))));
    let names: Vec<&str> = left.iter().map(HostName::as_str).collect();
    let title = format!("note which hosts are still out: {}", names.join(", "));
    Step::on_all(scripts.collect(), "close", title)
}

/// The note with these hosts.
fn note(marker: &Marker, fenced: Vec<HostName>) -> Script {
    let count = format!(
        "[ \"$(grep -c '^    \"' {MARKER_PATH})\" = {} ]",
        fenced.len()
    );
    let left = Marker {
        fenced,
        ..marker.clone()
    };
    Script::new(left.write(), format!("{}{count}", left.is_there()))
}

/// The recover is over: nothing of it is left on any host that answers.
pub(super) fn forget(input: Input<'_>) -> Step {
    let act = format!("move_aside {MARKER_PATH}\nrm -f {ETCD_BEFORE}");
    let holds = format!("[ ! -e {MARKER_PATH} ]\n[ ! -e {ETCD_BEFORE} ]");
    let has_a_part = |host: &&HostName| {
        let noted = input
            .seen
            .get(host)
            .is_some_and(|seen| seen.marker.is_some());
        noted
            || input
                .model
                .hosts
                .get(*host)
                .is_some_and(|host| host.etcd.is_some())
    };
    let hosts = input.seen.hosts.keys().filter(has_a_part);
    let scripts = hosts.map(|host| (host.clone(), Script::new(&act, &holds)));
    Step::on_all(
        scripts.collect(),
        "close",
        "close the recover: take its note away",
    )
}
