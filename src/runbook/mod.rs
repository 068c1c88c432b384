//! Runbooks: planners for procedures that are more than "make it as the inventory says".
//!
//! A planner is a pure function from the model and from what was observed to a [`Runbook`]: steps in order, each with
//! a postcondition, a precondition and an action, and the words that an operator reads before consenting. The
//! engine carries any of them out: a step whose postcondition holds is skipped, so a runbook that was interrupted
//! anywhere is simply planned and run again. Runs nothing itself and knows no connection.

mod cold;

pub mod backup;
pub mod etcd;
pub mod patroni;
pub mod recover;
pub mod remove;
mod script;
pub mod shards;
mod shell;
mod step;

pub use cold::start_cold;
pub use script::{Attempt, Script, attempt_program};
pub use shell::host_functions;
pub use step::{Ask, Judge, Step, Whom, Work};

use crate::names::HostName;
use crate::secret::Secret;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A procedure, planned.
#[derive(Clone, Debug, Serialize)]
pub struct Runbook {
    /// One word, as in `recover`: the first part of every step's id in events and journals.
    pub name: &'static str,
    /// What it is for, one sentence.
    pub aim: String,
    /// The formation's or the group's name: what the operator types.
    pub subject: String,
    /// What was seen that matters for the decision, one sentence each.
    pub seen: Vec<String>,
    /// What may be lost or interrupted, one sentence each.
    pub risks: Vec<String>,
    pub consent: Consent,
    pub steps: Vec<Step>,
    /// What to do when it is done, one sentence each.
    pub afterwards: Vec<String>,
    /// Shell functions that all steps on a host may use. May hold secrets.
    #[serde(skip)]
    pub prelude: BTreeMap<HostName, Secret>,
}

/// How much the operator has to say before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Nothing can be lost: `y`, or `--yes`.
    Yes,
    /// Something can be lost: the operator types the subject's name, or says it with `--confirm NAME`. `--yes`
    /// is not enough.
    Name,
}

/// Why a planner makes no plan. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// What stands in the way, the host first where there is one.
    pub reason: String,
    /// The way out.
    pub hint: String,
}

impl Refusal {
    /// A refusal with its way out.
    pub fn new(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            hint: hint.into(),
        }
    }
}

impl Runbook {
    /// All hosts that some step acts on: the lock is taken on them.
    pub fn hosts(&self) -> BTreeSet<HostName> {
        self.steps.iter().flat_map(Step::hosts).collect()
    }
}
