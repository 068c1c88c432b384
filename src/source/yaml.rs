//! The one YAML reader for everything a user writes: inventory, roles, playbooks.
//!
//! `compose` builds nodes from parser events, `resolve` gives scalars the types that Ansible
//! (YAML 1.1, PyYAML) gives them, `explain` turns scanner errors into diagnostics, `emit` writes
//! YAML that every YAML 1.1 reader reads back the same.

use super::{Diagnostic, SourceId, Sources, Span, compose};

pub use super::emit::{emit, emit_indented, inline, scalar};

/// A YAML value with its place, its tag, and scalars as they were written.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub data: Data,
    pub span: Span,
    /// A tag that was written out, as in `!vault`; those of YAML itself as `!!str`.
    pub tag: Option<String>,
}

/// What a node holds. Scalars keep their text; their type is decided by who reads them.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// `plain` is false for quoted and block scalars, which are always strings.
    Scalar {
        text: String,
        plain: bool,
    },
    Seq(Vec<Node>),
    /// In the order written; merge keys are applied already.
    Map(Vec<(Node, Node)>),
}

/// Reads one document; `None` when the text holds nothing but comments.
///
/// # Errors
/// All problems found: bad YAML (the first place where reading stopped), tabs, duplicate keys,
/// merge keys that merge no mapping, unquoted templates, aliases that expand beyond a budget.
pub fn parse(sources: &Sources, id: SourceId) -> Result<Option<Node>, Vec<Diagnostic>> {
    compose::document(id, &sources.get(id).text)
}

/// Keeps a text under a name and reads it as [`parse`] does.
///
/// # Errors
/// As [`parse`].
pub fn parse_text(
    sources: &mut Sources,
    name: &str,
    text: &str,
) -> Result<Option<Node>, Vec<Diagnostic>> {
    let id = sources.add(name, text);
    parse(sources, id)
}

/// The tag of a text that was encrypted where it stood: never shown.
const SECRET: &str = "!secret";
/// The tag of a text from an encrypted file, from the environment or from a file: shown only where its parameter is
/// known to be none.
const GUARDED: &str = "!guarded";

impl Node {
    /// A text that is never shown.
    pub fn secret(text: impl Into<String>, span: Span) -> Self {
        Self::string(text, span).tagged(SECRET)
    }

    /// A text that is shown only where a parameter that is no secret takes it.
    pub fn guarded(text: impl Into<String>, span: Span) -> Self {
        Self::string(text, span).tagged(GUARDED)
    }

    fn tagged(self, tag: &str) -> Self {
        Self {
            tag: Some(tag.to_owned()),
            ..self
        }
    }

    /// Whether it was made by [`Node::secret`].
    pub fn is_secret(&self) -> bool {
        self.tag.as_deref() == Some(SECRET)
    }

    /// Whether it was made by [`Node::guarded`].
    pub fn is_guarded(&self) -> bool {
        self.tag.as_deref() == Some(GUARDED)
    }

    /// A string as if it had been quoted at that place.
    pub fn string(text: impl Into<String>, span: Span) -> Self {
        Self {
            data: Data::Scalar {
                text: text.into(),
                plain: false,
            },
            span,
            tag: None,
        }
    }

    /// The text of a scalar as it was written, whatever its type (`0644`, `1.10`, `yes`).
    pub fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar { text, .. } => Some(text),
            Data::Seq(_) | Data::Map(_) => None,
        }
    }

    /// The value under a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, value)| value)
    }

    /// The key and the value of one entry of a mapping.
    pub fn entry(&self, key: &str) -> Option<(&Node, &Node)> {
        let Data::Map(entries) = &self.data else {
            return None;
        };
        let found = entries.iter().find(|(name, _)| name.as_str() == Some(key));
        found.map(|(key, value)| (key, value))
    }

    /// The entries of a mapping, by the text of their keys, in the order written.
    pub fn entries(&self) -> Option<impl Iterator<Item = (&str, &Node)>> {
        let entries = self.pairs()?.iter();
        Some(entries.map(|(key, value)| (key.as_str().unwrap_or_default(), value)))
    }

    /// The entries of a mapping with the nodes of their keys.
    pub fn pairs(&self) -> Option<&[(Node, Node)]> {
        match &self.data {
            Data::Map(entries) => Some(entries),
            Data::Seq(_) | Data::Scalar { .. } => None,
        }
    }

    /// The items of a list.
    pub fn items(&self) -> Option<&[Node]> {
        match &self.data {
            Data::Seq(items) => Some(items),
            Data::Map(_) | Data::Scalar { .. } => None,
        }
    }

    /// Number of nodes from here down, this one included.
    pub(super) fn size(&self) -> usize {
        1 + match &self.data {
            Data::Scalar { .. } => 0,
            Data::Seq(items) => items.iter().map(Node::size).sum(),
            Data::Map(entries) => entries.iter().map(|(k, v)| k.size() + v.size()).sum(),
        }
    }
}
