//! A Patroni cluster: its leader, who follows it and how closely, and who holds its address.

use super::Answers;
use super::findings::Findings;
use super::patroni::{ClusterView, MemberView};
use crate::event::status::{GroupStatus, MemberStatus, VipStatus};
use crate::model::{Group, NodeVip};
use crate::names::{HostName, InstanceName};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Patroni's own default of `maximum_lag_on_failover` (bytes).
const LAG_LIMIT: u64 = 1 << 20;

/// The state of a group, and what is wrong with it.
pub(super) fn judge(
    group: &Group,
    view: Result<&ClusterView, &str>,
    lag_limit: Option<u64>,
    said: &mut Findings,
) -> GroupStatus {
    let mut status = GroupStatus {
        number: group.number,
        cluster: group.cluster.clone(),
        members: Vec::new(),
    };
    let view = match view {
        Ok(view) => view,
        Err(why) => {
            said.problem(format!("{}: Patroni does not answer: {why}", group.cluster));
            return status;
        }
    };
    if view.leader().is_none() {
        said.problem(format!(
            "{} has no leader: it takes no writes",
            group.cluster
        ));
    }
    if view.paused {
        said.warn(format!(
            "{}: automatic failover is switched off (paused)",
            group.cluster
        ));
    }
    // Zero asks for synchronous replication: then no lag is tolerable, and any is only for a moment.
    let limit = lag_limit.unwrap_or(LAG_LIMIT).max(LAG_LIMIT);
    for member in &view.members {
        judge_member(member, view, limit, said);
        status.members.push(line(member, group));
    }
    missing(group, view, &mut status, said);
    status.members.sort_by_key(|member| natural(&member.name));
    status
}

/// Patroni goes on saying what it knew last when etcd has lost its majority, and when its leader is gone.
pub(super) fn witnesses(
    group: &Group,
    view: &ClusterView,
    decides: bool,
    away: impl Fn(&HostName) -> bool,
    said: &mut Findings,
) {
    let cluster = &group.cluster;
    if !decides {
        said.problem(format!(
            "{cluster}: roles and states are what Patroni knew last: etcd decides nothing, so nobody takes over (hosts lost? `citusctl recover --survivor HOST`)"
        ));
    }
    if let Some(leader) = view.leader().filter(|leader| away(&leader.host(group))) {
        said.problem(format!(
            "{cluster}: {} leads by what others know of it, and its host does not answer",
            leader.name
        ));
    }
}

/// `pg-2` before `pg-10`.
fn natural(name: &InstanceName) -> (String, u64) {
    let (stem, number) = name
        .as_str()
        .rsplit_once('-')
        .unwrap_or((name.as_str(), ""));
    (stem.to_owned(), number.parse().unwrap_or(0))
}

fn judge_member(member: &MemberView, view: &ClusterView, limit: u64, said: &mut Findings) {
    let name = &member.name;
    if member.pending_restart {
        said.warn(format!(
            "{name} runs with old parameters until PostgreSQL is restarted"
        ));
    }
    if member.leads() {
        if member.state != "running" {
            said.problem(format!("{name} leads but is {}", member.state));
        }
        return;
    }
    // Patroni before 3.1 says `running` where later versions say `streaming`.
    if !matches!(member.state.as_str(), "streaming" | "running") {
        said.problem(format!("{name} does not follow: it is {}", member.state));
    }
    if let Some(lag) = member.lag.filter(|lag| *lag > limit) {
        said.problem(format!(
            "{name} is {lag} bytes behind, more than the {limit} that a failover may lose"
        ));
    }
    let leading = view.leader().and_then(|leader| leader.timeline);
    if let (Some(leading), Some(own)) = (leading, member.timeline)
        && leading != own
    {
        said.problem(format!(
            "{name} is on timeline {own}, its leader on {leading}"
        ));
    }
}

fn line(member: &MemberView, group: &Group) -> MemberStatus {
    MemberStatus {
        name: InstanceName::new(member.name.clone()),
        host: member.host(group),
        role: member.role.clone(),
        state: member.state.clone(),
        timeline: member.timeline,
        lag: member.lag.filter(|_| !member.leads()),
        pending_restart: member.pending_restart,
        tags: member.tags.clone(),
    }
}

/// Members that only the inventory knows, and members that only Patroni knows.
fn missing(group: &Group, view: &ClusterView, status: &mut GroupStatus, said: &mut Findings) {
    let found: BTreeSet<&str> = view.members.iter().map(|m| m.name.as_str()).collect();
    for member in &group.members {
        if found.contains(member.name.as_str()) {
            continue;
        }
        said.problem(format!(
            "{}: {} is not in Patroni's cluster",
            member.host, member.name
        ));
        status.members.push(MemberStatus {
            name: member.name.clone(),
            host: member.host.clone(),
            role: String::new(),
            state: "absent".to_owned(),
            timeline: None,
            lag: None,
            pending_restart: false,
            tags: BTreeMap::new(),
        });
    }
    let known: BTreeSet<&str> = group.members.iter().map(|m| m.name.as_str()).collect();
    for name in found.difference(&known) {
        said.problem(format!(
            "{}: Patroni has a member {name} that the inventory does not know",
            group.cluster
        ));
    }
}

/// Who carries the group's address.
pub(super) fn vip(group: &Group, answers: &Answers, said: &mut Findings) -> Option<VipStatus> {
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
pub(super) fn node_vip(vip: &NodeVip, answers: &Answers, said: &mut Findings) -> Option<VipStatus> {
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
    answers: &Answers,
) -> Vec<HostName> {
    let carries = |host: &&HostName| {
        let seen = answers.hosts.get(*host).and_then(|seen| seen.as_ref().ok());
        seen.is_some_and(|seen| seen.addresses.contains(&address))
    };
    hosts.filter(carries).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, role: &str, state: &str, timeline: u64, lag: u64) -> MemberView {
        MemberView {
            name: name.to_owned(),
            role: role.to_owned(),
            state: state.to_owned(),
            timeline: Some(timeline),
            lag: Some(lag),
            ..MemberView::default()
        }
    }

    fn said(members: Vec<MemberView>) -> Vec<String> {
        let view = ClusterView {
            members,
            paused: false,
        };
        let mut said = Findings::default();
        for member in &view.members {
            judge_member(member, &view, LAG_LIMIT, &mut said);
        }
        said.problems
    }

    #[test]
    fn a_group_that_streams_is_well() {
        let leader = member("a-1", "leader", "running", 2, 0);
        assert!(
            said(vec![
                leader,
                member("a-2", "sync_standby", "streaming", 2, 10)
            ])
            .is_empty()
        );
    }

    #[test]
    fn each_ill_has_its_words() {
        let leader = member("a-1", "leader", "running", 3, 0);
        let behind = member("a-2", "replica", "streaming", 2, 2 << 20);
        let down = member("a-3", "replica", "start failed", 3, 0);
        assert_eq!(
            said(vec![leader, behind, down]),
            [
                "a-2 is 2097152 bytes behind, more than the 1048576 that a failover may lose",
                "a-2 is on timeline 2, its leader on 3",
                "a-3 does not follow: it is start failed"
            ]
        );
    }

    #[test]
    fn ten_comes_after_two() {
        assert!(natural(&"pg-2".into()) < natural(&"pg-10".into()));
    }

    #[test]
    fn what_patroni_knew_last_is_not_told_as_if_it_were_so() {
        let path = format!("{}/inventory/ha-trio.yml", env!("CARGO_MANIFEST_DIR"));
        let loaded = crate::inventory::load(path.as_ref(), &[]).expect("an inventory");
        let model = crate::model::build(&loaded.inventory).0.expect("a model");
        let (_, group) = model.groups().next().expect("a group");
        let leader = MemberView {
            name: "pg-test-1".to_owned(),
            role: "leader".to_owned(),
            state: "running".to_owned(),
            ..MemberView::default()
        };
        let view = ClusterView {
            members: vec![leader],
            paused: false,
        };
        let mut said = Findings::default();
        witnesses(group, &view, true, |_| false, &mut said);
        assert!(said.problems.is_empty());
        witnesses(
            group,
            &view,
            false,
            |host| host.as_str() == "10.10.10.11",
            &mut said,
        );
        assert!(
            said.problems[0].contains("what Patroni knew last"),
            "{:?}",
            said.problems
        );
        assert!(
            said.problems[1].contains("pg-test-1 leads by what others know"),
            "{:?}",
            said.problems
        );
    }
}
