//! `failover`: a standby takes over where nobody leads, or where the leader is not to be asked.

use super::citus::registered;
use super::{Commit, GroupView, steps, unfit, words};
use crate::fact::MemberSeen;
use crate::model::guard::ACCEPTED;
use crate::names::InstanceName;
use crate::runbook::{Consent, Refusal, Runbook, Script, Step};
use std::collections::BTreeMap;

/// Makes `to`, or the standby that is furthest ahead, the leader.
///
/// # Errors
/// A healthy leader that a switchover would do for, nobody who could lead.
pub fn failover(view: &GroupView<'_>, to: Option<&InstanceName>) -> Result<Runbook, Refusal> {
    let candidate = choose(view, to)?;
    if let Some(leader) = view.seen.leader() {
        if leader.name == candidate.name {
            return Ok(super::switchover::nothing(
                view,
                format!("{} leads already", leader.name),
            ));
        }
        if leader.answers && unfit(view, candidate).is_none() {
            let reason = format!("{} leads and is healthy", leader.name);
            let way = format!(
                "`citusctl switchover --to {}` hands over without loss",
                candidate.name
            );
            return Err(Refusal::new(reason, way));
        }
    }
    able(view, candidate)?;
    let mut risks = risks(view, candidate);
    let consent = match risks.is_empty() {
        true => Consent::Yes,
        false => Consent::Name,
    };
    let mut steps = vec![
        accepted(candidate),
        steps::failover(view.group, candidate, view.through(candidate)),
    ];
    steps.extend(registered(view, candidate, &mut risks));
    Ok(Runbook {
        name: "failover",
        aim: format!("{} leads {}", candidate.name, view.group.cluster),
        subject: view.group.cluster.to_string(),
        seen: words::seen(view),
        risks,
        consent,
        steps,
        afterwards: vec!["`citusctl status` shows how the other members follow".to_owned()],
        prelude: BTreeMap::new(),
    })
}

/// Tells the guard of the candidate that an operator wants it to lead, whatever it lacks (promotion-guard).
fn accepted(candidate: &MemberSeen) -> Step {
    let script = Script::new(
        format!("rm -f {ACCEPTED} && : >{ACCEPTED}"),
        format!(
            "[ -n \"$(find {ACCEPTED} -mmin -2 2>/dev/null)\" ] || {{ echo 'not told yet'; false; }}"
        ),
    );
    let title = format!("let {} lead", candidate.name);
    Step::on_all([(candidate.host.clone(), script)].into(), "accept", title)
}

fn choose<'a>(view: &GroupView<'a>, to: Option<&InstanceName>) -> Result<&'a MemberSeen, Refusal> {
    if let Some(name) = to {
        let reason = || format!("{name} is not among the members that Patroni knows");
        let hint = "is Patroni running on its host? `citusctl status` says";
        return view
            .seen
            .member(name)
            .ok_or_else(|| Refusal::new(reason(), hint));
    }
    let standbys = view
        .seen
        .members
        .iter()
        .filter(|member| !member.is_leader() && able(view, member).is_ok());
    let ahead =
        standbys.max_by_key(|member| (member.is_synchronous(), member.timeline, member.position));
    ahead.ok_or_else(|| {
        Refusal::new(
            format!(
                "{}: nobody can take over: {}",
                view.group.cluster,
                words::states(view.seen)
            ),
            "`citusctl recover --survivor HOST` is for the day when nothing else is left",
        )
    })
}

/// Patroni makes nobody the leader who is tagged so, or whose PostgreSQL does not run.
fn able(view: &GroupView<'_>, candidate: &MemberSeen) -> Result<(), Refusal> {
    let name = &candidate.name;
    if view.nofailover(name) {
        return Err(Refusal::new(
            format!("{name} is never to lead (tag nofailover)"),
            "name another member; `citusctl status` shows them",
        ));
    }
    // Without a leader a standby is `in archive recovery`, or still looks for somebody to follow.
    let down = ["stopped", "stopping", "crashed", "unknown", ""];
    match down.contains(&candidate.state.as_str()) || candidate.state.ends_with("failed") {
        false => Ok(()),
        true => Err(Refusal::new(
            format!("{name} is {}: it cannot take the lead", candidate.state),
            "name another member, or start Patroni on its host; `citusctl status` shows them",
        )),
    }
}

fn timeline(number: Option<i64>) -> String {
    number.map_or_else(
        || "an unknown timeline".to_owned(),
        |number| format!("timeline {number}"),
    )
}

/// What a failover to this member may lose.
fn risks(view: &GroupView<'_>, candidate: &MemberSeen) -> Vec<String> {
    let mut risks = Vec::new();
    let name = &candidate.name;
    let others = view
        .seen
        .members
        .iter()
        .filter(|member| member.name != *name);
    for other in others {
        if other.timeline > candidate.timeline {
            risks.push(format!(
                "{} is on {}, {name} on {}: what was written since is lost",
                other.name,
                timeline(other.timeline),
                timeline(candidate.timeline),
            ));
            continue;
        }
        match (other.position, candidate.position) {
            (Some(theirs), Some(own)) if theirs > own => risks.push(format!(
                "{name} lacks {} bytes that {} has; they are lost",
                theirs - own,
                other.name
            )),
            _ => {}
        }
    }
    if let Some(reached) = view.seen.reached
        && view
            .seen
            .members
            .iter()
            .all(|member| member.timeline < Some(reached))
    {
        risks.push(format!(
            "the group has come to timeline {reached}, and no member here has it ({name}: {}): what was written since is lost",
            timeline(candidate.timeline)
        ));
    }
    let led = view.seen.leader();
    if let Some(leader) = led.filter(|leader| !leader.answers) {
        risks.push(format!(
            "{} still leads by what others know of it, and does not answer from here: see that it is off",
            leader.name
        ));
    }
    let leads = led.is_some_and(|leader| leader.answers);
    if !leads && view.commit() == Commit::Asynchronous {
        risks.push("what the lost leader had not sent is lost; how much is unknown".to_owned());
    }
    if view.commit() != Commit::Asynchronous && !candidate.is_synchronous() {
        risks.push(format!(
            "{name} is no synchronous standby: rows that were acknowledged may be lost"
        ));
    }
    risks
}
