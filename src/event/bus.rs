//! One writer: numbers events, stamps them, masks secrets, folds the report, tells all sinks.

use super::kind::SCHEMA;
use super::{Event, Kind, Moment, Outcome, Report, Traffic, mask};
use crate::names::{HostName, RunId};
use crate::secret::{Masker, Secret};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why a sink can take no more. It is then left out, and the run goes on.
#[derive(Debug, thiserror::Error)]
#[error("{what} cannot be written any further")]
pub struct SinkError {
    /// The sink, as in "the journal `x.ndjson`".
    pub what: String,
    #[source]
    pub source: std::io::Error,
}

/// Somebody who listens to a run.
pub trait Sink: Send {
    /// One event, in order.
    fn event(&mut self, event: &Event) -> Result<(), SinkError>;
    /// No more will come.
    fn finish(&mut self) -> Result<(), SinkError>;
    /// Something else is about to write to the same terminal: what redraws itself steps aside until the next event.
    fn pause(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Tells the time; handed in so that tests have none.
pub type Clock = Box<dyn Fn() -> Moment + Send>;

/// The one writer of a run's events; clones share it.
#[derive(Clone)]
pub struct Emitter(Arc<Mutex<Bus>>);

struct Bus {
    run: RunId,
    clock: Clock,
    masker: Masker,
    sinks: Vec<Box<dyn Sink>>,
    errors: Vec<SinkError>,
    seq: u64,
    report: Report,
}

/// What is left when a run is over.
#[derive(Debug)]
pub struct Finished {
    pub report: Report,
    /// Sinks that gave up on the way: to be shown as warnings.
    pub errors: Vec<SinkError>,
}

impl Emitter {
    /// A writer for one run.
    pub fn new(run: RunId, clock: Clock, masker: Masker, sinks: Vec<Box<dyn Sink>>) -> Self {
        Self(Arc::new(Mutex::new(Bus {
            run,
            clock,
            masker,
            sinks,
            errors: Vec::new(),
            seq: 0,
            report: Report::default(),
        })))
    }

    /// Something happened. After `RunFinished` nothing is heard any more.
    pub fn emit(&self, kind: Kind) {
        self.lock().emit(kind);
    }

    /// Lets a result or a question have the terminal to itself, until the next event.
    pub fn pause(&self) {
        self.lock().tell(|sink| sink.pause());
    }

    /// One more secret to be masked from now on.
    pub fn hide(&self, secret: Secret) {
        self.lock().masker.add(secret);
    }

    /// The report so far.
    pub fn report(&self) -> Report {
        self.lock().report.clone()
    }

    /// The run this writes for.
    pub fn run(&self) -> RunId {
        self.lock().run.clone()
    }

    /// Ends the run as its events say.
    pub fn finish(&self, traffic: &BTreeMap<HostName, Traffic>) -> Finished {
        self.lock().finish(None, traffic)
    }

    /// Ends the run with an outcome that no event shows (locked, refused, pending).
    pub fn finish_as(&self, outcome: Outcome, traffic: &BTreeMap<HostName, Traffic>) -> Finished {
        self.lock().finish(Some(outcome), traffic)
    }

    /// A sink that panicked has not harmed the bus: the events before it are whole.
    fn lock(&self) -> MutexGuard<'_, Bus> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Emitter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bus = self.lock();
        write!(f, "Emitter({}, {} events)", bus.run, bus.seq)
    }
}

impl Bus {
    fn emit(&mut self, kind: Kind) {
        if self.report.finished.is_some() {
            return;
        }
        self.seq += 1;
        let event = Event {
            schema: SCHEMA,
            seq: self.seq,
            at: (self.clock)(),
            run: self.run.clone(),
            kind: mask::masked(kind, &self.masker),
        };
        self.report.add(&event);
        self.tell(|sink| sink.event(&event));
    }

    fn tell(&mut self, mut say: impl FnMut(&mut dyn Sink) -> Result<(), SinkError>) {
        let errors = &mut self.errors;
        self.sinks.retain_mut(|sink| match say(sink.as_mut()) {
            Ok(()) => true,
            Err(error) => {
                errors.push(error);
                false
            }
        });
    }

    fn finish(&mut self, as_: Option<Outcome>, traffic: &BTreeMap<HostName, Traffic>) -> Finished {
        let outcome = as_.unwrap_or_else(|| self.report.outcome());
        let now = (self.clock)();
        let started = self.report.started.unwrap_or(now);
        let millis = u64::try_from(now.since(started).as_millis()).unwrap_or(u64::MAX);
        self.emit(Kind::RunFinished {
            outcome,
            exit_code: outcome.exit_code(),
            hosts: self.report.totals(traffic),
            millis,
        });
        self.tell(|sink| sink.finish());
        self.sinks.clear();
        Finished {
            report: self.report.clone(),
            errors: std::mem::take(&mut self.errors),
        }
    }
}
