//! Differences, their impact, and the steps that remove them.

use crate::secret::Secret;
use serde::{Deserialize, Serialize};

/// What is done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Create,
    Update,
    Remove,
    Reload,
    Restart,
    Switchover,
    /// Cannot be known before an earlier stage has run; shown with the reason.
    Deferred,
}

/// What a change does to those who use the database now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    None,
    Reload,
    Restart,
    Failover,
    Destroys,
}

impl Impact {
    /// One word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "no effect",
            Self::Reload => "reload",
            Self::Restart => "restart",
            Self::Failover => "failover",
            Self::Destroys => "destroys data",
        }
    }
}

/// Contents for the diff that people read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BeforeAfter {
    pub path: String,
    /// `None` when there was nothing, or when the old content has not been fetched.
    pub before: Option<Vec<u8>>,
    pub after: Vec<u8>,
    /// Never shown, only said to differ.
    pub sensitive: bool,
    /// Not everybody on the host may read it.
    pub closed: bool,
    /// `after` without its secrets, where it holds any.
    pub shown: Option<String>,
}

/// The smallest effect: shell text that can be run again.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub title: String,
    /// Shell text; `errexit` is on, `$RUN` is the run id. May hold secrets, so it is one.
    pub script: Secret,
}

impl Step {
    /// A step with its title for people.
    pub fn new(title: impl Into<String>, script: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            script: Secret::new(script),
        }
    }
}

/// A difference.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub action: Action,
    pub summary: String,
    pub impact: Impact,
    /// Why a service reloads or restarts.
    pub cause: Option<String>,
    pub contents: Option<BeforeAfter>,
    pub steps: Vec<Step>,
}

impl Change {
    /// A change without impact.
    pub fn new(action: Action, summary: impl Into<String>, steps: Vec<Step>) -> Self {
        Self {
            action,
            summary: summary.into(),
            impact: Impact::None,
            cause: None,
            contents: None,
            steps,
        }
    }
}

/// What a diff found.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Nothing to do, and why.
    Same(String),
    Differs(Box<Change>),
    /// Something is in the way that we must not touch. The run is refused.
    Refused {
        reason: String,
        hint: String,
    },
}

impl Verdict {
    /// Nothing to do.
    pub fn same(reason: impl Into<String>) -> Self {
        Self::Same(reason.into())
    }

    /// A difference.
    pub fn differs(change: Change) -> Self {
        Self::Differs(Box::new(change))
    }
}
