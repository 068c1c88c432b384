//! Proves to a host who we are: key files, the agent, then the password.

use super::handler::{Fate, SshClient};
use super::session::SshRoute;
use crate::secret::Secret;
use crate::transport::error::TransportError;
use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse as Asked};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey};
use russh::{MethodKind, keys};
use std::path::Path;
use std::sync::Arc;
use tokio::net::UnixStream;

/// Logs in.
///
/// # Errors
/// [`TransportError::Auth`] with everything that was tried, [`TransportError::Lost`] if the connection broke.
pub(crate) async fn authenticate(
    handle: &mut Handle<SshClient>,
    route: &SshRoute,
    fate: &Fate,
) -> Result<(), TransportError> {
    let agent = Agent::ask(route).await;
    let mut attempt = AuthAttempt {
        handle,
        route,
        fate,
        agent,
        tried: Vec::new(),
        offered: Vec::new(),
        password: true,
    };
    attempt.run().await
}

/// The agent, if there is one, and what it holds.
#[derive(Default)]
struct Agent {
    client: Option<AgentClient<UnixStream>>,
    holds: Vec<AgentIdentity>,
    problem: Option<String>,
}

impl Agent {
    async fn ask(route: &SshRoute) -> Self {
        let Some(socket) = &route.agent else {
            return Self::default();
        };
        match Self::connect(socket).await {
            Ok((client, holds)) => Self {
                client: Some(client),
                holds,
                problem: None,
            },
            Err(error) => Self {
                problem: Some(format!("agent {}: {error}", socket.display())),
                ..Self::default()
            },
        }
    }

    async fn connect(
        socket: &Path,
    ) -> Result<(AgentClient<UnixStream>, Vec<AgentIdentity>), keys::Error> {
        let mut client = AgentClient::connect_uds(socket).await?;
        let holds = client.request_identities().await?;
        Ok((client, holds))
    }
}

enum AuthStep {
    In,
    Next,
}

struct AuthAttempt<'a> {
    handle: &'a mut Handle<SshClient>,
    route: &'a SshRoute,
    fate: &'a Fate,
    agent: Agent,
    tried: Vec<String>,
    /// Keys offered already, so that none is offered twice.
    offered: Vec<PublicKey>,
    /// Whether the host takes passwords, as far as it has said.
    password: bool,
}

impl AuthAttempt<'_> {
    async fn run(&mut self) -> Result<(), TransportError> {
        let route = self.route;
        for path in &route.keys {
            if let AuthStep::In = self.key_file(path).await? {
                return Ok(());
            }
        }
        if !route.agent_only_for_keys {
            for identity in self.agent.holds.clone() {
                if let AuthStep::In = self.agent_key(&identity).await? {
                    return Ok(());
                }
            }
        }
        if let Some(password) = &route.password
            && let AuthStep::In = self.passwords(password).await?
        {
            return Ok(());
        }
        Err(self.refused())
    }

    fn refused(&mut self) -> TransportError {
        self.tried.extend(self.agent.problem.take());
        TransportError::Auth {
            host: self.route.host.clone(),
            user: self.route.user.clone(),
            tried: std::mem::take(&mut self.tried),
        }
    }

    /// Notes an outcome. A host that hangs up while we try keys has had enough of them.
    fn outcome(&mut self, what: String, result: AuthResult) -> Result<AuthStep, TransportError> {
        match result {
            AuthResult::Success => Ok(AuthStep::In),
            AuthResult::Failure { .. } if self.handle.is_closed() => {
                let why = self
                    .fate
                    .get()
                    .unwrap_or_else(|| String::from("connection closed"));
                self.tried.push(format!("{what}: {why}"));
                Err(self.refused())
            }
            AuthResult::Failure {
                remaining_methods,
                partial_success,
            } => {
                self.password = remaining_methods.contains(&MethodKind::Password);
                let verdict = if partial_success {
                    "accepted, but the host wants more"
                } else {
                    "refused"
                };
                self.tried.push(format!("{what}: {verdict}"));
                Ok(AuthStep::Next)
            }
        }
    }

    fn lost(&self, error: &dyn std::fmt::Display) -> TransportError {
        TransportError::Lost {
            host: self.route.host.clone(),
            during: String::from("login"),
            why: self.fate.get().unwrap_or_else(|| error.to_string()),
        }
    }

    async fn key_file(&mut self, path: &Path) -> Result<AuthStep, TransportError> {
        let what = format!("key {}", path.display());
        match keys::load_secret_key(path, None) {
            Ok(key) => self.private_key(what, path, key).await,
            Err(keys::Error::KeyIsEncrypted) => {
                let why = "has a passphrase and is not in the agent (`ssh-add`)";
                self.held_key(format!("{what}: {why}"), path).await
            }
            Err(error) => {
                let why = error.to_string().to_lowercase();
                self.held_key(format!("{what}: {why}"), path).await
            }
        }
    }

    async fn private_key(
        &mut self,
        what: String,
        path: &Path,
        key: PrivateKey,
    ) -> Result<AuthStep, TransportError> {
        let (user, key) = (self.route.user.clone(), Arc::new(key));
        if let Ok(certificate) = keys::load_openssh_certificate(certificate_of(path)) {
            let result =
                self.handle
                    .authenticate_openssh_cert(user.clone(), Arc::clone(&key), certificate);
            let result = result.await.map_err(|error| self.lost(&error))?;
            if let AuthStep::In = self.outcome(format!("certificate of {what}"), result)? {
                return Ok(AuthStep::In);
            }
        }
        if !self.offer(key.public_key()) {
            return Ok(AuthStep::Next);
        }
        let hash = self.hash(key.public_key()).await?;
        let result = self
            .handle
            .authenticate_publickey(user, PrivateKeyWithHashAlg::new(key, hash));
        let result = result.await.map_err(|error| self.lost(&error))?;
        self.outcome(what, result)
    }

    /// A key that cannot be read here is usable if the agent holds it. `otherwise` says why it is not.
    async fn held_key(
        &mut self,
        otherwise: String,
        path: &Path,
    ) -> Result<AuthStep, TransportError> {
        let public = public_of(path);
        let held = self.agent.holds.iter().find(|identity| {
            public
                .as_ref()
                .is_some_and(|key| key.key_data() == identity.public_key().key_data())
        });
        match held.cloned() {
            Some(identity) => self.agent_key(&identity).await,
            None => {
                self.tried.push(otherwise);
                Ok(AuthStep::Next)
            }
        }
    }

    async fn agent_key(&mut self, identity: &AgentIdentity) -> Result<AuthStep, TransportError> {
        let public = identity.public_key().into_owned();
        let certificate = matches!(identity, AgentIdentity::Certificate { .. });
        if !certificate && !self.offer(&public) {
            return Ok(AuthStep::Next);
        }
        let hash = self.hash(&public).await?;
        let Some(signer) = self.agent.client.as_mut() else {
            return Ok(AuthStep::Next);
        };
        let user = self.route.user.clone();
        let result = match identity {
            AgentIdentity::PublicKey { key, .. } => {
                self.handle
                    .authenticate_publickey_with(user, key.clone(), hash, signer)
                    .await
            }
            AgentIdentity::Certificate { certificate, .. } => {
                self.handle
                    .authenticate_certificate_with(user, certificate.clone(), hash, signer)
                    .await
            }
        };
        let what = format!("agent key {}", public.fingerprint(HashAlg::Sha256));
        match result {
            Ok(result) => self.outcome(what, result),
            Err(error) if self.handle.is_closed() => Err(self.lost(&error)),
            Err(error) => {
                self.tried.push(format!("{what}: {error}"));
                Ok(AuthStep::Next)
            }
        }
    }

    /// Whether a key has not been offered yet. Offering one twice would only use up `MaxAuthTries`.
    fn offer(&mut self, key: &PublicKey) -> bool {
        let new = !self
            .offered
            .iter()
            .any(|known| known.key_data() == key.key_data());
        if new {
            self.offered.push(key.clone());
        }
        new
    }

    /// How to sign with an RSA key; a host that does not say takes SHA-512. Other keys have one way only.
    async fn hash(&self, key: &PublicKey) -> Result<Option<HashAlg>, TransportError> {
        if !key.algorithm().is_rsa() {
            return Ok(None);
        }
        let best = self.handle.best_supported_rsa_hash().await;
        let best = best.map_err(|error| self.lost(&error))?;
        Ok(best.unwrap_or(Some(HashAlg::Sha512)))
    }

    async fn passwords(&mut self, password: &Secret) -> Result<AuthStep, TransportError> {
        let user = self.route.user.clone();
        if self.password {
            let result = self
                .handle
                .authenticate_password(user.clone(), password.expose());
            let result = result.await.map_err(|error| self.lost(&error))?;
            if let AuthStep::In = self.outcome(String::from("password"), result)? {
                return Ok(AuthStep::In);
            }
        }
        let started = self
            .handle
            .authenticate_keyboard_interactive_start(user, None);
        let mut asked = started.await.map_err(|error| self.lost(&error))?;
        for _ in 0..3 {
            let Asked::InfoRequest { prompts, .. } = asked else {
                break;
            };
            let answers = prompts
                .iter()
                .map(|_| password.expose().to_owned())
                .collect();
            let replied = self
                .handle
                .authenticate_keyboard_interactive_respond(answers);
            asked = replied.await.map_err(|error| self.lost(&error))?;
        }
        match asked {
            Asked::Success => Ok(AuthStep::In),
            Asked::Failure { .. } | Asked::InfoRequest { .. } => {
                self.tried
                    .push(String::from("password on request: refused"));
                Ok(AuthStep::Next)
            }
        }
    }
}

fn certificate_of(path: &Path) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-cert.pub");
    name.into()
}

/// The public half of a key: OpenSSH's format shows it, else the file is the public half, or `.pub` beside it.
fn public_of(path: &Path) -> Option<PublicKey> {
    if let Ok(key) = PrivateKey::read_openssh_file(path) {
        return Some(key.public_key().clone());
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".pub");
    let own = keys::load_public_key(path);
    own.or_else(|_| keys::load_public_key(Path::new(&beside)))
        .ok()
}
