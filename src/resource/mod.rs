//! Wanted states of single things. A resource answers three pure questions: what to look at ([`ResourceKind::probes`]),
//! what differs, and which steps make it so ([`ResourceKind::diff`]). It never runs anything.
//!
//! To add a kind: one file here with a struct (the fields are what `role.yml` may say) and `impl Kind`, and one
//! line in `kinds!` below. The name is written once.

mod block;
mod change;
mod command;
mod debs;
mod directory;
mod file;
mod free_address;
pub mod group;
mod guard;
mod hostname;
mod in_force;
mod link;
mod package;
mod shared;
mod shell;
mod startable;
mod stranger;
mod unit;
mod user;

pub use block::Block;
pub use change::{Action, BeforeAfter, Change, Impact, Step, Verdict};
pub use command::Command;
pub use debs::Debs;
pub use directory::Directory;
pub use file::File;
pub use free_address::{Answering, FreeAddress};
pub use guard::{FreePort, FreeSpace, NoForeignPath};
pub use hostname::Hostname;
pub use in_force::PgInForce;
pub use link::Link;
pub use package::Package;
pub use shared::SharedResource;
pub use shell::prelude;
pub use startable::PgStartable;
pub use stranger::{NoDebianCluster, NoForeignConf};
pub use unit::Unit;
pub use user::User;

use crate::fact::{Observed, Probe};
use crate::names::{ResourceId, Tag};
use serde_aux::serde_introspection::serde_introspect;
use std::collections::{BTreeMap, BTreeSet};

/// What every kind of resource answers.
pub trait ResourceKind {
    /// What to look at on the host.
    fn probes(&self) -> Vec<Probe>;
    /// What differs, and which steps make it so.
    fn diff(&self, seen: &Observed) -> Verdict;
    /// What was seen and is nobody's, and weakens what is ours: said, and left as it is.
    fn warnings(&self, _seen: &Observed) -> Vec<String> {
        Vec::new()
    }
    /// Paths that belong to us once this resource has been applied.
    fn owns(&self) -> Vec<String> {
        Vec::new()
    }
    /// A digest of the wanted state, for those that restart or reload because of it.
    fn digest(&self) -> String;
    /// Resources whose change this one reacts to, as written in the role.
    fn triggers(&self) -> Vec<String> {
        Vec::new()
    }
    /// Whether [`ResourceKind::set_inputs`] does anything: who writes one writes the other.
    fn has_inputs(&self) -> bool {
        false
    }
    /// Tells the digests of what [`ResourceKind::triggers`] named.
    /// Those in `left` exist but were not selected: they stay as they are stamped.
    fn set_inputs(&mut self, _inputs: &BTreeMap<String, String>, _left: &BTreeSet<String>) {}
}

macro_rules! kinds {
    ($($name:literal => $kind:ident),+ $(,)?) => {
        /// A wanted state.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Resource {
            $($kind($kind),)+
        }

        impl Resource {
            /// Names of all kinds, as `role.yml` writes them.
            pub const KINDS: &'static [&'static str] = &[$($name),+];

            /// The fields that a kind takes, or nothing where there is no such kind.
            pub fn fields(kind: &str) -> Option<&'static [&'static str]> {
                match kind {
                    $($name => Some(serde_introspect::<$kind>()),)+
                    _ => None,
                }
            }

            /// Reads the fields of a kind.
            pub fn from_fields(kind: &str, fields: serde_json::Value) -> Result<Self, SpecError> {
                let resource = match kind {
                    $($name => serde_json::from_value(fields)
                        .map(Self::$kind)
                        .map_err(|error| SpecError::Fields { kind: $name, error }),)+
                    other => Err(SpecError::UnknownKind(other.to_owned())),
                }?;
                match resource.owns().into_iter().find(|path| !is_sound(path)) {
                    Some(path) => Err(SpecError::Path(path.escape_debug().to_string())),
                    None => Ok(resource),
                }
            }

            /// The kind's name.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$kind(_) => $name,)+ }
            }

            fn inner(&self) -> &dyn ResourceKind {
                match self { $(Self::$kind(inner) => inner,)+ }
            }

            fn inner_mut(&mut self) -> &mut dyn ResourceKind {
                match self { $(Self::$kind(inner) => inner,)+ }
            }
        }
    };
}

kinds! {
    "package" => Package,
    "directory" => Directory,
    "file" => File,
    "link" => Link,
    "block" => Block,
    "hostname" => Hostname,
    "user" => User,
    "command" => Command,
    "debs" => Debs,
    "unit" => Unit,
    "no_foreign_path" => NoForeignPath,
    "no_foreign_conf" => NoForeignConf,
    "no_debian_cluster" => NoDebianCluster,
    "pg_in_force" => PgInForce,
    "pg_startable" => PgStartable,
    "free_space" => FreeSpace,
    "free_port" => FreePort,
    "free_address" => FreeAddress,
}

/// Whether a path is absolute, leads nowhere but down, and is one line.
fn is_sound(path: &str) -> bool {
    path.starts_with('/')
        && !path.split('/').any(|part| part == "..")
        && !path.contains(char::is_control)
}

/// A resource in a role is not what its kind takes.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    #[error("there is no resource kind `{0}`")]
    UnknownKind(String),
    #[error("`{kind}`: {error}")]
    Fields {
        kind: &'static str,
        error: serde_json::Error,
    },
    #[error("`{0}` is no path of a file of ours: it is absolute, without `..` and on one line")]
    Path(String),
}

impl Resource {
    /// What to look at on the host.
    pub fn probes(&self) -> Vec<Probe> {
        self.inner().probes()
    }

    /// What differs, and which steps make it so.
    pub fn diff(&self, seen: &Observed) -> Verdict {
        self.inner().diff(seen)
    }

    /// What was seen and is nobody's, and weakens what is ours.
    pub fn warnings(&self, seen: &Observed) -> Vec<String> {
        self.inner().warnings(seen)
    }

    /// Paths that belong to us once this resource has been applied.
    pub fn owns(&self) -> Vec<String> {
        self.inner().owns()
    }

    /// A digest of the wanted state.
    pub fn digest(&self) -> String {
        self.inner().digest()
    }

    /// Resources whose change this one reacts to.
    pub fn triggers(&self) -> Vec<String> {
        self.inner().triggers()
    }

    /// Whether it depends on the digests of others, or on its own as it was when it ran last.
    pub fn has_inputs(&self) -> bool {
        self.inner().has_inputs()
    }

    /// Tells the digests of what `triggers` named.
    pub fn set_inputs(&mut self, inputs: &BTreeMap<String, String>, left: &BTreeSet<String>) {
        self.inner_mut().set_inputs(inputs, left);
    }
}

/// A resource with its name and the tags that select it.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    pub id: ResourceId,
    pub tags: BTreeSet<Tag>,
    pub resource: SharedResource,
}

/// SHA-256 in hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A short digest of several texts, for stamps.
fn digest_of(parts: &[&str]) -> String {
    sha256_hex(parts.join("\0").as_bytes())[..16].to_owned()
}
