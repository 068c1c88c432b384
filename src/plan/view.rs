//! A plan as plain data, for the plan view, for `-o json` and for saved plans.

pub use crate::resource::{Action, Impact};

use crate::names::{HostName, ResourceId, StageName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// All changes of a plan, by stage and host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanOutline {
    /// How many hosts were looked at.
    pub hosts: usize,
    pub stages: Vec<StageOutline>,
    /// What nobody declared and weakens what is declared; nothing is done about it.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// The changes of one stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageOutline {
    pub name: StageName,
    pub hosts: Vec<HostOutline>,
}

/// The changes on one host in one stage, in the order they happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostOutline {
    pub host: HostName,
    pub changes: Vec<ChangeOutline>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ChangeOutline {
    pub resource: ResourceId,
    pub action: Action,
    /// What it is about, in a few words: a path, a unit, `max_connections 100 -> 200`.
    pub summary: String,
    pub impact: Impact,
    /// Why, when it follows from another change.
    pub cause: Option<String>,
    /// A unified diff, secrets masked.
    pub diff: Option<String>,
    /// Hosts whose PostgreSQL restarts by this change of a group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restarts: Vec<HostName>,
}

/// The numbers of the last line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub create: usize,
    pub change: usize,
    pub remove: usize,
    /// Restarts and switchovers.
    pub restarts: usize,
    /// Hosts with a restart or a switchover.
    pub restart_hosts: usize,
    /// Reloads; they are shown with their causes and not in the last line.
    pub reloads: usize,
}

impl PlanOutline {
    /// Every change with its host.
    pub fn changes(&self) -> impl Iterator<Item = (&HostName, &ChangeOutline)> {
        let hosts = self.stages.iter().flat_map(|stage| &stage.hosts);
        hosts.flat_map(|host| host.changes.iter().map(move |change| (&host.host, change)))
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes().next().is_none()
    }

    /// The worst that users of the formation will feel.
    pub fn impact(&self) -> Impact {
        let impacts = self.changes().map(|(_, change)| change.impact);
        impacts.max().unwrap_or(Impact::None)
    }

    /// The numbers of the last line.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        let mut restarted = BTreeSet::new();
        for (host, change) in self.changes() {
            match change.action {
                Action::Create => counts.create += 1,
                Action::Update | Action::Deferred => counts.change += 1,
                Action::Remove => counts.remove += 1,
                Action::Reload => counts.reloads += 1,
                Action::Restart | Action::Switchover => {
                    counts.restarts += change.restarts.len().max(1);
                    match change.restarts.is_empty() {
                        true => restarted.extend([host]),
                        false => restarted.extend(&change.restarts),
                    }
                }
            }
        }
        counts.restart_hosts = restarted.len();
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_member_that_a_line_announces_counts_as_a_restart() {
        let host = |name: &str| HostName::new(name);
        let change = |restarts: Vec<HostName>| ChangeOutline {
            resource: ResourceId::new("r/x"),
            action: Action::Restart,
            summary: "restart".to_owned(),
            impact: Impact::Restart,
            cause: None,
            diff: None,
            restarts,
        };
        let of = |name: &str, restarts| HostOutline {
            host: host(name),
            changes: vec![change(restarts)],
        };
        let outline = PlanOutline {
            stages: vec![StageOutline {
                name: StageName::new("s"),
                hosts: vec![
                    of("a", Vec::new()),
                    of("shop", vec![host("a"), host("b"), host("c")]),
                ],
            }],
            ..PlanOutline::default()
        };
        let counts = outline.counts();
        assert_eq!((counts.restarts, counts.restart_hosts), (4, 3));
    }
}
