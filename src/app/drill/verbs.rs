//! Our own verbs, as the operator would type them, with what they tell.

use super::run::Drill;
use crate::app::failure::{Failure, code};
use crate::event::drill::{Millis, VerbOutput};
use crate::event::{Event, Kind, StepOutcome};
use std::path::Path;
use std::process::{Output, Stdio};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

fn failed(error: std::io::Error) -> Failure {
    Failure::new(code::INTERNAL, error.to_string())
}

impl Drill<'_> {
    /// Runs one of our own verbs on the same inventory.
    pub async fn verb(&self, words: &[&str]) -> Result<(), Failure> {
        self.verb_on(&self.options.inventory, words).await
    }

    /// The same on another one.
    pub async fn verb_on(&self, inventory: &Path, words: &[&str]) -> Result<(), Failure> {
        let mut command = self.command(inventory, words)?;
        let output = command.arg("-q").output().await.map_err(failed)?;
        match output.status.success() {
            true => Ok(()),
            false => {
                let said = String::from_utf8_lossy(&output.stderr);
                let result = String::from_utf8_lossy(&output.stdout);
                Err(broken(words, &format!("{said}\n{result}")))
            }
        }
    }

    /// Notes what one of our own verbs says now, whatever it says.
    pub async fn hear(&mut self, words: &[&str]) -> Result<(), Failure> {
        let at = self.mark(&format!("what `{}` says", words.join(" ")));
        let output = self.listen(words).await?;
        self.took(at);
        self.heard(at, &words.join(" "), &output);
        Ok(())
    }

    /// Starts one of our own verbs and goes on.
    pub(super) fn spawn(&self, words: &[&str]) -> Result<Child, Failure> {
        let mut command = self.command(&self.options.inventory, words)?;
        let command = command.arg("-q").stdin(Stdio::null());
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().map_err(failed)
    }

    /// Runs one of our own verbs, whatever it says.
    pub(super) async fn listen(&self, words: &[&str]) -> Result<Output, Failure> {
        self.spawn(words)?.wait_with_output().await.map_err(failed)
    }

    /// Notes what a verb said.
    pub(super) fn heard(&mut self, at: Millis, verb: &str, output: &Output) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let lines = heard(&text(&output.stdout), &text(&output.stderr));
        self.said.push(VerbOutput {
            at,
            verb: verb.to_owned(),
            exit: output.status.code().unwrap_or(-1),
            lines,
        });
    }

    /// Runs a runbook and notes each of its steps; gives the moment at which consent was there.
    pub async fn runbook(&mut self, words: &[&str]) -> Result<Option<Millis>, Failure> {
        let mut command = self.command(&self.options.inventory, words)?;
        command
            .args(["-o", "json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let said = tokio::spawn(async move {
            let mut text = String::new();
            if let Some(mut err) = err {
                err.read_to_string(&mut text).await?;
            }
            Ok::<_, std::io::Error>(text)
        });
        let mut consent = None;
        if let Some(out) = out {
            let mut lines = BufReader::new(out).lines();
            while let Some(line) = lines.next_line().await.map_err(failed)? {
                // Verbs print their result among the events.
                if let Ok(event) = serde_json::from_str::<Event>(&line) {
                    consent = consent.or(self.told(&event));
                }
            }
        }
        let status = child.wait().await.map_err(failed)?;
        let said = said.await.ok().and_then(Result::ok).unwrap_or_default();
        match status.success() {
            true => Ok(consent),
            false => Err(broken(words, &said)),
        }
    }

    fn told(&mut self, event: &Event) -> Option<Millis> {
        let since = event.at.since(self.began);
        let at = Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX);
        match &event.kind {
            Kind::StageStarted { .. } => Some(at),
            Kind::StepFinished {
                host,
                title,
                outcome: StepOutcome::Done,
                millis,
                ..
            } => {
                let title = format!("  {host}: {title}");
                self.note(at.saturating_sub(*millis), &title, Some(*millis));
                None
            }
            _ => None,
        }
    }

    fn command(&self, inventory: &Path, words: &[&str]) -> Result<Command, Failure> {
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command
            .args(words)
            .arg("-i")
            .arg(inventory)
            .kill_on_drop(true);
        for extra in &self.options.extra {
            command.arg("-e").arg(extra);
        }
        Ok(command)
    }
}

/// The sentences that matter: an error, else the problems and warnings of `status`, else the last line.
fn heard(out: &str, err: &str) -> Vec<String> {
    let error = err.lines().find(|line| line.starts_with("error"));
    if let Some(error) = error {
        return vec![error.trim().to_owned()];
    }
    let sections = ["Problems", "Warnings"];
    let mut lines = Vec::new();
    let mut inside = false;
    for line in out.lines() {
        match line.starts_with(' ') {
            true if inside => lines.push(line.trim().to_owned()),
            true => {}
            false => inside = sections.contains(&line.trim()),
        }
    }
    let last = out.lines().rfind(|line| !line.trim().is_empty());
    lines.extend(last.map(|line| line.trim().to_owned()));
    lines.dedup();
    lines
}

fn broken(words: &[&str], said: &str) -> Failure {
    let text = format!("`{}`: {}", words.join(" "), said.trim());
    Failure::new(code::FAILED, text)
}
