//! `switchover`: a healthy leader hands over to a standby, without loss.

use super::citus::registered;
use super::{Gap, GroupView, best, candidate, steps, unfit, watch, words};
use crate::fact::MemberSeen;
use crate::names::InstanceName;
use crate::runbook::{Consent, Refusal, Runbook};
use std::collections::BTreeMap;

/// Hands the lead of a group over, to `to` or to the best standby.
///
/// # Errors
/// No leader, a paused group, nobody who is fit.
pub fn switchover(view: &GroupView<'_>, to: Option<&InstanceName>) -> Result<Runbook, Refusal> {
    let leader = view.leader()?;
    let cluster = &view.group.cluster;
    if to == Some(&leader.name) {
        return Ok(nothing(view, format!("{} leads already", leader.name)));
    }
    view.not_paused("Patroni hands nothing over")?;
    let candidate = choose(view, to)?;
    let gap = Gap::of(view, &candidate.name);
    let mut risks = vec![gap.to_string()];
    risks.push("connections to the old leader are cut".to_owned());
    let mut steps = Vec::from_iter(
        view.proxies
            .and_then(|proxies| watch(view.group, proxies, leader, candidate)),
    );
    if !steps.is_empty() {
        risks.push(
            "new connections through HAProxy wait until the new leader takes them".to_owned(),
        );
    }
    if !leader.answers {
        risks.push(format!(
            "{} cannot be asked from here: if it is gone, nothing is handed over; `citusctl failover` is for that",
            leader.name
        ));
    }
    let through = view.through(leader);
    steps.push(steps::switchover(view.group, leader, candidate, through));
    steps.extend(registered(view, candidate, &mut risks));
    steps.push(steps::follows(view.group, leader, view.through(leader)));
    Ok(Runbook {
        name: "switchover",
        aim: format!(
            "{} leads {cluster} instead of {}",
            candidate.name, leader.name
        ),
        subject: cluster.to_string(),
        seen: words::seen(view),
        risks,
        consent: Consent::Yes,
        steps,
        afterwards: Vec::new(),
        prelude: BTreeMap::new(),
    })
}

fn choose<'a>(view: &GroupView<'a>, to: Option<&InstanceName>) -> Result<&'a MemberSeen, Refusal> {
    let Some(name) = to else {
        let hint = "`citusctl status` shows the members; mend one, or add one";
        return best(view).ok_or_else(|| Refusal::new(candidate::nobody(view), hint));
    };
    let Some(member) = view.seen.member(name) else {
        let reason = format!("{name} is not among the members that Patroni knows");
        return Err(Refusal::new(
            reason,
            "is Patroni running on its host? `citusctl status` says",
        ));
    };
    match unfit(view, member) {
        None => Ok(member),
        Some(reason) => Err(Refusal::new(
            reason,
            match best(view) {
                Some(best) => format!("`--to {}` would do", best.name),
                None => "wait until it has caught up; `citusctl status` shows it".to_owned(),
            },
        )),
    }
}

/// A runbook without steps.
pub(super) fn nothing(view: &GroupView<'_>, why: String) -> Runbook {
    Runbook {
        name: "nothing to do",
        aim: why,
        subject: view.group.cluster.to_string(),
        seen: words::seen(view),
        risks: Vec::new(),
        consent: Consent::Yes,
        steps: Vec::new(),
        afterwards: Vec::new(),
        prelude: BTreeMap::new(),
    }
}
