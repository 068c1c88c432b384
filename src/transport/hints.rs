//! What to do next when a host cannot be reached or entered.

use super::error::{HostKeyProblem, SudoProblem, TransportError};
use std::io::ErrorKind;

/// Hints for an error, most likely first.
pub(super) fn of(error: &TransportError) -> Vec<String> {
    match error {
        TransportError::Unreachable { source, .. } => unreachable(source.kind()),
        TransportError::HostKey { problem, .. } => host_key(problem),
        TransportError::Auth { user, host, .. } => auth(user, host.as_str()),
        TransportError::Sudo { problem, user, .. } => sudo(*problem, user),
        TransportError::Shell { user, .. } => one(format!(
            "give `{user}` a login shell, or set `ansible_user` to a user that has one"
        )),
        TransportError::ChannelRefused { .. } => one(
            "see that the target listens on that host, and that its sshd has \
             `AllowTcpForwarding yes` and `AllowStreamLocalForwarding yes`",
        ),
        TransportError::Lost { .. } => {
            one("run the same command again: what was done already is found done")
        }
        TransportError::Timeout { .. } => {
            one("see what the host is busy with, then run the same command again")
        }
        TransportError::Flood { .. } => one(
            "see who answers there; a command with much output can write it to a file on the host",
        ),
        TransportError::Config { .. } => Vec::new(),
        TransportError::Protocol { address, .. } => one(format!(
            "see that {address} is an sshd that offers current algorithms"
        )),
        TransportError::Jump { source, .. } => of(source),
    }
}

fn one(hint: impl Into<String>) -> Vec<String> {
    vec![hint.into()]
}

fn unreachable(kind: ErrorKind) -> Vec<String> {
    match kind {
        ErrorKind::ConnectionRefused => one("see that sshd runs there, and `ansible_port`"),
        ErrorKind::TimedOut => one("see that the host is up and no firewall is in between"),
        ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof => {
            one("sshd closed the connection at once: see its `MaxStartups` and its log")
        }
        _ => one("see `ansible_host`, name resolution and routes"),
    }
}

fn host_key(problem: &HostKeyProblem) -> Vec<String> {
    match problem {
        HostKeyProblem::Unknown { key, name } => vec![
            format!(
                "compare it on the host's console: `ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub` must show {key}"
            ),
            format!(
                "then record it (`ssh-keyscan`, name `{name}`), pin it (`citusctl_host_key`), or run once with `--host-keys accept-new`"
            ),
        ],
        HostKeyProblem::Changed { name, place, .. } => vec![
            String::from("somebody may be listening in, or the machine was installed anew"),
            format!(
                "if you know it was installed anew, or restored: `ssh-keygen -R '{name}' -f {}`",
                place.file.display()
            ),
        ],
        HostKeyProblem::NotPinned { .. } => {
            one("correct `citusctl_host_key`, if you know that the machine was installed anew")
        }
        HostKeyProblem::Revoked { .. } => one("give the host a new key"),
        HostKeyProblem::Certificate { .. } => one("have the host's certificate issued anew"),
        HostKeyProblem::NotRecorded { .. } => {
            one("make the file writable, or name another with `--known-hosts`")
        }
    }
}

fn auth(user: &str, host: &str) -> Vec<String> {
    vec![
        format!("try `ssh {user}@{host} true`; then name the key: `ansible_ssh_private_key_file`"),
        String::from(
            "an account that is locked (`!` in /etc/shadow) is refused by an sshd without PAM even with the right key",
        ),
    ]
}

fn sudo(problem: SudoProblem, user: &str) -> Vec<String> {
    match problem {
        SudoProblem::PasswordNeeded => vec![
            String::from("give the password: `--ask-become-pass`, or `ansible_become_password`"),
            format!("or allow it without: `{user} ALL=(ALL) NOPASSWD: ALL` in /etc/sudoers.d"),
        ],
        SudoProblem::PasswordRefused => one("correct `ansible_become_password`"),
        SudoProblem::NotAllowed => one(format!(
            "add `{user} ALL=(ALL) NOPASSWD: ALL` to /etc/sudoers.d, or log in as another user (`ansible_user`)"
        )),
        SudoProblem::NeedsTerminal => one(format!(
            "add `Defaults:{user} !requiretty` to /etc/sudoers.d"
        )),
        SudoProblem::Missing => one("install sudo, or log in as root (`ansible_user: root`)"),
        SudoProblem::Other => one(format!("try `sudo -n true` as `{user}` on the host")),
    }
}
