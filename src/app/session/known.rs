//! What is known of hosts, from this run and earlier ones: hosts outside of `-l` shape the plan of their group, too.

use super::super::failure::{Failure, chain, code};
use super::super::project::Project;
use crate::fact::Traits;
use crate::names::HostName;
use crate::plan::Seen;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Immutable traits and installed versions that a plan depends on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Known {
    pub traits: BTreeMap<HostName, Traits>,
    /// Version of Patroni's package.
    pub patroni: BTreeMap<HostName, String>,
}

impl Known {
    /// What earlier runs saw. A file that cannot be read is as good as none: the hosts tell again.
    pub fn load(project: &Project) -> Self {
        let text = std::fs::read_to_string(path(project)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// This and what was seen now.
    pub fn with(&self, seen: &Seen) -> Self {
        let mut known = self.clone();
        for (host, observed) in &seen.hosts {
            known.traits.insert(host.clone(), stable(&observed.traits));
            if let Some(version) = observed.packages.get("patroni") {
                known.patroni.insert(host.clone(), version.clone());
            }
        }
        known
    }

    /// Keeps it for later runs.
    pub fn save(&self, project: &Project) -> Result<(), Failure> {
        let internal = |error: String| Failure::new(code::INTERNAL, error);
        let text =
            serde_json::to_string_pretty(self).map_err(|error| internal(error.to_string()))?;
        fs_err::create_dir_all(&project.state_dir)
            .and_then(|()| fs_err::write(path(project), text))
            .map_err(|error| internal(chain(&error)))
    }
}

fn path(project: &Project) -> PathBuf {
    project.state_dir.join("known.json")
}

/// Without what changes by itself.
fn stable(traits: &Traits) -> Traits {
    Traits {
        clock: 0.0,
        disk_free_mb: 0,
        ..traits.clone()
    }
}
