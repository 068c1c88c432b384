//! etcd: who answers, who leads, and whether its own list of members is that of the inventory.

use super::StatusAnswers;
use super::findings::Findings;
use super::host::HostAnswers;
use crate::engine::Run;
use crate::event::status::EtcdStatus;
use crate::model::etcd::other_cluster;
use crate::model::{Etcd, EtcdMember};
use serde_json::Value;
use std::collections::BTreeSet;

/// The members of the selected hosts; those that could not be reached are listed as sick.
pub(super) fn judge(
    run: &Run<'_>,
    answers: &StatusAnswers,
    said: &mut Findings,
) -> Vec<EtcdStatus> {
    let Some(etcd) = &run.model.etcd else {
        return Vec::new();
    };
    let selected = etcd.members.iter().filter(|member| {
        answers.hosts.contains_key(&member.host)
            || run.fleet.unreachable().contains_key(&member.host)
    });
    let members: Vec<EtcdStatus> = selected
        .map(|member| of_member(member, answers, said))
        .collect();
    let whole = members.len() == etcd.members.len();
    let answering = members.iter().any(|member| member.version.is_some());
    if whole && answering && !members.iter().any(|member| member.leader) {
        said.problem("etcd has no leader: nothing can be elected, and Patroni demotes its leaders");
    }
    let voters = members.iter().filter(|member| !member.learner);
    let healthy = voters.filter(|member| member.healthy).count();
    if whole && healthy < etcd.voters() {
        said.problem(margin(etcd, healthy));
    }
    membership(etcd, answers, said);
    said.problems.extend(clusters(etcd, answers));
    members
}

/// Whether etcd can decide anything; where none of its members could be asked, nobody knows otherwise.
pub(super) fn decides(run: &Run<'_>, members: &[EtcdStatus]) -> bool {
    let mut asked = members.iter();
    let connected = asked.any(|member| run.fleet.get(&member.host).is_some());
    !connected || members.iter().any(|member| member.healthy)
}

fn margin(etcd: &Etcd, healthy: usize) -> String {
    let all = etcd.voters();
    let left = healthy.saturating_sub(etcd.quorum());
    match healthy >= etcd.quorum() {
        true => format!("etcd: {healthy} of {all} members are healthy; {left} more may fail"),
        false => format!(
            "etcd: {healthy} of {all} members are healthy, {} are needed: no quorum",
            etcd.quorum()
        ),
    }
}

fn of_member(member: &EtcdMember, answers: &StatusAnswers, said: &mut Findings) -> EtcdStatus {
    let mut status = EtcdStatus {
        name: member.name.clone(),
        host: member.host.clone(),
        healthy: false,
        leader: false,
        learner: member.learner,
        version: None,
        db_size: None,
    };
    let Some(Ok(seen)) = answers.hosts.get(&member.host) else {
        return status;
    };
    let answer = seen.etcd_status.as_ref();
    let Some(answer) = answer.and_then(|answer| answer.pointer("/0/Status")) else {
        said.problem(format!(
            "{}: {} does not answer{}",
            member.host,
            member.name,
            words(seen)
        ));
        return status;
    };
    let id = |path| answer.pointer(path).and_then(Value::as_u64);
    let leader = id("/leader").filter(|leader| *leader != 0);
    status.leader = leader.is_some() && leader == id("/header/member_id");
    status.healthy = leader.is_some() && errors(answer).is_empty();
    status.version = answer
        .get("version")
        .and_then(Value::as_str)
        .map(str::to_owned);
    status.db_size = id("/dbSize");
    for error in errors(answer) {
        said.problem(format!("{}: {} says {error}", member.host, member.name));
    }
    status
}

fn words(seen: &HostAnswers) -> String {
    match seen.etcd_words.as_str() {
        "" => String::new(),
        words => format!(": {words}"),
    }
}

/// Alarms such as `NOSPACE`.
fn errors(answer: &Value) -> Vec<String> {
    let errors = answer.get("errors").and_then(Value::as_array);
    let text = |error: &Value| error.as_str().map(str::to_owned);
    errors.into_iter().flatten().filter_map(text).collect()
}

/// Members that are of another cluster than most: each answers for itself, and nothing is replicated between them.
fn clusters(etcd: &Etcd, answers: &StatusAnswers) -> Vec<String> {
    let id = |member: &EtcdMember| {
        let seen = answers.hosts.get(&member.host)?.as_ref().ok()?;
        let status = seen.etcd_status.as_ref()?;
        status.pointer("/0/Status/header/cluster_id")?.as_u64()
    };
    let ids = etcd.members.iter();
    let ids = ids.filter_map(|member| Some((member.name.as_str(), id(member)?)));
    other_cluster(&ids.collect::<Vec<_>>())
}

/// Compares the list of one member that answers with the inventory.
fn membership(etcd: &Etcd, answers: &StatusAnswers, said: &mut Findings) {
    let lists = answers
        .hosts
        .values()
        .filter_map(|answer| answer.as_ref().ok());
    let mut words = String::new();
    let mut answering = false;
    let mut found = None;
    for seen in lists {
        found = found.or(seen.etcd_members.as_ref());
        answering |= seen.etcd_status.is_some();
        words.clone_from(&seen.etcd_words);
    }
    let Some(list) = found else {
        // Where no member answers, that is said already.
        if answering {
            said.problem(format!("etcd's own list of members is not known: {words}"));
        }
        return;
    };
    let found = names(list);
    let wanted: BTreeSet<String> = etcd.members.iter().map(|m| m.name.clone()).collect();
    for name in wanted.difference(&found) {
        said.problem(format!("etcd does not count {name} among its members"));
    }
    for name in found.difference(&wanted) {
        said.problem(format!(
            "etcd has a member {name} that the inventory does not know"
        ));
    }
}

/// A member that was added and has not yet started has no name.
fn names(list: &Value) -> BTreeSet<String> {
    let members = list.get("members").and_then(Value::as_array);
    let name = |member: &Value| {
        let name = member
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        match name {
            "" => "(not started)".to_owned(),
            name => name.to_owned(),
        }
    };
    members.into_iter().flatten().map(name).collect()
}
