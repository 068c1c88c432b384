//! What the user wrote: an Ansible inventory in Pigsty's terms, its variables merged, each with its place.
//!
//! Knows groups, hosts, variables, precedence and patterns; knows nothing of what they mean.

mod extra;
mod load;
mod merge;
pub mod parameters;
mod pattern;
mod placeholder;
mod show;
mod tree;
mod vars;

pub use load::{LoadError, Loaded, load};
pub use pattern::{PatternError, select};
pub use placeholder::expand;
pub use show::{graph, host_json, list_json, origins};
pub use vars::{Layer, Var, Vars};

use crate::names::{GroupName, HostName};
use crate::source::{Sources, Span};
use indexmap::IndexMap;
use std::path::PathBuf;

/// An inventory with all variables merged.
#[derive(Clone, Debug)]
pub struct Inventory {
    pub sources: Sources,
    pub path: PathBuf,
    pub hosts: IndexMap<HostName, InvHost>,
    pub groups: IndexMap<GroupName, InvGroup>,
}

/// A host.
#[derive(Clone, Debug)]
pub struct InvHost {
    pub name: HostName,
    /// Where it was first named.
    pub span: Span,
    /// All groups it is in, outermost first, `all` included.
    pub groups: Vec<GroupName>,
    /// Merged, `-e` included.
    pub vars: Vars,
}

/// A group.
#[derive(Clone, Debug)]
pub struct InvGroup {
    pub name: GroupName,
    pub span: Span,
    /// Hosts of it and of its children.
    pub hosts: Vec<HostName>,
    pub children: Vec<GroupName>,
    /// Its own, before merging.
    pub vars: Vars,
}
