//! Whether Citus's metadata name all groups, and what to do when the coordinator's Patroni has stopped looking.
//!
//! Patroni keeps what it has seen in `pg_dist_node`. A group that was taken out there and comes back under the same
//! address looks to it as if nothing had changed, and it would never register it again.

use super::gate::{cluster, exec};
use super::{Patroni, Run};
use crate::command::quote;
use crate::event::Kind;
use crate::model::{Formation, Group, Instance};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

/// How long Patroni may take by itself: two turns of its loop and more.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// What is missing, in words, by formation.
pub(super) async fn lacks(run: &Run<'_>) -> Vec<String> {
    let mut lacks = Vec::new();
    for formation in citus(run) {
        match missing(run, formation).await {
            Err(reason) => lacks.push(reason),
            Ok(None) => {}
            Ok(Some((_, groups))) if groups.is_empty() => {}
            Ok(Some((_, groups))) => {
                let names: Vec<&str> = groups.iter().map(|group| group.cluster.as_str()).collect();
                lacks.push(format!(
                    "pg_dist_node does not name {} yet",
                    names.join(", ")
                ));
            }
        }
    }
    lacks
}

fn citus<'r>(run: &'r Run<'_>) -> impl Iterator<Item = &'r Formation> {
    run.model
        .formations
        .iter()
        .filter(|formation| formation.is_citus())
}

/// Who leads the coordinator, and the groups that its metadata do not name. `None`: no coordinator belongs to the inventory.
async fn missing<'r>(
    run: &Run<'_>,
    formation: &'r Formation,
) -> Result<Option<(&'r Instance, Vec<&'r Group>)>, String> {
    let Some(coordinator) = formation.coordinator() else {
        return Ok(None);
    };
    let seen = cluster(run, coordinator).await?;
    let led = |member: &&Instance| {
        seen.leader()
            .is_some_and(|leader| leader.name == member.name)
    };
    let Some(member) = coordinator.members.iter().find(led) else {
        return Err(format!(
            "{} has no leader, who would show pg_dist_node",
            coordinator.cluster
        ));
    };
    let query = "SELECT groupid FROM pg_dist_node WHERE noderole = 'primary' AND isactive";
    let psql = formation.psql(member.port);
    let body = format!("{psql} {} 2>&1 && echo answered", quote(query));
    let output = exec(run, &member.host, &body).await;
    let found = output.and_then(|output| read(&output));
    let found =
        found.map_err(|why| format!("{} does not show pg_dist_node: {why}", member.name))?;
    let absent = |group: &&Group| group.number.is_some_and(|number| !found.contains(&number));
    Ok(Some((
        member,
        formation.groups.iter().filter(absent).collect(),
    )))
}

/// The groups that are named. psql's own words are an answer only where it ended well.
fn read(output: &str) -> Result<BTreeSet<u32>, String> {
    let mut lines: Vec<&str> = output.lines().map(str::trim).collect();
    match lines.pop() {
        Some("answered") => Ok(lines.iter().filter_map(|line| line.parse().ok()).collect()),
        Some(words) => Err(words.to_owned()),
        None => Err("psql said nothing".to_owned()),
    }
}

/// Makes the coordinator's Patroni read `pg_dist_node` anew: it is told that the leader of a missing group is about to go,
/// tries to change its row, finds none, and looks again.
pub(super) async fn remind(run: &Run<'_>) {
    for formation in citus(run) {
        let Ok(Some((coordinator, groups))) = missing(run, formation).await else {
            continue;
        };
        for group in groups {
            let Ok(seen) = cluster(run, group).await else {
                continue;
            };
            let (Some(leader), Some(patroni)) = (seen.leader(), Patroni::of(run, coordinator))
            else {
                continue;
            };
            let event = json!({
                "type": "before_demote", "group": group.number, "leader": leader.name, "timeout": 1, "cooldown": 1,
            });
            let said = patroni.ask("POST", "/citus", Some(event)).await;
            let text = match said {
                Ok(_) => format!(
                    "Patroni on {} is reminded of {}",
                    coordinator.name, group.cluster
                ),
                Err(error) => format!(
                    "Patroni on {} could not be reminded of {}: {error}",
                    coordinator.name, group.cluster
                ),
            };
            run.emitter.emit(Kind::Note { text });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_no_empty_list() {
        assert_eq!(read("0\n2\nanswered\n"), Ok(BTreeSet::from([0, 2])));
        assert_eq!(read("answered\n"), Ok(BTreeSet::new()));
        assert_eq!(
            read("psql: error: refused\n"),
            Err("psql: error: refused".to_owned())
        );
        assert!(read("").is_err());
    }
}
