//! Values with their types: what the host says, else the default.
//!
//! A value of the wrong type has been reported by `check_vars` before anything reads it; here it
//! counts as not given, so that one mistake yields one message.

use serde_json::Value;

use super::kind::{Field, boolean, float, integer};
use super::mask::secrets_in;
use super::{DefaultValue, Kind, lookup};
use crate::inventory::Vars;
use crate::secret::Secret;
use crate::source::{Node, Span};

/// The variables of a host, read by the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Typed<'a> {
    vars: &'a Vars,
}

impl<'a> Typed<'a> {
    /// Reads these variables.
    pub fn new(vars: &'a Vars) -> Self {
        Self { vars }
    }

    /// The value as JSON, in the type of the parameter: the host's, if it fits, else the default,
    /// else null. Texts are as they were written.
    pub fn json(&self, name: &str) -> Value {
        let param = lookup(name);
        let kind = param.map_or(Kind::Any, |param| param.kind);
        let node = self.vars.get(name).map(|var| var.node.as_ref());
        match node.map(|node| (node, node.to_json())) {
            Some((node, value)) if !value.is_null() && kind.mismatch(&value).is_none() => {
                read(kind, node, value)
            }
            _ => param.map_or(Value::Null, |param| default(&param.default)),
        }
    }

    /// The text of a scalar.
    pub fn opt_str(&self, name: &str) -> Option<String> {
        match self.json(name) {
            Value::Null => None,
            Value::String(text) => Some(text),
            other => Some(self.written(name).unwrap_or_else(|| other.to_string())),
        }
    }

    /// The text of a parameter that the catalogue does not know, as it was written.
    fn written(&self, name: &str) -> Option<String> {
        let var = self.vars.get(name).filter(|_| lookup(name).is_none())?;
        var.node.as_str().map(str::to_owned)
    }

    /// The text, or the empty one.
    pub fn str(&self, name: &str) -> String {
        self.opt_str(name).unwrap_or_default()
    }

    /// A whole number.
    pub fn opt_int(&self, name: &str) -> Option<i64> {
        integer(&self.json(name))
    }

    /// A whole number, or 0.
    pub fn int(&self, name: &str) -> i64 {
        self.opt_int(name).unwrap_or_default()
    }

    /// A number, or 0.
    pub fn float(&self, name: &str) -> f64 {
        float(&self.json(name)).unwrap_or_default()
    }

    /// True or false, or false.
    pub fn bool(&self, name: &str) -> bool {
        boolean(&self.json(name)).unwrap_or_default()
    }

    /// A secret.
    pub fn secret(&self, name: &str) -> Secret {
        Secret::new(self.str(name))
    }

    /// Every secret of the host, those inside lists and mappings (as the passwords of `pg_users`)
    /// included, and the published defaults that hold.
    pub fn secrets(&self) -> Vec<Secret> {
        let written = self
            .vars
            .iter()
            .flat_map(|(name, var)| secrets_in(name, &var.node));
        let secret = super::all().filter(|param| param.kind == Kind::Secret);
        let defaults = secret.filter(|param| !self.vars.contains(param.name));
        let defaults = defaults.map(|param| self.secret(param.name));
        written
            .chain(defaults.filter(|secret| !secret.is_empty()))
            .collect()
    }

    /// Where it was written, if it was.
    pub fn span(&self, name: &str) -> Option<Span> {
        self.vars.get(name).map(|var| var.node.span)
    }
}

/// A value in its type, with the fields of records in theirs: a role may be called `007` or `on`.
fn read(kind: Kind, node: &Node, value: Value) -> Value {
    match (kind, node.items()) {
        (Kind::Records(fields), Some(items)) => items
            .iter()
            .map(|item| read(Kind::Record(fields), item, item.to_json()))
            .collect(),
        (Kind::Record(fields), _) => match node.entries() {
            Some(entries) => Value::Object(
                entries
                    .map(|(key, node)| (key.to_owned(), field(fields, key, node)))
                    .collect(),
            ),
            None => value,
        },
        _ => kind.coerce(value, node.as_str()),
    }
}

fn field(fields: &[Field], key: &str, node: &Node) -> Value {
    let known = fields.iter().find(|field| field.name == key);
    let value = node.to_json();
    match known {
        Some(field) if !value.is_null() && field.kind.mismatch(&value).is_none() => {
            read(field.kind, node, value)
        }
        Some(_) | None => value,
    }
}

fn default(value: &DefaultValue) -> Value {
    match value {
        DefaultValue::Json(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        DefaultValue::None => Value::Null,
    }
}
