//! Why a run stopped.

use crate::names::{HostName, StageName};
use crate::plan::Refusal;
use crate::transport::TransportError;

/// Why a run stopped, told apart by exit code.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("no host could be reached")]
    AllUnreachable,
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error("{host}: {source}")]
    Answer {
        host: HostName,
        #[source]
        source: crate::fact::ParseError,
    },
    #[error("something that must not be touched is in the way")]
    Refused(Vec<Refusal>),
    #[error("{host} is locked by {holder}")]
    Locked { host: HostName, holder: String },
    #[error("stage `{stage}`: {detail}")]
    Gate { stage: StageName, detail: String },
    #[error("stage `{stage}` failed on {}", hosts.join(", "))]
    Stage {
        stage: StageName,
        hosts: Vec<String>,
    },
    #[error("stage `{stage}` would now do what the plan did not show: {what}")]
    Unseen { stage: StageName, what: String },
    #[error("{cluster}: {detail}")]
    Group { cluster: String, detail: String },
    #[error("{host}: `{step}` failed: {detail}")]
    Step {
        step: String,
        host: HostName,
        detail: String,
    },
    #[error("{host}: `{step}` must not be done now: {detail}")]
    Precondition {
        step: String,
        host: HostName,
        detail: String,
    },
    #[error("interrupted; {0}")]
    Interrupted(String),
    #[error("what was found on the hosts does not compile: {0}")]
    Recompile(String),
}
