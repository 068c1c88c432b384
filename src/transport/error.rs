//! What can go wrong between this machine and a host, told apart far enough to say what to do next.

use crate::names::HostName;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A line of a `known_hosts` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLine {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
}

impl fmt::Display for FileLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// Why the key that a host showed is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostKeyProblem {
    /// No file knows this host.
    #[error("its {key} is not known")]
    Unknown {
        /// Kind and fingerprint of the key shown.
        key: String,
        /// The name looked up: `host` or `[host]:port`.
        name: String,
    },
    /// A file knows this host by another key.
    #[error("its {key} is not the one recorded at {place}")]
    Changed {
        /// Kind and fingerprint of the key shown.
        key: String,
        /// Where the other key is recorded.
        place: FileLine,
        /// The name looked up: `host` or `[host]:port`.
        name: String,
    },
    /// The inventory pins another key.
    #[error("its {key} is not the one that the inventory pins (`{pinned}`)")]
    NotPinned {
        /// Kind and fingerprint of the key shown.
        key: String,
        /// What `citusctl_host_key` says.
        pinned: String,
    },
    /// The key is marked `@revoked`.
    #[error("its {key} is revoked at {place}")]
    Revoked {
        /// Kind and fingerprint of the key shown.
        key: String,
        /// Where it is revoked.
        place: FileLine,
    },
    /// The host showed a certificate that does not hold.
    #[error("its host certificate (key id `{id}`) does not hold: {why}")]
    Certificate {
        /// The certificate's key id.
        id: String,
        /// What is wrong with it.
        why: String,
    },
    /// The key would be accepted, but could not be written down.
    #[error("its {key} could not be recorded in {}: {why}", file.display())]
    NotRecorded {
        /// Kind and fingerprint of the key shown.
        key: String,
        /// The file to write.
        file: PathBuf,
        /// The system's words.
        why: String,
    },
}

/// Why sudo did not give a shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SudoProblem {
    /// sudo asks for a password and none was given.
    #[error("sudo asks for a password")]
    PasswordNeeded,
    /// The password was refused.
    #[error("sudo refuses the password")]
    PasswordRefused,
    /// The user may not use sudo so.
    #[error("sudo does not allow it")]
    NotAllowed,
    /// sudo wants a terminal (`requiretty`).
    #[error("sudo wants a terminal")]
    NeedsTerminal,
    /// There is no sudo.
    #[error("there is no `sudo`")]
    Missing,
    /// Anything else; sudo's own words say it.
    #[error("sudo gave no shell")]
    Other,
}

/// A failure of the way to a host. Every message begins with the host.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// No connection could be made.
    #[error("{host}: no connection to {address}")]
    Unreachable {
        /// The host.
        host: HostName,
        /// `address:port` that was tried.
        address: String,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// The host's key is not trusted.
    #[error("{host}: {problem}")]
    HostKey {
        /// The host.
        host: HostName,
        /// What is wrong with the key.
        problem: HostKeyProblem,
    },
    /// The host does not let the user in.
    #[error("{host}: `{user}` is not let in{}", list(tried))]
    Auth {
        /// The host.
        host: HostName,
        /// The login user.
        user: String,
        /// What was tried, with the outcome of each.
        tried: Vec<String>,
    },
    /// The user is in, but does not become root.
    #[error(
        "{host}: `{user}` does not become `{become_user}`: {problem}{}",
        quote(said)
    )]
    Sudo {
        /// The host.
        host: HostName,
        /// The login user.
        user: String,
        /// The user to become.
        become_user: String,
        /// What is wrong.
        problem: SudoProblem,
        /// sudo's own words.
        said: String,
    },
    /// The login gave no shell: `nologin`, a forced command, a shell that fails.
    #[error("{host}: `{user}` got no shell ({status}){}", quote(said))]
    Shell {
        /// The host.
        host: HostName,
        /// The login user.
        user: String,
        /// How the login ended.
        status: String,
        /// What the host said.
        said: String,
    },
    /// The host refused a channel: a tunnel's target does not answer, forwarding is off, or `MaxSessions`.
    #[error("{host}: {what} is refused: {why}")]
    ChannelRefused {
        /// The host.
        host: HostName,
        /// What was asked for.
        what: String,
        /// The reason given.
        why: String,
    },
    /// The connection broke while something was under way: its outcome is not known.
    #[error("{host}: connection lost during {during}: {why}")]
    Lost {
        /// The host.
        host: HostName,
        /// What was under way.
        during: String,
        /// The reason, as far as it is known.
        why: String,
    },
    /// Something took longer than it may.
    #[error("{host}: {doing} did not end within {} s{}", after.as_secs_f32(), quote(said))]
    Timeout {
        /// The host.
        host: HostName,
        /// What took too long.
        doing: String,
        /// The limit.
        after: Duration,
        /// What became of it, if anything is known.
        said: String,
    },
    /// A program's output is larger than anything that we asked for.
    #[error("{host}: it sent more than {limit}; stopped reading")]
    Flood {
        /// The host.
        host: HostName,
        /// The bound, in words.
        limit: String,
    },
    /// The settings for this host cannot be used.
    #[error("{host}: {what}")]
    Config {
        /// The host.
        host: HostName,
        /// What is wrong, with its file.
        what: String,
    },
    /// The two ends do not understand each other.
    #[error("{host}: SSH with {address} failed")]
    Protocol {
        /// The host.
        host: HostName,
        /// `address:port`.
        address: String,
        /// The library's reason.
        #[source]
        source: Box<russh::Error>,
    },
    /// A host on the way failed.
    #[error("{host}: the jump host does not work")]
    Jump {
        /// The host behind it.
        host: HostName,
        /// What is wrong with the jump host; all hosts behind it share it.
        #[source]
        source: Arc<TransportError>,
    },
}

fn list(tried: &[String]) -> String {
    if tried.is_empty() {
        return String::from(" (nothing to try)");
    }
    format!(" ({})", tried.join("; "))
}

fn quote(said: &str) -> String {
    let said = said.trim();
    if said.is_empty() {
        return String::new();
    }
    format!(": `{}`", said.lines().collect::<Vec<_>>().join(" / "))
}

impl TransportError {
    /// The host that failed, as the inventory names it.
    pub fn host(&self) -> &HostName {
        match self {
            Self::Unreachable { host, .. }
            | Self::HostKey { host, .. }
            | Self::Auth { host, .. }
            | Self::Sudo { host, .. }
            | Self::Shell { host, .. }
            | Self::ChannelRefused { host, .. }
            | Self::Lost { host, .. }
            | Self::Timeout { host, .. }
            | Self::Flood { host, .. }
            | Self::Config { host, .. }
            | Self::Protocol { host, .. }
            | Self::Jump { host, .. } => host,
        }
    }

    /// Whether nobody was let in: nothing was done on the host.
    pub fn is_entry(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::HostKey { .. }
                | Self::Auth { .. }
                | Self::Sudo { .. }
                | Self::Jump { .. }
        )
    }

    /// Whether the same call may succeed a moment later with nothing changed.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Lost { .. } | Self::Timeout { .. } => true,
            Self::Jump { source, .. } => source.is_retryable(),
            Self::HostKey { .. }
            | Self::Auth { .. }
            | Self::Sudo { .. }
            | Self::Shell { .. }
            | Self::ChannelRefused { .. }
            | Self::Flood { .. }
            | Self::Config { .. }
            | Self::Protocol { .. } => false,
        }
    }

    /// What to do next, most likely first. One sentence each.
    pub fn hints(&self) -> Vec<String> {
        super::hints::of(self)
    }

    /// The message and its causes, outermost first.
    pub fn chain(&self) -> Vec<String> {
        let mut texts = vec![self.to_string()];
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            texts.push(error.to_string());
            cause = error.source();
        }
        texts
    }
}
