//! `restart`: one member where it is, or a whole group, replicas first and a switchover before the leader.

use super::citus::registered;
use super::{Commit, Gap, GroupView, best, steps, watch};
use crate::fact::MemberSeen;
use crate::names::InstanceName;
use crate::runbook::{Refusal, Runbook, Step};

/// Who is restarted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestartScope {
    /// One member, where it is; else all of the group.
    pub member: Option<InstanceName>,
    /// Only who waits for a restart.
    pub pending: bool,
}

/// Restarts PostgreSQL under Patroni, never two members at once.
///
/// # Errors
/// A member that is unknown to Patroni, another one that is down already, a group without a leader.
pub fn restart(view: &GroupView<'_>, scope: &RestartScope) -> Result<Runbook, Refusal> {
    let leader = view.leader()?;
    let chosen = chosen(view, scope)?;
    if chosen.is_empty() {
        let why = "nobody waits for a restart".to_owned();
        return Ok(super::switchover::nothing(view, why));
    }
    let first = first_of_all(view, scope, &chosen);
    if first.is_none() {
        budget(view, &chosen)?;
    }
    let aim = format!("PostgreSQL of {} is restarted", names(&chosen));
    let mut book = Runbook {
        name: "restart",
        ..super::switchover::nothing(view, aim)
    };
    if let Some(leader) = first {
        book.risks.push(format!(
            "{}: they may be waiting for this restart; writes stop until {} has restarted where it is",
            view.down().join(", "),
            leader.name
        ));
        book.steps = vec![steps::restart_leader(view.group, leader)];
        return Ok(book);
    }
    let replicas = chosen.iter().filter(|member| !member.is_leader());
    book.steps = replicas
        .map(|member| steps::restart(view.group, member, scope.pending))
        .collect();
    if chosen.iter().any(|member| member.is_leader()) {
        book.steps
            .extend(of_leader(view, scope, leader, &mut book.risks));
    }
    book.risks.extend(waiting(view, &chosen));
    Ok(book)
}

fn names(members: &[&MemberSeen]) -> String {
    let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
    names.join(", ")
}

fn chosen<'a>(view: &GroupView<'a>, scope: &RestartScope) -> Result<Vec<&'a MemberSeen>, Refusal> {
    let members = view.seen.members.iter();
    let Some(name) = &scope.member else {
        return Ok(members
            .filter(|member| !scope.pending || member.pending_restart)
            .collect());
    };
    let Some(member) = view.seen.member(name) else {
        let reason = format!("{name} is not among the members that Patroni knows");
        return Err(Refusal::new(
            reason,
            "is Patroni running on its host? `citusctl status` says",
        ));
    };
    Ok(match scope.pending && !member.pending_restart {
        true => Vec::new(),
        false => vec![member],
    })
}

/// A leader that was named and waits for a restart, where nobody follows who could take over: what keeps standbys from
/// following may be what it waits for, and its restart takes away nothing that they give.
fn first_of_all<'a>(
    view: &GroupView<'a>,
    scope: &RestartScope,
    chosen: &[&'a MemberSeen],
) -> Option<&'a MemberSeen> {
    let [leader] = chosen else { return None };
    let waits = scope.member.is_some() && leader.is_leader() && leader.pending_restart;
    let answers = leader.started.is_some();
    let mut others = view.seen.members.iter();
    let nobody = !others.any(MemberSeen::is_streaming);
    (waits && answers && nobody && !view.down().is_empty()).then_some(*leader)
}

/// One member may be down at a time. One that is down already may itself be restarted.
fn budget(view: &GroupView<'_>, chosen: &[&MemberSeen]) -> Result<(), Refusal> {
    let only = match chosen {
        [member] => Some(format!("{} {}", member.name, member.plight())),
        _ => None,
    };
    let mut down = view.down();
    down.retain(|words| only.as_ref() != Some(words));
    let mute = chosen
        .iter()
        .find(|member| member.is_up() && member.started.is_none());
    if let Some(mute) = mute {
        let reason = format!(
            "{}: its Patroni does not answer, so nobody could tell when it is back",
            mute.name
        );
        return Err(Refusal::new(
            reason,
            "`citusctl status` shows what is wrong",
        ));
    }
    match down.is_empty() {
        true => Ok(()),
        false => Err(Refusal::new(
            format!(
                "{}: {}, and a restart would take another member away",
                view.group.cluster,
                down.join(", ")
            ),
            "mend it first; the member that is down may itself be restarted by its name",
        )),
    }
}

/// A leader that was named restarts where it is; one among its whole group hands over first, if somebody is fit.
fn of_leader(
    view: &GroupView<'_>,
    scope: &RestartScope,
    leader: &MemberSeen,
    risks: &mut Vec<String>,
) -> Vec<Step> {
    let successor = match scope.member {
        Some(_) => None,
        None => best(view).filter(|_| !view.seen.paused),
    };
    let restart = steps::restart(view.group, leader, scope.pending);
    let Some(successor) = successor else {
        risks.push("writes stop until the leader has restarted where it is".to_owned());
        return vec![restart];
    };
    risks.push(Gap::of(view, &successor.name).to_string());
    let mut steps = Vec::from_iter(
        view.proxies
            .and_then(|proxies| watch(view.group, proxies, leader, successor)),
    );
    steps.push(steps::switchover(view.group, leader, successor, leader));
    steps.extend(registered(view, successor, risks));
    steps.extend([steps::follows(view.group, leader, leader), restart]);
    steps
}

fn waiting(view: &GroupView<'_>, chosen: &[&MemberSeen]) -> Option<String> {
    let standbys = view
        .seen
        .members
        .iter()
        .filter(|member| member.is_streaming());
    let alone = standbys.count() == 1 && chosen.iter().any(|member| member.is_synchronous());
    (view.commit() != Commit::Asynchronous && alone)
        .then(|| "commits wait while the only synchronous standby restarts".to_owned())
}
