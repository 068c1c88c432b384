//! Running other programs, and whether they are there.

use super::error::LabError;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

/// The programs that a lab needs.
const TOOLS: [&str; 7] = [
    "systemd-nspawn",
    "debootstrap",
    "ip",
    "ssh-keygen",
    "unshare",
    "apt-get",
    "bash",
];

/// Directories of administration programs, which not every user's `PATH` names.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The programs of [`TOOLS`] that are not installed.
pub fn missing_tools() -> Vec<&'static str> {
    TOOLS.into_iter().filter(|tool| !installed(tool)).collect()
}

/// Whether a lab can be made here at all.
///
/// # Errors
/// [`LabError::NotRoot`], [`LabError::MissingTools`].
pub(super) fn check_machine() -> Result<(), LabError> {
    if !is_root() {
        return Err(LabError::NotRoot);
    }
    match missing_tools() {
        missing if missing.is_empty() => Ok(()),
        missing => Err(LabError::MissingTools(missing)),
    }
}

/// Whether this process may do what the lab does.
fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let uids = status
        .lines()
        .find_map(|line| line.strip_prefix("Uid:"))
        .unwrap_or_default();
    uids.split_whitespace().nth(1) == Some("0")
}

/// Whether a program is installed.
pub(super) fn installed(tool: &str) -> bool {
    SYSTEM_PATH
        .split(':')
        .any(|dir| Path::new(dir).join(tool).exists())
}

/// A command that finds administration programs.
pub(super) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    let path = std::env::var("PATH").unwrap_or_default();
    command
        .env("PATH", format!("{path}:{SYSTEM_PATH}"))
        .stdin(Stdio::null());
    command
}

/// Runs a program to its end and returns its standard output.
///
/// # Errors
/// If it cannot be started, or ends with anything but 0; its standard error is in the message.
pub(super) fn run<S: AsRef<OsStr>>(program: &str, args: &[S]) -> Result<String, LabError> {
    let mut command = command(program);
    command.args(args);
    finish(command)
}

/// The same for a command that is set up already.
pub(super) fn finish(mut command: Command) -> Result<String, LabError> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let shown = show(&command);
    let failed = |source| LabError::Spawn {
        command: shown.clone(),
        source,
    };
    let child = command.spawn().map_err(failed)?;
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(LabError::Command {
        status: output.status.to_string(),
        stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        command: shown,
    })
}

/// Makes a key for SSH without a passphrase, where there is none yet.
///
/// # Errors
/// As [`run`].
pub(super) fn ssh_key(path: &Path, comment: &str) -> Result<(), LabError> {
    if path.exists() {
        return Ok(());
    }
    let mut command = command("ssh-keygen");
    command.args(["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f"]);
    command.arg(path);
    finish(command).map(drop)
}

/// The command as one would type it, near enough for a message.
fn show(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        ssh_key(&path, "of a host").unwrap();
        let made = std::fs::read(&path).unwrap();
        let public = std::fs::read_to_string(path.with_extension("pub")).unwrap();
        assert!(public.starts_with("ssh-ed25519 ") && public.ends_with(" of a host\n"));
        ssh_key(&path, "of a host").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), made);
    }
}
