//! `etcd reset --to HOST`: the majority is gone for good; one member with its data goes on, the others join it anew.

use super::{EtcdView, MemberView, book, no_majority, stop};
use crate::names::HostName;
use crate::resource::Impact;
use crate::runbook::recover::{
    endpoint, force_for_good, join_if_set_up, nothing_put_aside, settle,
};
use crate::runbook::{Consent, Refusal, Runbook, Script, Step};
use std::collections::{BTreeMap, BTreeSet};

/// Makes the member on `host` a cluster of one with all its keys, and takes every other host that answers in again.
/// `fenced` are hosts that the operator vouches for: they are off and stay off.
///
/// # Errors
/// A majority that is there, a host without data, lost hosts that could make a majority of their own.
pub fn reset(
    view: &EtcdView<'_>,
    member: &MemberView,
    fenced: &BTreeSet<HostName>,
) -> Result<Runbook, Refusal> {
    nothing_put_aside(view.input.seen)?;
    no_majority(view)?;
    let host = with_data(view, member)?;
    check_lost(view, fenced)?;
    let aim = format!(
        "etcd goes on with the data of {} alone, then takes the others in again",
        member.name
    );
    let mut book = book(view, "etcd reset", aim);
    book.consent = Consent::Name;
    book.risks = risks(view, host);
    let others: Vec<_> = view
        .etcd
        .members
        .iter()
        .filter(|other| other.host != *host && view.input.seen.get(&other.host).is_some())
        .collect();
    let stopped = others.iter().map(|other| (other.host.clone(), stop()));
    let stopped: BTreeMap<HostName, Script> = stopped.collect();
    if !stopped.is_empty() {
        let title = "stop the other members, whose data are given up";
        book.steps
            .push(Step::on_all(stopped, "stop", title).with_impact(Impact::Restart));
    }
    book.steps.push(force_for_good(host));
    book.steps
        .push(settle(view.input.model, view.input.seen, host));
    let alive = endpoint(view.input.model, host);
    book.steps.extend(
        others
            .into_iter()
            .map(|other| join_if_set_up(other, alive.clone())),
    );
    book.afterwards.push("`citusctl etcd status` shows the members; a host that is still away joins by `citusctl etcd add HOST`".to_owned());
    Ok(book)
}

fn with_data<'a>(view: &EtcdView<'_>, member: &'a MemberView) -> Result<&'a HostName, Refusal> {
    let others = view.members();
    let other = others.iter().find(|other| other.data == Some(true));
    match (&member.host, member.data, other) {
        (Some(host), Some(true), _) => Ok(host),
        (_, None, _) => Err(Refusal::new(
            format!("{}: its host does not answer", member.name),
            "name a host that answers and has its data",
        )),
        (_, Some(_), Some(other)) => Err(Refusal::new(
            format!("{} has no data, but {} has", member.name, other.name),
            format!("`citusctl etcd reset --to {}` keeps all keys", other.name),
        )),
        (_, Some(_), None) => Err(Refusal::new(
            format!(
                "{} has no data, and no other member that answers has any",
                member.name
            ),
            "`citusctl etcd restore FILE` brings a snapshot back; without one, `citusctl etcd reset --without-data`",
        )),
    }
}

/// Lost members that are a majority of the old cluster would go on as that, with the old leader keys, if they came back.
fn check_lost(view: &EtcdView<'_>, fenced: &BTreeSet<HostName>) -> Result<(), Refusal> {
    let lost = view
        .etcd
        .members
        .iter()
        .filter(|member| view.input.seen.get(&member.host).is_none());
    let lost: Vec<&HostName> = lost
        .map(|member| &member.host)
        .filter(|host| !fenced.contains(*host))
        .collect();
    if lost.len() < view.etcd.quorum() {
        return Ok(());
    }
    let names: Vec<&str> = lost.iter().map(|host| host.as_str()).collect();
    Err(Refusal::new(
        format!(
            "{} do not answer: coming back together they would be a majority of the old cluster beside the new one",
            names.join(", ")
        ),
        format!(
            "see that they are off and stay off, then say `--fenced {}`",
            names.join(" --fenced ")
        ),
    ))
}

fn risks(view: &EtcdView<'_>, host: &HostName) -> Vec<String> {
    let seen = view.input.seen;
    let index = |host: &HostName| seen.get(host).and_then(|seen| seen.etcd.index);
    let own = index(host);
    let ahead = view
        .etcd
        .members
        .iter()
        .filter(|other| index(&other.host) > own);
    let mut risks: Vec<String> = ahead
        .map(|other| format!("{} has seen more of etcd's log than {host}", other.name))
        .collect();
    risks.push(
        "keys that only the lost members have are lost: Patroni writes its own anew".to_owned(),
    );
    risks
}
