//! What a restore in a lab found: whether the backup leads back, how long it takes, how much it lacks.

use serde::Serialize;

/// One rehearsal.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RehearsalReport {
    pub drill: String,
    pub run: String,
    pub formation: String,
    pub lab: String,
    pub point: String,
    /// Where the point is, in seconds since 1970.
    pub point_at: i64,
    /// How old the point was when the drill began: what is written since then would be lost.
    pub rpo_seconds: i64,
    /// From empty machines to the first group that takes writes again; `None`: it never did.
    pub rto_seconds: Option<f64>,
    pub backups: Vec<RehearsedBackup>,
    pub steps: Vec<RehearsedStep>,
    /// A sentence for each thing that was looked at, with `holds`, `fails`, `unknown` or `skipped`.
    pub proofs: Vec<RehearsedProof>,
    /// Whether everything was proved.
    pub ok: bool,
    /// What stopped it, one sentence each.
    pub problems: Vec<String>,
    pub seconds: f64,
}

/// A backup that was restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RehearsedBackup {
    pub cluster: String,
    pub label: String,
    pub from: String,
    /// Bytes of the database.
    pub size: u64,
}

/// A step with its time, in seconds since the drill began.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RehearsedStep {
    pub title: String,
    pub at: f64,
    pub took: f64,
}

/// What was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RehearsedProof {
    pub of: String,
    pub what: String,
    pub proof: String,
    pub words: String,
}
