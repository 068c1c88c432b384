//! Identifiers. Each is a newtype, so that a host cannot be passed where a group is wanted.

pub mod printable;
pub mod words;

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! identifier {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps a name as it was written.
            pub fn new(name: impl Into<String>) -> Self {
                Self(name.into())
            }

            /// The name as it was written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                Self::new(name)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )+};
}

identifier! {
    /// A host as the inventory names it (Ansible's `inventory_hostname`).
    HostName;
    /// A group of the inventory (`all.children.NAME`).
    GroupName;
    /// A Patroni cluster: Pigsty's `pg_cluster`.
    ClusterName;
    /// A formation: Pigsty's `pg_shard`, the Patroni scope of all its groups.
    FormationName;
    /// A PostgreSQL instance: `<pg_cluster>-<pg_seq>`, the Patroni member name.
    InstanceName;
    /// A role of the catalog (a directory below `roles/`).
    RoleName;
    /// A tag that selects resources (`-t`).
    Tag;
    /// A stage of a playbook.
    StageName;
    /// One execution, unique on the operator's machine and sortable by time.
    RunId;
    /// A resource, unique on its host: `<role>/<id>`.
    ResourceId;
}

/// The known name that somebody who misspelt this one may have meant: at most a quarter of its letters differ.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(name, known), known));
    let (distance, best) = scored.min()?;
    let allowed = (name.chars().count() / 4).clamp(1, 3);
    (distance <= allowed).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn nearest_suggests_only_close_names() {
        let known = ["rollout", "roles", "stage"];
        assert_eq!(nearest("rollot", known), Some("rollout"));
        assert_eq!(nearest("rles", known), Some("roles"));
        assert_eq!(nearest("hosts", known), None);
        assert_eq!(nearest("x", []), None);
    }
}
