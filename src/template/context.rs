//! The context of a template, watched: whether a secret was read decides what may be shown.
//!
//! A context is made once and shared: a rendering, or a turn of a loop, copies none of it.

mod reads;

pub use reads::Reads;

use crate::secret::{MASK, Secret};
use indexmap::IndexMap;
use minijinja::Value;
use minijinja::value::{Enumerator, Object};
use reads::Trail;
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
pub struct Context {
    branch: Arc<Branch>,
    /// Where readings are noted, if they are.
    reads: Option<Arc<Reads>>,
    /// Variables of loops: they follow from what was read before.
    own: Vec<String>,
}

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
        f.debug_set().entries(self.branch.keys()).finish()
    }
}

impl From<&Json> for Context {
    /// The variables of a mapping; anything else has none.
    fn from(json: &Json) -> Self {
        match Tree::from(json) {
            Tree::Map(branch) => Self {
                branch,
                ..Self::default()
            },
            Tree::Leaf(_) | Tree::Secret(_) | Tree::List(_) => Self::default(),
        }
    }
}

/// A value that is made once and shared by the contexts that have it.
#[derive(Clone)]
pub struct Shared(Tree);

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

impl FromIterator<(String, Shared)> for Shared {
    /// A mapping.
    fn from_iter<I: IntoIterator<Item = (String, Shared)>>(entries: I) -> Self {
        let entries = entries.into_iter().map(|(name, value)| (name, value.0));
        Self(Tree::Map(Arc::new(entries.collect())))
    }
}

impl From<&Json> for Shared {
    fn from(json: &Json) -> Self {
        Self(Tree::from(json))
    }
}

impl Context {
    /// Puts a shared value at a path of names whose parents are mappings; elsewhere it goes nowhere.
    pub fn put(&mut self, path: &[&str], value: &Shared) {
        let Some((last, parents)) = path.split_last() else {
            return;
        };
        let mut branch = &mut self.branch;
        for name in parents {
            let Some(Tree::Map(inner)) = Arc::make_mut(branch).get_mut(*name) else {
                return;
            };
            branch = inner;
        }
        Arc::make_mut(branch).insert((*last).to_owned(), value.0.clone());
    }

    /// The same, noting what is read of it.
    pub fn noting(&self) -> (Self, Arc<Reads>) {
        let reads = Arc::new(Reads::default());
        let context = Self {
            reads: Some(Arc::clone(&reads)),
            ..self.clone()
        };
        (context, reads)
    }

    /// The same with one variable more, or another in its place.
    #[must_use]
    pub fn with(&self, name: &str, value: &Json) -> Self {
        let mut branch = Branch::clone(&self.branch);
        branch.insert(name.to_owned(), Tree::from(value));
        let mut own = self.own.clone();
        own.push(name.to_owned());
        Self {
            branch: Arc::new(branch),
            reads: self.reads.clone(),
            own,
        }
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
        let mut branch = &self.branch;
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
        map: Arc::clone(&context.branch),
        sensitive: sensitive.clone(),
        trail: context.reads.as_ref().map(Trail::new),
        own: context.own.clone(),
    });
    (root, sensitive)
}

/// What a template sees of a value. Of what stands in a list no further readings are noted: the list was read as a whole.
fn wrap(tree: &Tree, sensitive: &Sensitive, trail: Option<Trail>) -> Value {
    match tree {
        Tree::Leaf(value) => value.clone(),
        Tree::List(items) => items
            .iter()
            .map(|item| wrap(item, sensitive, None))
            .collect(),
        Tree::Secret(text) => {
            sensitive.see();
            wrap_secret(text, sensitive.1)
        }
        Tree::Map(map) => Value::from_object(Watched {
            map: Arc::clone(map),
            sensitive: sensitive.clone(),
            trail,
            own: Vec::new(),
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
    trail: Option<Trail>,
    own: Vec<String>,
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(trail) = &self.trail {
            trail.whole(&self.map);
        }
        f.debug_set().entries(self.map.keys()).finish()
    }
}

impl Watched {
    fn read(&self, key: &str) -> Option<Value> {
        let tree = self.map.get(key);
        let noted = self.trail.as_ref();
        let noted = noted.filter(|_| !self.own.iter().any(|own| own == key));
        let trail = noted.and_then(|trail| trail.read(key, tree));
        let tree = tree?;
        let named = SECRET_NAMES.iter().any(|end| key.ends_with(end));
        if named
            && matches!(tree, Tree::Leaf(value) if value.as_str().is_some_and(|text| !text.is_empty()))
        {
            self.sensitive.see();
            if self.sensitive.1 == Marks::Hidden {
                return Some(Value::from(MASK));
            }
        }
        Some(wrap(tree, &self.sensitive, trail))
    }
}

impl Object for Watched {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.read(key.as_str()?)
    }

    fn is_true(self: &Arc<Self>) -> bool {
        if let Some(trail) = &self.trail {
            trail.asked(&self.map);
        }
        !self.map.is_empty()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        if let Some(trail) = &self.trail {
            trail.whole(&self.map);
        }
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
