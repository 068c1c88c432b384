//! From a login to a root shell: the command to ask for, and how to tell that it worked.
//!
//! The shell announces itself with [`READY`] before it reads the program. So what a login shell or sudo
//! says before is not taken for output of the program, and a program that fails is not taken for a
//! refused sudo. A password is sent only when sudo asks for it, and only once: it can never
//! be read by the shell as a command, nor the program by sudo as a password.

use super::endpoint::{Endpoint, Sudo};
use super::error::SudoProblem;
use crate::command::given;

/// What the shell prints when it is there, followed by its process id.
pub(crate) const READY: &str = "CITUSCTL-SHELL-READY ";

/// What sudo prints when it wants a password.
pub(crate) const PROMPT: &str = "CITUSCTL-SUDO-PASSWORD:";

/// Who logs in, and whom to become.
#[derive(Clone, Debug)]
pub(crate) struct SshLogin {
    /// The login user.
    pub(crate) user: String,
    /// The user to become; `None` when there is nothing to do.
    pub(crate) sudo: Option<Sudo>,
}

impl SshLogin {
    /// The way for a login user: no sudo when that is the wanted user already.
    pub(crate) fn new(user: &str, endpoint: &Endpoint) -> Self {
        let sudo = endpoint.sudo.clone().filter(|sudo| sudo.user != user);
        Self {
            user: user.to_owned(),
            sudo,
        }
    }

    /// The command line to give to the login shell, whichever shell that is: only words and single quotes.
    /// `LC_ALL=C` keeps messages of sudo and of all tools in one language.
    pub(crate) fn command(&self) -> String {
        let shell = format!("sh -c 'echo \"{READY}$$\"; exec sh -s'");
        match &self.sudo {
            None => format!("exec env LC_ALL=C {shell}"),
            Some(sudo) => format!(
                "exec env LC_ALL=C sudo {} -H -u {} -- {shell}",
                if sudo.password.is_some() {
                    format!("-S -p {PROMPT}")
                } else {
                    String::from("-n")
                },
                quote(&sudo.user)
            ),
        }
    }
}

/// A word in single quotes.
pub(crate) fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// What sudo's last words mean.
pub(crate) fn classify(said: &str) -> SudoProblem {
    const SIGNS: [(&str, SudoProblem); 10] = [
        ("sudo: not found", SudoProblem::Missing),
        ("sudo: command not found", SudoProblem::Missing),
        ("sudo': No such file", SudoProblem::Missing),
        ("sudo: No such file", SudoProblem::Missing),
        ("must have a tty", SudoProblem::NeedsTerminal),
        ("not in the sudoers", SudoProblem::NotAllowed),
        ("not allowed to", SudoProblem::NotAllowed),
        ("may not run sudo", SudoProblem::NotAllowed),
        ("incorrect password", SudoProblem::PasswordRefused),
        ("password is required", SudoProblem::PasswordNeeded),
    ];
    SIGNS
        .iter()
        .find(|(sign, _)| said.contains(sign))
        .map_or(SudoProblem::Other, |(_, problem)| *problem)
}

/// A program that ends a process and everything below it, gently first.
pub(crate) fn kill_program(pid: u32) -> String {
    given(
        &[("PID", &pid.to_string())],
        include_str!("scripts/kill.sh"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::HostName;
    use crate::secret::Secret;

    fn login(user: &str, password: Option<&str>) -> SshLogin {
        let mut endpoint = Endpoint::new(HostName::new("h"), "h");
        endpoint.sudo = Some(Sudo {
            user: String::from("root"),
            password: password.map(Secret::new),
        });
        SshLogin::new(user, &endpoint)
    }

    #[test]
    fn root_needs_no_sudo() {
        assert!(!login("root", None).command().contains("sudo"));
        assert!(
            login("dba", None)
                .command()
                .contains("sudo -n -H -u 'root' --")
        );
    }

    #[test]
    fn the_password_is_not_in_the_command() {
        let command = login("dba", Some("hunter2")).command();
        assert!(command.contains("sudo -S -p"));
        assert!(!command.contains("hunter2"));
    }

    #[test]
    fn sudo_is_understood() {
        let cases = [
            ("sudo: a password is required", SudoProblem::PasswordNeeded),
            ("dba is not in the sudoers file.", SudoProblem::NotAllowed),
            (
                "Sorry, user dba is not allowed to execute '/bin/sh'",
                SudoProblem::NotAllowed,
            ),
            (
                "sudo: 1 incorrect password attempt",
                SudoProblem::PasswordRefused,
            ),
            (
                "env: 'sudo': No such file or directory",
                SudoProblem::Missing,
            ),
            (
                "sudo: sorry, you must have a tty to run sudo",
                SudoProblem::NeedsTerminal,
            ),
            ("sudo: /etc/sudo.conf is broken", SudoProblem::Other),
        ];
        for (said, problem) in cases {
            assert_eq!(classify(said), problem, "{said}");
        }
    }
}
