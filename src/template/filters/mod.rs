//! The filters and tests of Ansible that templates use, beside those of Jinja2 itself.

mod collections;
mod encoding;
mod paths;
mod regexes;
mod words;

use minijinja::{Environment, Error, ErrorKind, Value};

/// Adds all of them.
pub(super) fn register(env: &mut Environment<'static>) {
    encoding::register(env);
    collections::register(env);
    paths::register(env);
    regexes::register(env);
    words::register(env);
}

/// A filter's refusal.
fn refuse(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, text.into())
}

/// A value as JSON, for filters that think in JSON.
fn json(value: &Value) -> Result<serde_json::Value, Error> {
    serde_json::to_value(value).map_err(|e| Error::new(ErrorKind::BadSerialization, e.to_string()))
}

/// JSON as a value of a template.
fn value(json: serde_json::Value) -> Value {
    Value::from(minijinja::value::Serde(json))
}
