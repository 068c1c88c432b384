//! What can go wrong in a lab, and what to do about it.

use super::spec::Suite;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

/// A failure of the lab. The text names the host or the file first; [`LabError::hint`] says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    #[error("the lab needs root: it makes network namespaces and boots machines")]
    NotRoot,
    #[error("the lab needs programs that are not installed: {}", .0.join(", "))]
    MissingTools(Vec<&'static str>),
    #[error("`{name}` is no name for a lab: lower-case letters, digits and `-`, 24 at most")]
    BadName { name: String },
    #[error("{host}: {problem}")]
    BadHost { host: String, problem: String },
    #[error("{first}, {second}: both have the address `{address}`")]
    SameAddress {
        first: String,
        second: String,
        address: IpAddr,
    },
    #[error(
        "lab `{name}`: no address is left for the control namespace in the subnet of `{address}`"
    )]
    NoControlAddress { name: String, address: IpAddr },
    #[error("a link cannot be so slow: {0}")]
    BadSlowness(String),
    #[error("this kernel has no netem (CONFIG_NET_SCH_NETEM), which delays and loses packets")]
    NoNetem,
    #[error("{path}: a path with `:`, `,` or `\\` cannot be part of an overlay mount")]
    BadPath { path: PathBuf },
    #[error("lab `{name}` is up already ({running} of {hosts} hosts run)")]
    AlreadyUp {
        name: String,
        running: usize,
        hosts: usize,
    },
    #[error("lab `{name}` was left behind by a crash: none of its {hosts} hosts runs")]
    Crashed { name: String, hosts: usize },
    #[error("there is no lab `{name}`")]
    NoSuchLab { name: String },
    #[error("no lab is up")]
    NoLab,
    #[error("several labs are up: {}", .0.join(", "))]
    SeveralLabs(Vec<String>),
    #[error("lab `{lab}` has no host `{host}` (it has {})", .hosts.join(", "))]
    NoSuchHost {
        lab: String,
        host: String,
        hosts: Vec<String>,
    },
    #[error("{host}: runs already")]
    Running { host: String },
    #[error("{host}: does not run")]
    NotRunning { host: String },
    #[error("{host}: no sshd answered within {seconds} s; its console ends with\n{console}")]
    NoSshd {
        host: String,
        seconds: u64,
        console: String,
    },
    #[error("{host}: stopped while it booted; its console ends with\n{console}")]
    Died { host: String, console: String },
    #[error("pid {pid}: did not end {seconds} s after SIGKILL")]
    Unkillable { pid: u32, seconds: u64 },
    #[error("apt's sources name no mirror of {0}")]
    NoMirror(Suite),
    #[error("{path}: {problem}")]
    BadCitus { path: PathBuf, problem: String },
    #[error("{what}: the build failed, its log ends with\n{log}")]
    Build { what: String, log: String },
    #[error("`{command}` failed ({status}): {stderr}")]
    Command {
        command: String,
        status: String,
        stderr: String,
    },
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("{path}: not a record of a lab: {source}")]
    Record {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("`{command}`: {source}")]
    Spawn { command: String, source: io::Error },
}

impl LabError {
    /// The way out, where there is one.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotRoot => "run it as root, for example with `sudo`".into(),
            Self::MissingTools(_) => "`ci/deps` installs them; on Debian: `apt-get install systemd-container debootstrap iproute2 openssh-client util-linux`".into(),
            Self::AlreadyUp { name, .. } => format!("use it, take it down with `citusctl lab down --name {name}`, or replace it with `--force`"),
            Self::Crashed { name, .. } => format!("remove it with `citusctl lab down --name {name}`, replace it with `--force`, or boot its hosts again with `citusctl lab start`"),
            Self::NoSuchLab { .. } | Self::NoLab => "`citusctl lab list` names the labs, `citusctl lab up` makes one".into(),
            Self::SeveralLabs(_) => "name one: `citusctl lab ... --name NAME`, or `citusctl --lab=NAME ...`".into(),
            Self::Running { .. } => "`citusctl lab kill` stops it".into(),
            Self::NotRunning { .. } => "`citusctl lab start` boots it".into(),
            Self::NoMirror(_) => "set CITUSCTL_LAB_MIRROR to a Debian mirror, and CITUSCTL_LAB_SECURITY_MIRROR to one with its security updates".into(),
            Self::Died { console, .. } if console.contains("Too many open files") => "too many machines for this kernel's settings: take a lab down, or raise `sysctl fs.inotify.max_user_instances`".into(),
            Self::BadPath { .. } => "set CITUSCTL_LAB_DIR to another directory".into(),
            Self::NoControlAddress { .. } => "use a shorter `--prefix-len`".into(),
            Self::NoNetem => "`lab slow --rate` works without it; or load the module: `modprobe sch_netem`".into(),
            Self::BadName { .. }
            | Self::BadSlowness(_)
            | Self::BadHost { .. }
            | Self::SameAddress { .. }
            | Self::NoSuchHost { .. }
            | Self::NoSshd { .. }
            | Self::Died { .. }
            | Self::Unkillable { .. }
            | Self::BadCitus { .. }
            | Self::Build { .. }
            | Self::Command { .. }
            | Self::File { .. }
            | Self::Record { .. }
            | Self::Spawn { .. } => return None,
        })
    }

    /// The exit code of the command line: 2 usage, 3 bad input, 4 refused, 6 failed.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NotRoot | Self::MissingTools(_) | Self::BadName { .. } => 2,
            Self::NoSuchLab { .. }
            | Self::NoLab
            | Self::SeveralLabs(_)
            | Self::BadSlowness(_)
            | Self::NoSuchHost { .. } => 2,
            Self::BadHost { .. }
            | Self::SameAddress { .. }
            | Self::NoControlAddress { .. }
            | Self::BadPath { .. }
            | Self::BadCitus { .. } => 3,
            Self::AlreadyUp { .. }
            | Self::Crashed { .. }
            | Self::Running { .. }
            | Self::NoNetem
            | Self::NotRunning { .. } => 4,
            Self::NoSshd { .. }
            | Self::Died { .. }
            | Self::Unkillable { .. }
            | Self::NoMirror(_)
            | Self::Build { .. }
            | Self::Command { .. }
            | Self::File { .. }
            | Self::Record { .. }
            | Self::Spawn { .. } => 6,
        }
    }
}

/// Puts the path into an I/O error.
pub(super) trait At<T> {
    fn at(self, path: impl Into<PathBuf>) -> Result<T, LabError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: impl Into<PathBuf>) -> Result<T, LabError> {
        self.map_err(|source| LabError::File {
            path: path.into(),
            source,
        })
    }
}
