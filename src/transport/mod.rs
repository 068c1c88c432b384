//! The way to a host: run a shell program there, open a stream to something behind it.
//!
//! One connection per host carries everything. Programs travel on standard input, never in an
//! argument list, because they may hold secrets.

mod deadline;
mod endpoint;
mod error;
mod fake;
mod hints;
pub mod http;
mod known_hosts;
mod local;
mod login;
mod notices;
mod output;
mod proxy;
mod resolver;
mod ssh;
mod ssh_config;
mod talk;
mod trust;

pub use endpoint::{Endpoint, HostKeyPolicy, JumpHost, Sudo};
pub use error::{FileLine, HostKeyProblem, SudoProblem, TransportError};
pub use fake::{Fake, FakeReply};
pub use output::{Collected, OutputLimit, OutputSink, StreamKind};
pub use resolver::Resolver;

use crate::names::HostName;
use crate::secret::Secret;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// A POSIX shell program to run on a host.
///
/// The caller wraps it in `main() { ...; }` and `main </dev/null`, so that a truncated program does nothing.
#[derive(Clone, Debug)]
pub struct Program {
    /// The source text for `sh`. It may hold secrets.
    pub text: Secret,
    /// How long it may run. After it the program and its children are killed.
    pub deadline: Option<Duration>,
    /// How often it is given a sign of life ([`BEAT`]) on its standard input, which stays open then. The text must not read what
    /// comes before it has said something, because a shell may have read further than its own text.
    pub beat: Option<Duration>,
}

/// A sign of life: one byte.
pub const BEAT: &str = ".";

impl Program {
    /// A program without a deadline, of text that is a secret already.
    pub fn of(text: Secret) -> Self {
        Self {
            text,
            deadline: None,
            beat: None,
        }
    }

    /// A program without a deadline.
    pub fn new(text: impl Into<String>) -> Self {
        Self::of(Secret::new(text))
    }

    /// The same program, given signs of life for as long as it runs.
    #[must_use]
    pub fn with_beat(mut self, every: Duration) -> Self {
        self.beat = Some(every);
        self
    }

    /// The same program with a deadline.
    #[must_use]
    pub fn within(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With a status.
    Code(i32),
    /// By a signal, named without `SIG`.
    Signal(String),
}

impl Exit {
    /// Whether the status is 0.
    pub fn ok(&self) -> bool {
        *self == Self::Code(0)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit status {code}"),
            Self::Signal(name) => write!(f, "signal {name}"),
        }
    }
}

/// What a stream leads to, seen from the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A TCP port.
    Tcp(String, u16),
    /// A Unix socket.
    Unix(PathBuf),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address, port) if address.contains(':') => write!(f, "[{address}]:{port}"),
            Self::Tcp(address, port) => write!(f, "{address}:{port}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A byte stream in both directions.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// What a transport has done so far. A test holds the budget of a run against it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Connections made (0 for a local one).
    pub connections: u64,
    /// Programs run.
    pub execs: u64,
    /// Streams opened.
    pub tunnels: u64,
    /// Bytes received from programs (output).
    pub bytes_in: u64,
    /// Bytes sent to programs (input).
    pub bytes_out: u64,
}

/// The counters behind [`Stats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    connections: AtomicU64,
    execs: AtomicU64,
    tunnels: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
}

impl Counters {
    pub(crate) fn connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }
    pub(crate) fn exec(&self) {
        self.execs.fetch_add(1, Ordering::Relaxed);
    }
    pub(crate) fn tunnel(&self) {
        self.tunnels.fetch_add(1, Ordering::Relaxed);
    }
    pub(crate) fn received(&self, bytes: usize) {
        self.bytes_in.fetch_add(bytes as u64, Ordering::Relaxed);
    }
    pub(crate) fn sent(&self, bytes: usize) {
        self.bytes_out.fetch_add(bytes as u64, Ordering::Relaxed);
    }
    pub(crate) fn snapshot(&self) -> Stats {
        Stats {
            connections: self.connections.load(Ordering::Relaxed),
            execs: self.execs.load(Ordering::Relaxed),
            tunnels: self.tunnels.load(Ordering::Relaxed),
            bytes_in: self.bytes_in.load(Ordering::Relaxed),
            bytes_out: self.bytes_out.load(Ordering::Relaxed),
        }
    }
}

/// A connected host.
#[async_trait::async_trait]
pub trait Transport: Send + Sync + fmt::Debug {
    /// The host, as the inventory names it.
    fn host(&self) -> &HostName;

    /// Runs a program as root (through sudo where needed) and hands its output on, line by line, as it comes.
    ///
    /// # Errors
    /// A status other than 0 is no error. [`TransportError::Lost`] means that the outcome is not known.
    async fn run(
        &self,
        program: &Program,
        out: &mut dyn OutputSink,
    ) -> Result<Exit, TransportError>;

    /// Opens a stream to a port or socket, as seen from the host and as the login user.
    ///
    /// # Errors
    /// [`TransportError::ChannelRefused`] when nothing answers there.
    async fn open(&self, to: &Target) -> Result<Box<dyn Stream>, TransportError>;

    /// What was done through this transport so far.
    fn stats(&self) -> Stats;

    /// Takes leave. Later calls fail.
    async fn close(&self);
}

/// Connects to a host, or to this machine for a local endpoint.
///
/// # Errors
/// Everything [`TransportError`] tells apart, except what concerns programs. sudo is first tried by
/// the first program, so a connection costs no extra round trip.
pub async fn connect(
    endpoint: &Endpoint,
    resolver: &Resolver,
) -> Result<Box<dyn Transport>, TransportError> {
    if endpoint.local {
        return Ok(Box::new(local::Local::new(endpoint)));
    }
    Ok(Box::new(ssh::Ssh::connect(endpoint, resolver).await?))
}
