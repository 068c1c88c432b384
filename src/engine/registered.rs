//! Whether Citus's metadata name all groups and who leads them, and what to do when the coordinator's Patroni has stopped looking.
//!
//! Patroni keeps what it has seen in `pg_dist_node`. A group that was taken out there and comes back under the same
//! address looks to it as if nothing had changed, and it would never register it again.

use super::gate::{cluster, exec};
use super::look::futures_join;
use super::{Patroni, Run};
use crate::command::quote;
use crate::event::Kind;
use crate::model::{Formation, Group, Instance};
use crate::names::HostName;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

/// How long Patroni may take by itself: two turns of its loop and more.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// What is missing, in words, by formation: every group must have a row, and that of a group with a member on one of `hosts`
/// must name who leads it now.
pub(super) async fn lacks(run: &Run<'_>, hosts: &BTreeSet<HostName>) -> Vec<String> {
    let mut lacks = Vec::new();
    for formation in citus(run) {
        match rows(run, formation).await {
            Err(reason) => lacks.push(reason),
            Ok(None) => {}
            Ok(Some((_, rows))) => {
                let absent = absent(formation, &rows);
                let names: Vec<&str> = absent.iter().map(|group| group.cluster.as_str()).collect();
                if !names.is_empty() {
                    lacks.push(format!(
                        "pg_dist_node does not name {} yet",
                        names.join(", ")
                    ));
                }
                lacks.extend(other_leaders(run, formation, &rows, hosts).await);
            }
        }
    }
    lacks
}

/// Formations whose coordinator no host of this run belongs to (`-l`): nobody shows `pg_dist_node`.
pub(super) fn not_compared(run: &Run<'_>) -> Vec<String> {
    let apart = citus(run).filter(|formation| !part_of(run, formation));
    apart
        .map(|formation| {
            format!(
                "pg_dist_node of {} was not compared: this run reaches no host of its coordinator",
                formation.name
            )
        })
        .collect()
}

fn part_of(run: &Run<'_>, formation: &Formation) -> bool {
    let known = |host: &HostName| {
        run.fleet.get(host).is_some() || run.fleet.unreachable().contains_key(host)
    };
    formation
        .coordinator()
        .is_some_and(|group| group.members.iter().any(|member| known(&member.host)))
}

fn citus<'r>(run: &'r Run<'_>) -> impl Iterator<Item = &'r Formation> {
    run.model
        .formations
        .iter()
        .filter(|formation| formation.is_citus())
}

/// The place (`host:port`) of each group's active primary, by the group's number.
type Rows = BTreeMap<u32, String>;

/// Who leads the coordinator, and its rows. `None`: no coordinator belongs to the inventory, or none to this run.
async fn rows<'r>(
    run: &Run<'_>,
    formation: &'r Formation,
) -> Result<Option<(&'r Instance, Rows)>, String> {
    let Some(coordinator) = formation.coordinator().filter(|_| part_of(run, formation)) else {
        return Ok(None);
    };
    let Some(member) = leader(run, coordinator).await? else {
        return Err(format!(
            "{} has no leader, who would show pg_dist_node",
            coordinator.cluster
        ));
    };
    let query = "SELECT groupid || ' ' || nodename || ':' || nodeport FROM pg_dist_node WHERE noderole = 'primary' AND isactive";
    let psql = formation.psql(member.port);
    let body = format!("{psql} {} 2>&1 && echo answered", quote(query));
    let output = exec(run, &member.host, &body).await;
    let found = output.and_then(|output| read(&output));
    let found =
        found.map_err(|why| format!("{} does not show pg_dist_node: {why}", member.name))?;
    Ok(Some((member, found)))
}

/// Who leads a group now.
async fn leader<'r>(run: &Run<'_>, group: &'r Group) -> Result<Option<&'r Instance>, String> {
    let seen = cluster(run, group).await?;
    let leader = seen.leader();
    let mut members = group.members.iter();
    Ok(leader.and_then(|leader| members.find(|member| member.name == leader.name)))
}

/// The groups that no row names.
fn absent<'r>(formation: &'r Formation, rows: &Rows) -> Vec<&'r Group> {
    let absent = |group: &&Group| {
        let number = group.number;
        number.is_some_and(|number| !rows.contains_key(&number))
    };
    formation.groups.iter().filter(absent).collect()
}

/// Groups with a member on one of the hosts whose row names another place than that of their leader.
async fn other_leaders(
    run: &Run<'_>,
    formation: &Formation,
    rows: &Rows,
    hosts: &BTreeSet<HostName>,
) -> Vec<String> {
    let concerned = |group: &&Group| {
        let mut members = group.members.iter();
        members.any(|member| hosts.contains(&member.host))
    };
    let looks = formation
        .groups
        .iter()
        .filter(concerned)
        .map(|group| async {
            let row = rows.get(&group.number?)?;
            match leader(run, group).await {
                Ok(leads) => differs(group, row, leads),
                Err(why) => Some(format!("{}: {why}", group.cluster)),
            }
        });
    futures_join(looks).await.into_iter().flatten().collect()
}

/// What is wrong with a row, given who leads the group.
fn differs(group: &Group, row: &str, leads: Option<&Instance>) -> Option<String> {
    let cluster = &group.cluster;
    let Some(leads) = leads else {
        return Some(format!(
            "pg_dist_node names {row} for {cluster}, and nobody leads it"
        ));
    };
    let place = SocketAddr::new(leads.address, leads.port);
    // Patroni writes an IPv6 address with and without brackets, by its version.
    let said = row.replace(['[', ']'], "");
    (said != place.to_string().replace(['[', ']'], "")).then(|| {
        format!(
            "pg_dist_node names {row} for {cluster}, and {} ({place}) leads it",
            leads.name
        )
    })
}

/// The rows. psql's own words are an answer only where it ended well.
fn read(output: &str) -> Result<Rows, String> {
    let mut lines: Vec<&str> = output.lines().map(str::trim).collect();
    let row = |line: &&str| {
        let (number, place) = line.split_once(' ')?;
        Some((number.parse().ok()?, place.to_owned()))
    };
    match lines.pop() {
        Some("answered") => Ok(lines.iter().filter_map(row).collect()),
        Some(words) => Err(words.to_owned()),
        None => Err("psql said nothing".to_owned()),
    }
}

/// Makes the coordinator's Patroni read `pg_dist_node` anew: it is told that the leader of a missing group is about to go,
/// tries to change its row, finds none, and looks again.
pub(super) async fn remind(run: &Run<'_>) {
    for formation in citus(run) {
        let Ok(Some((coordinator, rows))) = rows(run, formation).await else {
            continue;
        };
        for group in absent(formation, &rows) {
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
        let rows = [(0, "10.0.0.1:5432"), (2, "10.0.0.3:5432")];
        let rows = rows.map(|(group, place)| (group, place.to_owned()));
        assert_eq!(
            read("0 10.0.0.1:5432\n2 10.0.0.3:5432\nanswered\n"),
            Ok(BTreeMap::from(rows))
        );
        assert_eq!(read("answered\n"), Ok(BTreeMap::new()));
        assert_eq!(
            read("psql: error: refused\n"),
            Err("psql: error: refused".to_owned())
        );
        assert!(read("").is_err());
    }

    #[test]
    fn a_row_must_name_who_leads_now() {
        let path = format!("{}/inventory/ha-trio.yml", env!("CARGO_MANIFEST_DIR"));
        let loaded = crate::inventory::load(path.as_ref(), &[]).expect("an inventory");
        let model = crate::model::build(&loaded.inventory).0.expect("a model");
        let (_, group) = model.groups().next().expect("a group");
        let leads = group.members.get(1).expect("a second member");
        let place = SocketAddr::new(leads.address, leads.port).to_string();
        assert_eq!(differs(group, &place, Some(leads)), None);
        let dead = differs(group, "10.10.10.99:5432", Some(leads)).expect("another place");
        assert!(
            dead.contains("names 10.10.10.99:5432") && dead.contains(&place),
            "{dead}"
        );
        assert!(differs(group, &place, None).is_some());
    }
}
