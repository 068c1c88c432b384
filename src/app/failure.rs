//! Exit codes, and failures on their way to the user.

use crate::catalog::TagError;
use crate::engine::EngineError;
use crate::inventory::{LoadError, PatternError};
use crate::names::printable;
use crate::plan::SelectError;
use crate::secret::Masker;
use crate::source::{Diagnostics, Sources};
use crate::ui::term::{self, BAD, Style};
use anstyle::AnsiColor;

const HINT: Style = Style::of(AnsiColor::Cyan).bold();

/// Exit codes, as CLI.md promises them.
pub mod code {
    pub const DONE: u8 = 0;
    pub const INTERNAL: u8 = 1;
    pub const USAGE: u8 = 2;
    pub const INPUT: u8 = 3;
    pub const REFUSED: u8 = 4;
    pub const UNREACHABLE: u8 = 5;
    pub const FAILED: u8 = 6;
    pub const DECLINED: u8 = 7;
    pub const LOCKED: u8 = 8;
    pub const PENDING: u8 = 10;
}

/// A failure with everything that is to be said about it.
#[derive(Debug)]
pub struct Failure {
    pub code: u8,
    /// Already rendered; nothing is said when it is empty.
    pub text: String,
    pub hints: Vec<String>,
    /// The problems in it for programs, where it is made of such.
    pub rows: Vec<serde_json::Value>,
}

impl Failure {
    /// Problems with their places, in texts that hold no secrets or could not be read far enough to know them.
    pub fn of(sources: &Sources, said: &Diagnostics) -> Self {
        let mut failure = Self::new(code::INPUT, super::sinks::diagnostics(sources, said.iter()));
        failure.rows = crate::ui::diagnostic_rows(sources, said.iter(), &Masker::default());
        failure
    }

    /// A failure in one sentence.
    pub fn new(code: u8, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
            hints: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Adds a way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Prints it to stderr.
    pub fn print(&self) {
        if !self.text.is_empty() {
            let text = if is_labelled(&self.text) {
                self.text.clone()
            } else {
                format!("{BAD}error{BAD:#}: {}", self.text)
            };
            say(text.trim_end());
        }
        for hint in &self.hints {
            say(&format!("{HINT}hint{HINT:#}: {hint}"));
        }
    }
}

/// Whether a text says itself what it is, as diagnostics do.
fn is_labelled(text: &str) -> bool {
    let plain = term::plain(text);
    ["error", "warning", "note"].iter().any(|word| {
        plain
            .strip_prefix(word)
            .is_some_and(|rest| rest.starts_with(['[', ':']))
    })
}

/// Writes a result to stdout. A reader that went away is no failure; a disk without room is.
pub fn result(text: &str) -> Result<(), Failure> {
    written(term::out(text))
}

/// The same for what is data, not words for people: into a pipe or a file it goes as it is.
pub fn data(text: &str) -> Result<(), Failure> {
    written(term::data(text))
}

/// What became of writing a result.
pub fn written(written: std::io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::new(
            code::INTERNAL,
            format!("the result could not be written: {error}"),
        )),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A value as indented JSON with a line's end.
pub fn pretty(value: &impl serde::Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value)?;
    Ok(format!("{}\n", printable::json(&text)))
}

/// A value as JSON on one line.
pub fn compact(value: &impl serde::Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string(value)?;
    Ok(format!("{}\n", printable::json(&text)))
}

/// Writes a line to stderr.
pub fn say(text: &str) {
    term::say(text);
}

/// An error with all its causes.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!("\n  because: {cause}"));
        source = cause.source();
    }
    text
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::new(
            code::INTERNAL,
            format!("cannot be written as JSON: {error}"),
        )
    }
}

impl From<PatternError> for Failure {
    fn from(error: PatternError) -> Self {
        let failure = Self::new(code::USAGE, format!("-l: {error}"));
        match error.help() {
            Some(help) => failure.hint(help),
            None => failure.hint("`citusctl inventory --graph` lists hosts and groups"),
        }
    }
}

impl From<SelectError> for Failure {
    fn from(error: SelectError) -> Self {
        let SelectError::Nothing = error;
        Self::new(code::USAGE, format!("-t: {error}"))
            .hint("`citusctl catalog tags NAME` shows what a tag selects; what the inventory does not ask for is not there")
    }
}

impl From<TagError> for Failure {
    fn from(error: TagError) -> Self {
        let failure = Self::new(code::USAGE, format!("-t: {error}"));
        match error {
            TagError::Unknown {
                suggestion: Some(near),
                ..
            } => failure.hint(format!("did you mean `{near}`?")),
            TagError::Unknown { .. } | TagError::Foreign { .. } => {
                failure.hint("`citusctl catalog tags` shows all tags")
            }
        }
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Invalid {
                sources,
                diagnostics,
                ..
            } => Self::of(&sources, &diagnostics),
            LoadError::Io { .. } => Self::new(code::INPUT, chain(&error))
                .hint("name an inventory with `-i FILE`, or make one with `citusctl init`"),
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let code = match &error {
            EngineError::AllUnreachable => code::UNREACHABLE,
            EngineError::Transport(error) if error.is_entry() => code::UNREACHABLE,
            EngineError::Transport(_) | EngineError::Answer { .. } => code::FAILED,
            EngineError::Refused(_)
            | EngineError::Unseen { .. }
            | EngineError::Changed(_)
            | EngineError::Precondition { .. } => code::REFUSED,
            EngineError::Locked { .. } | EngineError::NoKeeper { .. } => code::LOCKED,
            EngineError::Gate { .. }
            | EngineError::Stage { .. }
            | EngineError::Group { .. }
            | EngineError::LockLost { .. }
            | EngineError::Step { .. } => code::FAILED,
            EngineError::Interrupted(_) => code::DECLINED,
            EngineError::Recompile(_) => code::INPUT,
        };
        let failure = Self::new(code, chain(&error));
        match &error {
            EngineError::Refused(refusals) => refused(code, refusals),
            EngineError::Locked { host, .. } => failure.hint(format!(
                "wait for it, or end it where it runs: its lock goes with it; `citusctl unlock {host}` tells whether it is dead, and takes its lock away then"
            )),
            EngineError::NoKeeper { .. } => failure.hint(
                "bring one of them back; if they are lost, `citusctl recover --survivor HOST` works without them",
            ),
            EngineError::LockLost { .. } => failure.hint(
                "nothing further was begun; when the way to these hosts is good again, run the same command again",
            ),
            EngineError::Unseen { .. } | EngineError::Changed(_) => {
                failure.hint("run `citusctl plan` again to see it, then apply")
            }
            EngineError::Step { .. } | EngineError::Precondition { .. } => failure
                .hint("mend it, then run the same command again: what is done already is skipped"),
            EngineError::Transport(error) => error
                .hints()
                .into_iter()
                .fold(failure, |failure, hint| failure.hint(hint)),
            _ => failure,
        }
    }
}

/// All that stands in the way, host by host.
pub fn refused(code: u8, refusals: &[crate::plan::Refusal]) -> Failure {
    let lines: Vec<String> = refusals
        .iter()
        .map(|r| format!("error: {}: {}\n  hint: {}", r.host, r.reason, r.hint))
        .collect();
    Failure::new(code, format!("{}\n  nothing was changed", lines.join("\n")))
}
