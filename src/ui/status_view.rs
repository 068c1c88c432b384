//! The reports of `status` and `verify` as aligned text.

use super::term::{BAD, GOOD, ODD, Style};
use super::{bytes, count};
use crate::engine::verify::{Check, VerifyReport};
use crate::event::status::{
    EtcdStatus, GroupStatus, MemberStatus, NodeStatus, ServiceStatus, StatusReport,
};
use std::collections::{BTreeMap, BTreeSet};

const DIM: Style = Style::new().dimmed();
const HEAD: Style = Style::new().bold();

/// A cell: its text and how it looks.
pub type Cell = (String, Style);

fn plain(text: impl Into<String>) -> Cell {
    (text.into(), Style::new())
}

fn judged(text: impl Into<String>, good: bool) -> Cell {
    (text.into(), if good { GOOD } else { BAD })
}

/// The whole report.
pub fn view(report: &StatusReport) -> String {
    let parts = [
        summary(report),
        etcd(&report.etcd),
        groups(&report.groups),
        super::backup_view::backups(&report.groups),
        nodes(&report.nodes),
        services(&report.services),
        addresses(report),
        certificates(report),
        sentences("Warnings", &report.warnings, ODD),
        sentences("Problems", &report.problems, BAD),
    ];
    let parts = parts.iter().filter(|part| !part.is_empty());
    parts.cloned().collect::<Vec<_>>().join("\n")
}

fn summary(report: &StatusReport) -> String {
    let name = match &report.formation {
        Some(formation) => formation.to_string(),
        None => format!("{} groups", report.groups.len()),
    };
    let (word, style) = match (report.healthy, report.problems.len()) {
        (true, _) => ("healthy".to_owned(), GOOD),
        (false, found) => (format!("not healthy: {}", count(found, "problem")), BAD),
    };
    let paused = match report.paused {
        true => format!(", {ODD}automatic failover switched off{ODD:#}"),
        false => String::new(),
    };
    format!("{HEAD}{name}{HEAD:#}  {style}{word}{style:#}{paused}\n")
}

fn titled(title: &str, rows: Vec<Vec<Cell>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    format!("{HEAD}{title}{HEAD:#}\n{}", aligned(&rows))
}

/// Columns as wide as their widest cell, two spaces between them.
fn aligned(rows: &[Vec<Cell>]) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        for (at, (text, _)) in row.iter().enumerate() {
            let width = console::measure_text_width(text);
            match widths.get_mut(at) {
                Some(known) => *known = width.max(*known),
                None => widths.push(width),
            }
        }
    }
    rows.iter()
        .map(|row| format!("{}\n", line(row, &widths)))
        .collect()
}

fn line(row: &[Cell], widths: &[usize]) -> String {
    let mut text = String::new();
    let mut gap = 2;
    for ((cell, style), width) in row.iter().zip(widths) {
        if !cell.is_empty() {
            text.push_str(&format!("{:gap$}{style}{cell}{style:#}", ""));
            gap = 0;
        }
        gap += 2 + width - console::measure_text_width(cell);
    }
    text
}

fn etcd(members: &[EtcdStatus]) -> String {
    let row = |member: &EtcdStatus| {
        let state = match (member.healthy, member.leader) {
            (true, true) => "leader",
            (true, false) if member.learner => "learner",
            (true, false) => "follower",
            (false, _) => "sick",
        };
        vec![
            plain(&member.name),
            plain(member.host.as_str()),
            judged(state, member.healthy),
            (member.version.clone().unwrap_or_default(), DIM),
            (member.db_size.map(bytes).unwrap_or_default(), DIM),
        ]
    };
    titled("etcd", members.iter().map(row).collect())
}

fn groups(groups: &[GroupStatus]) -> String {
    let title = |group: &GroupStatus| match group.number {
        Some(0) => "coordinator".to_owned(),
        Some(number) => format!("worker group {number}"),
        None => String::new(),
    };
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for group in groups {
        let mut first = vec![plain(group.cluster.as_str()), (title(group), DIM)];
        if group.members.is_empty() {
            first.push(judged("no answer", false));
            rows.push(first.clone());
        }
        for member in &group.members {
            let mut row = std::mem::replace(&mut first, vec![plain(""), plain("")]);
            row.extend(member_cells(member));
            rows.push(row);
        }
    }
    titled("Groups", rows)
}

fn member_cells(member: &MemberStatus) -> Vec<Cell> {
    let good =
        matches!(member.state.as_str(), "running" | "streaming") && member.sound != Some(false);
    let role = member.role.replace('_', " ");
    let leads = role.contains("leader");
    let lag = match (member.lag, member.replay_lag) {
        (Some(lag), Some(replay)) => format!("lag {}, replay {}", bytes(lag), bytes(replay)),
        (Some(lag), None) => format!("lag {}, replay unknown", bytes(lag)),
        (None, Some(replay)) if !leads => format!("lag unknown, replay {}", bytes(replay)),
        (None, _) if leads || !good => String::new(),
        (None, _) => "lag unknown".to_owned(),
    };
    let mut notes: Vec<String> = Vec::new();
    if member.pending_restart {
        notes.push("restart pending".to_owned());
    }
    let tags = member.tags.iter();
    notes.extend(
        tags.filter(|(_, value)| *value == "true")
            .map(|(tag, _)| tag.clone()),
    );
    vec![
        plain(member.name.as_str()),
        plain(member.host.as_str()),
        (role, if leads { HEAD } else { Style::new() }),
        judged(&member.state, good),
        (
            member
                .timeline
                .map(|at| format!("timeline {at}"))
                .unwrap_or_default(),
            DIM,
        ),
        (lag, DIM),
        (notes.join(", "), ODD),
    ]
}

fn nodes(nodes: &[NodeStatus]) -> String {
    let row = |node: &NodeStatus| {
        let verdict = match (node.ok, &node.patroni) {
            (true, _) => "as Patroni says".to_owned(),
            (false, Some(place)) => format!("Patroni says {place}"),
            (false, None) => "Patroni names nobody".to_owned(),
        };
        vec![
            plain(format!("group {}", node.group)),
            plain(node.citus.as_deref().unwrap_or("none")),
            plain(&node.role),
            judged(verdict, node.ok),
        ]
    };
    titled(
        "Nodes of Citus (pg_dist_node)",
        nodes.iter().map(row).collect(),
    )
}

/// One line for each service and each set of servers that hosts see up.
fn services(services: &[ServiceStatus]) -> String {
    let mut seen: BTreeMap<(&str, u16, String), BTreeSet<&str>> = BTreeMap::new();
    for service in services {
        let up = service.servers.iter().filter(|server| server.up);
        let up: Vec<&str> = up.map(|server| server.name.as_str()).collect();
        let key = (
            service.service.as_str(),
            service.port.unwrap_or_default(),
            up.join(", "),
        );
        seen.entry(key).or_default().insert(service.host.as_str());
    }
    let row = |((name, port, up), hosts): (&(&str, u16, String), &BTreeSet<&str>)| {
        let hosts = match hosts.len() {
            1..=2 => hosts.iter().copied().collect::<Vec<_>>().join(", "),
            many => count(many, "host"),
        };
        let up = match up.is_empty() {
            true => ("no server up".to_owned(), ODD),
            false => judged(up, true),
        };
        vec![plain(*name), plain(port.to_string()), plain(hosts), up]
    };
    titled("Services", seen.iter().map(row).collect())
}

fn addresses(report: &StatusReport) -> String {
    let row = |vip: &crate::event::status::VipStatus| {
        let holders: Vec<&str> = vip.holders.iter().map(|host| host.as_str()).collect();
        let one = holders.len() == 1;
        let text = match holders.is_empty() {
            true => "nobody".to_owned(),
            false => holders.join(", "),
        };
        vec![
            plain(
                vip.cluster
                    .as_ref()
                    .map_or("haproxy", |cluster| cluster.as_str()),
            ),
            plain(vip.address.to_string()),
            judged(text, one),
        ]
    };
    titled("Addresses", report.vips.iter().map(row).collect())
}

fn certificates(report: &StatusReport) -> String {
    let Some(first) = report.certificates.iter().min_by_key(|c| c.days) else {
        return String::new();
    };
    let when = match first.days {
        days if days < 0 => format!("one has expired, {} days ago", -days),
        days => format!("the first to expire, in {days} days"),
    };
    let row = vec![
        plain(format!("{} on hosts", report.certificates.len())),
        plain(format!("{when}: {} on {}", first.name, first.host)),
    ];
    titled("Certificates", vec![row])
}

fn sentences(title: &str, all: &[String], style: Style) -> String {
    let rows = all.iter().map(|text| vec![(text.clone(), style)]);
    titled(title, rows.collect())
}

/// A cell without a style.
pub fn cell(text: &str) -> Cell {
    plain(text)
}

/// A titled table.
pub fn table(title: &str, rows: Vec<Vec<Cell>>) -> String {
    titled(title, rows)
}

/// What `verify` proved.
pub fn verify_view(report: &VerifyReport) -> String {
    let row = |check: &Check| {
        vec![
            plain(check.host.as_str()),
            plain(&check.service),
            plain(check.port.to_string()),
            judged(&check.detail, check.ok),
            (format!("{} ms", check.millis), DIM),
        ]
    };
    let good = report.checks.iter().filter(|check| check.ok).count();
    let style = if report.healthy { GOOD } else { BAD };
    let last = format!(
        "{style}{good} of {} hold, {}{style:#}\n",
        count(report.checks.len(), "proof"),
        count(report.problems.len(), "problem")
    );
    let parts = [
        titled("Proofs", report.checks.iter().map(row).collect()),
        sentences("Problems", &report.problems, BAD),
        last,
    ];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_nothing_trails() {
        let rows = vec![
            vec![plain("a"), plain("x"), plain("")],
            vec![plain("long"), plain(""), plain("z")],
        ];
        assert_eq!(aligned(&rows), "  a     x\n  long     z\n");
    }

    #[test]
    fn what_hosts_and_databases_say_steers_no_terminal() {
        let hostile = "a\u{1b}[2J\u{9b}8m\u{202e}\r\nend";
        let report = serde_json::json!({
            "formation": hostile, "healthy": false, "paused": true,
            "etcd": [{"name": hostile, "host": hostile, "healthy": true, "leader": true, "version": hostile, "db_size": 1}],
            "groups": [{"number": 1, "cluster": hostile, "members": [{"name": hostile, "host": hostile, "role": hostile,
                "state": hostile, "timeline": 1, "lag": 1, "pending_restart": true, "tags": {hostile: "true"}}]}],
            "nodes": [{"group": 1, "citus": hostile, "patroni": hostile, "role": hostile, "ok": false}],
            "services": [{"host": hostile, "service": hostile, "port": 1, "servers": [{"name": hostile, "up": true}]}],
            "certificates": [{"host": hostile, "name": hostile, "days": 1}],
            "vips": [{"address": "10.0.0.1", "cluster": hostile, "holders": [hostile]}],
            "problems": [hostile], "warnings": [hostile],
        });
        let report: StatusReport = serde_json::from_value(report).unwrap();
        let shown = crate::ui::term::shown(&view(&report));
        assert!(shown.matches("\\x1b[2J").count() > 15, "{shown}");
        assert!(!shown.contains("\u{1b}[2J") && !shown.contains(['\u{9b}', '\u{202e}', '\r']));
    }

    #[test]
    fn an_empty_report_says_so() {
        let text = view(&StatusReport::default());
        assert!(crate::ui::term::plain(&text).starts_with("0 groups  not healthy"));
    }
}
