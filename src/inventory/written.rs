//! Values as they were written, one by one, and an inventory read with one of them changed.

use super::vars::{Var, Vars};
use crate::source::{Data, Node, Span};
use std::sync::Arc;

/// One value in one place: of a host, a group, a file or the command line, whether anything stronger hides it or not.
#[derive(Clone, Debug)]
pub struct Written {
    pub name: String,
    pub var: Var,
}

/// Another value for what stands in one place, wherever an alias repeats it; `None` takes it out.
#[derive(Clone, Debug)]
pub struct Edit {
    pub at: Span,
    pub to: Option<Data>,
}

impl Edit {
    /// A document as if the other value had been written.
    pub(super) fn applied(&self, mut node: Node) -> Node {
        self.change(&mut node);
        node
    }

    fn change(&self, node: &mut Node) {
        match &mut node.data {
            Data::Scalar { .. } => {}
            Data::Seq(items) => {
                items.retain(|item| self.keeps(item));
                items.iter_mut().for_each(|item| self.one(item));
            }
            Data::Map(entries) => {
                entries.retain(|(_, value)| self.keeps(value));
                entries.iter_mut().for_each(|(_, value)| self.one(value));
            }
        }
    }

    fn keeps(&self, node: &Node) -> bool {
        self.to.is_some() || node.span != self.at
    }

    fn one(&self, node: &mut Node) {
        match &self.to {
            Some(data) if node.span == self.at => node.data = data.clone(),
            _ => self.change(node),
        }
    }

    /// The same for variables that were no document (`-e name=value`).
    pub(super) fn apply_to(&self, vars: &mut Vars) {
        let hit = vars.iter().find(|(_, var)| var.node.span == self.at);
        let Some((name, var)) = hit.map(|(name, var)| (name.to_owned(), var.clone())) else {
            return;
        };
        match &self.to {
            None => vars.retain(|known, _| known != name),
            Some(data) => {
                let node = Node {
                    data: data.clone(),
                    ..(*var.node).clone()
                };
                let node = Arc::new(node);
                vars.insert(name, Var { node, ..var });
            }
        }
    }
}
