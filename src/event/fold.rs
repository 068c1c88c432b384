//! The report: a fold of events. Summary, exit code and `RunFinished` come from here alone, so
//! they cannot disagree.

use super::{Event, HostTotals, Kind, Moment, Outcome, StepOutcome, Traffic};
use crate::names::{HostName, ResourceId};
use indexmap::IndexMap;
use std::collections::BTreeMap;
use std::time::Duration;

/// What is known of a run after some of its events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    pub verb: String,
    pub inventory: String,
    pub started: Option<Moment>,
    pub last: Option<Moment>,
    /// In the inventory's order, later hosts as they are heard of.
    pub hosts: IndexMap<HostName, HostReport>,
    /// Gates that failed, with what they waited for.
    pub failed_gates: Vec<(String, String)>,
    /// What was in flight when the run was stopped.
    pub interrupted: Option<String>,
    /// What `RunFinished` said, when it was said.
    pub finished: Option<(Outcome, Vec<HostTotals>)>,
}

/// What is known of one host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostReport {
    /// How many resources were looked at.
    pub observed: u32,
    /// Resources that had steps, each with its worst result so far.
    pub touched: BTreeMap<ResourceId, Touch>,
    pub unreachable: bool,
    /// Dropped out of the run for another reason than a step.
    pub dropped: bool,
    pub first: Option<Moment>,
    pub last: Option<Moment>,
}

/// The result of a resource's steps; the greater one stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Touch {
    Skipped,
    Changed,
    Failed,
}

impl Report {
    /// The fold of a whole stream.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut report = Self::default();
        for event in events {
            report.add(event);
        }
        report
    }

    /// Takes one more event into account.
    pub fn add(&mut self, event: &Event) {
        self.started.get_or_insert(event.at);
        self.last = Some(event.at);
        self.add_kind(event.at, &event.kind);
    }

    fn add_kind(&mut self, at: Moment, kind: &Kind) {
        match kind {
            Kind::RunStarted {
                verb,
                inventory,
                hosts,
                ..
            } => self.begin(verb, inventory, hosts),
            Kind::HostConnected { host, .. }
            | Kind::StepStarted { host, .. }
            | Kind::Output { host, .. } => {
                self.seen(host, at);
            }
            Kind::HostUnreachable { host, .. } => self.seen(host, at).unreachable = true,
            Kind::Observed {
                host, resources, ..
            } => self.seen(host, at).observed = *resources,
            Kind::StepFinished {
                host,
                resource,
                outcome,
                ..
            } => self.seen(host, at).touch(resource, outcome),
            Kind::HostFailed { host, .. } => self.seen(host, at).dropped = true,
            Kind::GateFailed { gate, detail, .. } => {
                self.failed_gates.push((gate.clone(), detail.clone()));
            }
            Kind::Interrupted { what } => self.interrupted = Some(what.clone()),
            Kind::RunFinished { outcome, hosts, .. } => {
                self.finished = Some((*outcome, hosts.clone()));
            }
            Kind::StageStarted { .. }
            | Kind::StageFinished { .. }
            | Kind::GateWaiting { .. }
            | Kind::GatePassed { .. }
            | Kind::Note { .. } => {}
        }
    }

    fn begin(&mut self, verb: &str, inventory: &str, hosts: &[HostName]) {
        verb.clone_into(&mut self.verb);
        inventory.clone_into(&mut self.inventory);
        for host in hosts {
            self.hosts.entry(host.clone()).or_default();
        }
    }

    fn seen(&mut self, host: &HostName, at: Moment) -> &mut HostReport {
        let report = self.hosts.entry(host.clone()).or_default();
        report.first.get_or_insert(at);
        report.last = Some(at);
        report
    }

    /// How the run ended, or would end now: stopped by the operator outweighs failed, which
    /// outweighs unreachable.
    pub fn outcome(&self) -> Outcome {
        match &self.finished {
            Some((outcome, _)) => *outcome,
            None if self.interrupted.is_some() => Outcome::Interrupted,
            None if self.has_failures() => Outcome::Failed,
            None if self.hosts.values().any(|host| host.unreachable) => Outcome::Unreachable,
            None => Outcome::Done,
        }
    }

    /// Whether a host or a gate failed.
    pub fn has_failures(&self) -> bool {
        !self.failed_gates.is_empty() || self.hosts.values().any(HostReport::has_failed)
    }

    /// The rows of the summary. Once the run is finished they are those it finished with.
    pub fn totals(&self, traffic: &BTreeMap<HostName, Traffic>) -> Vec<HostTotals> {
        if let Some((_, hosts)) = &self.finished {
            return hosts.clone();
        }
        let of = |host: &HostName| traffic.get(host).copied().unwrap_or_default();
        self.hosts
            .iter()
            .map(|(host, report)| report.totals(host, of(host)))
            .collect()
    }

    /// From the first to the last event.
    pub fn duration(&self) -> Duration {
        match (self.started, self.last) {
            (Some(first), Some(last)) => last.since(first),
            _ => Duration::ZERO,
        }
    }
}

impl HostReport {
    fn touch(&mut self, resource: &ResourceId, outcome: &StepOutcome) {
        let touch = match outcome {
            StepOutcome::Done => Touch::Changed,
            StepOutcome::Skipped { .. } => Touch::Skipped,
            StepOutcome::Failed { .. } => Touch::Failed,
        };
        let entry = self.touched.entry(resource.clone()).or_insert(touch);
        *entry = (*entry).max(touch);
    }

    fn count(&self, touch: Touch) -> u32 {
        let count = self.touched.values().filter(|t| **t == touch).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Whether a step failed here or the host dropped out.
    pub fn has_failed(&self) -> bool {
        self.dropped || self.touched.values().any(|touch| *touch == Touch::Failed)
    }

    fn totals(&self, host: &HostName, traffic: Traffic) -> HostTotals {
        let touched = u32::try_from(self.touched.len()).unwrap_or(u32::MAX);
        HostTotals {
            host: host.clone(),
            ok: self.observed.saturating_sub(touched),
            changed: self.count(Touch::Changed),
            failed: self.count(Touch::Failed).max(u32::from(self.dropped)),
            unreachable: self.unreachable,
            skipped: self.count(Touch::Skipped),
            seconds: self.seconds(),
            traffic,
        }
    }

    fn seconds(&self) -> f64 {
        match (self.first, self.last) {
            (Some(first), Some(last)) => last.since(first).as_secs_f64(),
            _ => 0.0,
        }
    }
}
