//! What a stage would do now, held against the plan that was approved.

use super::EngineError;
use crate::names::HostName;
use crate::plan::{Plan, PlannedStage, Unit};
use crate::resource::Impact;

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
