//! A database whose name changed in the inventory: a new and empty one is made, and the old one is nobody's any more.

use crate::plan::{Desired, Seen};
use crate::resource::group::{GroupResource, databases_of};
use std::collections::BTreeSet;

/// Databases that no inventory names.
const SYSTEM: [&str; 3] = ["postgres", "template0", "template1"];

/// What is to be known before databases are made while others are in no inventory.
pub(super) fn notes(desired: &Desired, seen: &Seen) -> Vec<String> {
    let groups = desired.groups().into_iter();
    groups
        .filter_map(|(cluster, group)| {
            let live = databases_of(seen.groups.get(&cluster)?)?;
            let wanted = group
                .resources
                .iter()
                .filter_map(|declared| match &declared.resource {
                    GroupResource::DbDatabase(db) => Some(&db.database),
                    GroupResource::DbRole(_)
                    | GroupResource::DynamicConfig(_)
                    | GroupResource::PendingRestart(_)
                    | GroupResource::PoolerLookup(_)
                    | GroupResource::Undeclared(_)
                    | GroupResource::Stanza(_)
                    | GroupResource::FirstBackup(_) => None,
                });
            let wanted: Vec<_> = wanted.collect();
            let named: BTreeSet<&str> = wanted.iter().map(|db| db.name.as_str()).collect();
            let made = wanted
                .iter()
                .filter(|db| !db.absent && !live.contains(&db.name));
            let made: Vec<&str> = made.map(|db| db.name.as_str()).collect();
            let known = |name: &&str| named.contains(name) || SYSTEM.contains(name);
            let left: Vec<&str> = live
                .iter()
                .map(String::as_str)
                .filter(|name| !known(name))
                .collect();
            (!made.is_empty() && !left.is_empty()).then(|| words(cluster.as_str(), &made, &left))
        })
        .collect()
}

fn words(cluster: &str, made: &[&str], left: &[&str]) -> String {
    let list = |names: &[&str]| {
        let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        quoted.join(", ")
    };
    format!(
        "warning: {cluster}: {} will be made new and empty, and {} is in no inventory any more: its data stays where it is, and PgBouncer lets nobody in to it. \
         Renamed? First `ALTER DATABASE {} RENAME TO {}` on the leader",
        list(made),
        list(left),
        left.first().copied().unwrap_or_default(),
        made.first().copied().unwrap_or_default(),
    )
}
