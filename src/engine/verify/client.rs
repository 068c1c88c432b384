//! PostgreSQL as its clients meet it: over TLS, the server's certificate and name proved, through a service's port.

use crate::command::LOCAL_PINS;
use crate::secret::Secret;
use crate::transport::http::{TlsSettings, client_config};
use crate::transport::{Stream, Target, Transport, TransportError};
use ring::digest::{SHA256, digest};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_postgres::{Config, SimpleQueryMessage};
use tokio_rustls::TlsConnector;

/// The limit of a connection, and of each statement.
const LIMIT: Duration = Duration::from_secs(15);

/// The server gives up before we do, so that nothing goes on behind our back.
const STATEMENT_LIMIT: &str = "SET LOCAL statement_timeout = '12s'";

/// Who logs in, and whom to trust.
#[derive(Clone, Debug)]
pub struct Login {
    pub user: String,
    pub password: Secret,
    pub database: String,
    /// PgBouncer lets the user in.
    pub pooled: bool,
    /// Certificates of the authorities, in PEM.
    pub ca_pem: String,
}

/// Why a client was not served.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error("TLS settings cannot be used: {0}")]
    Settings(String),
    #[error("no connection: {0}")]
    Connect(#[source] io::Error),
    #[error("{0}")]
    Postgres(#[from] tokio_postgres::Error),
    #[error("no answer within {} s", .0.as_secs_f32())]
    Timeout(Duration),
}

/// A session.
pub(in crate::engine) struct Client {
    inner: tokio_postgres::Client,
}

impl Client {
    /// Logs in through a port of a host, asking for a certificate that carries `address`.
    pub(super) async fn connect(
        via: &dyn Transport,
        address: &str,
        port: u16,
        login: &Login,
    ) -> Result<Self, ClientError> {
        let connecting = Self::open(via, address, port, login);
        timeout(LIMIT, connecting)
            .await
            .map_err(|_| ClientError::Timeout(LIMIT))?
    }

    async fn open(
        via: &dyn Transport,
        address: &str,
        port: u16,
        login: &Login,
    ) -> Result<Self, ClientError> {
        let stream = via.open(&Target::Tcp(address.to_owned(), port)).await?;
        Self::over(stream, address, login).await
    }

    /// Logs in without a tunnel, as an application does.
    pub(in crate::engine) async fn direct(
        address: &str,
        port: u16,
        login: &Login,
    ) -> Result<Self, ClientError> {
        let ip: IpAddr = address
            .parse()
            .map_err(|_| ClientError::Settings(format!("`{address}` is no address")))?;
        let stream = TcpStream::connect(SocketAddr::new(ip, port)).await;
        let stream = stream.map_err(ClientError::Connect)?;
        stream.set_nodelay(true).map_err(ClientError::Connect)?;
        Self::over(Box::new(stream), address, login).await
    }

    async fn over(stream: RawStream, address: &str, login: &Login) -> Result<Self, ClientError> {
        let tls = PgTls::new(address, &login.ca_pem)?;
        let (inner, connection) = Config::new()
            .user(&login.user)
            .password(login.password.expose())
            .dbname(&login.database)
            .application_name("citusctl verify")
            .ssl_mode(SslMode::Require)
            .connect_raw(stream, tls)
            .await?;
        // Its error is also that of the statement which waits for it.
        tokio::spawn(connection);
        Ok(Self { inner })
    }

    /// Runs statements as one transaction, in which names are PostgreSQL's own, and gives the first row of the last one that
    /// has rows.
    pub(in crate::engine) async fn row(&self, sql: &str) -> Result<Vec<String>, ClientError> {
        let sql = format!("{LOCAL_PINS}{STATEMENT_LIMIT}; {sql}");
        let answer = timeout(LIMIT, self.inner.simple_query(&sql)).await;
        let messages = answer.map_err(|_| ClientError::Timeout(LIMIT))??;
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            // Ends of statements, and whatever else the protocol may say.
            _ => None,
        });
        let row = rows.last();
        let fields = row
            .into_iter()
            .flat_map(|row| (0..row.len()).map(|at| row.get(at).unwrap_or_default().to_owned()));
        Ok(fields.collect())
    }
}

/// What libpq calls `sslmode=verify-full`.
struct PgTls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl PgTls {
    fn new(address: &str, ca_pem: &str) -> Result<Self, ClientError> {
        let settings = TlsSettings {
            ca_pem: ca_pem.to_owned(),
            client_cert_pem: None,
            client_key_pem: None,
            server_name: address.to_owned(),
        };
        let config = client_config(&settings).map_err(ClientError::Settings)?;
        let name = ServerName::try_from(address.to_owned());
        Ok(Self {
            config: Arc::new(config),
            name: name.map_err(|error| ClientError::Settings(error.to_string()))?,
        })
    }
}

type RawStream = Box<dyn Stream>;
type Secured = tokio_rustls::client::TlsStream<RawStream>;

impl TlsConnect<RawStream> for PgTls {
    type Stream = PgStream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<PgStream>> + Send>>;

    fn connect(self, stream: RawStream) -> Self::Future {
        Box::pin(async move {
            let connector = TlsConnector::from(self.config);
            let secured = connector.connect(self.name, stream).await?;
            Ok(PgStream(Box::new(secured)))
        })
    }
}

/// A stream that can name its channel, so that a password is of use to nobody in between.
struct PgStream(Box<Secured>);

impl TlsStream for PgStream {
    fn channel_binding(&self) -> ChannelBinding {
        let (_, session) = self.0.get_ref();
        let leaf = session.peer_certificates().and_then(<[_]>::first);
        // Our authority signs with SHA-256, and so does RFC 5929 for anything weaker.
        leaf.map_or_else(ChannelBinding::none, |leaf| {
            ChannelBinding::tls_server_end_point(digest(&SHA256, leaf).as_ref().to_vec())
        })
    }
}

impl AsyncRead for PgStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for PgStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_shutdown(cx)
    }
}
