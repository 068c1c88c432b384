//! Past runs, from their journals.

use super::journal::{self, Journal, JournalError};
use super::{Moment, Outcome, Report};
use crate::names::RunId;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// All journals of a directory.
#[derive(Debug, Default)]
pub struct History {
    /// Newest first.
    pub runs: Vec<PastRun>,
    /// Journals that could not be read, to be shown as warnings.
    pub unreadable: Vec<JournalError>,
}

/// One past run in one line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PastRun {
    pub run: RunId,
    pub path: PathBuf,
    pub verb: String,
    pub inventory: String,
    pub started: Moment,
    /// `None`: it never finished; killed, or still under way.
    pub outcome: Option<Outcome>,
    pub hosts: usize,
    pub changed: u32,
    pub failed: u32,
    pub unreachable: usize,
    pub millis: u64,
}

/// Reads all journals of a directory; one that is not there holds no runs.
pub fn list(dir: &Path) -> Result<History, JournalError> {
    let mut history = History::default();
    for path in files(dir)? {
        match past_run(&path) {
            Ok(run) => history.runs.push(run),
            Err(error) => history.unreadable.push(error),
        }
    }
    history.runs.sort_by(|a, b| b.run.cmp(&a.run));
    Ok(history)
}

fn files(dir: &Path) -> Result<Vec<PathBuf>, JournalError> {
    let entries = match fs_err::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(unreadable(dir, source)),
    };
    let mut paths = entries
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| unreadable(dir, source))?;
    paths.retain(|path| path.extension().is_some_and(|end| end == Journal::SUFFIX));
    paths.sort();
    Ok(paths)
}

fn unreadable(dir: &Path, source: std::io::Error) -> JournalError {
    JournalError::Read {
        path: dir.to_owned(),
        source,
    }
}

fn past_run(path: &Path) -> Result<PastRun, JournalError> {
    let events = journal::read(path)?.events;
    let report = Report::of(&events);
    let totals = report.totals(&std::collections::BTreeMap::new());
    let first = events.first().ok_or_else(|| JournalError::Empty {
        path: path.to_owned(),
    })?;
    Ok(PastRun {
        run: first.run.clone(),
        path: path.to_owned(),
        started: first.at,
        outcome: report.finished.as_ref().map(|(outcome, _)| *outcome),
        hosts: totals.len(),
        changed: totals.iter().map(|t| t.changed).sum(),
        failed: totals.iter().map(|t| t.failed).sum(),
        unreachable: totals.iter().filter(|t| t.unreachable).count(),
        millis: u64::try_from(report.duration().as_millis()).unwrap_or(u64::MAX),
        verb: report.verb,
        inventory: report.inventory,
    })
}
