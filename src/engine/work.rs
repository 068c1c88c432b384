//! All steps of a host in one stage as one program, its progress told as it comes.

use super::{Run, lock, tail};
use crate::catalog::Rollout;
use crate::command::{FrameLine, whole_program};
use crate::event::{Kind, StepOutcome};
use crate::names::{HostName, ResourceId};
use crate::plan::{PlannedStage, Unit};
use crate::resource::{Action, Step, prelude};
use crate::transport::{OutputSink, Program, StreamKind, TransportError};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What the steps of a host in one stage may take together: a host that answers nothing more does not hold up a run for
/// ever. Packages over a slow line and a first copy of files are done in minutes.
const LIMIT: Duration = Duration::from_secs(3600);

/// How a host's part of a stage ended.
#[derive(Debug)]
pub(super) enum Ended {
    Done,
    /// A step failed; its output has been told.
    Failed {
        title: String,
        tail: Vec<String>,
    },
    /// The connection broke: what happened is not known.
    Lost(TransportError),
}

/// A step and the resource it is for.
pub(super) struct Task {
    pub id: ResourceId,
    pub step: Step,
}

/// The tasks of a host's units, in order.
pub(super) fn tasks(units: &[Unit]) -> Vec<Task> {
    let tasks = units.iter().flat_map(|unit| {
        unit.change.steps.iter().map(|step| Task {
            id: unit.id.clone(),
            step: step.clone(),
        })
    });
    tasks.collect()
}

/// Hosts that may act together, and those that restart something that runs and go one by one.
pub(super) type Batches = (BTreeMap<HostName, Vec<Unit>>, Vec<(HostName, Vec<Unit>)>);

/// Divides the hosts of a stage.
pub(super) fn batches(planned: &PlannedStage) -> Batches {
    let restarts = |units: &[Unit]| {
        units
            .iter()
            .any(|unit| unit.change.action == Action::Restart)
    };
    let mut together = BTreeMap::new();
    let mut alone = Vec::new();
    for (host, units) in &planned.hosts {
        if planned.rollout == Rollout::Rolling && restarts(units) {
            alone.push((host.clone(), units.clone()));
        } else {
            together.insert(host.clone(), units.clone());
        }
    }
    (together, alone)
}

/// Runs tasks on a host, in order, until one fails.
pub(super) async fn run_tasks(run: &Run<'_>, host: &HostName, tasks: &[Task]) -> Ended {
    let Some(transport) = run.fleet.get(host) else {
        return Ended::Failed {
            title: "connect".to_owned(),
            tail: vec!["not connected".to_owned()],
        };
    };
    let program = Program::of(program(run, tasks)).within(LIMIT);
    let mut progress = MarkedOutput {
        run,
        host,
        tasks,
        started: Instant::now(),
        tail: Vec::new(),
        failed: None,
        done: false,
    };
    let result = transport.run(&program, &mut progress).await;
    match (result, progress.failed, progress.done) {
        (Err(error), _, _) => Ended::Lost(error),
        (Ok(_), Some(title), _) => Ended::Failed {
            title,
            tail: progress.tail,
        },
        (Ok(_), None, true) => Ended::Done,
        (Ok(exit), None, false) => {
            progress
                .tail
                .push(format!("the program ended early ({exit})"));
            Ended::Failed {
                title: "steps".to_owned(),
                tail: progress.tail,
            }
        }
    }
}

/// The program: every step is a function of its own, so that a syntax error in one cannot reach another.
fn program(run: &Run<'_>, tasks: &[Task]) -> crate::secret::Secret {
    let mut body = run.frame.define_mark();
    body.push_str(&lock::guard(run));
    body.push_str(&prelude(run.id.as_str()));
    body.push_str(
        "run_step() {\n  ours || exit 0\n  mark begin \"$1\"\n  ( set -e; \"step_$1\" ) 2>&1\n  rc=$?\n  mark end \"$1\" \"$rc\"\n  [ \"$rc\" = 0 ] || exit 0\n}\n",
    );
    for (index, task) in tasks.iter().enumerate() {
        body.push_str(&format!(
            "step_{index}() {{\n{}\n:\n}}\nrun_step {index}\n",
            task.step.script.expose()
        ));
    }
    body.push_str("mark all-done\n");
    whole_program(&body)
}

/// Turns marked output into events.
struct MarkedOutput<'a> {
    run: &'a Run<'a>,
    host: &'a HostName,
    tasks: &'a [Task],
    started: Instant,
    tail: Vec<String>,
    failed: Option<String>,
    done: bool,
}

impl MarkedOutput<'_> {
    fn begin(&mut self, index: &str) {
        let Some(task) = self.task(index) else { return };
        let kind = Kind::StepStarted {
            host: self.host.clone(),
            resource: task.id.clone(),
            title: task.step.title.clone(),
        };
        self.started = Instant::now();
        self.tail.clear();
        self.run.emitter.emit(kind);
    }

    fn end(&mut self, index: &str, code: &str) {
        let Some(task) = self.task(index) else { return };
        let code = code.parse().unwrap_or(-1);
        let title = task.step.title.clone();
        let outcome = if code == 0 {
            StepOutcome::Done
        } else {
            StepOutcome::Failed { code }
        };
        let kind = Kind::StepFinished {
            host: self.host.clone(),
            resource: task.id.clone(),
            title: title.clone(),
            outcome,
            millis: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            output_tail: if code == 0 {
                Vec::new()
            } else {
                self.tail.clone()
            },
        };
        if code != 0 {
            self.failed = Some(title);
        }
        self.run.emitter.emit(kind);
    }

    fn task(&self, index: &str) -> Option<&Task> {
        self.tasks.get(index.parse::<usize>().ok()?)
    }
}

impl OutputSink for MarkedOutput<'_> {
    fn line(&mut self, stream: StreamKind, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        match self.run.frame.read(&line) {
            FrameLine::Mark(words) => match words.as_slice() {
                ["begin", index] => self.begin(index),
                ["end", index, code] => self.end(index, code),
                ["all-done"] => self.done = true,
                _ => {}
            },
            FrameLine::Text(text) => {
                tail::tell(self.run, self.host, &mut self.tail, stream, text.trim_end())
            }
        }
    }
}
