//! The line over the bars: where the run is and how its hosts fare. A fold of events without a terminal.

use crate::event::Kind;
use crate::names::HostName;
use crate::names::words::count;
use std::collections::BTreeSet;

/// What the line says, after some events.
#[derive(Debug, Default)]
pub struct Headline {
    /// The phase, as in `apply: looking at the hosts` or `stage 2/5 etcd`.
    phase: String,
    verb: String,
    waiting: BTreeSet<HostName>,
    working: BTreeSet<HostName>,
    failed: BTreeSet<HostName>,
    gate: Option<String>,
}

impl Headline {
    /// Takes one more event into account.
    pub fn add(&mut self, kind: &Kind) {
        match kind {
            Kind::RunStarted { verb, hosts, .. } => {
                self.verb.clone_from(verb);
                self.phase = format!("{verb}: connecting to {}", count(hosts.len(), "host"));
            }
            Kind::HostConnected { .. } => self.phase = format!("{}: looking at hosts", self.verb),
            Kind::StageStarted {
                stage,
                index,
                total,
                hosts,
            } => self.enter(format!("stage {index}/{total} {stage}"), hosts),
            Kind::StepStarted { host, .. } => self.begin(host),
            Kind::HostUnreachable { host, .. } | Kind::HostFailed { host, .. } => self.fail(host),
            Kind::GateWaiting { gate, detail, .. } => {
                self.gate = Some(format!("waiting for {gate}: {detail}"));
            }
            Kind::GatePassed { .. } | Kind::GateFailed { .. } => self.gate = None,
            Kind::StageFinished { .. } => self.enter(format!("{}: looking again", self.verb), &[]),
            Kind::Observed { .. }
            | Kind::StepFinished { .. }
            | Kind::Output { .. }
            | Kind::Note { .. }
            | Kind::Interrupted { .. }
            | Kind::RunFinished { .. } => {}
        }
    }

    fn enter(&mut self, phase: String, hosts: &[HostName]) {
        self.phase = phase;
        self.waiting = hosts.iter().cloned().collect();
        self.working.clear();
        self.gate = None;
    }

    fn begin(&mut self, host: &HostName) {
        self.waiting.remove(host);
        self.working.insert(host.clone());
    }

    fn fail(&mut self, host: &HostName) {
        self.waiting.remove(host);
        self.working.remove(host);
        self.failed.insert(host.clone());
    }

    /// The line as it is now.
    pub fn text(&self) -> String {
        let counts = [
            (self.working.len(), "at work"),
            (self.waiting.len(), "waiting"),
            (self.failed.len(), "failed"),
        ];
        let counts = counts.iter().filter(|(number, _)| *number > 0);
        let counts: Vec<String> = counts
            .map(|(number, word)| format!("{number} {word}"))
            .collect();
        let parts = [Some(self.phase.clone()), self.gate.clone()];
        let counts = (!counts.is_empty()).then(|| counts.join(", "));
        let parts: Vec<String> = parts.into_iter().flatten().chain(counts).collect();
        parts.join(" · ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::StageName;

    fn hosts() -> Vec<HostName> {
        ["a", "b", "c"].map(HostName::new).to_vec()
    }

    fn step(host: &str) -> Kind {
        Kind::StepStarted {
            host: host.into(),
            resource: "etcd/conf".into(),
            title: "write".into(),
        }
    }

    #[test]
    fn says_where_the_run_is_and_how_its_hosts_fare() {
        let mut line = Headline::default();
        let mut said = Vec::new();
        let stage = Kind::StageStarted {
            stage: StageName::new("etcd"),
            index: 2,
            total: 5,
            hosts: hosts(),
        };
        let failed = Kind::HostFailed {
            host: "b".into(),
            error: "x".into(),
            log: vec![],
            hints: vec![],
        };
        let waiting = Kind::GateWaiting {
            gate: "etcd_quorum".into(),
            detail: "2 of 3".into(),
            seconds: 3,
            deadline: 60,
        };
        let started = Kind::RunStarted {
            verb: "apply".into(),
            inventory: "i".into(),
            hosts: hosts(),
            stages: vec![],
        };
        for kind in [started, stage, step("a"), step("b"), failed, waiting] {
            line.add(&kind);
            said.push(line.text());
        }
        assert_eq!(
            said,
            [
                "apply: connecting to 3 hosts",
                "stage 2/5 etcd · 3 waiting",
                "stage 2/5 etcd · 1 at work, 2 waiting",
                "stage 2/5 etcd · 2 at work, 1 waiting",
                "stage 2/5 etcd · 1 at work, 1 waiting, 1 failed",
                "stage 2/5 etcd · waiting for etcd_quorum: 2 of 3 · 1 at work, 1 waiting, 1 failed",
            ]
        );
    }
}
