//! `lab.json`: what was made, so that exactly that can be removed, also by another process after a crash.

use super::dirs::LabDirs;
use super::error::{At, LabError};
use super::process::Pid;
use super::spec::LabSpec;
use crate::names::HostName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One lab on disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub spec: LabSpec,
    /// Unique on this computer; part of every namespace's and link's name.
    pub tag: String,
    /// Layers below every host, topmost first.
    pub layers: Vec<PathBuf>,
    /// Directory of packages offered to hosts.
    pub debs: PathBuf,
    pub dir: PathBuf,
    pub pids: BTreeMap<HostName, Pid>,
}

impl Record {
    /// A tag of the lab's directory: short, because names of links have 15 characters.
    pub(super) fn tag_of(dir: &Path) -> String {
        let digest = ring::digest::digest(&ring::digest::SHA256, dir.to_string_lossy().as_bytes());
        digest.as_ref()[..3]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    pub(super) fn control_ns(&self) -> String {
        format!("lab{}", self.tag)
    }

    pub(super) fn host_ns(&self, index: usize) -> String {
        format!("lab{}-{index}", self.tag)
    }

    pub(super) fn veth(&self, index: usize) -> String {
        format!("l{}h{index}", self.tag)
    }

    pub(super) fn host_dir(&self, host: &HostName) -> PathBuf {
        self.dir.join("hosts").join(host.as_str())
    }

    pub(super) fn index(&self, host: &str) -> Result<usize, LabError> {
        let hosts = &self.spec.hosts;
        let found = hosts
            .iter()
            .position(|known| known.name.as_str() == host || known.hostname == host);
        found.ok_or_else(|| LabError::NoSuchHost {
            lab: self.spec.name.clone(),
            host: host.to_owned(),
            hosts: hosts.iter().map(|known| known.name.to_string()).collect(),
        })
    }

    pub(super) fn path(dir: &Path) -> PathBuf {
        dir.join("lab.json")
    }

    pub(super) fn load(dirs: &LabDirs, name: &str) -> Result<Self, LabError> {
        let path = Self::path(&dirs.lab(name));
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(LabError::NoSuchLab {
                    name: name.to_owned(),
                });
            }
            other => other.at(&path)?,
        };
        serde_json::from_str(&text).map_err(|source| LabError::Record { path, source })
    }

    pub(super) fn save(&self) -> Result<(), LabError> {
        let path = Self::path(&self.dir);
        let new = self.dir.join("lab.json.new");
        let text = serde_json::to_string_pretty(self).map_err(|source| LabError::Record {
            path: path.clone(),
            source,
        })?;
        std::fs::write(&new, text).at(&new)?;
        std::fs::rename(&new, &path).at(&path)
    }
}
