//! etcd: who answers, who leads, and whether its own list of members is that of the inventory.

use super::StatusAnswers;
use super::findings::Findings;
use super::host::HostAnswers;
use crate::engine::Run;
use crate::event::status::EtcdStatus;
use crate::model::etcd::other_cluster;
use crate::model::{Etcd, EtcdMember};
use crate::runbook::etcd::Quorum;
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
    let quorum = quorum(etcd, answers, &members);
    if whole && quorum.alive < quorum.voters {
        said.problem(margin(quorum));
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

/// Counted by etcd's own list where it can be had, as `etcd status` counts; else by the inventory's.
fn quorum(etcd: &Etcd, answers: &StatusAnswers, members: &[EtcdStatus]) -> Quorum {
    let voters: Vec<Option<&EtcdMember>> = match list(answers) {
        Some(list) => listed(list)
            .filter(|member| member.get("isLearner") != Some(&Value::Bool(true)))
            .map(|member| etcd.at_peer(member.pointer("/peerURLs/0")?.as_str()?))
            .collect(),
        None => {
            let known = etcd.members.iter().filter(|member| !member.learner);
            known.map(Some).collect()
        }
    };
    let of_list = list(answers).and_then(cluster_id);
    let alive = |known: &&EtcdMember| {
        let mut found = members.iter().filter(|member| member.host == known.host);
        let same = || of_list.is_none() || own_cluster(known, answers) == of_list;
        found.any(|member| member.healthy) && same()
    };
    Quorum {
        voters: voters.len(),
        alive: voters.into_iter().flatten().filter(alive).count(),
    }
}

fn margin(quorum: Quorum) -> String {
    let Quorum { voters, alive } = quorum;
    let healthy = format!("etcd: {alive} of {voters} members are healthy");
    match quorum.holds() {
        true => format!("{healthy}; {} more may fail", quorum.spare()),
        false => format!("{healthy}, {} are needed: no quorum", quorum.needed()),
    }
}

/// The list of members of whoever answers first.
fn list(answers: &StatusAnswers) -> Option<&Value> {
    let mut hosts = answers.hosts.values();
    hosts.find_map(|answer| answer.as_ref().ok()?.etcd_members.as_ref())
}

fn listed(list: &Value) -> impl Iterator<Item = &Value> {
    let members = list.get("members").and_then(Value::as_array);
    members.into_iter().flatten()
}

fn cluster_id(answer: &Value) -> Option<u64> {
    answer.pointer("/header/cluster_id")?.as_u64()
}

/// The cluster that a member says it is of.
fn own_cluster(member: &EtcdMember, answers: &StatusAnswers) -> Option<u64> {
    let seen = answers.hosts.get(&member.host)?.as_ref().ok()?;
    cluster_id(seen.etcd_status.as_ref()?.pointer("/0/Status")?)
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
    let ids = etcd.members.iter();
    let ids = ids.filter_map(|member| Some((member.name.as_str(), own_cluster(member, answers)?)));
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
    listed(list).map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn trio() -> Etcd {
        let path = format!("{}/inventory/ha-trio.yml", env!("CARGO_MANIFEST_DIR"));
        let loaded = crate::inventory::load(path.as_ref(), &[]).expect("an inventory");
        let model = crate::model::build(&loaded.inventory).0.expect("a model");
        model.etcd.expect("etcd")
    }

    /// Members of a cluster whose list has the first `counted`; those that are healthy in it, by number.
    fn counted(count: usize, healthy: &[usize]) -> Quorum {
        let etcd = trio();
        let of = |member: &EtcdMember| {
            let peer = format!("https://{}:{}", member.address, etcd.peer_port);
            json!({"name": member.name, "peerURLs": [peer]})
        };
        let members: Vec<Value> = etcd.members.iter().take(count).map(of).collect();
        let mut answers = StatusAnswers::default();
        for (index, member) in etcd.members.iter().enumerate() {
            let list = json!({"header": {"cluster_id": 7}, "members": members});
            let seen = HostAnswers {
                etcd_status: Some(json!([{"Status": {"header": {"cluster_id": 7}}}])),
                etcd_members: (index == 0 && count > 0).then_some(list),
                ..HostAnswers::default()
            };
            answers.hosts.insert(member.host.clone(), Ok(seen));
        }
        let status = etcd
            .members
            .iter()
            .enumerate()
            .map(|(index, member)| EtcdStatus {
                name: member.name.clone(),
                host: member.host.clone(),
                healthy: healthy.contains(&index),
                leader: index == 0,
                learner: false,
                version: None,
                db_size: None,
            });
        quorum(&etcd, &answers, &status.collect::<Vec<_>>())
    }

    #[test]
    fn a_cluster_of_one_by_its_own_list_has_its_quorum() {
        let alone = counted(1, &[0]);
        assert_eq!((alone.voters, alone.alive), (1, 1));
        assert!(alone.holds());
        let one_down = counted(3, &[0, 1]);
        assert_eq!(
            margin(one_down),
            "etcd: 2 of 3 members are healthy; 0 more may fail"
        );
        // Nobody shows a list: the inventory is all there is.
        assert_eq!(
            margin(counted(0, &[0])),
            "etcd: 1 of 3 members are healthy, 2 are needed: no quorum"
        );
    }
}
