//! Groups that nobody leads, and whose members have data and are stopped: whoever is started alone leads with what it has, and
//! what another one has beyond that is lost. Which log goes furthest is a question for `start --cold`.

use super::Run;
use crate::model::{Group, Instance};
use crate::names::ResourceId;
use crate::plan::{Plan, Refusal, Seen};

/// How a member was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// It has no data, or its host does not answer.
    Nothing,
    Runs,
    /// It has data, and Patroni is stopped.
    Stopped,
    /// Its host was left out of the run.
    Unknown,
}

/// Refusals for groups that a plan would start with one of their members.
pub fn headless(run: &Run<'_>, seen: &Seen, plan: &Plan) -> Vec<Refusal> {
    let groups = run.model.groups().map(|(_, group)| group);
    groups
        .filter_map(|group| refused(run, seen, plan, group))
        .collect()
}

fn refused(run: &Run<'_>, seen: &Seen, plan: &Plan, group: &Group) -> Option<Refusal> {
    let leads = seen.groups.get(&group.cluster);
    if leads.is_some_and(|seen| seen.leader().is_some()) {
        return None;
    }
    let mut members = group.members.iter();
    let started = members.find(|it| found(run, seen, it) == Found::Stopped && starts(plan, it))?;
    let found: Vec<Found> = group
        .members
        .iter()
        .map(|it| found(run, seen, it))
        .collect();
    judge(&found).then(|| Refusal {
        host: started.host.clone(),
        id: ResourceId::new("patroni/service"),
        reason: format!(
            "nobody leads {}, and Patroni is stopped on more than one of its members: whoever is started first leads, and may lack what another one has",
            group.cluster
        ),
        hint: "`citusctl start --cold` starts where each group's log goes furthest; then run the same command again".to_owned(),
    })
}

/// Whether one that is started alone may lack what another one has.
fn judge(found: &[Found]) -> bool {
    let others = found.iter();
    let others = others.filter(|it| matches!(it, Found::Stopped | Found::Unknown));
    !found.contains(&Found::Runs) && others.count() > 1
}

fn found(run: &Run<'_>, seen: &Seen, member: &Instance) -> Found {
    let Some(observed) = seen.hosts.get(&member.host) else {
        return match run.fleet.unreachable().contains_key(&member.host) {
            true => Found::Nothing,
            false => Found::Unknown,
        };
    };
    let unit = observed.units.get("patroni.service");
    match unit {
        _ if observed.kept.data.is_none() => Found::Nothing,
        Some(unit) if !unit.active => Found::Stopped,
        Some(_) => Found::Runs,
        None => Found::Unknown,
    }
}

fn starts(plan: &Plan, member: &Instance) -> bool {
    let service = ResourceId::new("patroni/service");
    let mut stages = plan.stages.iter();
    stages.any(|stage| {
        let units = stage.hosts.get(&member.host);
        units.is_some_and(|units| units.iter().any(|unit| unit.id == service))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_several_that_are_stopped_is_not_started_alone() {
        use Found::{Nothing, Runs, Stopped, Unknown};
        assert!(judge(&[Stopped, Stopped]) && judge(&[Stopped, Nothing, Unknown]));
        assert!(!judge(&[Stopped, Nothing]) && !judge(&[Stopped]) && !judge(&[Stopped, Runs]));
    }
}
