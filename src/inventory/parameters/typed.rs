//! Values with their types: what the host says, else the default.
//!
//! A value of the wrong type has been reported by `check_vars` before anything reads it; here it counts as not
//! given, so that one mistake yields one message.

use super::kind::{float, integer};
use super::{DefaultValue, lookup};
use crate::inventory::Vars;
use crate::secret::Secret;
use crate::source::{Data, Span};
use serde_json::Value;

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

    /// The value as JSON: the host's, if it fits, else the default, else null.
    pub fn json(&self, name: &str) -> Value {
        let written = self.vars.get(name).map(|var| var.node.to_json());
        let kind = lookup(name).map(|param| param.kind);
        match written {
            Some(value)
                if !value.is_null() && kind.is_none_or(|kind| kind.mismatch(&value).is_none()) =>
            {
                value
            }
            _ => default(name),
        }
    }

    /// The text, exactly as written for a scalar.
    pub fn opt_str(&self, name: &str) -> Option<String> {
        let value = self.json(name);
        if let Some(Data::Scalar { text, .. }) = self.vars.get(name).map(|var| &var.node.data)
            && self
                .vars
                .get(name)
                .is_some_and(|var| var.node.to_json() == value)
            && !value.is_null()
        {
            return Some(text.clone());
        }
        match value {
            Value::Null => None,
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        }
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
        match self.json(name) {
            Value::Bool(value) => value,
            Value::String(text) => matches!(text.as_str(), "yes" | "on" | "true" | "True" | "1"),
            Value::Number(number) => number.as_i64() == Some(1),
            Value::Null | Value::Array(_) | Value::Object(_) => false,
        }
    }

    /// A secret.
    pub fn secret(&self, name: &str) -> Secret {
        Secret::new(self.str(name))
    }

    /// Where it was written, if it was.
    pub fn span(&self, name: &str) -> Option<Span> {
        self.vars.get(name).map(|var| var.node.span)
    }
}

fn default(name: &str) -> Value {
    match lookup(name).map(|param| param.default) {
        Some(DefaultValue::Json(text)) => serde_json::from_str(text).unwrap_or(Value::Null),
        Some(DefaultValue::None) | None => Value::Null,
    }
}
