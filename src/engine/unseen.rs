//! What a stage would do now, held against the plan that was approved.

use super::{ApplyOptions, EngineError, Run, look};
use crate::names::{ClusterName, HostName};
use crate::plan::{Desired, GroupPlan, Plan, PlannedStage, Unit, diff};
use crate::resource::Impact;
use std::collections::{BTreeMap, BTreeSet};

/// Under the lock all that the approval rests on is looked at once more, and compared by the same code: between the look
/// and the lock stand a question and its answer. What is to be done now is the answer; it is nothing that was not approved,
/// and less where something has been done in the meantime.
pub(super) async fn unchanged(
    run: &Run<'_>,
    desired: &Desired,
    approved: &Plan,
    options: &ApplyOptions<'_>,
    hosts: &BTreeSet<HostName>,
) -> Result<Plan, EngineError> {
    let groups = desired.groups().into_keys().collect();
    let seen = look(run, desired, hosts, &groups).await?;
    let fresh = diff(&(options.recompile)(&seen)?, &seen);
    if !fresh.refusals.is_empty() {
        return Err(EngineError::Refused(fresh.refusals));
    }
    match changed(approved, &fresh) {
        None => Ok(fresh),
        Some(what) => Err(EngineError::Changed(what)),
    }
}

/// The first thing that a fresh plan would do and the approved one did not show, in words.
fn changed(approved: &Plan, fresh: &Plan) -> Option<String> {
    let (shown, now) = (lines(approved), lines(fresh));
    let open = not_compared(approved);
    let new = now
        .iter()
        .find(|(key, line)| shown.get(*key) != Some(*line) && !open.contains(*key));
    let (key, line) = new?;
    Some(match shown.contains_key(key) {
        true => format!("{key} would now be: {line}"),
        false => format!("{key} has come in addition: {line}"),
    })
}

/// What the approved plan said it could not compare yet, as of a group that had no leader: whoever approved it approved
/// that it is found out now. Restarts among it are still refused where the plan showed none ([`check`]).
fn not_compared(approved: &Plan) -> BTreeSet<String> {
    let groups = approved.stages.iter().flat_map(|stage| &stage.groups);
    groups
        .flat_map(|(cluster, group)| {
            let unknown = group.unknown.iter();
            unknown.map(move |(id, _)| format!("{cluster}: {id}"))
        })
        .collect()
}

/// What is done, by where: `STAGE HOST RESOURCE`.
fn lines(plan: &Plan) -> BTreeMap<String, String> {
    let stages = plan.stages.iter();
    stages
        .flat_map(|stage| {
            let hosts = stage.hosts.iter();
            let hosts =
                hosts.flat_map(|(host, units)| units.iter().map(|unit| of_unit(host, unit)));
            let groups = stage.groups.iter();
            hosts.chain(groups.flat_map(|(cluster, group)| of_group(cluster, group)))
        })
        .collect()
}

fn of_unit(host: &HostName, unit: &Unit) -> (String, String) {
    let change = &unit.change;
    let line = format!(
        "{} ({:?}, {:?})",
        change.summary, change.action, change.impact
    );
    (format!("{host}: {}", unit.id), line)
}

fn of_group<'a>(
    cluster: &'a ClusterName,
    group: &'a GroupPlan,
) -> impl Iterator<Item = (String, String)> + 'a {
    group.units.iter().map(move |unit| {
        let change = &unit.change;
        let details = change.details.join("; ");
        let line = format!(
            "{} ({:?}, {:?}) {details}",
            change.summary, change.action, change.impact
        );
        (format!("{cluster}: {}", unit.id), line)
    })
}

/// A restart, a failover or a loss of data that the approved plan did not show stops the run.
pub(super) fn check(approved: &Plan, fresh: &PlannedStage) -> Result<(), EngineError> {
    let mut stages = approved.stages.iter();
    let approved = stages.find(|stage| stage.name == fresh.name);
    match of_hosts(approved, fresh).or_else(|| of_groups(approved, fresh)) {
        None => Ok(()),
        Some(what) => Err(EngineError::Unseen {
            stage: fresh.name.clone(),
            what,
        }),
    }
}

fn interrupts(impact: Impact) -> bool {
    impact >= Impact::Restart
}

fn of_hosts(approved: Option<&PlannedStage>, fresh: &PlannedStage) -> Option<String> {
    let known = |host: &HostName, unit: &Unit| {
        let units = approved.and_then(|stage| stage.hosts.get(host));
        units.is_some_and(|units| units.iter().any(|known| known.id == unit.id))
    };
    fresh.hosts.iter().find_map(|(host, units)| {
        let mut unseen = units.iter().filter(|unit| interrupts(unit.change.impact));
        let unit = unseen.find(|unit| !known(host, unit))?;
        Some(format!("{host}: {} ({})", unit.change.summary, unit.id))
    })
}

fn of_groups(approved: Option<&PlannedStage>, fresh: &PlannedStage) -> Option<String> {
    fresh.groups.iter().find_map(|(cluster, group)| {
        let planned = approved.and_then(|stage| stage.groups.get(cluster));
        let known = planned.is_some_and(|p| {
            !p.unknown.is_empty() || p.units.iter().any(|u| interrupts(u.change.impact))
        });
        let mut units = group.units.iter();
        let unit = units.find(|unit| interrupts(unit.change.impact) && !known)?;
        Some(format!("{cluster}: {}", unit.change.summary))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Rollout;
    use crate::names::{ResourceId, StageName};
    use crate::resource::{Action, Change};

    fn plan(units: &[(&str, Action)]) -> Plan {
        let units = units.iter().map(|(id, action)| Unit {
            id: ResourceId::new(*id),
            change: Change::new(*action, "a file", Vec::new()),
        });
        Plan {
            stages: vec![PlannedStage {
                name: StageName::new("node"),
                rollout: Rollout::Together,
                gate: None,
                hosts: BTreeMap::from([(HostName::new("a"), units.collect())]),
                groups: BTreeMap::new(),
            }],
            ..Plan::default()
        }
    }

    #[test]
    fn what_differs_from_the_approved_plan_is_named() {
        let approved = plan(&[("node/x", Action::Create), ("node/y", Action::Update)]);
        assert_eq!(changed(&approved, &approved), None);
        let more = plan(&[
            ("node/x", Action::Create),
            ("node/y", Action::Update),
            ("node/z", Action::Restart),
        ]);
        assert_eq!(
            changed(&approved, &more).as_deref(),
            Some("a: node/z has come in addition: a file (Restart, None)")
        );
        let other = plan(&[("node/x", Action::Create), ("node/y", Action::Remove)]);
        assert_eq!(
            changed(&approved, &other).as_deref(),
            Some("a: node/y would now be: a file (Remove, None)")
        );
        let less = plan(&[("node/x", Action::Create)]);
        assert_eq!(changed(&approved, &less), None);
    }
}
