//! Values with their types: what the host says, else the default.
//!
//! A value of the wrong type has been reported by `check_vars` before anything reads it; here it
//! counts as not given, so that one mistake yields one message.

use serde_json::Value;

use super::key::{Key, Readable};
use super::kind::{Field, boolean, float, integer};
use super::mask::secrets_in;
use super::{Param, ParamKind, ROWS, lookup};
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

    /// The value: the host's, if it fits, else the default.
    pub fn get<T: Readable>(&self, key: Key<T>) -> T {
        let given = self.given(key.param());
        let given = given.and_then(|value| T::read(&value));
        given.or_else(|| key.default()).unwrap_or_default()
    }

    /// What the host says of a parameter, in its type, if it fits. Texts are as they were written.
    fn given(&self, param: &Param) -> Option<Value> {
        let node = self.vars.get(param.name)?.node.as_ref();
        let value = node.to_json();
        let fits = !value.is_null() && param.kind.mismatch(&value).is_none();
        fits.then(|| read(param.kind, node, value))
    }

    /// The value of a parameter by its name, as JSON: the host's, if it fits, else the default, else null.
    pub fn json(&self, name: &str) -> Value {
        match ROWS.get(name) {
            Some(row) => self.given(row.param).unwrap_or_else(|| row.default.clone()),
            None => self
                .vars
                .get(name)
                .map_or(Value::Null, |var| var.node.to_json()),
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
        let secret = super::all().filter(|param| param.kind == ParamKind::Secret);
        let defaults = secret.filter(|param| !self.vars.contains(param.name));
        let defaults = defaults.map(|param| self.secret(param.name));
        written
            .chain(defaults.filter(|secret| !secret.is_empty()))
            .collect()
    }

    /// Where it was written, if it was.
    pub fn span<T>(&self, key: Key<T>) -> Option<Span> {
        self.place(key.name())
    }

    /// Where the parameter of that name was written, if it was.
    pub fn place(&self, name: &str) -> Option<Span> {
        self.vars.get(name).map(|var| var.node.span)
    }
}

/// A value in its type, with the fields of records in theirs: a role may be called `007` or `on`.
fn read(kind: ParamKind, node: &Node, value: Value) -> Value {
    match (kind, node.items()) {
        (ParamKind::Records(fields), Some(items)) => items
            .iter()
            .map(|item| read(ParamKind::Record(fields), item, item.to_json()))
            .collect(),
        (ParamKind::Record(fields), _) => match node.entries() {
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
