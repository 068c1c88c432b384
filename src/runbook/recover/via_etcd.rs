//! Etcd first: the DCS gets a majority of one, the dead leader's key goes, and Patroni itself promotes. Checks,
//! callbacks, addresses and Citus's metadata then heal by themselves.

use super::marker::{ETCD_BEFORE, MARKER_PATH, RecoverMethod};
use super::{Case, Input};
use super::{lead, pin, room};
use crate::model::{EtcdMember, Group, Instance};
use crate::names::HostName;
use crate::resource::Impact;
use crate::runbook::{Refusal, Script, Step};
use std::collections::BTreeMap;

impl Case<'_> {
    /// Notes on the survivor, where services are pinned, and on hosts that are given up and answer (an `apply` limited to
    /// one of those would start what was put aside), what is being done, before anything is.
    pub(super) fn mark(&self) -> Step {
        let script = |host: &HostName| match *host == self.survivor.host {
            true => Script::new(self.marker.write(), self.marker.is_there()),
            // Elsewhere the note of another group's recover says as much.
            false => Script::new(self.marker.write(), format!("[ -e {MARKER_PATH} ]")),
        };
        let title = format!("note the recover in {MARKER_PATH}");
        let pinned = pin::hosts(self)
            .into_iter()
            .filter(|_| self.via == RecoverMethod::Promote);
        let given_up = self
            .lost
            .iter()
            .filter(|host| self.input.seen.hosts.contains_key(*host));
        let hosts = pinned
            .chain(given_up.cloned())
            .chain([self.survivor.host.clone()]);
        Step::on_all(
            hosts.map(|host| (host.clone(), script(&host))).collect(),
            "mark",
            title,
        )
    }

    /// Puts hosts aside that are given up and can still be reached.
    pub(super) fn fence(&self) -> Option<Step> {
        let reachable = self
            .lost
            .iter()
            .filter(|host| self.input.seen.hosts.contains_key(*host));
        let scripts: BTreeMap<HostName, Script> = reachable
            .map(|host| (host.clone(), fence_script()))
            .collect();
        let step = |scripts| {
            Step::on_all(
                scripts,
                "fence",
                "stop and mask Patroni, PostgreSQL and etcd of hosts that are given up",
            )
        };
        (!scripts.is_empty()).then(|| step(scripts).with_impact(Impact::Restart).within(60))
    }
}

fn fence_script() -> Script {
    let act = include_str!("scripts/fence.sh");
    let holds = include_str!("scripts/fenced.sh");
    Script::new(act, holds)
}

/// The steps, in order. What can be done at once is: a busy machine takes long for each.
pub(super) fn steps(case: &Case<'_>) -> Result<Vec<Step>, Refusal> {
    let at = member(case).ok_or_else(|| {
        Refusal::new(
            "no etcd member with its data can be reached",
            "`--via promote` does without etcd",
        )
    })?;
    if let Some(seen) = case.host_seen(&at.host) {
        room::of_etcd(&at.host, seen)?;
    }
    let mut steps = vec![patroni(case).beside(), force(&at.host)];
    steps.extend(lead::watch(case).map(Step::beside));
    steps.extend(hurt(case).filter_map(|group| Some(lead::other(case, group, at)?.beside())));
    steps.push(lead::own(case, at));
    Ok(steps)
}

/// Other groups that lost a member and have one left.
pub(super) fn hurt<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Group> {
    let groups = case.input.model.groups().map(|(_, group)| group);
    groups.filter(|group| {
        let mut members = group.members.iter();
        let lost = members.any(|member| case.lost.contains(&member.host));
        group.cluster != case.group.cluster && lost && left(case, group).next().is_some()
    })
}

/// Members of a group that take part.
pub(super) fn left<'a>(case: &Case<'a>, group: &'a Group) -> impl Iterator<Item = &'a Instance> {
    let members = group.members.iter();
    members.filter(|member| case.host_seen(&member.host).is_some())
}

pub(super) fn member<'a>(case: &Case<'a>) -> Option<&'a EtcdMember> {
    let may = |host: &HostName| !case.lost.contains(host);
    freshest(case.input, &case.survivor.host, may)
}

/// The member to go on with: whoever has seen most of the log, so that what is judged by its keys is of the last leader, and
/// of equals the survivor's own. A learner is no member of a majority.
fn freshest<'a>(
    input: Input<'a>,
    survivor: &HostName,
    may: impl Fn(&HostName) -> bool,
) -> Option<&'a EtcdMember> {
    usable(input, may)
        .max_by_key(|(member, index)| (!member.learner, *index, member.host == *survivor))
        .map(|(member, _)| member)
}

/// After a promotion by hand: the survivor's own, else the one whose log goes furthest. The keys that matter are written anew.
pub(super) fn best_member<'a>(
    input: Input<'a>,
    survivor: &HostName,
    may: impl Fn(&HostName) -> bool,
) -> Option<&'a EtcdMember> {
    usable(input, may)
        .max_by_key(|(member, index)| (member.host == *survivor, *index))
        .map(|(member, _)| member)
}

/// Members whose data is there, and how far their log goes where they run.
fn usable<'a>(
    input: Input<'a>,
    may: impl Fn(&HostName) -> bool,
) -> impl Iterator<Item = (&'a EtcdMember, Option<u64>)> {
    let members = input.model.etcd.iter().flat_map(|etcd| &etcd.members);
    members.filter_map(move |member| {
        let seen = input.seen.get(&member.host).filter(|_| may(&member.host))?;
        seen.etcd.data.then_some((member, seen.etcd.index))
    })
}

/// A temporary configuration and a temporary drop-in, both below /run: neither outlives the step, and a reboot
/// forgets them in any case. A second start with it would drop members that have joined since.
pub(super) fn force(host: &HostName) -> Step {
    forced(host, include_str!("scripts/etcd-force.sh").to_owned())
}

/// The same outside of a recover: nothing will put the old data back.
pub(in crate::runbook) fn force_for_good(host: &HostName) -> Step {
    let act = include_str!("scripts/etcd-force.sh");
    forced(host, format!("{act}rm -f {ETCD_BEFORE}\n"))
}

fn forced(host: &HostName, act: String) -> Step {
    let holds = include_str!("scripts/etcd-forced.sh");
    let require = include_str!("scripts/etcd-alone.sh");
    Step::on(
        host,
        "etcd",
        "make etcd a cluster of one, its keys kept (the old data is copied aside)",
        Script::new(act, holds).require(require),
    )
    .with_impact(Impact::Restart)
    .within(60)
}

/// Patroni must run to promote. One that has asked its server to end waits for that before anything else, in
/// other groups that have lost a member, too.
fn patroni(case: &Case<'_>) -> Step {
    let run = "systemctl unmask patroni.service 2>/dev/null || :\n\
        systemctl reset-failed patroni.service 2>/dev/null || :\nsystemctl start --no-block patroni.service\n";
    let end = "if pg_is_stopping; then pg_control -m immediate -t 20 stop; fi";
    let runs = "systemctl is-active -q patroni || { echo 'Patroni does not run yet'; false; }\n";
    let ended = "if pg_is_stopping; then echo 'PostgreSQL waits for lost standbys before it ends'; false; fi";
    let own = Script::new(format!("{run}{end}"), format!("{runs}{ended}"));
    let others = hurt(case).flat_map(|group| left(case, group));
    let others = others.map(|member| (member.host.clone(), Script::new(end, ended)));
    let own = (case.survivor.host.clone(), own);
    Step::on_all(
        others.chain([own]).collect(),
        "patroni",
        "see that Patroni runs, and does not wait for lost standbys",
    )
}
