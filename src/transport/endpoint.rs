//! Where a host is and how to enter it, as the inventory and the command line say.

use crate::names::HostName;
use crate::secret::Secret;
use std::path::PathBuf;
use std::time::Duration;

/// What to do about a host key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HostKeyPolicy {
    /// Only a known key is accepted.
    #[default]
    Strict,
    /// A key of a host that no file knows is written down and accepted; a changed one never.
    AcceptNew,
    /// The same, also where the key cannot be written down. A changed key is refused all the same: OpenSSH would go on
    /// without passwords, but what is sent to a host is full of secrets.
    Off,
}

impl HostKeyPolicy {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::AcceptNew => "accept-new",
            Self::Off => "off",
        }
    }
}

/// A host to go through (`ProxyJump`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JumpHost {
    /// Name or address; `~/.ssh/config` is asked about it.
    pub address: String,
    /// Port, else the configuration's, else 22.
    pub port: Option<u16>,
    /// User, else the configuration's, else the local user.
    pub user: Option<String>,
}

impl JumpHost {
    /// Reads `[user@]host[:port]` or `ssh://[user@]host[:port]`; IPv6 addresses in brackets. `None` if it is none of these.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches("ssh://");
        let (user, rest) = match text.rsplit_once('@') {
            Some((user, rest)) => (Some(user.to_owned()), rest),
            None => (None, text),
        };
        let (address, port) = split_port(rest)?;
        if address.is_empty() || user.as_deref() == Some("") {
            return None;
        }
        Some(Self {
            address,
            port,
            user,
        })
    }

    /// Reads a comma-separated chain; the first is the nearest. `none` is the empty chain.
    pub fn parse_chain(text: &str) -> Option<Vec<Self>> {
        if text.eq_ignore_ascii_case("none") {
            return Some(Vec::new());
        }
        text.split(',').map(Self::parse).collect()
    }
}

fn split_port(text: &str) -> Option<(String, Option<u16>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        return match port.strip_prefix(':') {
            Some(port) => Some((address.to_owned(), Some(port.parse().ok()?))),
            None if port.is_empty() => Some((address.to_owned(), None)),
            None => None,
        };
    }
    match text.split_once(':') {
        Some((_, rest)) if rest.contains(':') => Some((text.to_owned(), None)),
        Some((address, port)) => Some((address.to_owned(), Some(port.parse().ok()?))),
        None => Some((text.to_owned(), None)),
    }
}

/// How to become another user after login (`ansible_become*`).
#[derive(Clone, Debug)]
pub struct Sudo {
    /// The user to become.
    pub user: String,
    /// The password sudo asks for, if it asks for one.
    pub password: Option<Secret>,
}

impl Default for Sudo {
    fn default() -> Self {
        Self {
            user: String::from("root"),
            password: None,
        }
    }
}

/// A host and the way in. What is `None` comes from `~/.ssh/config`, else from OpenSSH's defaults.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The name in the inventory; every error begins with it.
    pub host: HostName,
    /// Name or address to connect to (`ansible_host`).
    pub address: String,
    /// Port (`ansible_port`).
    pub port: Option<u16>,
    /// Login user (`ansible_user`).
    pub user: Option<String>,
    /// Private keys to try before any other (`ansible_ssh_private_key_file`).
    pub keys: Vec<PathBuf>,
    /// Whether the ssh-agent is asked.
    pub use_agent: bool,
    /// Login password, tried after the keys.
    pub password: Option<Secret>,
    /// Hosts on the way, nearest first. `None`: as `~/.ssh/config` says.
    pub jump: Option<Vec<JumpHost>>,
    /// Settings of `ssh_config` in lower case that stand before those of any file (`ssh -o`); of each the first counts.
    pub options: Vec<(String, String)>,
    /// The file to read instead of the user's and the system's configuration (`ssh -F`).
    pub config: Option<PathBuf>,
    /// What to do about the host's key. `None`: as `~/.ssh/config` says, else strict.
    pub host_keys: Option<HostKeyPolicy>,
    /// The host's key as the inventory pins it: `ssh-ed25519 AAAA...` or `SHA256:...`.
    pub pinned_key: Option<String>,
    /// Becoming root; `None` runs programs as the login user. Not used when the login user is that user already.
    pub sudo: Option<Sudo>,
    /// Run here instead of over SSH (`ansible_connection: local`).
    pub local: bool,
    /// Limit for connecting, key exchange and authentication together.
    pub connect_timeout: Duration,
}

impl Endpoint {
    /// A host at an address, everything else as OpenSSH would do it, becoming root by sudo.
    pub fn new(host: HostName, address: impl Into<String>) -> Self {
        Self {
            host,
            address: address.into(),
            port: None,
            user: None,
            keys: Vec::new(),
            use_agent: true,
            password: None,
            jump: None,
            options: Vec::new(),
            config: None,
            host_keys: None,
            pinned_key: None,
            sudo: Some(Sudo::default()),
            local: false,
            connect_timeout: Duration::from_secs(10),
        }
    }

    /// Limit for whatever a connected host has to do before a program runs: opening a session, a login shell, sudo.
    pub(crate) fn answer_timeout(&self) -> Duration {
        self.connect_timeout * 6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jump(text: &str) -> Option<(String, Option<u16>, Option<String>)> {
        JumpHost::parse(text).map(|j| (j.address, j.port, j.user))
    }

    #[test]
    fn reads_jump_hosts() {
        let own = String::from;
        assert_eq!(jump("bastion"), Some((own("bastion"), None, None)));
        assert_eq!(
            jump("ssh://ops@b.example:2222"),
            Some((own("b.example"), Some(2222), Some(own("ops"))))
        );
        assert_eq!(jump("[fd00::1]:22"), Some((own("fd00::1"), Some(22), None)));
        assert_eq!(jump("fd00::1"), Some((own("fd00::1"), None, None)));
        assert_eq!(jump("b:port"), None);
        assert_eq!(jump("@b"), None);
        assert_eq!(JumpHost::parse_chain("a,b:2").map(|c| c.len()), Some(2));
        assert_eq!(JumpHost::parse_chain("none"), Some(Vec::new()));
    }
}
