//! The context of a template, watched: whether a secret was read decides what may be shown.

use crate::secret::Secret;
use minijinja::Value;
use minijinja::value::{Enumerator, Object};
use serde_json::{Map, Value as Json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The only key of a mapping that stands for a secret, as [`secret`] makes it.
pub const SECRET_MARK: &str = "$secret";

/// Names that end so hold secrets even when nobody marked them.
const SECRET_NAMES: [&str; 5] = ["password", "_pass", "secret", "key_pem", "cipher_pass"];

/// A secret as a value of a context. The template sees the text; the rendering is then sensitive.
pub fn secret(secret: &Secret) -> Json {
    let mut map = Map::new();
    map.insert(SECRET_MARK.into(), secret.expose().into());
    Json::Object(map)
}

/// What becomes of marked secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marks {
    /// The template sees the text.
    Opened,
    /// They print as their text, but leave as the marked mapping that came in: for expressions,
    /// whose values go on into other contexts.
    Kept,
}

/// Whether a secret was read so far, and what becomes of marks.
#[derive(Clone, Debug)]
pub(super) struct Sensitive(Arc<AtomicBool>, Marks);

impl Sensitive {
    pub(super) fn seen(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn see(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Wraps a context, so that reading a secret is noticed.
pub(super) fn build(context: &Json, marks: Marks) -> (Value, Sensitive) {
    let sensitive = Sensitive(Arc::default(), marks);
    (wrap(context, &sensitive), sensitive)
}

fn wrap(json: &Json, sensitive: &Sensitive) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => wrap_number(number),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => items.iter().map(|item| wrap(item, sensitive)).collect(),
        Json::Object(map) => match marked(map) {
            Some(text) => {
                sensitive.see();
                wrap_secret(text, sensitive.1)
            }
            None => Value::from_object(Watched {
                map: map.clone(),
                sensitive: sensitive.clone(),
            }),
        },
    }
}

fn wrap_secret(text: &str, marks: Marks) -> Value {
    match marks {
        Marks::Kept if !text.is_empty() => Value::from_object(Marked(text.to_owned())),
        Marks::Kept | Marks::Opened => Value::from(text),
    }
}

fn wrap_number(number: &serde_json::Number) -> Value {
    match (number.as_i64(), number.as_u64()) {
        (Some(value), _) => Value::from(value),
        (None, Some(value)) => Value::from(value),
        (None, None) => Value::from(number.as_f64().unwrap_or_default()),
    }
}

fn marked(map: &Map<String, Json>) -> Option<&str> {
    match map.len() {
        1 => map.get(SECRET_MARK)?.as_str(),
        _ => None,
    }
}

/// A mapping that notes when a secret is taken out of it.
#[derive(Debug)]
struct Watched {
    map: Map<String, Json>,
    sensitive: Sensitive,
}

impl Watched {
    fn read(&self, key: &str) -> Option<Value> {
        let json = self.map.get(key)?;
        let named = SECRET_NAMES.iter().any(|end| key.ends_with(end));
        if named && json.as_str().is_some_and(|text| !text.is_empty()) {
            self.sensitive.see();
        }
        Some(wrap(json, &self.sensitive))
    }
}

impl Object for Watched {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.read(key.as_str()?)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(
            self.map
                .keys()
                .map(|key| Value::from(key.as_str()))
                .collect(),
        )
    }
}

/// A secret that prints as its text and serializes as the marked mapping.
struct Marked(String);

impl std::fmt::Debug for Marked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Marked(***)")
    }
}

impl Object for Marked {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        (key.as_str()? == SECRET_MARK).then(|| Value::from(self.0.as_str()))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(vec![Value::from(SECRET_MARK)])
    }

    fn render(self: &Arc<Self>, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
