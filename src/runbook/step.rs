//! A step of a runbook: where, under which condition, what, and how its end is known.

use super::Script;
use crate::fact::GroupSeen;
use crate::names::{ClusterName, HostName, InstanceName};
use crate::resource::Impact;
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One step. It is done when its postcondition holds, and skipped when that holds beforehand.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Unique in its runbook: `force-new-cluster`.
    pub id: &'static str,
    /// For people, in the imperative.
    pub title: String,
    /// What it does to those who use the database.
    pub impact: Impact,
    /// How long its postcondition is waited for once the action is through.
    #[serde(serialize_with = "seconds")]
    pub within: Duration,
    /// Whether a failure ends the run. What does not is told and left to a later run.
    pub must: bool,
    /// Whether it is done even where its postcondition holds beforehand.
    pub always: bool,
    /// Whether it begins together with the step after it, and neither waits for the other.
    pub beside: bool,
    /// Whether an earlier run has done it, as far as was seen: it is looked at again, and skipped.
    pub done: bool,
    #[serde(rename = "on", serialize_with = "places")]
    pub work: Work,
}

/// Who does a step.
#[derive(Clone, Debug)]
pub enum Work {
    /// Shell text on each of these hosts, all at once; one round trip for each.
    Hosts(BTreeMap<HostName, Script>),
    /// A request to Patroni's REST API, and the group's state as its postcondition.
    Group(Ask),
}

/// A request to one member of a group.
#[derive(Clone)]
pub struct Ask {
    pub cluster: ClusterName,
    /// The host that the step is told of.
    pub host: HostName,
    pub whom: Whom,
    /// `POST`, `PATCH`, ...
    pub method: &'static str,
    pub path: String,
    pub body: Value,
    /// The precondition: an error says why the step must not be done now.
    pub require: Judge,
    /// The postcondition: an error says what is still missing.
    pub holds: Judge,
    /// Whether both judge who follows, and so need the word of the servers beside Patroni's.
    pub evidence: bool,
}

impl Ask {
    /// The same request, judged by what the servers say.
    #[must_use]
    pub fn by_evidence(mut self) -> Self {
        self.evidence = true;
        self
    }
}

/// Judges a group as Patroni's `GET /cluster` shows it.
pub type Judge = Arc<dyn Fn(&GroupSeen) -> Result<(), String> + Send + Sync>;

/// Which member is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Whoever leads at that moment.
    Leader,
    Member(InstanceName),
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ask({} {} {})", self.method, self.path, self.cluster)
    }
}

impl Step {
    /// A step on one host, that must succeed and disturbs nobody.
    pub fn on(host: &HostName, id: &'static str, title: impl Into<String>, script: Script) -> Self {
        Self::on_all(BTreeMap::from([(host.clone(), script)]), id, title)
    }

    /// A step on several hosts at once.
    pub fn on_all(
        scripts: BTreeMap<HostName, Script>,
        id: &'static str,
        title: impl Into<String>,
    ) -> Self {
        Self {
            id,
            title: title.into(),
            impact: Impact::None,
            within: Duration::from_secs(30),
            must: true,
            always: false,
            beside: false,
            done: false,
            work: Work::Hosts(scripts),
        }
    }

    /// A step through Patroni.
    pub fn ask(ask: Ask, id: &'static str, title: impl Into<String>) -> Self {
        Self {
            work: Work::Group(ask),
            ..Self::on_all(BTreeMap::new(), id, title)
        }
    }

    /// The same step with an impact.
    #[must_use]
    pub fn with_impact(mut self, impact: Impact) -> Self {
        self.impact = impact;
        self
    }

    /// The same step with another time for its postcondition.
    #[must_use]
    pub fn within(mut self, seconds: u64) -> Self {
        self.within = Duration::from_secs(seconds);
        self
    }

    /// The same step, done even where its postcondition holds beforehand (Patroni's steps only).
    #[must_use]
    pub fn always(mut self) -> Self {
        self.always = true;
        self
    }

    /// The same step, whose failure is told and does not end the run.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.must = false;
        self
    }

    /// The same step, begun together with the step after it.
    #[must_use]
    pub fn beside(mut self) -> Self {
        self.beside = true;
        self
    }

    /// The same step, which an earlier run has done, or not.
    #[must_use]
    pub fn done(mut self, done: bool) -> Self {
        self.done = done;
        self
    }

    /// Where it acts.
    pub fn hosts(&self) -> BTreeSet<HostName> {
        match &self.work {
            Work::Hosts(scripts) => scripts.keys().cloned().collect(),
            Work::Group(ask) => BTreeSet::from([ask.host.clone()]),
        }
    }
}

fn seconds<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(duration.as_secs())
}

fn places<S: Serializer>(work: &Work, to: S) -> Result<S::Ok, S::Error> {
    match work {
        Work::Hosts(scripts) => to.collect_seq(scripts.keys()),
        Work::Group(ask) => to.collect_seq([&ask.host]),
    }
}
