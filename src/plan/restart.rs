//! The restart that a changed configuration of a group needs.

use super::{GroupPlan, GroupUnit};
use crate::fact::GroupSeen;
use crate::names::ResourceId;
use crate::resource::group::{LOWERED, LeaderRestart, PendingRestart};
use crate::resource::{Action, Impact};

/// A configuration that needs a restart brings the restart with it, visibly.
pub(super) fn pull(plan: &mut GroupPlan, seen: &GroupSeen) {
    let restarts = plan
        .units
        .iter()
        .any(|unit| unit.change.action == Action::Restart);
    let cause = plan.units.iter().find(|unit| {
        unit.change.impact == Impact::Restart && unit.change.action != Action::Restart
    });
    if let (false, Some(cause)) = (restarts, cause) {
        let words = cause
            .change
            .details
            .iter()
            .filter(|line| line.ends_with("needs a restart"));
        let names: Vec<&str> = words.filter_map(|line| line.split(':').next()).collect();
        let lowered = cause
            .change
            .details
            .iter()
            .any(|line| line.ends_with(LOWERED));
        let hosts = seen.members.iter().map(|member| member.host.clone());
        let hosts = hosts.collect();
        let change = PendingRestart::change(
            hosts,
            Vec::new(),
            LeaderRestart::of(seen, lowered),
            names.join(", "),
        );
        plan.units.push(GroupUnit {
            id: ResourceId::new("patroni/restart"),
            change,
        });
    }
}
