//! One SSH connection: dialled, key checked, logged in.

use super::auth;
use super::handler::{Fate, SshClient, SshClientError};
use crate::names::HostName;
use crate::secret::Secret;
use crate::transport::endpoint::{Endpoint, JumpHost};
use crate::transport::error::TransportError;
use crate::transport::proxy::{Proxy, ProxyErrors};
use crate::transport::resolver::Resolver;
use crate::transport::trust::Trust;
use crate::transport::{Counters, Stream, Target};
use russh::client::{Config, Handle, Msg};
use russh::keys::Algorithm;
use russh::{Channel, ChannelStream, Preferred};
use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// Sessions at once on one connection. sshd's `MaxSessions` is 10 unless set otherwise.
const SESSIONS: usize = 8;
/// An idle connection is asked for a sign of life this often; after three without an answer it is lost.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// Attempts to connect when sshd drops the connection at once, as it does when `MaxStartups` is exceeded.
const ATTEMPTS: u32 = 6;
/// How long a goodbye may take.
const LEAVING: Duration = Duration::from_secs(2);
/// How long a jump host that could not be entered is not tried again.
const DEAD: Duration = Duration::from_secs(60);
/// Jump hosts behind jump hosts, at most.
const DEPTH: usize = 8;

/// A way to a host with all questions answered.
#[derive(Clone, Debug)]
pub(crate) struct SshRoute {
    pub(crate) host: HostName,
    pub(crate) address: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) keys: Vec<PathBuf>,
    pub(crate) agent: Option<PathBuf>,
    /// Ask the agent only for the keys in `keys` (`IdentitiesOnly`).
    pub(crate) agent_only_for_keys: bool,
    pub(crate) password: Option<Secret>,
    pub(crate) jump: Vec<JumpHost>,
    /// A command whose input and output are the connection.
    pub(crate) proxy: Option<String>,
    pub(crate) trust: Trust,
    pub(crate) timeout: Duration,
}

impl SshRoute {
    /// `address:port`, for messages.
    pub(crate) fn place(&self) -> String {
        Target::Tcp(self.address.clone(), self.port).to_string()
    }
}

/// A live connection.
pub(crate) struct SshSession {
    pub(crate) host: HostName,
    pub(crate) user: String,
    pub(crate) handle: Handle<SshClient>,
    pub(crate) slots: Semaphore,
    /// How long the host may take for an answer.
    pub(super) answer_timeout: Duration,
    fate: Fate,
    /// The connection that carries this one must live as long.
    _via: Option<Arc<SshSession>>,
}

impl std::fmt::Debug for SshSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({}@{})", self.user, self.host)
    }
}

impl SshSession {
    /// Connects to an endpoint, through its jump hosts.
    pub(crate) async fn connect(
        endpoint: &Endpoint,
        resolver: &Resolver,
        depth: usize,
        counters: &Counters,
    ) -> Result<Self, TransportError> {
        let route = resolver.route(endpoint).await?;
        let via = match route.jump.split_last() {
            None => None,
            Some((last, rest)) => {
                let via = Box::pin(jump(last, rest, endpoint, resolver, depth));
                Some(via.await.map_err(|source| behind(&route.host, source))?)
            }
        };
        let limit = route.timeout;
        let dialled = tokio::time::timeout(limit, dial_patiently(&route, via.as_ref(), counters));
        let handle = dialled.await.map_err(|_| too_slow(&route))??;
        Ok(Self {
            host: route.host,
            user: route.user,
            handle: handle.0,
            slots: Semaphore::new(SESSIONS),
            answer_timeout: endpoint.answer_timeout(),
            fate: handle.1,
            _via: via,
        })
    }

    /// Waits for what the host has to answer, but not for ever.
    pub(super) async fn answers<T>(
        &self,
        doing: &str,
        answer: impl Future<Output = Result<T, TransportError>>,
    ) -> Result<T, TransportError> {
        let limit = self.answer_timeout;
        let answered = tokio::time::timeout(limit, answer).await;
        answered.unwrap_or_else(|_| {
            Err(TransportError::Timeout {
                host: self.host.clone(),
                doing: doing.to_owned(),
                after: limit,
                said: String::from("the host is connected and does not answer"),
            })
        })
    }

    /// A stream through this connection to a port or socket beyond it.
    pub(crate) async fn open(&self, to: &Target) -> Result<ChannelStream<Msg>, TransportError> {
        let channel = match to {
            Target::Tcp(address, port) => {
                let (address, port) = (address.clone(), u32::from(*port));
                self.handle
                    .channel_open_direct_tcpip(address, port, "127.0.0.1", 0)
                    .await
            }
            Target::Unix(path) => {
                let path = path.to_string_lossy();
                self.handle.channel_open_direct_streamlocal(path).await
            }
        };
        let what = || format!("a connection to {to}");
        channel
            .map(Channel::into_stream)
            .map_err(|error| self.refused(&what(), &error))
    }

    /// The error for a channel that does not open.
    pub(crate) fn refused(&self, what: &str, error: &russh::Error) -> TransportError {
        match error {
            russh::Error::ChannelOpenFailure(reason) => TransportError::ChannelRefused {
                host: self.host.clone(),
                what: what.to_owned(),
                why: refusal(reason).to_owned(),
            },
            other => self.lost(what, &other.to_string()),
        }
    }

    /// The error for a connection that broke, with the reason if russh learnt one.
    pub(crate) fn lost(&self, during: &str, otherwise: &str) -> TransportError {
        TransportError::Lost {
            host: self.host.clone(),
            during: during.to_owned(),
            why: self.fate.get().unwrap_or_else(|| otherwise.to_owned()),
        }
    }

    /// Says goodbye. A connection that is gone already needs none.
    pub(crate) async fn close(&self) {
        let reason = russh::Disconnect::ByApplication;
        let said = self.handle.disconnect(reason, "done", "en");
        drop(tokio::time::timeout(LEAVING, said).await);
    }
}

fn refusal(reason: &russh::ChannelOpenFailure) -> &'static str {
    match reason {
        russh::ChannelOpenFailure::AdministrativelyProhibited => "sshd forbids it",
        russh::ChannelOpenFailure::ConnectFailed => {
            "nothing answers there, or sshd has too many sessions"
        }
        russh::ChannelOpenFailure::UnknownChannelType => "sshd does not know how",
        russh::ChannelOpenFailure::ResourceShortage => "the host is short of resources",
        _ => "sshd gives no reason",
    }
}

fn behind(host: &HostName, source: Arc<TransportError>) -> TransportError {
    TransportError::Jump {
        host: host.clone(),
        source,
    }
}

fn too_slow(route: &SshRoute) -> TransportError {
    TransportError::Timeout {
        host: route.host.clone(),
        doing: format!("connecting to {}", route.place()),
        after: route.timeout,
        said: String::new(),
    }
}

/// The connection to a jump host: the one that is there already, else a new one. All who wait for it share what
/// becomes of it, a failure too: hosts behind a dead one are not dialled one after the other.
async fn jump(
    last: &JumpHost,
    rest: &[JumpHost],
    behind: &Endpoint,
    resolver: &Resolver,
    depth: usize,
) -> Result<Arc<SshSession>, Arc<TransportError>> {
    if depth >= DEPTH {
        return Err(Arc::new(TransportError::Config {
            host: behind.host.clone(),
            what: format!("more than {DEPTH} jump hosts; does `ProxyJump` go in a circle?"),
        }));
    }
    let endpoint = resolver.jump_endpoint(last, behind, rest);
    // Hosts with other keys or another file may get in where these do not.
    let key = format!(
        "{rest:?} {last:?} {:?} {:?} {:?}",
        endpoint.keys, endpoint.config, endpoint.host_keys
    );
    let slot = resolver.shared(key).await;
    let mut slot = slot.lock().await;
    match slot.as_ref() {
        Some(Ok(session)) if !session.handle.is_closed() => return Ok(Arc::clone(session)),
        Some(Err((since, error))) if since.elapsed() < DEAD => return Err(Arc::clone(error)),
        Some(Ok(_) | Err(_)) | None => {}
    }
    let session = SshSession::connect(&endpoint, resolver, depth + 1, &Counters::default()).await;
    let session = session.map(Arc::new).map_err(Arc::new);
    *slot = Some(session.clone().map_err(|error| (Instant::now(), error)));
    session
}

type ConnectedHandle = (Handle<SshClient>, Fate);

/// Dials again, a little later each time, when sshd drops the connection before it says anything.
async fn dial_patiently(
    route: &SshRoute,
    via: Option<&Arc<SshSession>>,
    counters: &Counters,
) -> Result<ConnectedHandle, TransportError> {
    let mut attempt = 1;
    loop {
        match dial(route, via, counters).await {
            Err(error) if attempt < ATTEMPTS && was_dropped(&error) => {
                tokio::time::sleep(pause(route, attempt)).await;
                attempt += 1;
            }
            result => return result,
        }
    }
}

fn was_dropped(error: &TransportError) -> bool {
    match error {
        TransportError::Unreachable { source, .. } => {
            matches!(
                source.kind(),
                ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof
            )
        }
        _ => false,
    }
}

/// 0.1 s, 0.2 s, 0.4 s, ..., each up to twice as long: hosts that were dropped together do not come back together.
fn pause(route: &SshRoute, attempt: u32) -> Duration {
    let base = 100 * 2_u64.pow(attempt - 1);
    let spread = route
        .host
        .as_str()
        .bytes()
        .fold(u64::from(std::process::id()), |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
    Duration::from_millis(base + spread % base)
}

async fn dial(
    route: &SshRoute,
    via: Option<&Arc<SshSession>>,
    counters: &Counters,
) -> Result<ConnectedHandle, TransportError> {
    let (stream, proxy) = carrier(route, via).await?;
    counters.connection();
    let fate = Fate::default();
    let client = SshClient {
        trust: route.trust.clone(),
        fate: fate.clone(),
    };
    let handle =
        russh::client::connect_stream(Arc::new(config(&route.trust)), stream, client).await;
    let mut handle = match handle {
        Ok(handle) => handle,
        Err(error) => return Err(failed_handshake(route, error, proxy).await),
    };
    auth::authenticate(&mut handle, route, &fate).await?;
    Ok((handle, fate))
}

async fn carrier(
    route: &SshRoute,
    via: Option<&Arc<SshSession>>,
) -> Result<(Box<dyn Stream>, Option<ProxyErrors>), TransportError> {
    if let Some(via) = via {
        let to = Target::Tcp(route.address.clone(), route.port);
        let stream = via
            .open(&to)
            .await
            .map_err(|source| behind(&route.host, Arc::new(source)))?;
        return Ok((Box::new(stream), None));
    }
    if let Some(command) = &route.proxy {
        let started = Proxy::start(command).map_err(|source| unreachable(route, source))?;
        return Ok((Box::new(started.0), Some(started.1)));
    }
    let stream = TcpStream::connect((route.address.as_str(), route.port)).await;
    let stream = stream.map_err(|source| unreachable(route, source))?;
    stream
        .set_nodelay(true)
        .map_err(|source| unreachable(route, source))?;
    Ok((Box::new(stream), None))
}

fn unreachable(route: &SshRoute, source: std::io::Error) -> TransportError {
    TransportError::Unreachable {
        host: route.host.clone(),
        address: route.place(),
        source,
    }
}

/// A command that made the connection knows best why it failed, unless it is the key that is wrong.
async fn failed_handshake(
    route: &SshRoute,
    error: SshClientError,
    proxy: Option<ProxyErrors>,
) -> TransportError {
    let words = match (&error, proxy) {
        (SshClientError::Ssh(_), Some(said)) => said.words().await,
        (SshClientError::Ssh(_) | SshClientError::Key(_), _) => String::new(),
    };
    match words.is_empty() {
        true => handshake_error(route, error),
        false => unreachable(
            route,
            std::io::Error::other(format!("the proxy command said `{words}`")),
        ),
    }
}

fn handshake_error(route: &SshRoute, error: SshClientError) -> TransportError {
    match error {
        SshClientError::Key(problem) => TransportError::HostKey {
            host: route.host.clone(),
            problem,
        },
        SshClientError::Ssh(russh::Error::IO(source)) => unreachable(route, source),
        SshClientError::Ssh(russh::Error::Disconnect | russh::Error::HUP) => unreachable(
            route,
            std::io::Error::new(
                ErrorKind::ConnectionReset,
                "the host closed the connection at once",
            ),
        ),
        SshClientError::Ssh(source) => TransportError::Protocol {
            host: route.host.clone(),
            address: route.place(),
            source: Box::new(source),
        },
    }
}

fn config(trust: &Trust) -> Config {
    let usual = Preferred::DEFAULT;
    let certificates: Vec<Algorithm> = if trust.has_authority() {
        usual.key.to_vec()
    } else {
        Vec::new()
    };
    Config {
        nodelay: true,
        keepalive_interval: Some(KEEPALIVE),
        keepalive_max: 3,
        preferred: Preferred {
            key: Cow::Owned(trust.preferred(&usual.key)),
            host_key_certificates: Cow::Owned(certificates),
            ..usual
        },
        ..Config::default()
    }
}
