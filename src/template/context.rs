//! The context of a template, watched: whether a secret was read decides what may be shown.
//!
//! A context is made once and shared: a rendering, or a turn of a loop, copies none of it.

use crate::secret::{MASK, Secret};
use indexmap::IndexMap;
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

/// What templates and expressions see.
#[derive(Clone, Default)]
pub struct Context(Arc<Branch>);

type Branch = IndexMap<String, Tree>;

#[derive(Clone)]
enum Tree {
    Leaf(Value),
    Secret(Arc<str>),
    List(Arc<[Tree]>),
    Map(Arc<Branch>),
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl From<&Json> for Context {
    /// The variables of a mapping; anything else has none.
    fn from(json: &Json) -> Self {
        match Tree::from(json) {
            Tree::Map(branch) => Self(branch),
            Tree::Leaf(_) | Tree::Secret(_) | Tree::List(_) => Self::default(),
        }
    }
}

impl Context {
    /// The same with one variable more, or another in its place.
    #[must_use]
    pub fn with(&self, name: &str, value: &Json) -> Self {
        let mut branch = Branch::clone(&self.0);
        branch.insert(name.to_owned(), Tree::from(value));
        Self(Arc::new(branch))
    }

    /// The text at a path of names; nothing for a secret.
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        self.leaf(path)?.as_str()
    }

    /// The whole number at a path of names.
    pub fn number(&self, path: &[&str]) -> Option<u64> {
        self.leaf(path)?.as_i64()?.try_into().ok()
    }

    fn leaf(&self, path: &[&str]) -> Option<&Value> {
        let (last, parents) = path.split_last()?;
        let mut branch = &self.0;
        for name in parents {
            let Tree::Map(inner) = branch.get(*name)? else {
                return None;
            };
            branch = inner;
        }
        match branch.get(*last)? {
            Tree::Leaf(value) => Some(value),
            Tree::Secret(_) | Tree::List(_) | Tree::Map(_) => None,
        }
    }
}

impl From<&Json> for Tree {
    fn from(json: &Json) -> Self {
        match json {
            Json::Null => Self::Leaf(Value::from(())),
            Json::Bool(value) => Self::Leaf(Value::from(*value)),
            Json::Number(number) => Self::Leaf(number_value(number)),
            Json::String(text) => Self::Leaf(Value::from(text.as_str())),
            Json::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Json::Object(map) => match marked(map) {
                Some(text) => Self::Secret(text.into()),
                None => Self::Map(Arc::new(
                    map.iter()
                        .map(|(key, value)| (key.clone(), Self::from(value)))
                        .collect(),
                )),
            },
        }
    }
}

/// What becomes of marked secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marks {
    /// The template sees the text.
    Opened,
    /// The template sees the mask: what people may see of the rendering.
    Hidden,
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
pub(super) fn watch(context: &Context, marks: Marks) -> (Value, Sensitive) {
    let sensitive = Sensitive(Arc::default(), marks);
    let root = Value::from_object(Watched {
        map: Arc::clone(&context.0),
        sensitive: sensitive.clone(),
    });
    (root, sensitive)
}

fn wrap(tree: &Tree, sensitive: &Sensitive) -> Value {
    match tree {
        Tree::Leaf(value) => value.clone(),
        Tree::List(items) => items.iter().map(|item| wrap(item, sensitive)).collect(),
        Tree::Secret(text) => {
            sensitive.see();
            wrap_secret(text, sensitive.1)
        }
        Tree::Map(map) => Value::from_object(Watched {
            map: Arc::clone(map),
            sensitive: sensitive.clone(),
        }),
    }
}

fn wrap_secret(text: &Arc<str>, marks: Marks) -> Value {
    match marks {
        Marks::Kept if !text.is_empty() => Value::from_object(Marked(Arc::clone(text))),
        Marks::Hidden if !text.is_empty() => Value::from(MASK),
        Marks::Kept | Marks::Hidden | Marks::Opened => Value::from(Arc::clone(text)),
    }
}

fn number_value(number: &serde_json::Number) -> Value {
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
struct Watched {
    map: Arc<Branch>,
    sensitive: Sensitive,
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.map.keys()).finish()
    }
}

impl Watched {
    fn read(&self, key: &str) -> Option<Value> {
        let tree = self.map.get(key)?;
        let named = SECRET_NAMES.iter().any(|end| key.ends_with(end));
        if named
            && matches!(tree, Tree::Leaf(value) if value.as_str().is_some_and(|text| !text.is_empty()))
        {
            self.sensitive.see();
            if self.sensitive.1 == Marks::Hidden {
                return Some(Value::from(MASK));
            }
        }
        Some(wrap(tree, &self.sensitive))
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
struct Marked(Arc<str>);

impl std::fmt::Debug for Marked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Marked(***)")
    }
}

impl Object for Marked {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        (key.as_str()? == SECRET_MARK).then(|| Value::from(Arc::clone(&self.0)))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(vec![Value::from(SECRET_MARK)])
    }

    fn render(self: &Arc<Self>, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
