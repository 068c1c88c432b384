//! Words about groups and their members.

use super::{Commit, GroupView};
use crate::fact::GroupSeen;

/// Each member with its state and role.
pub fn states(seen: &GroupSeen) -> String {
    let states = seen.members.iter().map(|member| {
        let pending = match member.pending_restart {
            true => ", restart pending",
            false => "",
        };
        format!(
            "{} {} ({}{pending})",
            member.name,
            member.plight(),
            member.role
        )
    });
    states.collect::<Vec<_>>().join(", ")
}

/// The group as an operator sees it before consenting, one sentence a member.
pub(super) fn seen(view: &GroupView<'_>) -> Vec<String> {
    let commit = match view.commit() {
        Commit::Asynchronous => "asynchronous",
        Commit::Synchronous => "synchronous commit",
        Commit::Quorum => "quorum commit",
    };
    let paused = match view.seen.paused {
        true => ", automatic failover is off (paused)",
        false => "",
    };
    let mut lines = vec![format!("{}: {commit}{paused}", view.group.cluster)];
    let led = view.seen.leader().is_some();
    for member in &view.seen.members {
        let lag = match (member.is_leader(), member.lag.filter(|_| led)) {
            (true, _) => String::new(),
            (false, Some(0)) => ", nothing behind".to_owned(),
            (false, Some(lag)) => format!(", {lag} bytes behind"),
            (false, None) => match member.position {
                Some(at) => format!(", has the log up to {at}"),
                None => ", how far behind is unknown".to_owned(),
            },
        };
        let pending = match member.pending_restart {
            true => ", waits for a restart",
            false => "",
        };
        lines.push(format!(
            "{} on {}: {}, {}{lag}{pending}",
            member.name, member.host, member.role, member.state
        ));
    }
    lines
}
