//! The journal of a run: its events as NDJSON, one file per run, readable after a crash.

use super::kind::SCHEMA;
use super::{Event, Sink, SinkError};
use crate::names::{RunId, printable};
use fs_err::os::unix::fs::OpenOptionsExt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Why a journal cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("journal `{}`: cannot be made", path.display())]
    Create {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("journal `{}`: cannot be read", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("journal `{}`: line {line} is not an event", path.display())]
    Line {
        path: PathBuf,
        line: usize,
        #[source]
        source: serde_json::Error,
    },
    #[error(
        "journal `{}`: written in form {found}, this program reads form {SCHEMA}",
        path.display()
    )]
    Schema { path: PathBuf, found: u32 },
    #[error("journal `{}`: holds no event", path.display())]
    Empty { path: PathBuf },
}

/// The file of a run that is under way.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: fs_err::File,
}

impl Journal {
    /// How the files of runs end.
    pub const SUFFIX: &'static str = "ndjson";

    /// Makes `DIR/RUN.ndjson` (0600) and the directory (0700) if need be; never overwrites.
    pub fn create(dir: &Path, run: &RunId) -> Result<Self, JournalError> {
        let path = path_of(dir, run);
        Self::open(dir, &path)
            .map(|file| Self {
                path: path.clone(),
                file,
            })
            .map_err(|source| JournalError::Create { path, source })
    }

    fn open(dir: &Path, path: &Path) -> io::Result<fs_err::File> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)?;
        fs_err::OpenOptions::new()
            .create_new(true)
            .append(true)
            .mode(0o600)
            .open(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn error(&self, source: io::Error) -> SinkError {
        SinkError {
            what: format!("the journal `{}`", self.path.display()),
            source,
        }
    }
}

impl Sink for Journal {
    /// One write per event, so that a killed run leaves whole lines.
    fn event(&mut self, event: &Event) -> Result<(), SinkError> {
        let line = to_line(event).map_err(|e| self.error(e.into()))?;
        let written = self.file.write_all(line.as_bytes());
        written.map_err(|e| self.error(e))
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.file.sync_all().map_err(|e| self.error(e))
    }
}

/// The event as one line, with its newline.
pub fn to_line(event: &Event) -> serde_json::Result<String> {
    serde_json::to_string(event).map(|line| format!("{}\n", printable::json(&line)))
}

/// The file of a run.
pub fn path_of(dir: &Path, run: &RunId) -> PathBuf {
    dir.join(run.as_str()).with_extension(Journal::SUFFIX)
}

/// What a journal holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    pub events: Vec<Event>,
    /// The last line was cut off: the run was killed while writing it.
    pub cut: bool,
}

/// Reads a journal back. A last line without its newline is left out, every other one counts.
pub fn read(path: &Path) -> Result<Recording, JournalError> {
    let text = fs_err::read_to_string(path).map_err(|source| JournalError::Read {
        path: path.to_owned(),
        source,
    })?;
    let whole = text.rfind('\n').map_or(0, |at| at + 1);
    let events = text[..whole]
        .lines()
        .enumerate()
        .map(|(at, line)| from_line(path, at + 1, line))
        .collect::<Result<Vec<_>, _>>()?;
    let cut = whole < text.len();
    if events.is_empty() {
        return Err(JournalError::Empty {
            path: path.to_owned(),
        });
    }
    Ok(Recording { events, cut })
}

/// Looks at the form before the rest, so that a newer journal is refused for the right reason.
fn from_line(path: &Path, line: usize, text: &str) -> Result<Event, JournalError> {
    #[derive(serde::Deserialize)]
    struct Form {
        schema: u32,
    }
    let bad = |source| JournalError::Line {
        path: path.to_owned(),
        line,
        source,
    };
    let form: Form = serde_json::from_str(text).map_err(bad)?;
    if form.schema != SCHEMA {
        return Err(JournalError::Schema {
            path: path.to_owned(),
            found: form.schema,
        });
    }
    serde_json::from_str(text).map_err(bad)
}
