//! Whom Patroni would clone a member from that joins: any running member with the tag `clonefrom`, whatever history it has.
//!
//! Asked before a plan is shown, of groups that a member without data joins.

use super::Run;
use super::group_look::groups;
use crate::model::{Group, Instance};
use crate::names::ResourceId;
use crate::plan::{Refusal, Seen};
use crate::runbook::patroni::{is_diverged, sources, unsound};

/// Refusals for members that may get a copy of another history than their leader's.
pub async fn diverged_sources(run: &Run<'_>, seen: &Seen) -> Vec<Refusal> {
    let all = run.model.groups().map(|(_, group)| group);
    let joined: Vec<&Group> = all.filter(|group| joins(group, seen)).collect();
    let looks = groups(run, &joined).await;
    let mut refusals = Vec::new();
    for group in joined {
        // Without a look, or without a leader, nobody is cloned: the gate says so.
        let Some(Ok(look)) = looks.get(&group.cluster) else {
            continue;
        };
        let Some(leader) = look.leader() else {
            continue;
        };
        let bare = group.members.iter().filter(|it| is_bare(it, seen));
        refusals.extend(bare.filter_map(|member| {
            let mut sources = sources(group, look, &member.name);
            let source = sources.find(|it| !it.is_leader() && is_diverged(it))?;
            let (reason, _) = unsound(source, &member.name, &leader.name);
            Some(Refusal {
                host: member.host.clone(),
                id: ResourceId::new("patroni/service"),
                reason,
                hint: format!("`citusctl reinit {}` first", source.name),
            })
        }));
    }
    refusals
}

/// A member without data, of a group that others have data of.
fn joins(group: &Group, seen: &Seen) -> bool {
    let mut members = group.members.iter();
    let has_data = |member: &Instance| seen.has_data(&member.host) == Some(true);
    group.members.iter().any(|it| is_bare(it, seen)) && members.any(has_data)
}

fn is_bare(member: &Instance, seen: &Seen) -> bool {
    seen.has_data(&member.host) == Some(false)
}
