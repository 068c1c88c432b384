//! The events of a run and their written form (schema 1).

use super::Moment;
use crate::names::{HostName, ResourceId, RunId, StageName};
use serde::{Deserialize, Serialize};

/// The number of the written form. It changes when a reader of the old form would be misled.
pub const SCHEMA: u32 = 1;

/// One thing that happened, as one line of NDJSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// [`SCHEMA`] of the writer.
    pub schema: u32,
    /// From 1, without gaps within a run.
    pub seq: u64,
    pub at: Moment,
    pub run: RunId,
    #[serde(rename = "event")]
    pub kind: Kind,
}

/// What happened. Every run starts with `RunStarted` and ends with exactly one `RunFinished`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// The run begins; what is planned is known when the verb executes a plan.
    RunStarted {
        verb: String,
        inventory: String,
        hosts: Vec<HostName>,
        stages: Vec<StageOutlook>,
    },
    /// The connection to a host stands.
    HostConnected { host: HostName, millis: u64 },
    /// No connection; the host takes no further part.
    HostUnreachable {
        host: HostName,
        error: String,
        hints: Vec<String>,
    },
    /// The probes of a host are answered; `resources` were looked at.
    Observed {
        host: HostName,
        millis: u64,
        resources: u32,
    },
    /// A stage begins on these hosts; `index` counts from 1.
    StageStarted {
        stage: StageName,
        index: u32,
        total: u32,
        hosts: Vec<HostName>,
    },
    /// A step begins on a host.
    StepStarted {
        host: HostName,
        resource: ResourceId,
        title: String,
    },
    /// A step ended on a host; `output_tail` is what it said last.
    StepFinished {
        host: HostName,
        resource: ResourceId,
        title: String,
        outcome: StepOutcome,
        millis: u64,
        output_tail: Vec<String>,
    },
    /// A host printed a line. May be dropped when there are too many.
    Output {
        host: HostName,
        stream: OutputStream,
        line: String,
    },
    /// A gate is still closed, after `seconds` of at most `deadline` seconds.
    GateWaiting {
        gate: String,
        detail: String,
        seconds: u64,
        deadline: u64,
    },
    /// A gate opened.
    GatePassed {
        gate: String,
        detail: String,
        millis: u64,
    },
    /// A gate stayed closed beyond its deadline; `log` is what the machines say about it.
    GateFailed {
        gate: String,
        detail: String,
        log: Vec<String>,
    },
    /// A host dropped out; `log` is its last output.
    HostFailed {
        host: HostName,
        error: String,
        log: Vec<String>,
        hints: Vec<String>,
    },
    /// All hosts are through with a stage, or dropped out of it.
    StageFinished { stage: StageName, millis: u64 },
    /// Something a person wants to know.
    Note { text: String },
    /// The operator or a signal stopped the run; `what` was in flight.
    Interrupted { what: String },
    /// The end, with the numbers of the summary.
    RunFinished {
        outcome: Outcome,
        exit_code: u8,
        hosts: Vec<HostTotals>,
        millis: u64,
    },
}

/// A stage as planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageOutlook {
    pub name: StageName,
    /// On how many hosts it changes something.
    pub hosts: u32,
    /// Steps planned over all hosts.
    pub changes: u32,
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum StepOutcome {
    /// It did what it says.
    Done,
    /// It was not needed or not possible, and that is no failure.
    Skipped { reason: String },
    /// It exited with this status (128 + number for a signal).
    Failed { code: i32 },
}

/// Which of a program's outputs a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputStream {
    Out,
    Err,
}

/// How a run ended. The exit codes are the public ones of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done, or there was nothing to do.
    Done,
    /// Changes are pending, and the caller asked to be told so.
    Pending,
    /// The program itself is at fault, or ill health was found.
    Internal,
    /// The command line names what is not there.
    Usage,
    /// A file or a value cannot be used.
    Input,
    /// A lint or a safeguard refused.
    Refused,
    /// A host could not be reached or did not let us in.
    Unreachable,
    /// Something failed on a host.
    Failed,
    /// Declined or interrupted.
    Interrupted,
    /// Another run holds the lock.
    Locked,
}

impl Outcome {
    /// The exit code of the program.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Internal => 1,
            Self::Usage => 2,
            Self::Input => 3,
            Self::Refused => 4,
            Self::Unreachable => 5,
            Self::Failed => 6,
            Self::Interrupted => 7,
            Self::Locked => 8,
            Self::Pending => 10,
        }
    }

    /// One word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Pending => "changes pending",
            Self::Internal => "internal error",
            Self::Usage => "usage",
            Self::Input => "bad input",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Locked => "locked",
        }
    }
}

/// The numbers of one host in the summary. `ok`, `changed`, `failed`, `skipped` count resources.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostTotals {
    pub host: HostName,
    pub ok: u32,
    pub changed: u32,
    pub failed: u32,
    pub unreachable: bool,
    pub skipped: u32,
    /// From the first to the last that was heard of the host.
    pub seconds: f64,
    #[serde(flatten)]
    pub traffic: Traffic,
}

/// What talking to one host took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Traffic {
    /// Connections opened, retries included.
    pub connections: u32,
    /// Programs run, one round trip each.
    pub execs: u32,
    /// Channels to services of the host (Patroni, etcd, PostgreSQL).
    pub tunnels: u32,
    /// Payload bytes received.
    pub bytes_in: u64,
    /// Payload bytes sent.
    pub bytes_out: u64,
}
