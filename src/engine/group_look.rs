//! A look at a group: what Patroni says of all its members, and what single members say of themselves.

use super::copies;
use super::gate::cluster;
use super::look::futures_join;
use super::{Patroni, Run};
use crate::fact::{GroupSeen, MemberSeen};
use crate::model::Group;
use crate::names::ClusterName;
use crate::runbook::Whom;
use std::collections::BTreeMap;

/// Looks at groups for a planner: members, their own words, the live configuration.
pub async fn groups(
    run: &Run<'_>,
    groups: &[&Group],
) -> BTreeMap<ClusterName, Result<GroupSeen, String>> {
    let looks = groups
        .iter()
        .map(|group| async { (group.cluster.clone(), whole(run, group).await) });
    futures_join(looks).await.into_iter().collect()
}

async fn whole(run: &Run<'_>, group: &Group) -> Result<GroupSeen, String> {
    let mut seen = cluster(run, group).await?;
    let members = std::mem::take(&mut seen.members);
    seen.members = futures_join(members.into_iter().map(|member| own(run, group, member))).await;
    for member in &group.members {
        let Some(patroni) = Patroni::of(run, member) else {
            continue;
        };
        if run.fleet.get(&member.host).is_some()
            && let Ok(config) = patroni.get("/config").await
            && config.get("ttl").is_some()
        {
            seen.dynamic = Some(config);
            if seen.leader().is_none() {
                seen.reached = patroni.reached().await;
            }
            break;
        }
    }
    Ok(copies::confirm(run, group, seen).await)
}

/// Adds what a member says of itself; one that does not answer says nothing.
async fn own(run: &Run<'_>, group: &Group, mut seen: MemberSeen) -> MemberSeen {
    let known = group.members.iter().find(|known| known.name == seen.name);
    if let Some(known) = known
        && run.fleet.get(&known.host).is_some()
        && let Some(patroni) = Patroni::of(run, known)
        && let Ok(answer) = patroni.get("/patroni").await
    {
        seen.learn(&answer);
    }
    seen
}

/// What a step of a runbook judges by: all members, and the one that is asked in its own words.
pub(super) async fn by_ask(run: &Run<'_>, group: &Group, whom: &Whom) -> Result<GroupSeen, String> {
    let mut seen = cluster(run, group).await?;
    if let Whom::Member(name) = whom
        && let Some(index) = seen.members.iter().position(|member| member.name == *name)
    {
        let member = seen.members.swap_remove(index);
        seen.members.push(own(run, group, member).await);
    }
    Ok(seen)
}
