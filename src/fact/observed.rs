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
#[derive(Clone, Debug, PartialEq)]
pub struct PathState {
    pub kind: PathKind,
    /// Permission bits, octal without a leading zero, as `stat` prints them.
    pub mode: String,
    pub owner: String,
    pub group: String,
    /// Bytes.
    pub size: u64,
    /// When it or what is known of it was changed last (`ctime`), in seconds since 1970. Nobody can set it back.
    pub changed: Option<f64>,
}

/// A systemd unit.
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// When its main process was started, in seconds since 1970.
    pub started: Option<f64>,
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
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stamp {
    pub restart: BTreeMap<String, String>,
    pub reload: BTreeMap<String, String>,
    /// When it was, in seconds since 1970, by word and resource (`reload haproxy/cfg`).
    pub at: BTreeMap<String, f64>,
}

/// Stands in a stamp for the digest of an input whose file was changed after it was read: what was read may have been
/// something else, whatever is there now.
pub const CHANGED_SINCE: &str = "changed-since";

impl Observed {
    /// Whether some unit was started or reloaded with the resource.
    pub fn is_stamped(&self, resource: &str) -> bool {
        let has = |stamp: &Stamp| {
            stamp.restart.contains_key(resource) || stamp.reload.contains_key(resource)
        };
        self.stamps.values().any(has)
    }

    /// Whether some unit may have read something else in the place of the resource.
    pub fn is_changed_since(&self, resource: &str) -> bool {
        let marked = |digests: &BTreeMap<String, String>| {
            let digest = digests.get(resource);
            digest.is_some_and(|digest| digest == CHANGED_SINCE)
        };
        let mut stamps = self.stamps.values();
        stamps.any(|stamp| marked(&stamp.restart) || marked(&stamp.reload))
    }

    /// Takes back what stamps say of files that were changed after they were read, or before the start that read them: whoever
    /// edits, reloads and puts the file back leaves a process that runs with something else.
    pub(super) fn distrust(&mut self) {
        for line in &self.manifest {
            let Some((id, path)) = line.split_once(' ') else {
                continue;
            };
            let Some(changed) = self.paths.get(path).and_then(|state| state.changed) else {
                continue;
            };
            for (unit, stamp) in &mut self.stamps {
                let started = self.units.get(unit).and_then(|unit| unit.started);
                stamp.distrust(id, changed, started);
            }
        }
    }

    /// As if no unit had been started or reloaded with the resource.
    pub fn forget(&mut self, resource: &str) {
        for stamp in self.stamps.values_mut() {
            stamp.restart.remove(resource);
            stamp.reload.remove(resource);
        }
    }
}

impl Stamp {
    /// `changed`: when the file of the input was changed last; `started`: when the unit's process began, where it has one.
    fn distrust(&mut self, id: &str, changed: f64, started: Option<f64>) {
        let after = |at: Option<&f64>| at.is_some_and(|at| changed > *at);
        let (reload, restart) = (format!("reload {id}"), format!("restart {id}"));
        if after(self.at.get(&reload))
            && let Some(digest) = self.reload.get_mut(id)
        {
            CHANGED_SINCE.clone_into(digest);
        }
        let at = self.at.get(&restart);
        // A process that has not been started since runs with what was stamped.
        let read = match (started, at) {
            (Some(started), Some(at)) => started > *at && changed > started + CLOCK_GRAIN,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        if read
            && after(at)
            && let Some(digest) = self.restart.get_mut(id)
        {
            CHANGED_SINCE.clone_into(digest);
        }
    }
}

/// How far the start of a process, reckoned from the time since the boot, may be off (seconds).
const CLOCK_GRAIN: f64 = 0.005;

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

#[cfg(test)]
mod tests {
    use super::*;

    /// The digests of `c`, stamped at 100, of a file that was changed at `changed`; its process began at `started`.
    fn digests(changed: f64, started: f64) -> (String, String) {
        let word = |word: &str| (format!("{word} r/c"), 100.0);
        let stamp = Stamp {
            restart: [("r/c".to_owned(), "d".to_owned())].into(),
            reload: [("r/c".to_owned(), "d".to_owned())].into(),
            at: [word("restart"), word("reload")].into(),
        };
        let state = PathState {
            kind: PathKind::Directory,
            mode: "755".to_owned(),
            owner: "root".to_owned(),
            group: "root".to_owned(),
            size: 0,
            changed: Some(changed),
        };
        let unit = UnitState {
            started: Some(started),
            ..UnitState::default()
        };
        let mut seen = Observed {
            stamps: [("u".to_owned(), stamp)].into(),
            paths: [("/c".to_owned(), state)].into(),
            units: [("u".to_owned(), unit)].into(),
            manifest: vec!["r/c /c".to_owned()],
            ..Observed::default()
        };
        seen.distrust();
        assert_eq!(seen.is_changed_since("r/c"), changed > 100.0);
        let stamp = seen.stamps.remove("u").expect("the stamp");
        (stamp.restart["r/c"].clone(), stamp.reload["r/c"].clone())
    }

    #[test]
    fn a_file_that_was_changed_after_it_was_read_is_read_again() {
        let (restart, reload) = digests(90.0, 80.0);
        assert_eq!((restart.as_str(), reload.as_str()), ("d", "d"));
        // A reload since is not seen; a start is, and there was none.
        let (restart, reload) = digests(120.0, 80.0);
        assert_eq!((restart.as_str(), reload.as_str()), ("d", CHANGED_SINCE));
        // It was put back after the start that read it; before that, what is there was read.
        assert_eq!(digests(120.0, 110.0).0, CHANGED_SINCE);
        assert_eq!(digests(120.0, 130.0).0, "d");
    }
}
