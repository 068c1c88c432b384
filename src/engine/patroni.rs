//! Patroni's REST API, through the SSH connection to the member's own host.

use super::fleet::chain;
use super::{PatroniAccess, Run};
use crate::fact::{Whose, whose};
use crate::model::Instance;
use crate::transport::{Target, TransportError, http};
use serde_json::Value;
use std::time::Duration;

/// One member's API.
#[derive(Debug)]
pub struct Patroni<'a> {
    run: &'a Run<'a>,
    member: &'a Instance,
    /// What it is in Patroni's words.
    scope: &'a str,
    access: &'a PatroniAccess,
}

/// Why Patroni did not answer as it should.
#[derive(Debug, thiserror::Error)]
pub enum PatroniError {
    #[error("{0} is not connected")]
    NotConnected(String),
    #[error("{member}: {source}")]
    Http {
        member: String,
        #[source]
        source: http::HttpError,
    },
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error("{member}: the Patroni that answers on {place} is not ours: {words}")]
    Stranger {
        member: String,
        /// `address:port`.
        place: String,
        words: String,
    },
    #[error("{member}: Patroni answers {status} to {method} {path}: {words}")]
    Status {
        member: String,
        method: String,
        path: String,
        status: u16,
        words: String,
    },
}

impl PatroniError {
    /// Nothing answers at the port, as before the first start.
    pub fn is_refused(&self) -> bool {
        let transport = match self {
            Self::Transport(error) => error,
            Self::Http {
                source: http::HttpError::Transport(error),
                ..
            } => error,
            _ => return false,
        };
        matches!(transport, TransportError::ChannelRefused { .. })
    }
}

/// Whether another Patroni answers on a member's port, in words; who does not answer is judged elsewhere.
pub(super) async fn stranger(run: &Run<'_>, member: &Instance) -> Option<String> {
    match Patroni::of(run, member)?.proved().await {
        Err(error @ PatroniError::Stranger { .. }) => Some(format!(
            "{}: {}: `systemctl restart patroni` there, if its file is right",
            member.host,
            chain(&error)
        )),
        Err(_) | Ok(()) => None,
    }
}

/// Reads `GET /history`: a list of promotions, each with the timeline that it ended.
fn reached(history: &Value) -> Option<i64> {
    match history.as_array()?.last() {
        Some(last) => Some(last.get(0)?.as_i64()? + 1),
        None => Some(1),
    }
}

impl<'a> Patroni<'a> {
    /// The API of a member, if its formation's credentials are known.
    pub fn of(run: &'a Run<'a>, member: &'a Instance) -> Option<Self> {
        let access = run.patroni.get(&member.formation)?;
        let (_, group) = run.model.group(&member.cluster)?;
        Some(Self {
            run,
            member,
            scope: &group.scope,
            access,
        })
    }

    /// Sends a request. Any status is an answer. Whoever is asked to change something has proved before that it is ours.
    ///
    /// # Errors
    /// [`PatroniError::Stranger`]: another Patroni answers, and nothing was sent to it.
    pub async fn request(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<(u16, Vec<u8>), PatroniError> {
        if method != "GET" {
            self.proved().await?;
        }
        self.send(method, path, body).await
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<(u16, Vec<u8>), PatroniError> {
        let transport = self.run.fleet.get(&self.member.host);
        let transport =
            transport.ok_or_else(|| PatroniError::NotConnected(self.member.host.to_string()))?;
        let address = self.member.address.to_string();
        let target = Target::Tcp(address.clone(), self.member.patroni_port);
        let method = http::Method::from_bytes(method.as_bytes()).unwrap_or(http::Method::GET);
        let mut request = http::Request::new(method, target, path)
            .basic_auth(self.access.user.clone(), self.access.password.clone());
        if let Some(tls) = &self.access.tls {
            request = request.tls(http::TlsSettings {
                ca_pem: tls.ca_pem.clone(),
                client_cert_pem: Some(tls.cert_pem.clone()),
                client_key_pem: Some(tls.key_pem.clone()),
                server_name: address,
            });
        }
        if let Some(body) = body {
            // Restarts and switchovers answer when they are done.
            request = request.json(body).within(Duration::from_secs(300));
        }
        let answer = http::request(transport.as_ref(), &request).await;
        let answer = answer.map_err(|source| PatroniError::Http {
            member: self.member.name.to_string(),
            source,
        })?;
        Ok((answer.status, answer.body))
    }

    /// `GET`, the answer as JSON whatever its status (Patroni answers 503 with a full report), of a Patroni that is ours.
    pub async fn get(&self, path: &str) -> Result<Value, PatroniError> {
        let answer = self.read(path).await?;
        match self.whose(&answer) {
            Whose::Ours => {}
            Whose::Stranger(words) => return Err(self.stranger(words)),
            Whose::Unsaid => self.proved().await?,
        }
        Ok(answer)
    }

    /// The last timeline that its group has come to, by the history that Patroni keeps in etcd; `None`: it does not say.
    pub async fn reached(&self) -> Option<i64> {
        reached(&self.get("/history").await.ok()?)
    }

    async fn read(&self, path: &str) -> Result<Value, PatroniError> {
        let (_, body) = self.send("GET", path, None).await?;
        Ok(serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// By what it says itself, the Patroni that answers is the member that is meant.
    pub async fn proved(&self) -> Result<(), PatroniError> {
        match self.whose(&self.read("/patroni").await?) {
            Whose::Ours => Ok(()),
            Whose::Stranger(words) => Err(self.stranger(words)),
            Whose::Unsaid => Err(self.stranger("it names no scope".to_owned())),
        }
    }

    fn whose(&self, answer: &Value) -> Whose {
        whose(answer, self.scope, self.member.name.as_str())
    }

    fn stranger(&self, words: String) -> PatroniError {
        let member = self.member;
        PatroniError::Stranger {
            member: member.name.to_string(),
            place: std::net::SocketAddr::new(member.address, member.patroni_port).to_string(),
            words,
        }
    }

    /// A request that must succeed.
    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<String, PatroniError> {
        let (status, answer) = self.request(method, path, body).await?;
        let words = String::from_utf8_lossy(&answer).trim().to_owned();
        if (200..300).contains(&status) {
            return Ok(words);
        }
        let member = self.member.name.to_string();
        Err(PatroniError::Status {
            member,
            method: method.to_owned(),
            path: path.to_owned(),
            status,
            words,
        })
    }
}
