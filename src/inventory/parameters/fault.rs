//! What is wrong inside a value, with places: items of lists, fields of records.

use super::Kind;
use super::kind::Field;
use crate::inventory::is_open;
use crate::source::{Node, Span};

/// One thing that is wrong with a value.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) code: &'static str,
    /// From the parameter to the place, as `[2].name`.
    pub(super) path: String,
    pub(super) span: Span,
    pub(super) message: String,
    pub(super) label: String,
    /// What to do next, if that is more than the parameter's meaning.
    pub(super) help: Option<String>,
    /// An error, not a warning.
    pub(super) grave: bool,
}

/// All faults of a value.
pub(super) fn faults(kind: Kind, node: &Node) -> Vec<Fault> {
    let mut found = Vec::new();
    judge(kind, node, String::new(), &mut found);
    found
}

fn judge(kind: Kind, node: &Node, path: String, found: &mut Vec<Fault>) {
    let value = node.to_json();
    if value.is_null() {
        return;
    }
    if let Some(message) = kind.mismatch(&value) {
        found.push(wrong_type(kind, node, path, message));
        return;
    }
    let items = node.items().unwrap_or_default().iter().enumerate();
    let inner = match kind {
        Kind::Texts => Kind::Text,
        Kind::Networks => Kind::Cidr,
        Kind::Ports => Kind::Port,
        Kind::Records(fields) => Kind::Record(fields),
        Kind::Record(fields) => return record(fields, node, &path, found),
        _ => return,
    };
    items.for_each(|(at, item)| judge(inner, item, format!("{path}[{at}]"), found));
}

fn wrong_type(kind: Kind, node: &Node, path: String, message: String) -> Fault {
    Fault {
        code: "wrong-type",
        path,
        span: node.span,
        message,
        label: format!("wants {}", kind.words()),
        help: None,
        grave: true,
    }
}

fn record(fields: &'static [Field], node: &Node, path: &str, found: &mut Vec<Fault>) {
    for (key, value) in node.pairs().unwrap_or_default() {
        let name = key.as_str().unwrap_or_default();
        match fields.iter().find(|field| field.name == name) {
            Some(field) => judge(field.kind, value, format!("{path}.{name}"), found),
            None => found.push(unknown_field(fields, key, name, path)),
        }
    }
    let said = |value: &Node| !value.to_json().is_null() && value.as_str() != Some("");
    let is_given = |field: &&Field| node.get(field.name).is_some_and(said);
    let missing = fields
        .iter()
        .filter(|field| field.required && !is_given(field));
    found.extend(missing.map(|field| missing_field(field, node, path)));
}

fn unknown_field(fields: &[Field], key: &Node, name: &str, path: &str) -> Fault {
    let scored = fields
        .iter()
        .map(|f| (strsim::damerau_levenshtein(f.name, name), f.name));
    let near = scored
        .min()
        .filter(|(distance, _)| *distance <= (name.len() / 4).clamp(1, 3));
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    Fault {
        code: "unknown-field",
        path: path.to_owned(),
        span: key.span,
        message: format!("has no field `{name}`"),
        label: "not known here".to_owned(),
        help: Some(match near {
            Some((_, near)) => format!("did you mean `{near}`?"),
            None => format!("known are {}", names.join(", ")),
        }),
        grave: near.is_some() && !is_open(name),
    }
}

fn missing_field(field: &Field, node: &Node, path: &str) -> Fault {
    Fault {
        code: "missing-field",
        path: path.to_owned(),
        span: node.span,
        message: format!("needs the field `{}`", field.name),
        label: "it is not in here".to_owned(),
        help: Some(format!("`{}` is {}", field.name, field.kind.words())),
        grave: true,
    }
}

/// Whether a text in the value holds `{{`.
pub(super) fn has_template(node: &Node) -> bool {
    let items = node.items().unwrap_or_default().iter();
    let values = node
        .pairs()
        .unwrap_or_default()
        .iter()
        .map(|(_, value)| value);
    node.as_str().is_some_and(|text| text.contains("{{")) || items.chain(values).any(has_template)
}
