//! What is wrong inside a value, with places: items of lists, fields of records.

use super::abroad;
use super::kind::Field;
use super::{Form, ParamKind};
use crate::source::{Node, Span};

/// One thing that is wrong with a value.
#[derive(Debug)]
pub(super) struct ValueFault {
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
pub(super) fn faults(kind: ParamKind, node: &Node) -> Vec<ValueFault> {
    let mut found = Vec::new();
    judge(kind, node, String::new(), &mut found);
    found
}

fn judge(kind: ParamKind, node: &Node, path: String, found: &mut Vec<ValueFault>) {
    let value = node.to_json();
    if value.is_null() {
        return;
    }
    if let Some(message) = kind.mismatch(&value) {
        found.push(wrong_type(kind, node, path, message));
        return;
    }
    match kind {
        ParamKind::Texts(form) => items(ParamKind::Text(form), node, &path, found),
        ParamKind::TextOrTexts(form) => items(ParamKind::Text(form), node, &path, found),
        ParamKind::Networks => items(ParamKind::Cidr, node, &path, found),
        ParamKind::Ports => items(ParamKind::Port, node, &path, found),
        ParamKind::Records(fields) => items(ParamKind::Record(fields), node, &path, found),
        ParamKind::Names(fields) => names(fields, node, &path, found),
        ParamKind::Record(fields) => record(fields, node, &path, found),
        ParamKind::Map(key, value) => map(key, ParamKind::Text(value), node, &path, found),
        ParamKind::TextOrMap(form) => map(Form::Name, ParamKind::Text(form), node, &path, found),
        ParamKind::PgSettings => map(
            Form::Setting,
            ParamKind::TextOrTexts(Form::Line),
            node,
            &path,
            found,
        ),
        ParamKind::Bool
        | ParamKind::Int(..)
        | ParamKind::IntOr(..)
        | ParamKind::Float(..)
        | ParamKind::Text(_)
        | ParamKind::Secret
        | ParamKind::Port
        | ParamKind::Path
        | ParamKind::OneOf(_)
        | ParamKind::Ip
        | ParamKind::Cidr
        | ParamKind::Duration
        | ParamKind::Size
        | ParamKind::Any => {}
    }
}

fn items(kind: ParamKind, node: &Node, path: &str, found: &mut Vec<ValueFault>) {
    let items = node.items().unwrap_or_default().iter().enumerate();
    items.for_each(|(at, item)| judge(kind, item, format!("{path}[{at}]"), found));
}

/// Items that are names, or mappings with one.
fn names(fields: &'static [Field], node: &Node, path: &str, found: &mut Vec<ValueFault>) {
    for (at, item) in node.items().unwrap_or_default().iter().enumerate() {
        let name = fields.iter().find(|field| field.name == "name");
        let kind = match (item.as_str(), name) {
            (Some(_), Some(field)) => field.kind,
            (Some(_), None) | (None, _) => ParamKind::Record(fields),
        };
        judge(kind, item, format!("{path}[{at}]"), found);
    }
}

fn map(name: Form, value: ParamKind, node: &Node, path: &str, found: &mut Vec<ValueFault>) {
    for (key, item) in node.pairs().unwrap_or_default() {
        let text = key.as_str().unwrap_or_default();
        let why = match text.is_empty() {
            true => Some("it is empty".to_owned()),
            false => name.fault(text),
        };
        if let Some(why) = why {
            let message = format!("has the key `{}`: {why}", text.escape_debug());
            found.push(ValueFault {
                code: "wrong-type",
                path: path.to_owned(),
                span: key.span,
                message,
                label: format!("wants {}", name.words()),
                help: None,
                grave: true,
            });
        }
        judge(
            value,
            item,
            format!("{path}.{}", text.escape_debug()),
            found,
        );
    }
}

fn wrong_type(kind: ParamKind, node: &Node, path: String, message: String) -> ValueFault {
    ValueFault {
        code: "wrong-type",
        path,
        span: node.span,
        message,
        label: format!("wants {}", kind.words()),
        help: None,
        grave: true,
    }
}

fn record(fields: &'static [Field], node: &Node, path: &str, found: &mut Vec<ValueFault>) {
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

/// An error: what it was meant to say is not said, and a rule may then be wider than it looks.
fn unknown_field(fields: &[Field], key: &Node, name: &str, path: &str) -> ValueFault {
    let has = |name: &str| fields.iter().any(|field| field.name == name);
    let near = crate::names::nearest(name, fields.iter().map(|field| field.name));
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    let own = || (has("name") && abroad::is_name(name)).then_some("name");
    let ours = abroad::ours(name).filter(|ours| has(ours)).or_else(own);
    let help = match (ours, near) {
        (Some(ours), _) => format!("it is called `{ours}` here"),
        (None, Some(near)) => format!("did you mean `{near}`?"),
        (None, None) => format!("known are {}", names.join(", ")),
    };
    ValueFault {
        code: "unknown-field",
        path: path.to_owned(),
        span: key.span,
        message: format!("has no field `{}`", name.escape_debug()),
        label: "not known here".to_owned(),
        help: Some(help),
        grave: true,
    }
}

fn missing_field(field: &Field, node: &Node, path: &str) -> ValueFault {
    ValueFault {
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
