//! Guards: things that must not be in the way. They change nothing; they refuse the run.

use super::{ResourceKind, Verdict, digest_of};
use crate::command::quote;
use crate::fact::{Listener, Observed, Probe};
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
    /// Whether it is to be taken over; then it is looked at and not refused.
    #[serde(default)]
    pub adopt: bool,
}

impl ResourceKind for NoForeignPath {
    fn probes(&self) -> Vec<Probe> {
        vec![
            Probe::Path(self.path.clone()),
            Probe::Path(self.unless.clone()),
        ]
    }

    fn diff(&self, seen: &Observed) -> Verdict {
        let there = seen.paths.contains_key(&self.path) && !self.adopt;
        if !there || seen.paths.contains_key(&self.unless) {
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

impl ResourceKind for FreeSpace {
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

/// `free_port: {port, processes, data, config}`: refuses when anything but our own process listens there.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FreePort {
    pub port: u16,
    /// Names of the processes that may listen there, as `ss -p` shows them.
    pub processes: Vec<String>,
    /// What the port is for, for the message.
    pub what: String,
    /// The directory that our process runs in, which proves that it is ours; links in it are followed. Empty: none is asked for.
    #[serde(default)]
    pub data: String,
    /// What the command line of our process names, one of these. Empty: none is asked for.
    #[serde(default)]
    pub config: Vec<String>,
}

impl FreePort {
    fn real(&self) -> String {
        format!("real:{}", self.data)
    }

    /// Why a listener is not ours.
    fn stranger(&self, listener: &Listener, seen: &Observed) -> Option<String> {
        let Some(process) = &listener.process else {
            return Some("a process that cannot be seen".to_owned());
        };
        if !self.processes.contains(process) {
            return Some(format!("`{process}`"));
        }
        // What has ended since, listens no more.
        let real = seen
            .scripts
            .get(&self.real())
            .map_or("", |text| text.trim());
        let elsewhere = listener.directory.as_deref();
        let elsewhere = elsewhere.filter(|at| !self.data.is_empty() && *at != real);
        let command = listener.command.as_deref();
        let names = |command: &str| {
            self.config
                .iter()
                .any(|path| command.contains(path.as_str()))
        };
        let other = command.filter(|command| !self.config.is_empty() && !names(command));
        elsewhere
            .map(|at| format!("a `{process}` that is not ours, in {at}"))
            .or_else(|| other.map(|as_said| format!("a `{process}` that is not ours: `{as_said}`")))
    }
}

impl ResourceKind for FreePort {
    fn probes(&self) -> Vec<Probe> {
        if self.data.is_empty() {
            return Vec::new();
        }
        let text = format!("cd -P {} 2>/dev/null && pwd || :", quote(&self.data));
        let name = self.real();
        vec![Probe::Script { name, text }]
    }

    fn diff(&self, seen: &Observed) -> Verdict {
        let there = seen.listeners.iter().filter(|at| at.port == self.port);
        let stranger = there.filter_map(|at| self.stranger(at, seen)).next();
        stranger.map_or_else(
            || Verdict::same("the port is free or ours"),
            |who| Verdict::Refused {
                reason: format!("port {} ({}) is in use by {who}", self.port, self.what),
                hint: "stop it there, or choose another port in the inventory".to_owned(),
            },
        )
    }

    fn digest(&self) -> String {
        digest_of(&[&self.port.to_string()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(
        guard: &FreePort,
        process: Option<&str>,
        directory: &str,
        command: &str,
    ) -> Option<String> {
        let listener = Listener {
            port: 5432,
            process: process.map(str::to_owned),
            directory: Some(directory.to_owned()),
            command: Some(command.to_owned()),
        };
        let seen = Observed {
            listeners: vec![listener],
            scripts: [(
                "real:/pg/data".to_owned(),
                "/data/postgres/x/data\n".to_owned(),
            )]
            .into(),
            ..Observed::default()
        };
        match guard.diff(&seen) {
            Verdict::Refused { reason, .. } => Some(reason),
            Verdict::Same(_) | Verdict::Differs(_) => None,
        }
    }

    #[test]
    fn a_port_is_ours_by_the_process_behind_it() {
        let guard = FreePort {
            port: 5432,
            processes: vec!["postgres".to_owned()],
            what: "PostgreSQL".to_owned(),
            data: "/pg/data".to_owned(),
            config: Vec::new(),
        };
        let ours = said(
            &guard,
            Some("postgres"),
            "/data/postgres/x/data",
            "postgres -D /pg/data",
        );
        assert_eq!(ours, None);
        let other = said(
            &guard,
            Some("postgres"),
            "/var/lib/postgresql/17/main",
            "postgres",
        );
        assert_eq!(
            other.as_deref(),
            Some(
                "port 5432 (PostgreSQL) is in use by a `postgres` that is not ours, in /var/lib/postgresql/17/main"
            )
        );
        assert!(said(&guard, Some("nc"), "/", "nc -l").is_some());
        assert!(said(&guard, None, "/", "").is_some());
    }

    #[test]
    fn a_port_is_ours_by_the_configuration_on_the_command_line() {
        let guard = FreePort {
            port: 5432,
            processes: vec!["haproxy".to_owned()],
            what: "service x".to_owned(),
            data: String::new(),
            config: vec!["/etc/haproxy/haproxy.cfg".to_owned()],
        };
        let with = |command: &str| said(&guard, Some("haproxy"), "/", command);
        assert_eq!(with("haproxy -Ws -f /etc/haproxy/haproxy.cfg"), None);
        let other = with("haproxy -f /srv/other.cfg");
        assert_eq!(
            other.as_deref(),
            Some(
                "port 5432 (service x) is in use by a `haproxy` that is not ours: `haproxy -f /srv/other.cfg`"
            )
        );
    }
}
