//! Everything about the way to a host that does not stand in the inventory: `~/.ssh/config`, key files, the agent,
//! `known_hosts` files, and the connections to jump hosts, which hosts share.

use super::endpoint::{Endpoint, HostKeyPolicy, JumpHost};
use super::error::TransportError;
use super::notices::Notices;
use super::proxy;
use super::ssh::{SshRoute, SshSession};
use super::ssh_config::{self, Question, SshSettings, Tokens};
use super::trust::{Trust, TrustSource};
use crate::model::ssh_args::plain_jump;
use crate::names::HostName;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Mutex;

/// The connection to a jump host, or why there is none and since when.
pub(crate) type JumpConnection = Option<Result<Arc<SshSession>, (Instant, Arc<TransportError>)>>;
type SharedJump = Arc<Mutex<JumpConnection>>;

/// The operator's side of all connections of a run. Make one and use it for all hosts.
#[derive(Debug, Default)]
pub struct Resolver {
    home: Option<PathBuf>,
    agent: Option<PathBuf>,
    config: Option<PathBuf>,
    known_hosts: Option<PathBuf>,
    host_keys: Option<HostKeyPolicy>,
    jumps: Mutex<BTreeMap<String, SharedJump>>,
    notices: Notices,
}

impl Resolver {
    /// A resolver for the user who runs this program: `HOME`, `SSH_AUTH_SOCK` and `CITUSCTL_KNOWN_HOSTS`.
    pub fn from_env() -> Self {
        let path = |name| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        Self {
            home: path("HOME"),
            agent: path("SSH_AUTH_SOCK"),
            known_hosts: path("CITUSCTL_KNOWN_HOSTS"),
            ..Self::default()
        }
    }

    /// Reads this file instead of the user's and the system's configuration (`ssh -F`). `/dev/null` reads none.
    #[must_use]
    pub fn with_config(mut self, file: impl Into<PathBuf>) -> Self {
        self.config = Some(file.into());
        self
    }

    /// Looks into this file before all others, and writes new host keys there.
    #[must_use]
    pub fn with_known_hosts(mut self, file: impl Into<PathBuf>) -> Self {
        self.known_hosts = Some(file.into());
        self
    }

    /// The policy for every host, jump hosts too, whose endpoint does not name one.
    #[must_use]
    pub fn with_host_keys(mut self, policy: HostKeyPolicy) -> Self {
        self.host_keys = Some(policy);
        self
    }

    /// What is to be told of connections since it was asked last: keys that were accepted without being known,
    /// settings that weaken a check.
    pub fn take_notices(&self) -> Vec<String> {
        self.notices.take()
    }

    /// Uses this agent socket, or none.
    #[must_use]
    pub fn with_agent(mut self, socket: Option<PathBuf>) -> Self {
        self.agent = socket;
        self
    }

    /// Uses this home directory.
    #[must_use]
    pub fn with_home(mut self, home: impl Into<PathBuf>) -> Self {
        self.home = Some(home.into());
        self
    }

    /// The way to a host with all questions answered.
    pub(crate) async fn route(&self, endpoint: &Endpoint) -> Result<SshRoute, TransportError> {
        let settings = ssh_config::ask(Question {
            host: &endpoint.address,
            user: endpoint.user.as_deref(),
            port: endpoint.port,
            options: &endpoint.options,
            file: endpoint.config.as_deref().or(self.config.as_deref()),
            home: self.home.as_deref(),
        });
        let fail = |what: String| config_error(&endpoint.host, what);
        let settings = settings.await.map_err(fail)?;
        ConnectionSettings {
            endpoint,
            settings: &settings,
            resolver: self,
        }
        .route()
    }

    /// A jump host as an endpoint: same keys, agent and policy as the host behind it; no passwords and no pinned key.
    pub(crate) fn jump_endpoint(
        &self,
        jump: &JumpHost,
        behind: &Endpoint,
        rest: &[JumpHost],
    ) -> Endpoint {
        let name = HostName::new(jump.address.clone());
        let mut endpoint = Endpoint::new(name, jump.address.clone());
        endpoint.port = jump.port;
        endpoint.user.clone_from(&jump.user);
        endpoint.keys.clone_from(&behind.keys);
        endpoint.use_agent = behind.use_agent;
        endpoint.config.clone_from(&behind.config);
        endpoint.host_keys = behind.host_keys;
        endpoint.connect_timeout = behind.connect_timeout;
        endpoint.jump = (!rest.is_empty()).then(|| rest.to_vec());
        endpoint
    }

    /// The slot in which the connection to a jump host is kept.
    pub(crate) async fn shared(&self, key: String) -> SharedJump {
        Arc::clone(self.jumps.lock().await.entry(key).or_default())
    }
}

fn config_error(host: &HostName, what: String) -> TransportError {
    TransportError::Config {
        host: host.clone(),
        what,
    }
}

/// The endpoint's own words first, then the configuration's, then OpenSSH's defaults.
struct ConnectionSettings<'a> {
    endpoint: &'a Endpoint,
    settings: &'a SshSettings,
    resolver: &'a Resolver,
}

impl ConnectionSettings<'_> {
    fn route(&self) -> Result<SshRoute, TransportError> {
        let address = self
            .settings
            .first("hostname")
            .unwrap_or(&self.endpoint.address);
        let address = address.trim_matches(['[', ']']).to_owned();
        let (port, user) = (self.port()?, self.user()?);
        let tokens = Tokens {
            home: self.resolver.home.as_deref(),
            address: &address,
            original: &self.endpoint.address,
            user: &user,
            port,
        };
        let (jump, proxy) = self.way(&tokens)?;
        Ok(SshRoute {
            host: self.endpoint.host.clone(),
            trust: self.trust(&address, port, &tokens)?,
            keys: self.keys(&tokens),
            agent: self.agent(&tokens),
            agent_only_for_keys: self.is_yes("identitiesonly"),
            password: self.endpoint.password.clone(),
            jump,
            proxy,
            timeout: self.endpoint.connect_timeout,
            address,
            port,
            user,
        })
    }

    fn fail(&self, what: String) -> TransportError {
        config_error(&self.endpoint.host, what)
    }

    fn is_yes(&self, keyword: &str) -> bool {
        self.settings.first(keyword) == Some("yes")
    }

    fn port(&self) -> Result<u16, TransportError> {
        match (self.endpoint.port, self.settings.first("port")) {
            (Some(port), _) => Ok(port),
            (None, None) => Ok(22),
            (None, Some(text)) => text.parse().map_err(|_| {
                self.fail(format!("`Port {text}` in the ssh configuration is no port"))
            }),
        }
    }

    fn user(&self) -> Result<String, TransportError> {
        let configured = self.settings.first("user").map(str::to_owned);
        let user = self.endpoint.user.clone().or(configured);
        user.or_else(|| std::env::var("USER").ok())
            .ok_or_else(|| self.fail(String::from("no login user is known: set `ansible_user`")))
    }

    /// Key files: those of the inventory, then those of the configuration. One that does not exist counts
    /// only if the inventory names it.
    fn keys(&self, tokens: &Tokens<'_>) -> Vec<PathBuf> {
        let own = self.endpoint.keys.iter();
        let own = own.map(|path| {
            path.to_str()
                .and_then(|text| tokens.expand(text))
                .unwrap_or_else(|| path.clone())
        });
        let configured = self.identity_files();
        let configured = configured.filter(|text| text.as_str() != "none");
        let configured = configured
            .filter_map(|text| tokens.expand(&text))
            .filter(|path| path.exists() || path.with_added_extension("pub").exists());
        let mut keys: Vec<PathBuf> = Vec::new();
        for key in own.chain(configured) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    fn identity_files(&self) -> impl Iterator<Item = String> {
        const USUAL: [&str; 3] = ["~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"];
        match self.settings.all("identityfile") {
            [] => USUAL.map(str::to_owned).to_vec(),
            named => named.to_vec(),
        }
        .into_iter()
    }

    fn agent(&self, tokens: &Tokens<'_>) -> Option<PathBuf> {
        if !self.endpoint.use_agent {
            return None;
        }
        match self.settings.first("identityagent") {
            None | Some("SSH_AUTH_SOCK") => self.resolver.agent.clone(),
            Some("none") => None,
            Some(name) if name.starts_with('$') && !name.starts_with("${") => {
                std::env::var_os(name.trim_start_matches('$')).map(PathBuf::from)
            }
            Some(path) => tokens.expand(path),
        }
    }

    /// Hosts on the way, or a command that makes the connection.
    fn way(&self, tokens: &Tokens<'_>) -> Result<(Vec<JumpHost>, Option<String>), TransportError> {
        if let Some(jump) = &self.endpoint.jump {
            return Ok((jump.clone(), None));
        }
        let set = |keyword| {
            let value = self.settings.first(keyword);
            value.filter(|text| !text.eq_ignore_ascii_case("none"))
        };
        if let Some(text) = set("proxyjump") {
            return Ok((self.chain(text, "ProxyJump")?, None));
        }
        let Some(command) = set("proxycommand") else {
            return Ok((Vec::new(), None));
        };
        if let Some(jump) = plain_jump(command) {
            return Ok((self.chain(&jump, "ProxyCommand")?, None));
        }
        if self.is_yes("proxyusefdpass") {
            return Err(self.fail(format!(
                "`ProxyCommand {command}` with `ProxyUseFdpass yes` is not supported: a command that hands over a socket"
            )));
        }
        let command = proxy::command(command, tokens).map_err(|why| self.fail(why))?;
        Ok((Vec::new(), Some(command)))
    }

    fn chain(&self, text: &str, keyword: &str) -> Result<Vec<JumpHost>, TransportError> {
        let chain = JumpHost::parse_chain(text);
        chain.ok_or_else(|| self.fail(format!("`{keyword}`: `{text}` is no jump host")))
    }

    fn policy(&self) -> HostKeyPolicy {
        let configured = || match self.settings.first("stricthostkeychecking") {
            Some("accept-new") => HostKeyPolicy::AcceptNew,
            Some("no" | "off" | "false") => {
                self.resolver.notices.add(String::from(
                    "`StrictHostKeyChecking no` (ssh configuration or arguments): unknown host keys are accepted and recorded, changed ones are refused"
                ));
                HostKeyPolicy::Off
            }
            // `ask` is what `ssh -G` says without a setting; there is nobody to ask for each of many hosts.
            _ => HostKeyPolicy::Strict,
        };
        let given = self.endpoint.host_keys.or(self.resolver.host_keys);
        given.unwrap_or_else(configured)
    }

    fn trust(
        &self,
        address: &str,
        port: u16,
        tokens: &Tokens<'_>,
    ) -> Result<Trust, TransportError> {
        let alias = self.settings.first("hostkeyalias");
        let own = self.named_files(USER_FILES, tokens);
        Trust::load(
            &self.endpoint.host,
            TrustSource {
                recorded_as: alias.unwrap_or(address),
                port: if alias.is_some() { 22 } else { port },
                policy: self.policy(),
                pinned: self.endpoint.pinned_key.clone(),
                files: &self.known_hosts(&own, tokens),
                learn: self
                    .resolver
                    .known_hosts
                    .clone()
                    .or_else(|| own.first().cloned()),
                notices: self.resolver.notices.clone(),
            },
        )
    }

    fn known_hosts(&self, own: &[PathBuf], tokens: &Tokens<'_>) -> Vec<PathBuf> {
        let given = self.resolver.known_hosts.iter().cloned();
        let global = self.named_files(GLOBAL_FILES, tokens);
        given.chain(own.iter().cloned()).chain(global).collect()
    }

    /// The files that a keyword names, or the usual ones.
    fn named_files(&self, (keyword, usual): (&str, &str), tokens: &Tokens<'_>) -> Vec<PathBuf> {
        let names = self.settings.first(keyword).unwrap_or(usual);
        let names = names.split_whitespace().filter(|name| *name != "none");
        names
            .filter_map(|name| tokens.expand(name))
            .filter(|file| file != Path::new("/dev/null"))
            .collect()
    }
}

const USER_FILES: (&str, &str) = (
    "userknownhostsfile",
    "~/.ssh/known_hosts ~/.ssh/known_hosts2",
);
const GLOBAL_FILES: (&str, &str) = (
    "globalknownhostsfile",
    "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2",
);
