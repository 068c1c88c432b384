//! What can stop an inventory from being read, or a pattern from naming hosts.

use std::path::PathBuf;

use super::Inventory;
use super::vars::Vars;
use super::vault::Keys;
use super::written::{Edit, Written};
use crate::source::{Diagnostic, Diagnostics, Sources};

/// An inventory that was read, and what should be said about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub inventory: Inventory,
    pub warnings: Diagnostics,
}

/// Why an inventory could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The inventory itself, a file beside it or one named by `-e @FILE` cannot be read.
    #[error("{}: cannot be read", path.display())]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    /// It was read, and it is wrong. All problems are there.
    #[error("{} is not a usable inventory: {}", path.display(), count(diagnostics))]
    Invalid {
        path: PathBuf,
        /// The texts that the places refer to.
        sources: Box<Sources>,
        diagnostics: Diagnostics,
    },
}

fn count(diagnostics: &Diagnostics) -> String {
    match diagnostics.iter().count() {
        1 => "1 problem".to_owned(),
        many => format!("{many} problems"),
    }
}

/// Why a host pattern names no hosts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A part of the pattern is no host, group, cluster or formation.
    #[error("pattern `{pattern}`: no host, group or cluster is named `{name}`")]
    Unknown {
        pattern: String,
        name: String,
        /// The nearest name that exists.
        suggestion: Option<String>,
    },
    /// Every part is known, but together they leave no host.
    #[error("pattern `{pattern}` selects no host")]
    Empty { pattern: String },
    /// A part that cannot be understood, as `web[`.
    #[error("pattern `{pattern}`: cannot read `{part}`: {reason}")]
    Syntax {
        pattern: String,
        part: String,
        reason: &'static str,
    },
}

impl PatternError {
    /// What to do next.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Unknown { suggestion, .. } => {
                let name = suggestion.as_ref()?;
                Some(format!("did you mean `{name}`?"))
            }
            Self::Empty { .. } => Some("see `citusctl inventory --graph` for all names".to_owned()),
            Self::Syntax { .. } => {
                Some("parts are NAME, GLOB, NAME[0:2], !NAME, &NAME, joined by commas".to_owned())
            }
        }
    }
}

/// Errors and warnings while an inventory is read, with the texts they refer to.
#[derive(Debug, Default)]
pub(super) struct LoadContext {
    pub(super) sources: Sources,
    pub(super) diagnostics: Diagnostics,
    /// What opens encrypted texts.
    pub(super) keys: Keys,
    /// Values that are read as others, or as if they were not there.
    pub(super) edits: Vec<Edit>,
    /// Every value as it was written, where somebody wants them.
    pub(super) written: Option<Vec<Written>>,
}

impl LoadContext {
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Keeps what one layer says, where somebody wants it.
    pub(super) fn wrote(&mut self, vars: &Vars) {
        if let Some(written) = &mut self.written {
            written.extend(vars.iter().map(|(name, var)| Written {
                name: name.to_owned(),
                var: var.clone(),
            }));
        }
    }
}
