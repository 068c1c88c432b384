//! What a plan warns of: what nobody declared and weakens what is declared. Nothing is done about it.

use super::{Desired, Seen};
use crate::fact::{GroupSeen, MemberSeen};
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
            all.extend(down(seen).map(|text| format!("{name}: {text}")));
            all.extend(seen.unnamed.iter().map(|member| {
                format!("{name}: Patroni has {member}, which the inventory does not name, and it may lead: put its line back, or take it out with it there (`citusctl apply pgsql-rm -l HOST`)")
            }));
            let kinds = group.resources.iter().map(|d| d.resource.inner());
            let said = kinds.flat_map(|kind| kind.warnings(seen));
            all.extend(said.map(|text| format!("{name}: {text}")));
        }
    }
    all
}

/// Members that Patroni knows and that do not run: a configuration that is the wanted one does not make them run.
fn down(seen: &GroupSeen) -> impl Iterator<Item = String> {
    let ill = seen
        .members
        .iter()
        .filter(|member: &&MemberSeen| !member.is_up());
    ill.map(|member| {
        format!(
            "{} {}; `citusctl status` says more",
            member.name,
            member.plight()
        )
    })
}
