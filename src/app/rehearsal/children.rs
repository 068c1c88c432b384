//! Our own verbs on the lab, as the operator would type them: outside of any lab that we may run in ourselves.

use crate::app::failure::{Failure, code};
use crate::app::options::Options;
use crate::event::{Event, Kind, StepOutcome};
use crate::lab::outside;
use crate::secret::Secret;
use std::path::PathBuf;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

/// What leads into the lab that we run in, or to the hosts at home.
const HOME: [&str; 6] = [
    "CITUSCTL_INSIDE_LAB",
    "CITUSCTL_OUTSIDE_PID",
    "CITUSCTL_LAB",
    "CITUSCTL_SSH_KEY",
    "CITUSCTL_KNOWN_HOSTS",
    "CITUSCTL_USER",
];

/// For the lab: its own authority, its own packages, no backup of an empty database.
const EXTRA: &str = "{ca_create: true, node_repos: [], node_debs_dir: /srv/citusctl/debs, pgbackrest_init_backup: false}";

/// Runs them.
pub(super) struct Children {
    lab: String,
    pub(super) inventory: PathBuf,
    extra: Vec<String>,
    vault: Vec<String>,
}

/// A step of a verb that has ended: its id, its title, and milliseconds.
pub(super) struct Ended {
    pub id: String,
    pub title: String,
    pub millis: u64,
}

impl Children {
    pub(super) fn new(options: &Options, lab: &str, inventory: PathBuf) -> Self {
        let files = options.vault_password_file.iter();
        let files = files.map(|file| format!("--vault-password-file={}", file.display()));
        let ids = options.vault_id.iter().map(|id| format!("--vault-id={id}"));
        Self {
            lab: lab.to_owned(),
            inventory,
            extra: std::iter::once(EXTRA.to_owned())
                .chain(options.extra.iter().cloned())
                .collect(),
            vault: files.chain(ids).collect(),
        }
    }

    fn bare(&self) -> Result<Command, Failure> {
        let program = std::env::current_exe().map_err(failed)?;
        let mut command = outside();
        command.arg(program);
        for name in HOME {
            command.env_remove(name);
        }
        let mut command = Command::from(command);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.kill_on_drop(true);
        Ok(command)
    }

    fn with_inventory(&self, words: &[&str]) -> Result<Command, Failure> {
        let mut command = self.bare()?;
        command
            .args(words)
            .arg("-i")
            .arg(&self.inventory)
            .args(&self.vault);
        for extra in &self.extra {
            command.arg("-e").arg(extra);
        }
        Ok(command)
    }

    /// Boots the lab. The machines stay when this program ends.
    pub(super) async fn up(&self, suite: &str, citus: Option<&str>) -> Result<(), Failure> {
        let mut words = vec!["-q", "lab", "up", "--name", &self.lab, "--suite", suite];
        words.extend(citus.iter().flat_map(|citus| ["--citus", *citus]));
        ended(self.with_inventory(&words)?, "lab up").await
    }

    pub(super) async fn down(&self) -> Result<(), Failure> {
        let mut command = self.bare()?;
        command.args(["-q", "lab", "down", "--name", &self.lab]);
        ended(command, "lab down").await
    }

    /// Runs a verb in the lab.
    pub(super) async fn verb(&self, words: &[&str]) -> Result<(), Failure> {
        let inside = format!("--lab={}", self.lab);
        let mut all = vec!["-q", inside.as_str()];
        all.extend(words);
        ended(self.with_inventory(&all)?, &words.join(" ")).await
    }

    /// Runs a verb in the lab and tells each of its steps as it ends.
    pub(super) async fn steps(
        &self,
        words: &[&str],
        mut each: impl FnMut(Ended),
    ) -> Result<(), Failure> {
        let inside = format!("--lab={}", self.lab);
        let mut all = vec![inside.as_str(), "-o", "json"];
        all.extend(words);
        let mut child = self.with_inventory(&all)?.spawn().map_err(failed)?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let said = tokio::spawn(async move {
            let mut text = String::new();
            if let Some(mut err) = err {
                err.read_to_string(&mut text).await.ok();
            }
            text
        });
        if let Some(out) = out {
            let mut lines = BufReader::new(out).lines();
            while let Some(line) = lines.next_line().await.map_err(failed)? {
                if let Ok(event) = serde_json::from_str::<Event>(&line) {
                    told(event.kind, &mut each);
                }
            }
        }
        let status = child.wait().await.map_err(failed)?;
        match status.success() {
            true => Ok(()),
            false => Err(broken(
                &words.join(" "),
                status.code(),
                &said.await.unwrap_or_default(),
            )),
        }
    }

    /// Runs a program as root on a host of the lab; what it prints, whatever its status.
    pub(super) async fn ask(&self, host: &str, program: &Secret) -> Result<(bool, String), String> {
        let words = |error: std::io::Error| error.to_string();
        let mut command = self.bare().map_err(|failure| failure.text)?;
        command
            .args([
                "lab", "exec", "--name", &self.lab, "--host", host, "--", "sh -s",
            ])
            .stdin(Stdio::piped());
        let mut child = command.spawn().map_err(words)?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin
                .write_all(program.expose().as_bytes())
                .await
                .map_err(words)?;
        }
        let output = child.wait_with_output().await.map_err(words)?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        match output.status.code() {
            Some(255) | None => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Some(_) => Ok((output.status.success(), text)),
        }
    }

    /// Starts a line on a host of the lab that reads what is given to it.
    pub(super) fn feed(&self, host: &str, line: &str) -> Result<std::process::Child, Failure> {
        let mut command = outside();
        command.arg(std::env::current_exe().map_err(failed)?);
        for name in HOME {
            command.env_remove(name);
        }
        command.args([
            "lab", "exec", "--name", &self.lab, "--host", host, "--", line,
        ]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)
    }
}

fn told(kind: Kind, each: &mut impl FnMut(Ended)) {
    if let Kind::StepFinished {
        host,
        resource,
        title,
        outcome: StepOutcome::Done,
        millis,
        ..
    } = kind
    {
        each(Ended {
            id: resource.to_string(),
            title: format!("  {host}: {title}"),
            millis,
        });
    }
}

async fn ended(mut command: Command, verb: &str) -> Result<(), Failure> {
    let output = command.output().await.map_err(failed)?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr);
            let result = String::from_utf8_lossy(&output.stdout);
            Err(broken(
                verb,
                output.status.code(),
                &format!("{said}\n{result}"),
            ))
        }
    }
}

/// A verb's own code and words.
fn broken(verb: &str, status: Option<i32>, said: &str) -> Failure {
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let from = lines
        .iter()
        .position(|line| line.starts_with("error"))
        .unwrap_or(lines.len().saturating_sub(10));
    let words = lines[from..].join("\n");
    let code = status
        .and_then(|status| u8::try_from(status).ok())
        .unwrap_or(code::FAILED);
    Failure::new(
        code,
        format!(
            "`{verb}` in the lab: {}",
            words.strip_prefix("error: ").unwrap_or(&words)
        ),
    )
}

fn failed(error: std::io::Error) -> Failure {
    Failure::new(code::INTERNAL, error.to_string())
}
