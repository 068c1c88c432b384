//! What a plan warns of: what nobody declared and weakens what is declared. Nothing is done about it.

use super::{Desired, Seen};
use std::collections::BTreeSet;

/// What hosts and groups run with besides what is declared.
pub(super) fn warnings(desired: &Desired, seen: &Seen) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for stage in &desired.stages {
        for (host, resources) in &stage.hosts {
            let Some(observed) = seen.hosts.get(host) else {
                continue;
            };
            let said = resources.iter().flat_map(|d| d.resource.warnings(observed));
            all.extend(said.map(|text| format!("{host}: {text}")));
        }
        for (name, group) in &stage.groups {
            let Some(seen) = seen.groups.get(name) else {
                continue;
            };
            let kinds = group.resources.iter().map(|d| d.resource.inner());
            let said = kinds.flat_map(|kind| kind.warnings(seen));
            all.extend(said.map(|text| format!("{name}: {text}")));
        }
    }
    all
}
