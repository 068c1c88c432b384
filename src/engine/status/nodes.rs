//! Citus's list of nodes against Patroni's view of the groups.

use super::StatusAnswers;
use super::findings::Findings;
use super::host::{HostAnswers, NodeStatusRow};
use super::patroni::ClusterView;
use crate::engine::Run;
use crate::event::status::NodeStatus;
use crate::model::{Formation, Group};

/// One line for each row of `pg_dist_node`, and one for each leader that it does not name.
pub(super) fn judge(
    run: &Run<'_>,
    answers: &StatusAnswers,
    said: &mut Findings,
) -> Vec<NodeStatus> {
    let citus = run.model.formations.iter().filter(|f| f.is_citus());
    citus
        .flat_map(|formation| of_formation(formation, answers, said))
        .collect()
}

fn of_formation(
    formation: &Formation,
    answers: &StatusAnswers,
    said: &mut Findings,
) -> Vec<NodeStatus> {
    let Some((place, seen)) = coordinator(formation, answers) else {
        return Vec::new();
    };
    let Some(rows) = &seen.nodes else {
        said.problem(format!(
            "{place} does not show pg_dist_node: {}",
            seen.nodes_words
        ));
        return Vec::new();
    };
    let mut nodes: Vec<NodeStatus> = Vec::new();
    for group in &formation.groups {
        let Some(number) = group.number else {
            continue;
        };
        let own: Vec<&NodeStatusRow> = rows.iter().filter(|row| row.group == number).collect();
        match answers.groups.get(&group.cluster) {
            Some(Ok(view)) => nodes.extend(of_group(group, number, view, &own, said)),
            Some(Err(_)) => nodes.extend(own.into_iter().map(unconfirmed)),
            // It was not selected.
            None => {}
        }
    }
    copies(formation, answers, rows, said);
    for row in rows {
        let known = |group: &Group| group.number == Some(row.group);
        if !formation.groups.iter().any(known) {
            said.problem(format!(
                "pg_dist_node has a group {} ({}) that the inventory does not know",
                row.group, row.place
            ));
        }
    }
    nodes
}

/// Every leader of a worker group that Citus gives its lists to answers queries by its own copy of them.
fn copies(
    formation: &Formation,
    answers: &StatusAnswers,
    rows: &[NodeStatusRow],
    said: &mut Findings,
) {
    let copied = |group: &&Group| {
        let mut primaries = rows.iter().filter(|row| row.role == "primary");
        primaries.any(|row| row.copied && Some(row.group) == group.number && row.group != 0)
    };
    for group in formation.groups.iter().filter(copied) {
        let view = answers.groups.get(&group.cluster);
        // A group without a leader, or a host without an answer, is a problem already.
        let leader = view.and_then(|view| view.as_ref().ok()?.leader());
        let host = leader.map(|leader| leader.host(group));
        let seen = host.as_ref().and_then(|host| answers.hosts.get(host));
        let (Some(host), Some(Ok(seen))) = (host, seen) else {
            continue;
        };
        match &seen.nodes {
            Some(own) if same(own, rows) => {}
            Some(_) => said.problem(format!(
                "{}: {host} has another pg_dist_node than the coordinator: Citus has not handed its changes out yet",
                group.cluster
            )),
            None => said.problem(format!(
                "{host} does not show pg_dist_node: {}",
                seen.nodes_words
            )),
        }
    }
}

/// Whether two lists lead to the same places.
fn same(one: &[NodeStatusRow], other: &[NodeStatusRow]) -> bool {
    let places = |rows: &[NodeStatusRow]| {
        let all = rows.iter();
        let all = all.map(|row| (row.group, row.role.clone(), row.place.clone(), row.active));
        let mut all: Vec<_> = all.collect();
        all.sort();
        all
    };
    places(one) == places(other)
}

/// A row of a group whose Patroni does not answer, which is a problem already.
fn unconfirmed(row: &NodeStatusRow) -> NodeStatus {
    NodeStatus {
        group: row.group,
        citus: Some(row.place.clone()),
        patroni: None,
        role: row.role.clone(),
        ok: false,
    }
}

/// The coordinator's leader, and what its host said. Without a leader there is nothing to compare with.
fn coordinator<'a>(
    formation: &Formation,
    answers: &'a StatusAnswers,
) -> Option<(String, &'a HostAnswers)> {
    let group = formation.coordinator()?;
    let view = answers.groups.get(&group.cluster)?.as_ref().ok()?;
    let host = view.leader()?.host(group);
    let seen = answers.hosts.get(&host)?.as_ref().ok()?;
    Some((host.to_string(), seen))
}

fn of_group(
    group: &Group,
    number: u32,
    view: &ClusterView,
    rows: &[&NodeStatusRow],
    said: &mut Findings,
) -> Vec<NodeStatus> {
    let leader = view.leader().and_then(|leader| leader.place.clone());
    let mut nodes = Vec::new();
    for row in rows {
        let patroni = match row.role.as_str() {
            "primary" => leader.clone(),
            _ => follower(view, &row.place),
        };
        let ok = patroni.as_ref() == Some(&row.place) && (row.active || row.role != "primary");
        if !ok {
            said.problem(words(group, row, patroni.as_deref()));
        }
        nodes.push(NodeStatus {
            group: number,
            citus: Some(row.place.clone()),
            patroni,
            role: row.role.clone(),
            ok,
        });
    }
    if !rows.iter().any(|row| row.role == "primary") {
        said.problem(format!(
            "{}: pg_dist_node names no primary of group {number}",
            group.cluster
        ));
        nodes.push(NodeStatus {
            group: number,
            citus: None,
            patroni: leader,
            role: "primary".to_owned(),
            ok: false,
        });
    }
    nodes
}

/// The member at that place, unless it leads.
fn follower(view: &ClusterView, place: &str) -> Option<String> {
    let found = view
        .members
        .iter()
        .find(|member| !member.leads() && member.place.as_deref() == Some(place));
    found.and_then(|member| member.place.clone())
}

fn words(group: &Group, row: &NodeStatusRow, patroni: Option<&str>) -> String {
    let NodeStatusRow { place, role, .. } = row;
    match (role.as_str(), patroni) {
        ("primary", Some(leader)) if leader == place => {
            format!("{}: pg_dist_node has {place} as inactive", group.cluster)
        }
        ("primary", Some(leader)) => format!(
            "{}: pg_dist_node names {place} as primary, but {leader} leads",
            group.cluster
        ),
        ("primary", None) => format!(
            "{}: pg_dist_node names {place} as primary, but nobody leads",
            group.cluster
        ),
        _ => format!(
            "{}: pg_dist_node names {place} as {role}, but no standby is there",
            group.cluster
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_the_same_when_they_lead_to_the_same_places() {
        let row = |group, place: &str, role: &str| NodeStatusRow {
            group,
            place: place.to_owned(),
            role: role.to_owned(),
            active: true,
            copied: true,
        };
        let list = [row(0, "a:5432", "primary"), row(1, "b:5432", "primary")];
        let mut other = [list[1].clone(), list[0].clone()];
        other[0].copied = false;
        assert!(same(&list, &other));
        other[0].place = "c:5432".to_owned();
        assert!(!same(&list, &other));
        assert!(!same(&list, &list[..1]));
        assert!(!same(&list, &[]));
    }
}
