//! Running commands where the lab's addresses exist.

use super::error::{At, LabError};
use super::machine::Lab;
use super::tool;
use crate::command::quote;
use crate::secret::Secret;
use std::convert::Infallible;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::{CommandExt, parent_id};
use std::process::{Command, ExitStatus, Stdio};

/// Names the lab that a program runs inside of.
pub const INSIDE: &str = "CITUSCTL_INSIDE_LAB";

/// The process that started this one, outside of the lab.
pub(super) const OUTSIDE: &str = "CITUSCTL_OUTSIDE_PID";

impl Lab {
    /// A command in the control namespace, told by its environment how to get into the hosts.
    pub fn command(&self, program: &OsString, args: &[OsString]) -> Command {
        let record = &self.record;
        let mut command = tool::command("ip");
        command
            .args(["netns", "exec", &record.control_ns()])
            .arg(program)
            .args(args);
        command.stdin(Stdio::inherit());
        command
            .env("CITUSCTL_SSH_KEY", record.dir.join("ssh/id_ed25519"))
            .env("CITUSCTL_KNOWN_HOSTS", record.dir.join("ssh/known_hosts"))
            .env("CITUSCTL_USER", "root")
            .env(INSIDE, &record.spec.name);
        if std::env::var_os(INSIDE).is_none() {
            command.env(OUTSIDE, parent_id().to_string());
        }
        command
    }

    /// A command in a host's network but outside of the host: it sees what the host sees, also when it is cut off.
    ///
    /// # Errors
    /// No such host.
    pub fn beside(
        &self,
        host: &str,
        program: &OsString,
        args: &[OsString],
    ) -> Result<Command, LabError> {
        let index = self.record.index(host)?;
        let mut command = tool::command("ip");
        command
            .args(["netns", "exec", &self.record.host_ns(index)])
            .arg(program)
            .args(args);
        Ok(command)
    }

    /// Becomes a command in the control namespace: same process, so that signals and its end are the command's.
    ///
    /// # Errors
    /// It could not be started; otherwise this does not return.
    pub fn exec(&self, argv: &[OsString]) -> Result<Infallible, LabError> {
        let (program, args) = split(argv)?;
        Err(spawn_error(program, self.command(program, args).exec()))
    }

    /// Becomes a command on a host, as root.
    ///
    /// # Errors
    /// No such host, or ssh could not be started.
    pub fn exec_on(&self, host: &str, argv: &[OsString]) -> Result<Infallible, LabError> {
        self.exec(&self.ssh(host, argv)?)
    }

    /// Runs a command on a host, as root, and waits for it.
    ///
    /// # Errors
    /// No such host, or ssh could not be started.
    pub fn run_on(&self, host: &str, argv: &[OsString]) -> Result<ExitStatus, LabError> {
        let ssh = self.ssh(host, argv)?;
        let (program, args) = split(&ssh)?;
        let ended = self.command(program, args).status();
        ended.map_err(|source| spawn_error(program, source))
    }

    /// The same with something on its standard input: what must not be among its arguments.
    ///
    /// # Errors
    /// No such host, or ssh could not be started or fed.
    pub fn feed(&self, host: &str, line: &str, input: &Secret) -> Result<ExitStatus, LabError> {
        let ssh = self.ssh(host, &[line.into()])?;
        let (program, args) = split(&ssh)?;
        let failed = |source| spawn_error(program, source);
        let mut command = self.command(program, args);
        let mut child = command.stdin(Stdio::piped()).spawn().map_err(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            let text = input.expose().as_bytes();
            stdin.write_all(text).map_err(failed)?;
        }
        child.wait().map_err(failed)
    }

    fn ssh(&self, host: &str, argv: &[OsString]) -> Result<Vec<OsString>, LabError> {
        let index = self.record.index(host)?;
        let address = self.record.spec.hosts[index].address.to_string();
        let mut ssh: Vec<OsString> = ["ssh", "-q", "-F"].map(OsString::from).to_vec();
        ssh.push(self.record.dir.join("ssh/config").into());
        ssh.extend([
            OsString::from(format!("root@{address}")),
            OsString::from("--"),
        ]);
        ssh.extend(remote(argv));
        Ok(ssh)
    }
}

fn split(argv: &[OsString]) -> Result<(&OsString, &[OsString]), LabError> {
    argv.split_first().ok_or_else(|| LabError::Command {
        command: "lab exec".to_owned(),
        status: "nothing to run".to_owned(),
        stderr: "name a command after `--`".to_owned(),
    })
}

fn spawn_error(program: &OsString, source: std::io::Error) -> LabError {
    LabError::Spawn {
        command: program.to_string_lossy().into_owned(),
        source,
    }
}

/// What ssh is given: one word is a line for the host's shell, several are an argument vector and arrive as they are.
fn remote(argv: &[OsString]) -> Vec<OsString> {
    match argv {
        [line] => vec![line.clone()],
        words => words
            .iter()
            .map(|word| quote(&word.to_string_lossy()).into())
            .collect(),
    }
}

/// Becomes this program again with its own arguments, less `--lab`, inside a lab.
///
/// # Errors
/// No such lab, or it could not be started.
pub fn reexec(name: Option<&str>) -> Result<Infallible, LabError> {
    let lab = Lab::find(name)?;
    let program = std::env::current_exe().at("/proc/self/exe")?;
    let args = std::env::args_os().skip(1).filter(|arg| {
        let text = arg.to_string_lossy();
        text != "--lab" && !text.starts_with("--lab=")
    });
    let mut argv = vec![program.into_os_string()];
    argv.extend(args);
    lab.exec(&argv)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_arrive_as_words_and_a_line_as_a_line() {
        let words = ["sh", "-c", "echo $0", "a b"].map(OsString::from);
        let quoted = ["sh", "-c", "'echo $0'", "'a b'"].map(OsString::from);
        assert_eq!(remote(&words), quoted);
        let line = [OsString::from("mv a b; true")];
        assert_eq!(remote(&line), line);
    }
}
