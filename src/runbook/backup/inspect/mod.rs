//! What is known of backups beyond what a repository says of itself: `backup check` and `backup verify`.
//!
//! Both answer in findings of four kinds; what could not be asked is a kind of its own and never fine.

mod check;
mod gaps;
#[cfg(test)]
mod tests;
mod verify;

pub use check::{check_programs, read_check};
pub(super) use gaps::{Segment, segment};
pub use verify::{read_verify, verify_programs};

use serde::Serialize;

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    Holds,
    Fails,
    /// It could not be asked.
    Unknown,
    /// It does not concern this group.
    Skipped,
}

impl Proof {
    /// The word in a table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Holds => "ok",
            Self::Fails => "FAILED",
            Self::Unknown => "unknown",
            Self::Skipped => "skipped",
        }
    }
}

/// One sentence and how it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub cluster: String,
    /// What was looked at: `identity`, `archive`, ...
    pub what: &'static str,
    pub proof: Proof,
    pub words: String,
}

impl Finding {
    /// A sentence of a group or a formation.
    pub fn new(cluster: &str, what: &'static str, proof: Proof, words: impl Into<String>) -> Self {
        let words = words.into();
        // The group stands before it already.
        let bare = words
            .strip_prefix(cluster)
            .and_then(|rest| rest.strip_prefix(": "));
        Self {
            cluster: cluster.to_owned(),
            what,
            proof,
            words: bare.map(str::to_owned).unwrap_or(words),
        }
    }
}

/// Everything that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// Whether something was proved, and nothing failed or is unknown.
    pub ok: bool,
    pub findings: Vec<Finding>,
}

impl Findings {
    /// Judges them together.
    pub fn of(findings: Vec<Finding>) -> Self {
        let ill = |found: &Finding| matches!(found.proof, Proof::Fails | Proof::Unknown);
        let holds = findings.iter().any(|found| found.proof == Proof::Holds);
        Self {
            ok: holds && !findings.iter().any(ill),
            findings,
        }
    }
}
