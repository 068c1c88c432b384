//! How the operator's machine gets into a host: Ansible's connection variables, read once.

use crate::inventory::Vars;
use crate::inventory::parameters::Typed;
use crate::names::HostName;
use crate::secret::Secret;

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
    /// Hosts to go through, nearest first, each `[user@]host[:port]`.
    pub jump: Vec<String>,
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
        Self {
            host: first(&["ansible_host", "ansible_ssh_host"])
                .unwrap_or_else(|| name.as_str().to_owned()),
            port: first(&["ansible_port", "ansible_ssh_port"]).and_then(|port| port.parse().ok()),
            user: first(&["ansible_user", "ansible_ssh_user"]),
            key_file: first(&["ansible_ssh_private_key_file", "ansible_private_key_file"]),
            password: secret(&[
                "ansible_password",
                "ansible_ssh_pass",
                "ansible_ssh_password",
            ]),
            r#become: !vars.contains("ansible_become") || typed.bool("ansible_become"),
            become_password: secret(&["ansible_become_password", "ansible_become_pass"]),
            local: typed.opt_str("ansible_connection").as_deref() == Some("local"),
            jump: first(&["ansible_ssh_common_args", "ansible_ssh_extra_args"])
                .map_or_else(Vec::new, |args| jump_hosts(&args)),
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

/// The value as text if it was written and is not empty; a secret as well.
fn written(typed: &Typed<'_>, vars: &Vars, name: &str) -> Option<String> {
    let text = match typed.opt_str(name) {
        Some(text) => text,
        None => vars.get(name)?.node.as_str()?.to_owned(),
    };
    (vars.contains(name) && !text.is_empty()).then_some(text)
}

/// The jump hosts that ssh's own arguments name: `-J a,b`, `-o ProxyJump=a`, or the old
/// `-o ProxyCommand="ssh -W %h:%p [options] bastion"`.
pub fn jump_hosts(args: &str) -> Vec<String> {
    let args = args.replace(['"', '\''], " ");
    let words: Vec<&str> = args.split_whitespace().collect();
    let hosts = after_flag(&words, "-J")
        .or_else(|| option(&words, "ProxyJump"))
        .map(|list| list.split(',').map(str::to_owned).collect());
    hosts.unwrap_or_else(|| proxy_command(&words).into_iter().collect())
}

/// `-J value` or `-Jvalue`.
fn after_flag<'a>(words: &[&'a str], flag: &str) -> Option<&'a str> {
    let at = words.iter().position(|word| word.starts_with(flag))?;
    match words[at].strip_prefix(flag) {
        Some("") => words.get(at + 1).copied(),
        joined => joined,
    }
}

/// `Name=value` or `Name value`, with or without `-o` glued to it.
fn option<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    let at = words
        .iter()
        .position(|word| word.trim_start_matches("-o").starts_with(name))?;
    let rest = words[at].trim_start_matches("-o").strip_prefix(name)?;
    match rest.strip_prefix('=') {
        Some("") | None => words.get(at + 1).copied(),
        value => value,
    }
}

/// The last word of an `ssh -W` command that is not an option or an option's value.
fn proxy_command(words: &[&str]) -> Option<String> {
    const WITH_VALUE: [&str; 9] = ["-W", "-p", "-i", "-l", "-o", "-F", "-c", "-m", "-b"];
    let at = words
        .iter()
        .position(|word| word.contains("ProxyCommand"))?;
    let command = &words[at + 1..];
    let mut port = None;
    let mut host = None;
    let mut skip = false;
    for (index, word) in command.iter().enumerate() {
        if std::mem::take(&mut skip) || *word == "ssh" {
            continue;
        }
        if WITH_VALUE.contains(word) {
            skip = true;
            port = if *word == "-p" {
                command.get(index + 1)
            } else {
                port
            };
        } else if !word.starts_with('-') {
            host = Some(*word);
        }
    }
    let host = host?;
    Some(port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

#[cfg(test)]
mod tests {
    use super::jump_hosts;

    #[test]
    fn reads_jump_hosts() {
        assert_eq!(jump_hosts("-J a,b@c:22"), ["a", "b@c:22"]);
        assert_eq!(jump_hosts("-o ProxyJump=gate"), ["gate"]);
        assert_eq!(jump_hosts("-oProxyJump=gate"), ["gate"]);
        assert_eq!(jump_hosts("-o ProxyJump gate -C"), ["gate"]);
        let command = r#"-o ProxyCommand="ssh -W %h:%p -p 2222 -q user@gate""#;
        assert_eq!(jump_hosts(command), ["user@gate:2222"]);
        assert!(jump_hosts("-o ForwardAgent=yes").is_empty());
    }
}
