//! Why a run stopped.

use crate::names::{FormationName, HostName, StageName};
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
    #[error("{host}: {what} is locked by {holder}")]
    Locked {
        host: HostName,
        /// The host, or a formation.
        what: String,
        holder: String,
    },
    #[error(
        "formation `{formation}`: none of the hosts that keep its lock can be reached ({}): another run may be at work on it",
        hosts.join(", ")
    )]
    NoKeeper {
        formation: FormationName,
        hosts: Vec<String>,
    },
    #[error("formation `{formation}`: its lock is lost ({why}): another run may have begun")]
    LockLost {
        formation: FormationName,
        why: String,
    },
    #[error("stage `{stage}`: {detail}")]
    Gate { stage: StageName, detail: String },
    #[error("stage `{stage}` failed on {}", hosts.join(", "))]
    Stage {
        stage: StageName,
        hosts: Vec<String>,
    },
    #[error("stage `{stage}` would now do what the plan did not show: {what}")]
    Unseen { stage: StageName, what: String },
    #[error("changed since the plan was shown: {0}; nothing was touched")]
    Changed(String),
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
