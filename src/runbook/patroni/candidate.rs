//! Who can take over.

use super::{Commit, GroupView};
use crate::fact::MemberSeen;

/// Why a member cannot take over from a healthy leader without loss; `None` if it can.
pub fn unfit(view: &GroupView<'_>, member: &MemberSeen) -> Option<String> {
    let name = &member.name;
    if view.nofailover(name) {
        return Some(format!("{name} is never to lead (tag nofailover)"));
    }
    if !member.is_streaming() {
        return Some(match &member.verdict {
            Some(verdict) if !verdict.sound() => format!("{name} {}", member.plight()),
            Some(_) | None => format!("{name} does not follow: it is {}", member.state),
        });
    }
    let limit = view.lag_limit();
    match member.lag {
        Some(lag) if lag > limit => {
            return Some(format!(
                "{name} is {lag} bytes behind, more than the {limit} that may be lost (maximum_lag_on_failover)"
            ));
        }
        Some(_) | None => {}
    }
    if view.commit() != Commit::Asynchronous && !member.is_synchronous() {
        return Some(format!(
            "{name} is no synchronous standby at this moment, so Patroni does not hand over to it"
        ));
    }
    None
}

/// The best of the fit members: nothing pending before something pending, then the least behind.
pub fn best<'a>(view: &GroupView<'a>) -> Option<&'a MemberSeen> {
    let fit = view
        .seen
        .members
        .iter()
        .filter(|member| !member.is_leader() && unfit(view, member).is_none());
    fit.min_by_key(|member| (member.pending_restart, member.lag.unwrap_or(i64::MAX)))
}

/// Why nobody can take over, one reason a member.
pub(super) fn nobody(view: &GroupView<'_>) -> String {
    let standbys = view
        .seen
        .members
        .iter()
        .filter(|member| !member.is_leader());
    let reasons: Vec<String> = standbys.filter_map(|member| unfit(view, member)).collect();
    match reasons.as_slice() {
        [] => format!("{} has no standby", view.group.cluster),
        reasons => format!(
            "{}: nobody can take over: {}",
            view.group.cluster,
            reasons.join("; ")
        ),
    }
}
