//! What a run is asked for, as plain values: the inventory, the part of it, how to get in, how much to show.

use super::failure::{Failure, code};
use crate::transport::HostKeyPolicy;
use std::path::PathBuf;

/// Options of all verbs.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub inventory: PathBuf,
    /// Pattern of hosts.
    pub limit: Option<String>,
    pub tags: Vec<String>,
    pub skip_tags: Vec<String>,
    /// Variables that are set for this run.
    pub extra: Vec<String>,
    /// Number of hosts in parallel.
    pub forks: usize,
    /// Whether results are JSON.
    pub json: bool,
    pub verbose: u8,
    pub quiet: bool,
    /// Whether consent is given already.
    pub yes: bool,
    /// Directory that overrides embedded files.
    pub catalog: Option<PathBuf>,
    pub vault_password_file: Vec<PathBuf>,
    pub vault_id: Vec<String>,
    pub connect: ConnectOptions,
}

/// How to get into hosts.
#[derive(Clone, Debug, Default)]
pub struct ConnectOptions {
    pub user: Option<String>,
    pub private_key: Option<PathBuf>,
    pub known_hosts: Option<PathBuf>,
    pub host_keys: Option<HostKeyPolicy>,
    pub ask_pass: bool,
    pub ask_become_pass: bool,
    /// In seconds.
    pub connect_timeout: u64,
}

impl Options {
    /// Refuses `-l`, `-t` and `--skip-tags` where there is no part to choose: `why`, and the way out.
    ///
    /// # Errors
    /// One of them was given.
    pub fn undivided(&self, why: &str, hint: &str) -> Result<(), Failure> {
        match self.limit.is_none() && self.tags.is_empty() && self.skip_tags.is_empty() {
            true => Ok(()),
            false => Err(Failure::new(code::USAGE, why).hint(hint)),
        }
    }

    /// For verbs whose one JSON result is all of stdout: their events go to the journal alone then.
    #[must_use]
    pub fn without_events(&self) -> Self {
        Self {
            json: false,
            quiet: self.quiet || self.json,
            ..self.clone()
        }
    }

    /// The same with these tags in place of those that were given.
    #[must_use]
    pub fn tagged(&self, tags: &[&str]) -> Self {
        Self {
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            ..self.clone()
        }
    }

    /// The same for hosts that may be gone: nobody waits longer for a connection than `seconds`.
    #[must_use]
    pub fn impatient(&self, seconds: u64) -> Self {
        let mut options = self.clone();
        options.connect.connect_timeout = options.connect.connect_timeout.min(seconds);
        options
    }
}
