//! A Patroni cluster: its leader, who follows it and how closely, and who holds its address.

use super::commit;
use super::findings::Findings;
use super::patroni::{ClusterView, PatroniMember};
use crate::event::status::{GroupStatus, MemberStatus};
use crate::fact::{Answers, MemberVerdict, PostgresSeen, following, leading};
use crate::model::{Group, Instance};
use crate::names::words::duration;
use crate::names::{HostName, InstanceName};
use std::collections::{BTreeMap, BTreeSet};

/// Patroni's own default of `maximum_lag_on_failover` (bytes).
const LAG_LIMIT: u64 = 1 << 20;

/// The state of a group, and what is wrong with it.
pub(super) fn judge(
    group: &Group,
    view: Result<&ClusterView, &str>,
    copies: &Answers,
    lag_limit: Option<u64>,
    said: &mut Findings,
) -> GroupStatus {
    let mut status = GroupStatus {
        number: group.number,
        cluster: group.cluster.clone(),
        members: Vec::new(),
        backup: None,
    };
    let view = match view {
        Ok(view) => view,
        Err(why) => {
            said.problem(format!("{}: Patroni does not answer: {why}", group.cluster));
            alone(group, copies, said);
            return status;
        }
    };
    if view.leader().is_none() {
        said.problem(leaderless(group, view));
    }
    if view.paused {
        said.warn(format!(
            "{}: automatic failover is switched off (paused)",
            group.cluster
        ));
    }
    for words in &view.undeclared {
        said.warn(format!("{}: {words}", group.cluster));
    }
    behind_on_purpose(group, copies, said);
    // Zero asks for synchronous replication: then no lag is tolerable, and any is only for a moment.
    let limit = lag_limit.unwrap_or(LAG_LIMIT).max(LAG_LIMIT);
    for member in &view.members {
        let verdict = verdict(member, view, copies);
        judge_member(member, verdict.as_ref(), limit, said);
        status.members.push(line(member, verdict.as_ref(), group));
    }
    commit::judge(group, view, copies, said);
    missing(group, view, copies, &mut status, said);
    status.members.sort_by_key(|member| natural(&member.name));
    status
}

/// Nobody leads, why nobody may if that is known, and the way out.
fn leaderless(group: &Group, view: &ClusterView) -> String {
    let cluster = &group.cluster;
    let abroad = view
        .members
        .iter()
        .find(|it| it.leads() && it.elsewhere.is_some());
    if let Some((leader, address)) = abroad.and_then(|it| Some((it, it.elsewhere?))) {
        return format!(
            "{cluster} is led from {address} as {}, which is not its host in the inventory: whether that is right is not known from here",
            leader.name
        );
    }
    let has = view.members.iter().filter_map(|member| member.timeline);
    let has = has.max().and_then(|most| i64::try_from(most).ok());
    match (view.reached, has) {
        (Some(reached), Some(has)) if has < reached => format!(
            "{cluster} has no leader: it takes no writes, and Patroni promotes nobody, since it has come to timeline {reached} and no member here has more than {has}. Start the host that has it; if it is lost: `citusctl failover --group {cluster}` leads with what is left"
        ),
        _ => format!(
            "{cluster} has no leader: it takes no writes; if none comes by itself: `citusctl failover --group {cluster}`"
        ),
    }
}

/// A standby that replays late, and nobody declared it: what it serves is old, however close its log is.
fn behind_on_purpose(group: &Group, copies: &Answers, said: &mut Findings) {
    let declared = |member: &Instance| member.delay.is_some();
    // Of a standby cluster whoever leads it stays behind.
    if group.primary().is_some_and(declared) {
        return;
    }
    for member in &group.members {
        let Some(Ok(own)) = copies.get(&member.name) else {
            continue;
        };
        if own.recovery && own.delay > 0 && !declared(member) {
            said.problem(format!(
                "{} replays {} late on purpose (`recovery_min_apply_delay`), which nobody declared: what it serves is old",
                member.name,
                duration(own.delay)
            ));
        }
    }
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
    if view.failsafe {
        said.problem(format!(
            "{cluster}: its leader goes on in failsafe mode: it takes writes while all members of the group answer it, and stops when one does not, since etcd decides nothing (`citusctl etcd status`)"
        ));
    }
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

/// Nobody of Patroni answers, so nobody would act: what the servers do meanwhile is worth knowing.
fn alone(group: &Group, copies: &Answers, said: &mut Findings) {
    let primaries = copies.iter().filter(|(_, seen)| runs_as_primary(seen));
    let primaries: Vec<&str> = primaries.map(|(name, _)| name.as_str()).collect();
    if !primaries.is_empty() {
        said.problem(format!(
            "{}: PostgreSQL of {} runs as a primary without Patroni (`citusctl apply` starts Patroni)",
            group.cluster,
            primaries.join(" and ")
        ));
    }
}

fn runs_as_primary(seen: &Result<PostgresSeen, String>) -> bool {
    seen.as_ref().is_ok_and(|seen| !seen.recovery)
}

fn verdict(member: &PatroniMember, view: &ClusterView, copies: &Answers) -> Option<MemberVerdict> {
    let name = InstanceName::new(member.name.clone());
    let own = copies.get(&name)?;
    Some(match member.leads() {
        true => leading(own, member.role == "standby_leader"),
        false => {
            let leader = view.leader().map(|it| InstanceName::new(it.name.clone()));
            following(&name, leader.as_ref(), copies)
        }
    })
}

fn judge_member(
    member: &PatroniMember,
    verdict: Option<&MemberVerdict>,
    limit: u64,
    said: &mut Findings,
) {
    let name = &member.name;
    if let Some(address) = member.elsewhere {
        said.problem(format!(
            "{name} runs on {address}, which is not its host in the inventory: either this inventory is older than what runs (use the one that has {address}), or a host that was replaced is back under its name (power {address} off, a member that follows takes over; then `citusctl apply`)"
        ));
        return;
    }
    if member.pending_restart {
        said.warn(format!(
            "{name} runs with old parameters until PostgreSQL is restarted"
        ));
    }
    let ills = verdict.map_or(&[][..], |verdict| &verdict.ills);
    for ill in ills {
        said.problem(format!("{name} {}", ill.words()));
    }
    if member.leads() {
        if !member.runs() {
            said.problem(format!("{name} leads but is {}", member.state));
        }
        return;
    }
    // Patroni before 3.1 says `running` where later versions say `streaming`: the servers have the last word.
    let seems = matches!(member.state.as_str(), "streaming" | "running");
    if !seems {
        said.problem(format!("{name} does not follow: it is {}", member.state));
    }
    if verdict.is_none() && member.state == "running" {
        said.problem(format!(
            "{name} runs, and whether it follows is not known: its PostgreSQL was not asked"
        ));
    }
    if let Some(lag) = received_behind(member, verdict).filter(|lag| *lag > limit) {
        said.problem(format!(
            "{name} is {lag} bytes behind, more than the {limit} that a failover may lose"
        ));
    }
}

/// By the servers where they told, else by Patroni.
fn received_behind(member: &PatroniMember, verdict: Option<&MemberVerdict>) -> Option<u64> {
    let seen = verdict.and_then(|verdict| verdict.received_behind);
    seen.or(member.lag)
}

fn line(member: &PatroniMember, verdict: Option<&MemberVerdict>, group: &Group) -> MemberStatus {
    let follows = verdict.is_some_and(|it| it.sound()) && !member.leads();
    MemberStatus {
        name: InstanceName::new(member.name.clone()),
        host: member.host(group),
        role: member.role.clone(),
        state: match member.state.as_str() {
            "running" if follows => "streaming".to_owned(),
            state => state.to_owned(),
        },
        timeline: member.timeline,
        lag: received_behind(member, verdict).filter(|_| !member.leads()),
        replay_lag: verdict.and_then(|verdict| verdict.replay_behind),
        sound: verdict.map(MemberVerdict::sound),
        pending_restart: member.pending_restart,
        tags: member.tags.clone(),
    }
}

/// Members that only the inventory knows, and members that only Patroni knows.
fn missing(
    group: &Group,
    view: &ClusterView,
    copies: &Answers,
    status: &mut GroupStatus,
    said: &mut Findings,
) {
    let found: BTreeSet<&str> = view.members.iter().map(|m| m.name.as_str()).collect();
    for member in &group.members {
        if found.contains(member.name.as_str()) {
            continue;
        }
        let beside = match copies.get(&member.name) {
            Some(Ok(seen)) if !seen.recovery => {
                ", and its PostgreSQL runs as a primary: stop it, or start Patroni there"
            }
            Some(Ok(_)) => ", and its PostgreSQL runs without Patroni",
            Some(Err(_)) | None => "",
        };
        said.problem(format!(
            "{}: {} is not in Patroni's cluster{beside}",
            member.host, member.name
        ));
        status.members.push(MemberStatus {
            name: member.name.clone(),
            host: member.host.clone(),
            role: String::new(),
            state: "absent".to_owned(),
            timeline: None,
            lag: None,
            replay_lag: None,
            sound: Some(false),
            pending_restart: false,
            tags: BTreeMap::new(),
        });
    }
    let known: BTreeSet<&str> = group.members.iter().map(|m| m.name.as_str()).collect();
    for name in found.difference(&known) {
        said.problem(format!(
            "{}: Patroni has a member {name} that the inventory does not know, and it may lead: put its line back, or take it out with it there (`citusctl apply pgsql-rm -l HOST`)",
            group.cluster
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, role: &str, state: &str, timeline: u64, lag: u64) -> PatroniMember {
        PatroniMember {
            name: name.to_owned(),
            role: role.to_owned(),
            state: state.to_owned(),
            timeline: Some(timeline),
            lag: Some(lag),
            ..PatroniMember::default()
        }
    }

    fn said(members: Vec<PatroniMember>) -> Vec<String> {
        let view = ClusterView {
            members,
            ..ClusterView::default()
        };
        let mut said = Findings::default();
        for member in &view.members {
            judge_member(
                member,
                Some(&MemberVerdict::default()),
                LAG_LIMIT,
                &mut said,
            );
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
        let leader = PatroniMember {
            name: "pg-test-1".to_owned(),
            role: "leader".to_owned(),
            state: "running".to_owned(),
            ..PatroniMember::default()
        };
        let view = ClusterView {
            members: vec![leader],
            ..ClusterView::default()
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
