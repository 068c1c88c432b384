//! HTTP/1.1 to something behind a host: Patroni's REST API, etcd's JSON gateway.

use super::error::TransportError;
use super::{Stream, Target, Transport};
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsConnector;

pub use hyper::Method;

/// Answers longer than this are refused (bytes).
const LONGEST: usize = 16 * 1024 * 1024;

/// How to speak TLS with a server.
#[derive(Clone, Debug)]
pub struct TlsSettings {
    /// Certificates of the authorities to trust, in PEM. No others are trusted.
    pub ca_pem: String,
    /// Our certificate chain in PEM, if the server asks for one.
    pub client_cert_pem: Option<String>,
    /// The key to it, PKCS#8 in PEM.
    pub client_key_pem: Option<Secret>,
    /// The name or address that the server's certificate must carry.
    pub server_name: String,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where the server listens, seen from the host.
    pub target: Target,
    /// TLS; `None` speaks in clear.
    pub tls: Option<TlsSettings>,
    /// The method.
    pub method: Method,
    /// Path and query, beginning with `/`.
    pub path: String,
    /// User and password for basic authentication.
    pub basic_auth: Option<(String, Secret)>,
    /// A token for the `Authorization` header as it is (etcd).
    pub token: Option<Secret>,
    /// The body.
    pub body: Option<Value>,
    /// Limit for the whole exchange.
    pub timeout: Duration,
}

impl Request {
    /// A request in clear, without a body, to end within ten seconds.
    pub fn new(method: Method, target: Target, path: impl Into<String>) -> Self {
        Self {
            target,
            tls: None,
            method,
            path: path.into(),
            basic_auth: None,
            token: None,
            body: None,
            timeout: Duration::from_secs(10),
        }
    }

    /// A request in clear that asks.
    pub fn get(target: Target, path: impl Into<String>) -> Self {
        Self::new(Method::GET, target, path)
    }

    /// The same over TLS.
    #[must_use]
    pub fn tls(mut self, tls: TlsSettings) -> Self {
        self.tls = Some(tls);
        self
    }

    /// The same with a JSON body.
    #[must_use]
    pub fn json(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// The same with user and password.
    #[must_use]
    pub fn basic_auth(mut self, user: impl Into<String>, password: Secret) -> Self {
        self.basic_auth = Some((user.into(), password));
        self
    }

    /// The same with another limit.
    #[must_use]
    pub fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

/// What a server answered. Any status is an answer, not an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The body as JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    /// Whether the status is 2xx.
    pub fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No stream to the server.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// Certificates or keys that cannot be used.
    #[error("{place}: TLS settings cannot be used: {why}")]
    Settings {
        /// Host and target.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// No TLS with the server.
    #[error("{place}: no TLS connection as `{server_name}`")]
    Tls {
        /// Host and target.
        place: String,
        /// The name that the certificate should carry.
        server_name: String,
        /// The library's reason.
        #[source]
        source: std::io::Error,
    },
    /// The server does not speak HTTP as it should, or hung up.
    #[error("{place}: {request} failed")]
    Http {
        /// Host and target.
        place: String,
        /// Method and path.
        request: String,
        /// The library's reason.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer did not come in time.
    #[error("{place}: {request} was not answered within {} s", after.as_secs_f32())]
    Timeout {
        /// Host and target.
        place: String,
        /// Method and path.
        request: String,
        /// The limit.
        after: Duration,
    },
}

/// Sends a request through a host and waits for the answer.
///
/// # Errors
/// Only when there is no whole answer; see [`HttpError`].
pub async fn request(via: &dyn Transport, request: &Request) -> Result<Response, HttpError> {
    let call = Call { via, request };
    let answer = tokio::time::timeout(request.timeout, call.exchange()).await;
    answer.unwrap_or_else(|_| {
        Err(HttpError::Timeout {
            place: call.place(),
            request: call.line(),
            after: request.timeout,
        })
    })
}

struct Call<'a> {
    via: &'a dyn Transport,
    request: &'a Request,
}

impl Call<'_> {
    fn place(&self) -> String {
        format!("{}: {}", self.via.host(), self.request.target)
    }

    fn line(&self) -> String {
        format!("{} {}", self.request.method, self.request.path)
    }

    fn failed(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> HttpError {
        HttpError::Http {
            place: self.place(),
            request: self.line(),
            source: source.into(),
        }
    }

    async fn exchange(&self) -> Result<Response, HttpError> {
        let stream = self.stream().await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.failed(error))?;
        let request = self.message()?;
        let answer = async {
            let response = sender
                .send_request(request)
                .await
                .map_err(|error| self.failed(error))?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), LONGEST).collect().await;
            let body = body
                .map_err(|error| self.failed(error))?
                .to_bytes()
                .to_vec();
            Ok(Response { status, body })
        };
        tokio::pin!(answer);
        tokio::select! {
            biased;
            answer = &mut answer => answer,
            // The connection may end before its last answer is taken. Its own error shows in the answer too.
            _ = connection => answer.await,
        }
    }

    fn message(&self) -> Result<hyper::Request<Full<Bytes>>, HttpError> {
        let body = self.request.body.as_ref().map(Value::to_string);
        let mut builder = hyper::Request::builder()
            .method(self.request.method.clone())
            .uri(&self.request.path)
            .header(header::HOST, self.host_header())
            .header(header::CONNECTION, "close");
        if body.is_some() {
            builder = builder.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(authorization) = self.authorization() {
            builder = builder.header(header::AUTHORIZATION, authorization);
        }
        let body = Full::new(Bytes::from(body.unwrap_or_default()));
        builder.body(body).map_err(|error| self.failed(error))
    }

    fn authorization(&self) -> Option<String> {
        if let Some((user, password)) = &self.request.basic_auth {
            let pair = BASE64.encode(format!("{user}:{}", password.expose()));
            return Some(format!("Basic {pair}"));
        }
        self.request
            .token
            .as_ref()
            .map(|token| token.expose().to_owned())
    }

    fn host_header(&self) -> String {
        match &self.request.target {
            Target::Tcp(..) => self.request.target.to_string(),
            Target::Unix(_) => String::from("localhost"),
        }
    }

    async fn stream(&self) -> Result<Box<dyn Stream>, HttpError> {
        let stream = self.via.open(&self.request.target).await?;
        let Some(tls) = &self.request.tls else {
            return Ok(stream);
        };
        let unusable = |why| HttpError::Settings {
            place: self.place(),
            why,
        };
        let config = client_config(tls).map_err(unusable)?;
        let name = ServerName::try_from(tls.server_name.clone());
        let name = name.map_err(|error| unusable(error.to_string()))?;
        let secured = TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await;
        match secured {
            Ok(stream) => Ok(Box::new(stream)),
            Err(source) => Err(HttpError::Tls {
                place: self.place(),
                server_name: tls.server_name.clone(),
                source,
            }),
        }
    }
}

pub(crate) fn client_config(tls: &TlsSettings) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&tls.ca_pem)? {
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots);
    match (&tls.client_cert_pem, &tls.client_key_pem) {
        (Some(certificate), Some(key)) => {
            let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes());
            let key = key.map_err(|error| format!("client key: {error}"))?;
            builder
                .with_client_auth_cert(certificates(certificate)?, key)
                .map_err(|error| error.to_string())
        }
        (None, None) => Ok(builder.with_no_client_auth()),
        _ => Err(String::from(
            "a client certificate needs its key, and a key its certificate",
        )),
    }
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match read {
        Ok(certificates) if certificates.is_empty() => {
            Err(String::from("no certificate in the PEM text"))
        }
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(error.to_string()),
    }
}
