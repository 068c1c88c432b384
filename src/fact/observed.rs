//! The answers.

use super::{KeptFiles, Traits};
use std::collections::BTreeMap;

/// What was seen on one host in one look.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    pub traits: Traits,
    /// Paths that exist. A path that was asked for and is not here is absent.
    pub paths: BTreeMap<String, PathState>,
    /// Installed packages and their versions.
    pub packages: BTreeMap<String, String>,
    pub units: BTreeMap<String, UnitState>,
    pub users: BTreeMap<String, UserState>,
    /// What each unit was last started or reloaded with.
    pub stamps: BTreeMap<String, Stamp>,
    /// Paths that an earlier run wrote here.
    pub manifest: Vec<String>,
    /// The note of a recover that is not closed, as it is on the host.
    pub emergency: Option<String>,
    /// A restore that is not done, as it is noted on the host.
    pub restoring: Option<super::OpenRestore>,
    /// What the host keeps of what it is.
    pub kept: KeptFiles,
    /// TCP ports that somebody listens on.
    pub listeners: Vec<Listener>,
    /// Answers to [`super::Probe::Script`] and [`super::Probe::Sql`], by name.
    pub scripts: BTreeMap<String, String>,
    /// Contents of files that differ, fetched in a second look.
    pub contents: BTreeMap<String, Vec<u8>>,
}

/// What a path is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathKind {
    /// A regular file and its SHA-256 in hexadecimal digits.
    File {
        sha256: String,
    },
    Directory,
    /// A symbolic link and where it points to.
    Link {
        to: String,
    },
    Other(String),
}

/// A path that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathState {
    pub kind: PathKind,
    /// Permission bits, octal without a leading zero, as `stat` prints them.
    pub mode: String,
    pub owner: String,
    pub group: String,
    /// Bytes.
    pub size: u64,
}

/// A systemd unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitState {
    /// Whether systemd knows such a unit.
    pub loaded: bool,
    pub masked: bool,
    pub active: bool,
    /// As systemd says: `active`, `failed`, `inactive`, ...
    pub active_state: String,
    pub enabled: bool,
    /// Files that it is read from: its own first, then those beside it (`NAME.service.d`).
    pub files: Vec<String>,
}

impl UnitState {
    /// Files of an administrator's that change it: those below /etc and /run that no manifest names and that do not bear our name.
    /// What packages bring lies elsewhere.
    pub fn foreign_files<'s>(&'s self, manifest: &'s [String]) -> impl Iterator<Item = &'s str> {
        let named = |path: &str| {
            let of_line = |line: &String| line.split_once(' ').is_some_and(|(_, p)| p == path);
            path.contains("citusctl") || manifest.iter().any(of_line)
        };
        let files = self.files.iter().map(String::as_str);
        files.filter(move |path| {
            (path.starts_with("/etc/") || path.starts_with("/run/")) && !named(path)
        })
    }
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserState {
    pub uid: u32,
    pub gid: u32,
    pub home: String,
    pub shell: String,
}

/// Digests of a unit's inputs when it was last started (`restart`) or reloaded (`reload`), by resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    pub restart: BTreeMap<String, String>,
    pub reload: BTreeMap<String, String>,
}

impl Observed {
    /// Whether some unit was started or reloaded with the resource.
    pub fn is_stamped(&self, resource: &str) -> bool {
        let has = |stamp: &Stamp| {
            stamp.restart.contains_key(resource) || stamp.reload.contains_key(resource)
        };
        self.stamps.values().any(has)
    }

    /// As if no unit had been started or reloaded with the resource.
    pub fn forget(&mut self, resource: &str) {
        for stamp in self.stamps.values_mut() {
            stamp.restart.remove(resource);
            stamp.reload.remove(resource);
        }
    }
}

/// A listening TCP socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    pub port: u16,
    /// Name of the process, if it could be seen.
    pub process: Option<String>,
    /// Its working directory: a server's of PostgreSQL is its data directory.
    pub directory: Option<String>,
    /// Its command line, with a blank between arguments.
    pub command: Option<String>,
}
