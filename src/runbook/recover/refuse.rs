//! What stands in the way of a recover. Each refusal says why, and the way out.

use super::{
    Case, HostSeen, Input, Marker, PgSeen, RecoverMethod, RecoverOrder, Surveyed, rivals, room,
};
use crate::model::{Group, Instance};
use crate::names::HostName;
use crate::runbook::Refusal;
use std::collections::BTreeSet;

/// Checks a request against what was seen.
pub(super) fn check<'a>(input: Input<'a>, request: &RecoverOrder) -> Result<Case<'a>, Refusal> {
    let survivor = &request.survivor;
    let found = input
        .model
        .group_on(survivor)
        .and_then(|(formation, group)| {
            let member = group
                .members
                .iter()
                .find(|member| member.host == *survivor)?;
            Some((formation, group, member))
        });
    let Some((formation, group, member)) = found else {
        return Err(Refusal::new(
            format!("{survivor} carries no PostgreSQL in this inventory"),
            "name a host of a `pg_cluster`: `citusctl inventory --graph` lists them",
        ));
    };
    let seen = data(input.seen, member)?;
    let via = via(input, request)?;
    not_needed(input.seen, request, (group, member), via)?;
    let lost = fenced(input, request)?;
    rivals::others(input.seen, group, member, &lost, seen)?;
    if let Some(answered) = input.seen.get(survivor) {
        room::of_postgres(survivor, answered, via)?;
    }
    if member.tags.nofailover && via == RecoverMethod::Etcd {
        return Err(Refusal::new(
            format!(
                "{survivor}: {} must not become the leader by its role ({})",
                member.name, member.role
            ),
            "if it is all that is left, say `--via promote`",
        ));
    }
    let mut marker = Marker::new(via, &formation.name, survivor, input.run.as_str());
    marker.fenced = lost.iter().cloned().collect();
    Ok(Case {
        input,
        formation,
        group,
        survivor: member,
        pg: seen,
        via,
        lost,
        accept_loss: request.accept_loss,
        marker,
    })
}

fn data<'a>(seen: &'a Surveyed, member: &Instance) -> Result<&'a PgSeen, Refusal> {
    let host = &member.host;
    let Some(answered) = seen.get(host) else {
        return Err(Refusal::new(
            format!("{host} cannot be reached"),
            "a survivor must answer over SSH; name another one",
        ));
    };
    answered.pg.as_ref().ok_or_else(|| {
        Refusal::new(
            format!("{host} has no PostgreSQL data that could be promoted"),
            "name a host that has a copy",
        )
    })
}

/// What starts etcd or Patroni where a promotion put them aside would give the old cluster a leader beside the one that was
/// promoted.
///
/// # Errors
/// A recover by promotion is open.
pub fn nothing_put_aside(seen: &Surveyed) -> Result<(), Refusal> {
    let mut markers = seen.markers().into_iter();
    match markers.find_map(Marker::forbids) {
        None => Ok(()),
        Some(refusal) => Err(refusal),
    }
}

/// A healthy etcd means that Patroni acts by itself. A recover that was begun here goes on.
fn not_needed(
    seen: &Surveyed,
    request: &RecoverOrder,
    (group, member): (&Group, &Instance),
    via: RecoverMethod,
) -> Result<(), Refusal> {
    let survivor = &request.survivor;
    let begun = seen.markers();
    let in_the_way = |marker: &&&Marker| {
        let same_group = group
            .members
            .iter()
            .any(|member| member.host == marker.survivor);
        marker.via != via || (same_group && marker.survivor != *survivor)
    };
    if let Some(other) = begun.iter().find(in_the_way) {
        return Err(Refusal::new(
            format!(
                "{survivor}: another recover is under way: {}",
                other.sentence()
            ),
            format!(
                "go on with `citusctl recover --survivor {} --via {}`, or leave it with `citusctl recover undo`",
                other.survivor,
                other.via.word()
            ),
        ));
    }
    let Some(at) = seen.majority().filter(|_| begun.is_empty()) else {
        return Ok(());
    };
    if seen.get(survivor).is_some_and(HostSeen::writable) {
        return Err(Refusal::new(
            format!(
                "{survivor}: {} is the leader already, and etcd has its majority (asked {at}): there is nothing to recover",
                member.name
            ),
            "`citusctl status` shows the formation",
        ));
    }
    Err(Refusal::new(
        format!(
            "{survivor}: etcd has its majority (asked {at}), so Patroni chooses a leader by itself"
        ),
        format!(
            "`citusctl status` shows what it waits for; `citusctl failover --to {}` names a leader",
            member.name
        ),
    ))
}

fn via(input: Input<'_>, request: &RecoverOrder) -> Result<RecoverMethod, Refusal> {
    let etcd = input.model.etcd.iter().flat_map(|etcd| &etcd.members);
    let usable = etcd
        .filter(|member| !request.fenced.contains(&member.host))
        .any(|member| {
            input
                .seen
                .get(&member.host)
                .is_some_and(|seen| seen.etcd.data)
        });
    let begun = input.seen.markers().first().map(|marker| marker.via);
    match (request.via.or(begun), usable) {
        (Some(RecoverMethod::Etcd), false) => Err(Refusal::new(
            "no etcd member with its data can be reached, so `--via etcd` is not possible",
            "`--via promote` does without etcd",
        )),
        (Some(via), _) => Ok(via),
        (None, true) => Ok(RecoverMethod::Etcd),
        (None, false) => Ok(RecoverMethod::Promote),
    }
}

/// Every host that cannot be reached must be vouched for. Those that can be and are named are fenced by us.
fn fenced(input: Input<'_>, request: &RecoverOrder) -> Result<BTreeSet<HostName>, Refusal> {
    if request.fenced.contains(&request.survivor) {
        return Err(Refusal::new(
            format!("{} cannot be the survivor and be fenced", request.survivor),
            "name in `--fenced` the hosts that are lost",
        ));
    }
    let concerned = super::hosts(input.model, &request.survivor);
    if let Some(unknown) = request
        .fenced
        .iter()
        .find(|host| !concerned.contains(*host))
    {
        let names: Vec<&str> = concerned.iter().map(HostName::as_str).collect();
        return Err(Refusal::new(
            format!("--fenced {unknown}: this is none of the hosts concerned"),
            format!("they are {}", names.join(", ")),
        ));
    }
    // A proxy without data is no second writer.
    let holds_state = |host: &&HostName| {
        input
            .model
            .hosts
            .get(*host)
            .is_some_and(|host| host.pg.is_some() || host.etcd.is_some())
    };
    let gone: Vec<&HostName> = input.seen.unreachable.keys().filter(holds_state).collect();
    let open: Vec<&str> = gone
        .iter()
        .filter(|host| !request.fenced.contains(**host))
        .map(|host| host.as_str())
        .collect();
    if !open.is_empty() {
        let flags: Vec<String> = open.iter().map(|host| format!("--fenced {host}")).collect();
        return Err(Refusal::new(
            format!(
                "{} cannot be reached, and nobody has said that it is off: it may still take writes",
                open.join(", ")
            ),
            format!(
                "make sure that it has no power or no network, keep it so, then say {}",
                flags.join(" ")
            ),
        ));
    }
    off(input, &gone)?;
    Ok(request
        .fenced
        .iter()
        .cloned()
        .chain(gone.into_iter().cloned())
        .collect())
}

/// A host that was said to be off shows no sign of life to any host that answers.
fn off(input: Input<'_>, gone: &[&HostName]) -> Result<(), Refusal> {
    let shows = |host: &&HostName| {
        let address = input.model.hosts.get(*host)?.address.to_string();
        let mut seen = input.seen.hosts.iter();
        seen.find_map(|(from, seen)| Some(((*host).clone(), from, seen.alive.get(&address)?)))
    };
    match gone.iter().find_map(shows) {
        None => Ok(()),
        Some((host, from, how)) => Err(Refusal::new(
            format!("{host} is said to be off, and is not: {how} (asked from {from})"),
            "cut its power or its network, so that it answers nothing, then run the same command again; a firewall that refuses in its place has to drop instead",
        )),
    }
}
