//! One entry of a list, read by its fields, with the place of each.

use super::Scene;
use crate::inventory::parameters::{Typed, boolean};
use crate::source::yaml::{Data, Node};
use crate::source::{Diagnostic, Span};
use serde_json::Value;

/// One entry of a list of mappings, or of texts.
#[derive(Clone, Debug)]
pub(super) struct ListEntry {
    pub(super) list: &'static str,
    pub(super) node: Node,
}

/// The entries of a parameter: as the inventory wrote them, else the default's.
pub(super) fn entries(scene: &Scene<'_>, list: &'static str) -> Vec<ListEntry> {
    let written = scene.host.vars.get(list).map(|var| var.node.as_ref());
    let items = match written.and_then(Node::items) {
        Some(items) => items.to_vec(),
        None => match Typed::new(&scene.host.vars).json(list) {
            Value::Array(items) => items
                .iter()
                .map(|item| node_of(item, scene.host.span))
                .collect(),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_) => Vec::new(),
        },
    };
    items
        .into_iter()
        .map(|node| ListEntry { list, node })
        .collect()
}

/// A default as if it had been written where the host is.
fn node_of(value: &Value, span: Span) -> Node {
    let data = match value {
        Value::Null => scalar(String::new(), true),
        Value::Bool(flag) => scalar(flag.to_string(), true),
        Value::Number(number) => scalar(number.to_string(), true),
        Value::String(text) => scalar(text.clone(), false),
        Value::Array(items) => Data::Seq(items.iter().map(|item| node_of(item, span)).collect()),
        Value::Object(map) => Data::Map(
            map.iter()
                .map(|(key, value)| (Node::string(key, span), node_of(value, span)))
                .collect(),
        ),
    };
    Node {
        data,
        span,
        tag: None,
    }
}

fn scalar(text: String, plain: bool) -> Data {
    Data::Scalar { text, plain }
}

/// An item of a list as a value of PostgreSQL has it: in quotes where it would not be read as it is.
fn item(text: &str) -> String {
    let plain = |c: char| !c.is_whitespace() && !c.is_uppercase() && !",\"".contains(c);
    match text.starts_with('"') || text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("\"{}\"", text.replace('"', "\"\"")),
    }
}

impl ListEntry {
    /// A part of this entry, as an entry of its own.
    pub(super) fn part(&self, node: &Node) -> Self {
        Self {
            list: self.list,
            node: node.clone(),
        }
    }

    /// A field that has a value.
    pub(super) fn field(&self, key: &str) -> Option<&Node> {
        self.node.get(key).filter(|node| !node.to_json().is_null())
    }

    /// The text of a scalar, as it was written.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.field(key)?.as_str().map(str::to_owned)
    }

    /// True or false, if it is said.
    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        boolean(&self.field(key)?.to_json())
    }

    /// A whole number.
    pub(super) fn number(&self, key: &str) -> Option<i64> {
        self.field(key)?.as_str()?.trim().parse().ok()
    }

    /// The items of a list; a lone text counts as a list of one.
    pub(super) fn list(&self, key: &str) -> Vec<ListEntry> {
        let Some(field) = self.field(key) else {
            return Vec::new();
        };
        match field.items() {
            Some(items) => items.iter().map(|item| self.part(item)).collect(),
            None => vec![self.part(field)],
        }
    }

    /// The name of an item that is a text, or a mapping with `name`.
    pub(super) fn name(&self) -> Option<String> {
        let text = match self.node.as_str() {
            Some(text) => Some(text.to_owned()),
            None => self.text("name"),
        };
        text.filter(|name| !name.is_empty())
    }

    /// Whether the entry is to go.
    pub(super) fn absent(&self) -> bool {
        matches!(self.text("state").as_deref(), Some("absent" | "revoke"))
    }

    /// The pairs of a mapping: a null means "not set".
    pub(super) fn pairs(&self, key: &str) -> Vec<(String, Option<String>)> {
        let pairs = self.field(key).and_then(Node::pairs).unwrap_or_default();
        let value = |node: &Node| match node.items() {
            Some(items) => {
                let items: Vec<String> = items.iter().filter_map(Node::as_str).map(item).collect();
                Some(items.join(", "))
            }
            None if node.to_json().is_null() => None,
            None => node.as_str().map(str::to_owned),
        };
        pairs
            .iter()
            .map(|(key, node)| (key.as_str().unwrap_or_default().to_owned(), value(node)))
            .collect()
    }

    /// Pairs that no parameter of PostgreSQL can be.
    pub(super) fn odd_pairs(&self, key: &str) -> Vec<Diagnostic> {
        let pairs = self.field(key).and_then(Node::pairs).unwrap_or_default();
        let letter = |c: char| c.is_ascii_alphanumeric() || "_.$".contains(c);
        let odd = pairs.iter().filter(|(key, value)| {
            let name = key.as_str().unwrap_or_default();
            name.is_empty() || !name.chars().all(letter) || value.entries().is_some()
        });
        odd.map(|(name, value)| {
            let name = name.as_str().unwrap_or_default();
            Diagnostic::error(
                "bad-parameter",
                format!("`{name}` of `{key}` cannot be set"),
            )
            .at(value.span, "no parameter, or no value for one")
            .help("a parameter is a name of letters, digits, `_` and `.`, and a text, a number or a list")
        })
        .collect()
    }

    /// Where a field stands, or else the entry.
    pub(super) fn place(&self, key: &str) -> Span {
        self.node.get(key).map_or(self.node.span, |node| node.span)
    }

    /// A problem of a field.
    pub(super) fn problem(
        &self,
        code: &'static str,
        key: &str,
        message: impl Into<String>,
        label: &str,
    ) -> Diagnostic {
        Diagnostic::error(code, message).at(self.place(key), label)
    }
}
