//! From a pattern to hosts.

use std::collections::BTreeSet;

use super::Inventory;
use super::error::PatternError;
use super::pattern::{self, PartMode, PatternPart, Subscript};
use crate::names::HostName;

/// The hosts that an Ansible pattern names, in the order of the inventory.
///
/// Names are hosts, groups, and the values of `pg_cluster` and `pg_shard`; also instances
/// (`pg-citus0-1`). Globs match all of them.
///
/// # Errors
/// A name that nothing has, a part that cannot be read, a pattern that leaves no host.
pub fn select(inv: &Inventory, pattern: &str) -> Result<Vec<HostName>, PatternError> {
    let parts = pattern::parse(pattern)?;
    let mut chosen: BTreeSet<usize> = BTreeSet::new();
    if parts.iter().all(|part| part.mode != PartMode::Add) {
        chosen.extend(0..inv.hosts.len());
    }
    for part in &parts {
        let named = named(inv, pattern, part)?;
        match part.mode {
            PartMode::Add => chosen.extend(named),
            PartMode::Keep => chosen.retain(|host| named.contains(host)),
            PartMode::Drop => chosen.retain(|host| !named.contains(host)),
        }
    }
    if chosen.is_empty() {
        return Err(PatternError::Empty {
            pattern: pattern.to_owned(),
        });
    }
    let names = chosen
        .iter()
        .filter_map(|index| inv.hosts.get_index(*index));
    Ok(names.map(|(name, _)| name.clone()).collect())
}

fn named(
    inv: &Inventory,
    pattern: &str,
    part: &PatternPart,
) -> Result<BTreeSet<usize>, PatternError> {
    let glob = globset::Glob::new(&part.name).map_err(|_| PatternError::Syntax {
        pattern: pattern.to_owned(),
        part: part.name.clone(),
        reason: "the brackets are not right",
    })?;
    let matcher = glob.compile_matcher();
    let is_glob = part.name.contains(['*', '?', '[']);
    let fits = |name: &str| name == part.name || is_glob && matcher.is_match(name);
    let hosts: Vec<usize> = (0..inv.hosts.len())
        .filter(|index| names_of(inv, *index).iter().any(|name| fits(name)))
        .collect();
    let exists = !hosts.is_empty() || inv.groups.keys().any(|name| fits(name.as_str()));
    if !exists {
        return Err(unknown(inv, pattern, &part.name));
    }
    Ok(subset(&hosts, part.subscript))
}

/// Every name that selects a host.
fn names_of(inv: &Inventory, index: usize) -> Vec<String> {
    let Some((name, host)) = inv.hosts.get_index(index) else {
        return Vec::new();
    };
    let value = |key: &str| {
        host.vars
            .get(key)
            .and_then(|var| var.node.as_str())
            .map(str::to_owned)
    };
    let cluster = value("pg_cluster");
    let instance = cluster
        .iter()
        .zip(value("pg_seq"))
        .map(|(c, s)| format!("{c}-{s}"))
        .next();
    let mut names = vec![name.as_str().to_owned()];
    names.extend(host.groups.iter().map(|group| group.as_str().to_owned()));
    names.extend(cluster.into_iter().chain(value("pg_shard")).chain(instance));
    names.extend(value("nodename").filter(|name| !name.is_empty()));
    names
}

fn subset(hosts: &[usize], subscript: Subscript) -> BTreeSet<usize> {
    let count = i64::try_from(hosts.len()).unwrap_or(i64::MAX);
    let index = |at: i64| if at < 0 { count + at } else { at };
    let (first, last) = match subscript {
        Subscript::All => (0, count - 1),
        Subscript::One(at) => (index(at), index(at)),
        Subscript::Range(from, to) => (from.map_or(0, index), to.map_or(count - 1, index)),
    };
    let within = |at: usize| i64::try_from(at).is_ok_and(|at| at >= first && at <= last);
    let chosen = hosts.iter().enumerate().filter(|(at, _)| within(*at));
    chosen.map(|(_, host)| *host).collect()
}

fn unknown(inv: &Inventory, pattern: &str, name: &str) -> PatternError {
    let groups = inv.groups.keys().map(|group| group.as_str().to_owned());
    let hosts = (0..inv.hosts.len()).flat_map(|index| names_of(inv, index));
    let known: BTreeSet<String> = groups.chain(hosts).collect();
    // Of equally near names, one of the same length: a wrong digit is likelier than a missing one.
    let scored = known.into_iter().map(|known| {
        let distance = strsim::damerau_levenshtein(&known, name);
        (distance, known.len().abs_diff(name.len()), known)
    });
    let near = scored
        .min()
        .filter(|(distance, ..)| *distance <= 1 + name.len() / 4);
    PatternError::Unknown {
        pattern: pattern.to_owned(),
        name: name.to_owned(),
        suggestion: near.map(|(.., known)| known),
    }
}
