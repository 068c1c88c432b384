//! How the operator's machine gets into a host: Ansible's connection variables, read once.

use crate::inventory::Vars;
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::names::HostName;
use crate::secret::Secret;

use super::ssh_args::SshArgs;

/// What the inventory says about the way in. What is `None` is left to `~/.ssh/config` and defaults.
#[derive(Clone, Debug, PartialEq)]
pub struct Connection {
    /// `ansible_host`, else the inventory's key.
    pub host: String,
    pub port: Option<u16>,
    pub user: Option<String>,
    pub key_file: Option<String>,
    pub password: Option<Secret>,
    /// Whether the host's programs run through `sudo`. Not needed, and not used, when `user` is root.
    pub r#become: bool,
    pub become_password: Option<Secret>,
    /// `ansible_connection: local`: no SSH at all.
    pub local: bool,
    /// Arguments of ssh, all lists together.
    pub ssh: SshArgs,
    /// `ansible_host_key_checking`, as it was written.
    pub host_key_checking: Option<bool>,
    /// The host key that must be shown (`citusctl_host_key`), as in a `known_hosts` line.
    pub host_key: Option<String>,
}

/// What a command line says about the way in; each value given wins over the inventory.
#[derive(Clone, Debug, Default)]
pub struct ConnectionOverrides {
    pub port: Option<u16>,
    pub user: Option<String>,
    pub key_file: Option<String>,
    pub password: Option<Secret>,
    pub r#become: Option<bool>,
    pub become_password: Option<Secret>,
}

impl Connection {
    /// Reads the connection variables of one host.
    pub fn read(name: &HostName, vars: &Vars) -> Self {
        let typed = Typed::new(vars);
        let first = |names: &[&str]| names.iter().find_map(|name| written(&typed, vars, name));
        let secret = |names: &[&str]| first(names).map(Secret::new);
        // Ansible puts these before everything else that it says to ssh.
        let strong = ssh_args(&typed, vars, &SSH_ARGS[..1]);
        Self {
            host: first(&["ansible_host", "ansible_ssh_host"])
                .unwrap_or_else(|| name.as_str().to_owned()),
            port: first(&["ansible_port", "ansible_ssh_port"])
                .filter(|_| strong.first("port").is_none())
                .and_then(|port| port.parse().ok()),
            user: first(&["ansible_user", "ansible_ssh_user"])
                .filter(|_| strong.first("user").is_none()),
            key_file: first(&["ansible_ssh_private_key_file", "ansible_private_key_file"]),
            password: secret(&[
                "ansible_password",
                "ansible_ssh_pass",
                "ansible_ssh_password",
            ]),
            r#become: typed.get(param::ANSIBLE_BECOME).unwrap_or(true),
            become_password: secret(&["ansible_become_password", "ansible_become_pass"]),
            local: typed.get(param::ANSIBLE_CONNECTION).as_deref() == Some("local"),
            ssh: ssh_args(&typed, vars, &SSH_ARGS),
            host_key_checking: CHECKING
                .into_iter()
                .find(|name| vars.contains(name))
                .map(|name| typed.bool(name)),
            host_key: first(&["citusctl_host_key"]),
        }
    }

    /// This connection as changed by the command line.
    #[must_use]
    pub fn overridden(mut self, by: &ConnectionOverrides) -> Self {
        self.port = by.port.or(self.port);
        self.user = by.user.clone().or(self.user);
        self.key_file = by.key_file.clone().or(self.key_file);
        self.password = by.password.clone().or(self.password);
        self.r#become = by.r#become.unwrap_or(self.r#become);
        self.become_password = by.become_password.clone().or(self.become_password);
        self
    }
}

/// Names of lists of arguments, in the order in which they count.
pub const SSH_ARGS: [&str; 3] = [
    "ansible_ssh_args",
    "ansible_ssh_common_args",
    "ansible_ssh_extra_args",
];

/// Names of the switch for checking host keys, the stronger one first.
pub const CHECKING: [&str; 2] = ["ansible_ssh_host_key_checking", "ansible_host_key_checking"];

fn ssh_args(typed: &Typed<'_>, vars: &Vars, names: &[&str]) -> SshArgs {
    let mut args = SshArgs::default();
    for name in names {
        if let Some(text) = written(typed, vars, name) {
            args.read(&text);
        }
    }
    args
}

/// The value as text if it was written and is not empty; a secret as well.
fn written(typed: &Typed<'_>, vars: &Vars, name: &str) -> Option<String> {
    let text = match typed.opt_str(name) {
        Some(text) => text,
        None => vars.get(name)?.node.as_str()?.to_owned(),
    };
    (vars.contains(name) && !text.is_empty()).then_some(text)
}
