//! Events as plain lines: for pipes, logs and `replay`.

use super::term::{self, BAD, GOOD, Style};
use crate::event::{Event, Kind, Moment, Outcome, Sink, SinkError, StepOutcome};
use crate::names::HostName;
use crate::names::words::{count, duration};
use std::collections::BTreeMap;
use std::io::Write;

const STAGE: Style = Style::new().bold();

/// How wide the column of hosts is.
pub(super) fn width(hosts: &[HostName]) -> usize {
    let widths = hosts.iter().map(|host| host.as_str().len());
    widths.max().unwrap_or_default()
}

/// Writes a line for each event that matters, in colour: `out` strips what its reader cannot show.
#[derive(Debug)]
pub struct Lines<W> {
    out: W,
    /// 0: stages, gates, failures; 1: every step; 2: every line of output.
    verbose: u8,
    started: Option<Moment>,
    width: usize,
    /// Whether a stage has begun: a run that only looked ends without a word.
    acted: bool,
    /// Whether every step is told: those of a runbook are few, and each matters.
    steps: bool,
    /// What failed steps said last, by host: it is not said twice.
    told: BTreeMap<HostName, Vec<String>>,
}

impl<W: Write + Send> Lines<W> {
    /// Writes to `out`.
    pub fn new(out: W, verbose: u8) -> Self {
        Self {
            out,
            verbose,
            started: None,
            width: 0,
            acted: false,
            steps: verbose > 0,
            told: BTreeMap::new(),
        }
    }

    /// The text of an event, if it is to be shown.
    fn text(&self, kind: &Kind) -> Option<String> {
        let host = |host: &HostName| format!("{host:<width$}", width = self.width);
        match kind {
            Kind::RunStarted { hosts, .. } if self.verbose > 0 => {
                Some(format!("connecting to {}", count(hosts.len(), "host")))
            }
            Kind::HostConnected { host: name, millis } if self.verbose > 1 => Some(format!(
                "{}  connected in {}",
                host(name),
                duration(*millis)
            )),
            Kind::HostUnreachable { error, hints, .. } => Some(with_hints(
                format!("{BAD}unreachable{BAD:#}: {error}"),
                hints,
            )),
            Kind::Observed {
                host: name, millis, ..
            } if self.verbose > 1 => Some(format!(
                "{}  looked at in {}",
                host(name),
                duration(*millis)
            )),
            Kind::StageStarted {
                stage,
                index,
                total,
                ..
            } => Some(format!("{STAGE}stage {index}/{total} {stage}{STAGE:#}")),
            Kind::StepStarted {
                host: name, title, ..
            } if self.verbose > 1 => Some(format!("{}  {title} ...", host(name))),
            Kind::StepFinished {
                host: name,
                title,
                outcome,
                millis,
                output_tail,
                ..
            } => self.step(&host(name), title, outcome, *millis, output_tail),
            Kind::Output {
                host: name, line, ..
            } if self.verbose > 1 => Some(format!("{} | {line}", host(name))),
            Kind::GateWaiting { gate, detail, .. } => Some(format!("waiting for {gate}: {detail}")),
            Kind::GatePassed {
                gate,
                detail,
                millis,
            } => Some(format!("{gate}: {detail} (after {})", duration(*millis))),
            Kind::GateFailed { gate, detail, log } => Some(with_tail(
                format!("{BAD}{gate} did not come{BAD:#}: {detail}"),
                log,
            )),
            Kind::HostFailed {
                host: name,
                error,
                log,
                hints,
            } => Some(with_hints(
                with_tail(
                    format!("{}  {BAD}failed{BAD:#}: {error}", host(name)),
                    self.untold(name, log),
                ),
                hints,
            )),
            Kind::StageFinished { stage, millis } if self.verbose > 0 => {
                Some(format!("stage {stage} took {}", duration(*millis)))
            }
            Kind::Note { text } => Some(text.clone()),
            Kind::Interrupted { what } => Some(format!("{BAD}interrupted{BAD:#}: {what}")),
            Kind::RunFinished {
                outcome, millis, ..
            } if self.ends_aloud(*outcome) => Some(ending(*outcome, *millis)),
            Kind::RunStarted { .. }
            | Kind::HostConnected { .. }
            | Kind::Observed { .. }
            | Kind::StepStarted { .. }
            | Kind::Output { .. }
            | Kind::StageFinished { .. }
            | Kind::RunFinished { .. } => None,
        }
    }

    fn ends_aloud(&self, outcome: Outcome) -> bool {
        self.acted || self.verbose > 0 || !matches!(outcome, Outcome::Done | Outcome::Pending)
    }

    /// The log of a host, unless its failed step has shown it already.
    fn untold<'a>(&self, host: &HostName, log: &'a [String]) -> &'a [String] {
        match self.told.get(host) {
            Some(told) if told == log => &[],
            Some(_) | None => log,
        }
    }

    /// Remembers what later events are told by.
    fn note(&mut self, kind: &Kind) {
        if let Kind::RunStarted { hosts, verb, .. } = kind {
            self.width = width(hosts);
            self.steps = self.verbose > 0 || verb != "apply";
        }
        self.acted |= matches!(kind, Kind::StageStarted { .. });
        if let Kind::StepFinished {
            host, output_tail, ..
        } = kind
        {
            self.told.insert(host.clone(), output_tail.clone());
        }
    }

    fn step(
        &self,
        host: &str,
        title: &str,
        outcome: &StepOutcome,
        millis: u64,
        tail: &[String],
    ) -> Option<String> {
        match outcome {
            StepOutcome::Done if self.steps => {
                Some(format!("{host}  {title}  ({})", duration(millis)))
            }
            StepOutcome::Skipped { reason } if self.steps => {
                Some(format!("{host}  {title}  skipped: {reason}"))
            }
            StepOutcome::Done | StepOutcome::Skipped { .. } => None,
            StepOutcome::Failed { code } => Some(with_tail(
                format!("{host}  {title}  {BAD}FAILED{BAD:#} (exit {code})"),
                tail,
            )),
        }
    }
}

fn ending(outcome: Outcome, millis: u64) -> String {
    let style = match outcome {
        Outcome::Done | Outcome::Pending => GOOD,
        Outcome::Internal
        | Outcome::Refused
        | Outcome::Unreachable
        | Outcome::Failed
        | Outcome::Usage
        | Outcome::Input
        | Outcome::Interrupted
        | Outcome::Locked => BAD,
    };
    format!("{style}{}{style:#} in {}", outcome.word(), duration(millis))
}

fn with_tail(head: String, tail: &[String]) -> String {
    tail.iter()
        .fold(head, |text, line| format!("{text}\n          | {line}"))
}

fn with_hints(head: String, hints: &[String]) -> String {
    hints
        .iter()
        .fold(head, |text, hint| format!("{text}\n          hint: {hint}"))
}

impl<W: Write + Send> Sink for Lines<W> {
    fn event(&mut self, event: &Event) -> Result<(), SinkError> {
        let started = *self.started.get_or_insert(event.at);
        self.note(&event.kind);
        let Some(text) = self.text(&event.kind) else {
            return Ok(());
        };
        let seconds = event.at.since(started).as_secs_f64();
        writeln!(self.out, "{seconds:7.1}s  {}", term::shown(&text)).map_err(failed)
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.out.flush().map_err(failed)
    }
}

fn failed(source: std::io::Error) -> SinkError {
    SinkError {
        what: "standard error".to_owned(),
        source,
    }
}

impl Lines<Vec<u8>> {
    /// Takes what was written so far.
    pub fn take(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.out)).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{ResourceId, RunId, StageName};

    fn event(seconds: i64, kind: Kind) -> Event {
        Event {
            schema: 1,
            seq: 1,
            at: Moment::from_millis(seconds * 1000),
            run: RunId::new("r"),
            kind,
        }
    }

    #[test]
    fn tells_stages_and_failures_with_the_words_of_the_host() {
        let mut lines = Lines::new(Vec::new(), 0);
        let hosts = vec![HostName::new("10.0.0.1")];
        let failed = Kind::StepFinished {
            host: hosts[0].clone(),
            resource: ResourceId::new("etcd/service"),
            title: "start etcd".into(),
            outcome: StepOutcome::Failed { code: 1 },
            millis: 5,
            output_tail: vec!["no space".into()],
        };
        let events = [
            event(
                0,
                Kind::RunStarted {
                    verb: "apply".into(),
                    inventory: "i".into(),
                    hosts: hosts.clone(),
                    stages: vec![],
                },
            ),
            event(
                1,
                Kind::StageStarted {
                    stage: StageName::new("etcd"),
                    index: 1,
                    total: 2,
                    hosts,
                },
            ),
            event(2, failed),
        ];
        for event in &events {
            lines.event(event).expect("writes to memory");
        }
        assert_eq!(
            anstream::adapter::strip_str(&lines.take()).to_string(),
            "    1.0s  stage 1/2 etcd\n    2.0s  10.0.0.1  start etcd  FAILED (exit 1)\n          | no space\n"
        );
    }
}
