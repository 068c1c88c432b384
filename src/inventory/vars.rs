//! Variables that remember where they were written.

use crate::names::GroupName;
use crate::source::Node;
use indexmap::IndexMap;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;

/// Variables by name, in the order they were first written.
#[derive(Clone, Debug, Default)]
pub struct Vars(IndexMap<String, Var>);

/// A value and the layer it comes from; its place is the node's span.
#[derive(Clone, Debug)]
pub struct Var {
    pub node: Arc<Node>,
    pub layer: Layer,
}

/// Where a variable was written, lowest precedence first (Ansible's order).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layer {
    All,
    Group(GroupName),
    GroupFile(GroupName),
    Host,
    HostFile,
    Extra,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all.vars"),
            Self::Group(name) => write!(f, "vars of group {name}"),
            Self::GroupFile(name) => write!(f, "group_vars/{name}"),
            Self::Host => f.write_str("host"),
            Self::HostFile => f.write_str("host_vars"),
            Self::Extra => f.write_str("-e"),
        }
    }
}

impl Vars {
    /// The variable of that name.
    pub fn get(&self, name: &str) -> Option<&Var> {
        self.0.get(name)
    }

    /// Whether it was written.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.0.iter().map(|(name, var)| (name.as_str(), var))
    }

    /// Sets one; a later one wins.
    pub fn set(&mut self, name: &str, node: Arc<Node>, layer: Layer) {
        self.0.insert(name.to_owned(), Var { node, layer });
    }

    /// Lays another set over this one; lists and mappings are replaced, not merged, as Ansible does it.
    pub fn overlay(&mut self, other: &Self) {
        for (name, var) in &other.0 {
            self.0.insert(name.clone(), var.clone());
        }
    }

    /// Reads the entries of a mapping.
    pub fn of(node: &Node, layer: &Layer) -> Self {
        let mut vars = Self::default();
        for (name, value) in node.entries().into_iter().flatten() {
            vars.set(name, Arc::new(value.clone()), layer.clone());
        }
        vars
    }

    /// As JSON.
    pub fn to_json(&self) -> Value {
        Value::Object(
            self.0
                .iter()
                .map(|(name, var)| (name.clone(), var.node.to_json()))
                .collect::<Map<_, _>>(),
        )
    }
}
