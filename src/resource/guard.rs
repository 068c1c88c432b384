//! Guards: things that must not be in the way. They change nothing; they refuse the run.

use super::{Kind, Verdict, digest_of};
use crate::fact::{Observed, Probe};
use serde::Deserialize;

/// `no_foreign_path: {path, unless, what, hint}`: refuses when `path` exists and `unless` does not.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoForeignPath {
    pub path: String,
    /// A path that proves that `path` is ours.
    pub unless: String,
    /// What it would be, for the message.
    pub what: String,
    pub hint: String,
}

impl Kind for NoForeignPath {
    fn probes(&self) -> Vec<Probe> {
        vec![
            Probe::Path(self.path.clone()),
            Probe::Path(self.unless.clone()),
        ]
    }

    fn diff(&self, seen: &Observed) -> Verdict {
        if !seen.paths.contains_key(&self.path) || seen.paths.contains_key(&self.unless) {
            return Verdict::same("nothing foreign is in the way");
        }
        Verdict::Refused {
            reason: format!(
                "`{}` is there and citusctl did not make it: {}",
                self.path, self.what
            ),
            hint: self.hint.clone(),
        }
    }

    fn digest(&self) -> String {
        digest_of(&[&self.path])
    }
}

/// `free_space: {mb, unless, hint}`: refuses when the file system that will hold the data has less room.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FreeSpace {
    /// MiB that must be free.
    pub mb: u64,
    /// A path that proves that the data is there already; then nothing is refused.
    pub unless: String,
    pub hint: String,
}

impl Kind for FreeSpace {
    fn probes(&self) -> Vec<Probe> {
        vec![Probe::Path(self.unless.clone())]
    }

    fn diff(&self, seen: &Observed) -> Verdict {
        let free = seen.traits.disk_free_mb;
        if free >= self.mb || seen.paths.contains_key(&self.unless) {
            return Verdict::same("there is room");
        }
        Verdict::Refused {
            reason: format!(
                "only {free} MiB are free where the data goes, not {}",
                self.mb
            ),
            hint: self.hint.clone(),
        }
    }

    fn digest(&self) -> String {
        digest_of(&[&self.mb.to_string()])
    }
}

/// `free_port: {port, processes}`: refuses when a process of another name listens there.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FreePort {
    pub port: u16,
    /// Names of the processes that may listen there, as `ss -p` shows them.
    pub processes: Vec<String>,
    /// What the port is for, for the message.
    pub what: String,
}

impl Kind for FreePort {
    fn probes(&self) -> Vec<Probe> {
        Vec::new()
    }

    fn diff(&self, seen: &Observed) -> Verdict {
        let stranger = seen
            .listeners
            .iter()
            .filter(|listener| listener.port == self.port)
            .find_map(|listener| {
                let process = listener.process.as_ref()?;
                (!self.processes.contains(process)).then_some(process)
            });
        stranger.map_or_else(
            || Verdict::same("the port is free or ours"),
            |process| Verdict::Refused {
                reason: format!(
                    "port {} ({}) is in use by `{process}`",
                    self.port, self.what
                ),
                hint: format!("stop `{process}` there or choose another port in the inventory"),
            },
        )
    }

    fn digest(&self) -> String {
        digest_of(&[&self.port.to_string()])
    }
}
