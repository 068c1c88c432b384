//! What the user wrote: hosts, groups and variables of an Ansible/Pigsty YAML inventory.
//!
//! Reads files, merges variables with Ansible's precedence, selects hosts by pattern. Knows
//! nothing of what a variable means; that is `parameters` (types) and `model` (meaning).

mod error;
mod extra;
mod files;
mod load;
mod lookup;
mod merge;
pub mod parameters;
mod pattern;
mod placeholder;
mod range;
mod reference;
mod select;
mod shape;
mod show;
mod vars;
mod vault;
mod written;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_secret;
#[cfg(test)]
mod tests_select;

use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::names::{GroupName, HostName};
use crate::source::{Sources, Span};

pub use error::{LoadError, Loaded, PatternError};
pub use load::{load, load_edited, load_with};
pub use parameters::param;
pub use placeholder::{expand, is_open};
pub use select::select;
pub use show::{graph, host_json, list_json, origins};
pub use vars::{Layer, Var, Vars};
pub use vault::{Asked, Keys};
pub use written::{Edit, Written};

/// An inventory with all variables merged.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// All texts that were read, for places in messages.
    pub sources: Sources,
    /// The inventory file, as the user gave it.
    pub path: PathBuf,
    /// In the order written.
    pub hosts: IndexMap<HostName, InvHost>,
    /// `all` first, then in the order written.
    pub groups: IndexMap<GroupName, InvGroup>,
}

/// One host.
#[derive(Clone, Debug)]
pub struct InvHost {
    pub name: HostName,
    /// Where it is first named.
    pub span: Span,
    /// All groups it is in, outermost first, `all` included.
    pub groups: Vec<GroupName>,
    /// Merged, `-e` included. Shared with the model.
    pub vars: Arc<Vars>,
}

/// One group.
#[derive(Clone, Debug)]
pub struct InvGroup {
    pub name: GroupName,
    /// Where it is first named.
    pub span: Span,
    /// Those of its children included.
    pub hosts: Vec<HostName>,
    pub children: Vec<GroupName>,
    /// Its own, before merging; `group_vars/` files included.
    pub vars: Vars,
}

impl Inventory {
    /// The value of a variable of a host.
    pub fn var(&self, host: &str, name: &str) -> Option<&Var> {
        self.hosts.get(host)?.vars.get(name)
    }
}
