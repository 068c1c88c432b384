//! Wanted states of a PostgreSQL group as a whole, made so through whoever leads it at that moment.

mod accepted;
mod authinfo;
mod db_database;
mod db_role;
mod dynamic_config;
mod live;
mod password;
mod pooler_lookup;
mod quantity;
mod restart;
mod settings;
mod sql;
mod stanza;
mod undeclared;

pub use db_database::DbDatabase;
pub use db_role::DbRole;
pub use dynamic_config::{DynamicConfig, LOWERED};
pub use live::databases_of;
pub use pooler_lookup::PoolerLookup;
pub use restart::{LeaderRestart, PendingRestart};
pub(super) use sql::reset_settings;
pub use stanza::{FirstBackup, NO_REPOSITORY, Stanza};
pub use undeclared::Undeclared;

use super::{Action, Impact, SpecError, Step};
use crate::fact::{GroupSeen, Probe};
use crate::names::{HostName, InstanceName, ResourceId, Tag};
use serde_aux::serde_introspection::serde_introspect;
use serde_json::Value;
use std::collections::BTreeSet;

/// What is done to a group.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// `PATCH /config`, on any member.
    PatchConfig(Value),
    /// Members restart one by one, replicas first, a switchover before the leader.
    RollingRestart {
        /// The hosts of those that restart, as far as the plan knows.
        hosts: Vec<HostName>,
        /// Those that wait for it by what they run with; Patroni may not have read its file yet.
        waiting: Vec<InstanceName>,
    },
    /// Shell text on the leader's host.
    OnLeader(Step),
}

/// A difference in a group.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupChange {
    pub action: Action,
    pub summary: String,
    pub impact: Impact,
    pub cause: Option<String>,
    /// Lines for people: what changes from what to what.
    pub details: Vec<String>,
    pub operations: Vec<Operation>,
}

/// What a diff of a group found.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupVerdict {
    Same(String),
    Differs(Box<GroupChange>),
    /// Nobody leads the group yet, so nobody can be asked.
    Unknown(String),
    /// Something is in the way that we must not touch. The run is refused.
    Refused {
        reason: String,
        hint: String,
    },
}

/// What every kind of group resource answers.
pub trait GroupKind {
    /// Scripts that every member's host runs in its one look; only the leader's answer counts.
    fn probes(&self, access: &PgAccess) -> Vec<Probe>;
    /// What differs.
    fn diff(&self, access: &PgAccess, seen: &GroupSeen) -> GroupVerdict;
    /// What was seen and is nobody's, and weakens what is ours: said, and left as it is.
    fn warnings(&self, _seen: &GroupSeen) -> Vec<String> {
        Vec::new()
    }
}

/// How a host talks to its own PostgreSQL.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PgAccess {
    /// The superuser, also the operating system's account.
    pub dbsu: String,
    pub socket_dir: String,
    pub port: u16,
    pub data_dir: String,
    pub bin_dir: String,
    /// Major version.
    pub version: u32,
    /// The Citus database, in a Citus formation.
    pub citus_db: Option<String>,
}

macro_rules! group_kinds {
    ($($name:literal => $kind:ident),+ $(,)?) => {
        /// A wanted state of a group.
        #[derive(Clone, Debug, PartialEq)]
        pub enum GroupResource {
            $($kind($kind),)+
        }

        impl GroupResource {
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
            pub fn from_fields(kind: &str, fields: Value) -> Result<Self, SpecError> {
                match kind {
                    $($name => serde_json::from_value(fields)
                        .map(Self::$kind)
                        .map_err(|error| SpecError::Fields { kind: $name, error }),)+
                    other => Err(SpecError::UnknownKind(other.to_owned())),
                }
            }

            /// The kind's answers.
            pub fn inner(&self) -> &dyn GroupKind {
                match self { $(Self::$kind(inner) => inner,)+ }
            }
        }
    };
}

group_kinds! {
    "dynamic_config" => DynamicConfig,
    "pending_restart" => PendingRestart,
    "db_role" => DbRole,
    "db_database" => DbDatabase,
    "pooler_lookup" => PoolerLookup,
    "undeclared" => Undeclared,
    "stanza" => Stanza,
    "first_backup" => FirstBackup,
}

/// A group resource with its name and the tags that select it.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupDeclared {
    pub id: ResourceId,
    pub tags: BTreeSet<Tag>,
    pub resource: GroupResource,
}
