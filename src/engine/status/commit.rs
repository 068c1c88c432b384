//! Whether commits wait for as many standbys as Patroni's configuration wants.

use super::findings::Findings;
use super::patroni::ClusterView;
use crate::fact::{Answers, Sender};
use crate::model::{Group, Instance};
use crate::names::InstanceName;

/// A mode in which commits wait for a standby has to have one.
pub(super) fn judge(group: &Group, view: &ClusterView, copies: &Answers, said: &mut Findings) {
    let cluster = &group.cluster;
    let mode = match &view.synchronous {
        Ok(mode) => mode,
        Err(why) => {
            said.problem(format!(
                "{cluster}: whether its commits wait for a standby is not known: {why}"
            ));
            return;
        }
    };
    let may = |member: &&Instance| !member.tags.nosync;
    // A cluster that can have none by its inventory lacks nothing.
    if mode.wanted == 0 || group.members.iter().filter(may).count() < 2 && !mode.strict {
        return;
    }
    let Some(leader) = view.leader() else { return };
    let Some(Ok(source)) = copies.get(&InstanceName::new(leader.name.clone())) else {
        return;
    };
    let counts = |row: &&Sender| {
        let sync = matches!(row.sync.as_deref(), Some("sync" | "quorum"));
        sync && row.state.as_deref() == Some("streaming")
    };
    let there = source.standbys.iter().filter(counts).count() as u64;
    if there >= mode.wanted {
        return;
    }
    let effect = match (mode.strict, there) {
        (true, 0) => "writes wait until one is there",
        (true, _) | (false, 1..) => "a commit is on fewer copies than it should be",
        (false, 0) => "commits are on the leader alone, and its loss loses them",
    };
    said.problem(format!(
        "{cluster}: {there} of {} synchronous standbys follow {}: {effect}",
        mode.wanted, leader.name
    ));
}
