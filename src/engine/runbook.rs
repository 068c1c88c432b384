//! Carries a runbook out: step by step, told as events, under the lock of a run.

use super::fleet::{chain, collect};
use super::lock::Unkept;
use super::look::futures_join;
use super::not_starting::explained;
use super::{EngineError, Patroni, Run, lock, tail};
use super::{copies, group_look};
use crate::event::{Kind, StepOutcome};
use crate::model::Group;
use crate::names::{HostName, ResourceId, StageName};
use crate::runbook::{Ask, Attempt, Runbook, Script, Step, Whom, Work, attempt_program};
use crate::secret::Secret;
use crate::transport::{OutputSink, Program, StreamKind};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// What an action may take beyond the time that its postcondition is given.
const MARGIN: Duration = Duration::from_secs(300);
const POLL: Duration = Duration::from_millis(300);

/// Runs one program on each host, all at once, for planners that look before they plan. A host that cannot be
/// asked has words for it.
pub async fn survey(
    run: &Run<'_>,
    programs: &BTreeMap<HostName, Secret>,
    deadline: Duration,
) -> BTreeMap<HostName, Result<String, String>> {
    let answers = futures_join(programs.iter().map(|(host, text)| async {
        let answer = match run.fleet.get(host) {
            None => Err("not connected".to_owned()),
            Some(transport) => {
                let program = Program::new(text.expose()).within(deadline);
                let collected = collect(transport.as_ref(), &program).await;
                collected
                    .map(|(_, output)| output.out)
                    .map_err(|error| chain(&error))
            }
        };
        (host.clone(), answer)
    }));
    answers.await.into_iter().collect()
}

/// How a step ended on a host.
#[derive(Clone, Debug)]
enum End {
    Done,
    Skipped(String),
    Refused(String),
    Failed { code: i32, tail: Vec<String> },
}

/// Carries out an approved runbook. Every step is skipped whose postcondition holds.
pub async fn carry_out(run: &Run<'_>, book: &Runbook) -> Result<(), EngineError> {
    let locks = lock::acquire(run, &locked(run, book), Unkept::Tell).await?;
    let started = Instant::now();
    let stage = StageName::new(book.name);
    run.emitter.emit(Kind::StageStarted {
        stage: stage.clone(),
        index: 1,
        total: 1,
        hosts: book.hosts().into_iter().collect(),
    });
    for steps in book.steps.chunk_by(|step, _| step.beside) {
        locks.intact()?;
        together(run, book, steps).await?;
    }
    run.emitter.emit(Kind::StageFinished {
        stage,
        millis: millis(started),
    });
    Ok(())
}

/// Steps that begin at the same time; all of them end before anything is said of a failure.
async fn together<'a>(
    run: &'a Run<'_>,
    book: &'a Runbook,
    steps: &'a [Step],
) -> Result<(), EngineError> {
    if let Some(first) = steps.first().filter(|_| run.cancel.stops()) {
        return Err(EngineError::Interrupted(format!(
            "`{}` was not begun; run the same command again to go on",
            first.title
        )));
    }
    let doing = |step: &'a Step| async move {
        let id = ResourceId::new(format!("{}/{}", book.name, step.id));
        let prelude = &book.prelude;
        Doing {
            run,
            id,
            prelude,
            step,
        }
        .step()
        .await
    };
    let ended = futures_join(steps.iter().map(doing)).await;
    ended.into_iter().collect()
}

/// The hosts of all steps, and all hosts of a group that something is asked of.
fn locked(run: &Run<'_>, book: &Runbook) -> BTreeSet<HostName> {
    let mut hosts = book.hosts();
    for step in &book.steps {
        if let Work::Group(ask) = &step.work
            && let Some((_, group)) = run.model.group(&ask.cluster)
        {
            hosts.extend(group.members.iter().map(|member| member.host.clone()));
        }
    }
    hosts
}

/// Carries out one step that belongs to a resource of a plan; the caller holds the lock.
pub(super) async fn one(run: &Run<'_>, id: &ResourceId, step: &Step) -> Result<(), EngineError> {
    let doing = Doing {
        run,
        id: id.clone(),
        prelude: &BTreeMap::new(),
        step,
    };
    doing.step().await
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// One step under way.
struct Doing<'a> {
    run: &'a Run<'a>,
    id: ResourceId,
    prelude: &'a BTreeMap<HostName, Secret>,
    step: &'a Step,
}

impl Doing<'_> {
    async fn step(&self) -> Result<(), EngineError> {
        let work = async {
            match &self.step.work {
                Work::Hosts(scripts) => {
                    futures_join(
                        scripts
                            .iter()
                            .map(|(host, script)| self.told(host, self.script(host, script))),
                    )
                    .await
                }
                Work::Group(ask) => vec![self.told(&ask.host, self.ask(ask)).await],
            }
        };
        let ended = tokio::select! {
            ended = work => ended,
            () = self.run.cancel.reached(2) => return Err(EngineError::Interrupted(format!(
                "`{}` was abandoned in flight; run the same command again to go on", self.step.title
            ))),
        };
        ended
            .into_iter()
            .try_for_each(|(host, end)| self.judge(&host, end))
    }

    /// The events around a host's part.
    async fn told(&self, host: &HostName, work: impl Future<Output = End>) -> (HostName, End) {
        let started = Instant::now();
        self.run.emitter.emit(Kind::StepStarted {
            host: host.clone(),
            resource: self.id.clone(),
            title: self.step.title.clone(),
        });
        let end = work.await;
        let (outcome, output_tail) = match &end {
            End::Done => (StepOutcome::Done, Vec::new()),
            End::Skipped(reason) => (
                StepOutcome::Skipped {
                    reason: reason.clone(),
                },
                Vec::new(),
            ),
            End::Refused(reason) => (StepOutcome::Failed { code: 4 }, vec![reason.clone()]),
            End::Failed { code, tail } => (StepOutcome::Failed { code: *code }, tail.clone()),
        };
        self.run.emitter.emit(Kind::StepFinished {
            host: host.clone(),
            resource: self.id.clone(),
            title: self.step.title.clone(),
            outcome,
            millis: millis(started),
            output_tail,
        });
        (host.clone(), end)
    }

    fn judge(&self, host: &HostName, end: End) -> Result<(), EngineError> {
        let step = self.step.title.clone();
        match end {
            End::Done | End::Skipped(_) => Ok(()),
            _ if !self.step.must => Ok(()),
            End::Refused(detail) => Err(EngineError::Precondition {
                step,
                host: host.clone(),
                detail,
            }),
            End::Failed { tail, .. } => {
                let detail = tail
                    .last()
                    .cloned()
                    .unwrap_or_else(|| "it said nothing".to_owned());
                Err(EngineError::Step {
                    step,
                    host: host.clone(),
                    detail,
                })
            }
        }
    }

    async fn script(&self, host: &HostName, script: &Script) -> End {
        let Some(transport) = self.run.fleet.get(host) else {
            return End::Failed {
                code: -1,
                tail: vec![format!("{host} is not connected")],
            };
        };
        let functions = self.prelude.get(host);
        let text = attempt_program(
            &self.run.frame,
            &lock::guard(self.run),
            self.run.id.as_str(),
            functions,
            script,
            self.step.within,
        );
        let program = Program::of(text).within(self.step.within + MARGIN);
        let mut listener = StepOutput {
            run: self.run,
            host,
            step: self.step,
            since: Instant::now(),
            tail: Vec::new(),
            end: None,
        };
        match transport.run(&program, &mut listener).await {
            Err(error) => End::Failed {
                code: -1,
                tail: vec![chain(&error)],
            },
            Ok(exit) => listener.end.take().unwrap_or_else(|| End::Failed {
                code: -1,
                tail: vec![format!("the program ended early ({exit})")],
            }),
        }
    }

    async fn ask(&self, ask: &Ask) -> End {
        match self.asked(ask).await {
            Ok(end) => end,
            Err(words) => End::Failed {
                code: 1,
                tail: vec![explained(self.run, &ask.cluster, words).await],
            },
        }
    }

    async fn asked(&self, ask: &Ask) -> Result<End, String> {
        let (_, group) = self
            .run
            .model
            .group(&ask.cluster)
            .ok_or_else(|| format!("{} is not in the inventory", ask.cluster))?;
        let mut seen = group_look::by_ask(self.run, group, &ask.whom).await?;
        if ask.evidence {
            seen = copies::confirm(self.run, group, seen).await;
        }
        if !self.step.always && (ask.holds)(&seen).is_ok() {
            return Ok(End::Skipped("already done".to_owned()));
        }
        if let Err(why) = (ask.require)(&seen) {
            return Ok(End::Refused(why));
        }
        let name = match &ask.whom {
            Whom::Member(name) => name.clone(),
            Whom::Leader => seen
                .leader()
                .map(|leader| leader.name.clone())
                .ok_or_else(|| format!("{} has no leader", ask.cluster))?,
        };
        let member = group
            .members
            .iter()
            .find(|member| member.name == name)
            .ok_or_else(|| format!("{name} is not in the inventory"))?;
        let patroni = Patroni::of(self.run, member).ok_or("no credentials for Patroni")?;
        let answer = patroni
            .ask(ask.method, &ask.path, Some(ask.body.clone()))
            .await;
        // Patroni may stop waiting before it stops acting: the group's state has the last word.
        let words = answer.err().map(|error| chain(&error)).unwrap_or_default();
        if !words.is_empty() && !words.contains("status unknown") {
            return Err(words);
        }
        self.wait(ask, group).await
    }

    /// What is still missing, if anything. What Patroni says already holds is judged once more by what the servers say.
    async fn missing(&self, ask: &Ask, group: &Group) -> Result<(), String> {
        let seen = group_look::by_ask(self.run, group, &ask.whom).await?;
        (ask.holds)(&seen)?;
        match ask.evidence {
            true => (ask.holds)(&copies::confirm(self.run, group, seen).await),
            false => Ok(()),
        }
    }

    async fn wait(&self, ask: &Ask, group: &Group) -> Result<End, String> {
        let started = Instant::now();
        let mut said = String::new();
        loop {
            let Err(missing) = self.missing(ask, group).await else {
                return Ok(End::Done);
            };
            if started.elapsed() > self.step.within {
                return Err(format!(
                    "waited {} s: {missing}",
                    self.step.within.as_secs()
                ));
            }
            if missing != said {
                tell_waiting(self.run, self.step, &missing, started);
                said = missing;
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

fn tell_waiting(run: &Run<'_>, step: &Step, missing: &str, since: Instant) {
    run.emitter.emit(Kind::GateWaiting {
        gate: step.id.to_owned(),
        detail: missing.to_owned(),
        seconds: since.elapsed().as_secs(),
        deadline: step.within.as_secs(),
    });
}

/// Turns a step's output into events and its end.
struct StepOutput<'a> {
    run: &'a Run<'a>,
    host: &'a HostName,
    step: &'a Step,
    since: Instant,
    tail: Vec<String>,
    end: Option<End>,
}

impl StepOutput<'_> {
    fn attempt(&mut self, attempt: Attempt, stream: StreamKind) {
        match attempt {
            Attempt::Skipped => self.end = Some(End::Skipped("already done".to_owned())),
            Attempt::Refused => self.end = Some(End::Refused(self.tail.join(" "))),
            Attempt::Failed(code) => {
                self.end = Some(End::Failed {
                    code,
                    tail: std::mem::take(&mut self.tail),
                })
            }
            Attempt::Late => {
                let missing = self.tail.pop().unwrap_or_default();
                let words = format!("waited {} s: {missing}", self.step.within.as_secs());
                self.end = Some(End::Failed {
                    code: 1,
                    tail: vec![words],
                });
            }
            Attempt::Done => self.end = Some(End::Done),
            Attempt::Acting => self.tail.clear(),
            Attempt::Waiting => self.since = Instant::now(),
            Attempt::Still(missing) => {
                tell_waiting(
                    self.run,
                    self.step,
                    &format!("{}: {missing}", self.host),
                    self.since,
                );
            }
            Attempt::Text(text) => tail::tell(self.run, self.host, &mut self.tail, stream, &text),
        }
    }
}

impl OutputSink for StepOutput<'_> {
    fn line(&mut self, stream: StreamKind, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        self.attempt(Attempt::read(&self.run.frame, &line), stream);
    }
}
