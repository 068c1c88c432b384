//! From a model to what is to be done: compile, select, diff. Pure functions on values; no network.
//!
//! `compile` may look at a host's immutable traits and never at what else was observed; `diff` compares the two
//! and decides nothing. What a plan says is specific enough that the engine has no choice left.

mod ahead;
mod compile;
pub mod context;
mod desired;
mod diff;
pub mod explain;
mod hide;
mod leave;
mod outline;
mod restart;
mod select;
pub mod view;
mod warn;
mod without;

pub use compile::{CompileError, Compiled, Compiler};
pub use context::is_pooled;
pub use desired::{Desired, DesiredStage, GroupDesired};
pub use diff::{Seen, diff, diff_stage};
pub use leave::{Going, changed};
pub use outline::{digest, outline};
pub use select::{SelectError, Selection};
pub use without::{deployed, without};

use crate::catalog::{Gate, Rollout};
use crate::names::{ClusterName, HostName, ResourceId, StageName};
use crate::resource::group::{GroupChange, PgAccess};
use crate::resource::{Change, Impact};
use std::collections::{BTreeMap, BTreeSet};

/// What is to be done, stage by stage.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub stages: Vec<PlannedStage>,
    /// Things in the way that must not be touched. A plan with any of them is not carried out.
    pub refusals: Vec<Refusal>,
    /// What nobody declared and weakens what is declared, in sentences, the host or group first. Nothing is done about it.
    pub warnings: BTreeSet<String>,
    /// How many hosts were compared.
    pub hosts: usize,
}

/// Work between two barriers.
#[derive(Clone, Debug)]
pub struct PlannedStage {
    pub name: StageName,
    pub rollout: Rollout,
    pub gate: Option<Gate>,
    pub hosts: BTreeMap<HostName, Vec<Unit>>,
    pub groups: BTreeMap<ClusterName, GroupPlan>,
}

/// One resource of one host and what is done to it.
#[derive(Clone, Debug)]
pub struct Unit {
    pub id: ResourceId,
    pub change: Change,
}

/// What is done to a group, through whoever leads it then.
#[derive(Clone, Debug)]
pub struct GroupPlan {
    pub access: PgAccess,
    pub members: Vec<HostName>,
    pub units: Vec<GroupUnit>,
    /// Resources that could not be compared because nobody leads the group yet.
    pub unknown: Vec<(ResourceId, String)>,
}

/// One resource of a group and what is done to it.
#[derive(Clone, Debug)]
pub struct GroupUnit {
    pub id: ResourceId,
    pub change: GroupChange,
}

/// Something in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub host: HostName,
    pub id: ResourceId,
    pub reason: String,
    pub hint: String,
}

impl PlannedStage {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty()
            && self
                .groups
                .values()
                .all(|group| group.units.is_empty() && group.unknown.is_empty())
    }
}

impl Plan {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.stages.iter().all(PlannedStage::is_empty)
    }

    /// Adds why a unit is started, which only others than its host know.
    pub fn explain(&mut self, (host, id, words): &(HostName, ResourceId, String)) {
        let hosts = self.stages.iter_mut().map(|stage| &mut stage.hosts);
        let units = hosts.filter_map(|hosts| hosts.get_mut(host)).flatten();
        for unit in units.filter(|unit| unit.id == *id) {
            unit.change.cause.get_or_insert_with(|| words.clone());
        }
    }

    /// The worst that any change does to those who use the database now.
    pub fn impact(&self) -> Impact {
        let hosts = self
            .stages
            .iter()
            .flat_map(|s| s.hosts.values().flatten().map(|unit| unit.change.impact));
        let groups = self.stages.iter().flat_map(|s| {
            s.groups
                .values()
                .flat_map(|g| &g.units)
                .map(|u| u.change.impact)
        });
        hosts.chain(groups).max().unwrap_or(Impact::None)
    }
}
