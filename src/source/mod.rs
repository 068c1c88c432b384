//! Places in files that a user wrote, and what can be said about them.
//!
//! Knows texts, spans, diagnostics and YAML; knows nothing of inventories or roles.

mod compose;
pub mod diagnostic;
mod emit;
mod explain;
mod resolve;
#[cfg(test)]
mod tests;
pub mod yaml;

pub use diagnostic::{Diagnostic, Diagnostics, Label, Severity};
pub use resolve::{kind_of, resolve};
pub use yaml::{Data, Node};

use std::sync::Arc;

/// One text that was read, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(u32);

/// A range of bytes in one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub source: SourceId,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// A text and the name it is shown under (a path as the user gave it, `-e`, `<embedded>/...`).
#[derive(Clone, Debug)]
pub struct Source {
    pub name: String,
    pub text: Arc<str>,
    /// Its lines are not shown: it was encrypted.
    pub hidden: bool,
}

/// All texts of a run.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

/// Where a span starts, as people and editors count: from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub name: String,
    pub line: usize,
    pub column: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.name, self.line, self.column)
    }
}

impl Sources {
    /// Keeps a text and gives its number.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> SourceId {
        self.keep(name.into(), text.into(), false)
    }

    /// The same for a text whose lines must not be shown.
    pub fn add_hidden(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> SourceId {
        self.keep(name.into(), text.into(), true)
    }

    fn keep(&mut self, name: String, text: Arc<str>, hidden: bool) -> SourceId {
        let id = SourceId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(Source { name, text, hidden });
        id
    }

    /// The source with that number.
    pub fn get(&self, id: SourceId) -> &Source {
        &self.files[id.0 as usize]
    }

    /// The text that a span covers.
    pub fn slice(&self, span: Span) -> &str {
        self.get(span.source)
            .text
            .get(span.start..span.end)
            .unwrap_or_default()
    }

    /// File, line and column of the start of a span.
    pub fn place(&self, span: Span) -> Place {
        let source = self.get(span.source);
        let before = source.text.get(..span.start).unwrap_or(&source.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Place {
            name: source.name.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}
