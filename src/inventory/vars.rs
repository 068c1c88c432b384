//! Variables and where each came from.

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::names::GroupName;
use crate::source::{Node, Span};

/// Where a variable was set, from the weakest to the strongest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layer {
    /// `all.vars` of the inventory.
    All,
    /// `vars` of a group.
    Group(GroupName),
    /// A file below `group_vars/`.
    GroupFile(GroupName),
    /// Beside the host in the inventory.
    Host,
    /// A file below `host_vars/`.
    HostFile,
    /// `-e` on the command line.
    Extra,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all.vars"),
            Self::Group(name) => write!(f, "group `{name}`"),
            Self::GroupFile(name) => write!(f, "group_vars/{name}"),
            Self::Host => f.write_str("host"),
            Self::HostFile => f.write_str("host_vars"),
            Self::Extra => f.write_str("-e"),
        }
    }
}

/// One value and its origin. `node.span` is where it was written.
#[derive(Clone, Debug)]
pub struct Var {
    pub node: Arc<Node>,
    /// Where the name was written.
    pub key: Span,
    pub layer: Layer,
}

/// Variables by name, in the order they were first set.
#[derive(Clone, Debug, Default)]
pub struct Vars(IndexMap<Arc<str>, Var>);

impl Vars {
    /// The variable of that name.
    pub fn get(&self, name: &str) -> Option<&Var> {
        self.0.get(name)
    }

    /// Whether there is a variable of that name, be it null.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// All of them with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.0.iter().map(|(name, var)| (name.as_ref(), var))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets one; a value that is there already is replaced.
    pub fn insert(&mut self, name: impl Into<Arc<str>>, var: Var) {
        self.0.insert(name.into(), var);
    }

    /// Keeps only those that `keep` wants.
    pub fn retain(&mut self, keep: impl Fn(&str, &Var) -> bool) {
        self.0.retain(|name, var| keep(name, var));
    }

    /// Sets all of a stronger layer over these. Lists and mappings are replaced, not merged.
    pub fn overlay(&mut self, stronger: &Vars) {
        for (name, var) in &stronger.0 {
            self.0.insert(Arc::clone(name), var.clone());
        }
    }

    /// The entries of a mapping as variables of one layer; anything else is none.
    pub fn from_map(map: &Node, layer: &Layer) -> Self {
        let mut vars = Self::default();
        for (key, value) in map.pairs().unwrap_or_default() {
            let var = Var {
                node: Arc::new(value.clone()),
                key: key.span,
                layer: layer.clone(),
            };
            vars.insert(key.as_str().unwrap_or_default(), var);
        }
        vars
    }

    /// The values as Ansible sees them.
    pub fn to_json(&self) -> Value {
        let pairs = self
            .iter()
            .map(|(name, var)| (name.to_owned(), var.node.to_json()));
        Value::Object(pairs.collect::<Map<_, _>>())
    }
}
