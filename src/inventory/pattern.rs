//! `-l`: Ansible's host patterns, with `pg_cluster` and `pg_shard` names as groups of their own.

use super::Inventory;
use crate::names::HostName;
use globset::GlobBuilder;
use std::collections::BTreeSet;

/// A pattern that selects nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PatternError {
    #[error("the pattern `{name}` matches no host, group or cluster")]
    Unknown {
        name: String,
        suggestion: Option<String>,
    },
    #[error("the pattern `{0}` leaves no host")]
    Empty(String),
}

/// The hosts that a pattern selects, in the inventory's order.
pub fn select(inventory: &Inventory, pattern: &str) -> Result<Vec<HostName>, PatternError> {
    let mut chosen = BTreeSet::new();
    let parts: Vec<&str> = split(pattern);
    let positive = parts.iter().any(|part| !part.starts_with(['!', '&']));
    if !positive {
        chosen.extend(inventory.hosts.keys().cloned());
    }
    let order = |part: &&str| match part.chars().next() {
        Some('&') => 1,
        Some('!') => 2,
        _ => 0,
    };
    let mut sorted = parts.clone();
    sorted.sort_by_key(order);
    for part in sorted {
        let name = part.trim_start_matches(['!', '&']);
        let found = matching(inventory, name)?;
        match part.chars().next() {
            Some('!') => chosen.retain(|host| !found.contains(host)),
            Some('&') => chosen.retain(|host| found.contains(host)),
            _ => chosen.extend(found),
        }
    }
    let hosts: Vec<HostName> = inventory
        .hosts
        .keys()
        .filter(|host| chosen.contains(*host))
        .cloned()
        .collect();
    if hosts.is_empty() {
        Err(PatternError::Empty(pattern.to_owned()))
    } else {
        Ok(hosts)
    }
}

/// Splits at `,` and at `:`, but not inside an IPv6 address in brackets or a range.
fn split(pattern: &str) -> Vec<&str> {
    let mut depth = 0;
    let ipv6 = pattern.matches(':').count() > 1
        && !pattern.contains(['!', '&', ','])
        && pattern.contains("::");
    let separator = |c: char| match c {
        '[' => {
            depth += 1;
            false
        }
        ']' => {
            depth -= 1;
            false
        }
        ',' => true,
        ':' => depth == 0 && !ipv6,
        _ => false,
    };
    pattern
        .split(separator)
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

fn matching(inventory: &Inventory, name: &str) -> Result<BTreeSet<HostName>, PatternError> {
    let glob = GlobBuilder::new(name)
        .build()
        .map(|glob| glob.compile_matcher())
        .ok();
    let fits = |text: &str| text == name || glob.as_ref().is_some_and(|glob| glob.is_match(text));
    let mut hosts = BTreeSet::new();
    for group in inventory
        .groups
        .values()
        .filter(|group| fits(group.name.as_str()))
    {
        hosts.extend(group.hosts.iter().cloned());
    }
    if fits("all") {
        hosts.extend(inventory.hosts.keys().cloned());
    }
    for host in inventory.hosts.values() {
        let named = ["pg_cluster", "pg_shard", "nodename"].iter().any(|key| {
            host.vars
                .get(key)
                .and_then(|var| var.node.as_str())
                .is_some_and(&fits)
        });
        if named || fits(host.name.as_str()) || instance(host).as_deref().is_some_and(&fits) {
            hosts.insert(host.name.clone());
        }
    }
    if hosts.is_empty() {
        return Err(PatternError::Unknown {
            name: name.to_owned(),
            suggestion: suggestion(inventory, name),
        });
    }
    Ok(hosts)
}

fn instance(host: &super::InvHost) -> Option<String> {
    let text = |key: &str| host.vars.get(key).and_then(|var| var.node.as_str());
    Some(format!("{}-{}", text("pg_cluster")?, text("pg_seq")?))
}

fn suggestion(inventory: &Inventory, name: &str) -> Option<String> {
    let groups = inventory
        .groups
        .keys()
        .map(|group| group.as_str().to_owned());
    let hosts = inventory.hosts.keys().map(|host| host.as_str().to_owned());
    let clusters = inventory
        .hosts
        .values()
        .filter_map(|host| Some(host.vars.get("pg_cluster")?.node.as_str()?.to_owned()));
    let scored = groups
        .chain(hosts)
        .chain(clusters)
        .map(|other| (strsim::jaro_winkler(name, &other), other));
    scored
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(score, _)| *score > 0.75)
        .map(|(_, other)| other)
}
