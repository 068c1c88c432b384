//! What a formation is after the faults, judged from the servers' own words alone: this shares nothing with what `status`
//! and `verify` judge by.

use crate::engine::drill::CopyFacts;
use crate::names::{ClusterName, InstanceName};
use std::collections::BTreeSet;

/// A member, and what its server said.
pub type Told = (InstanceName, Result<CopyFacts, String>);

/// What is wrong with a group, one sentence each. `replayed`: whether each standby's replay has passed a mark that was set
/// on the leader after the faults.
pub fn group(
    cluster: &ClusterName,
    told: &[Told],
    replayed: &BTreeSet<InstanceName>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, answer) in told {
        if let Err(why) = answer {
            wrong.push(format!("{name} cannot be asked: {why}"));
        }
    }
    let seen: Vec<(&InstanceName, &CopyFacts)> = told
        .iter()
        .filter_map(|(name, answer)| Some((name, answer.as_ref().ok()?)))
        .collect();
    let leaders: Vec<&(&InstanceName, &CopyFacts)> = seen
        .iter()
        .filter(|(_, facts)| !facts.in_recovery)
        .collect();
    let [(leader, facts)] = leaders.as_slice() else {
        let names: Vec<String> = leaders.iter().map(|(name, _)| name.to_string()).collect();
        wrong.push(format!(
            "{cluster} has {} members that are no standbys ({}), not one",
            names.len(),
            names.join(", ")
        ));
        return wrong;
    };
    for (name, copy) in seen.iter().filter(|(name, _)| name != leader) {
        wrong.extend(standby(name, copy, leader, facts, replayed));
    }
    if facts.prepared > 0 {
        wrong.push(format!(
            "{leader} holds {} prepared transactions",
            facts.prepared
        ));
    }
    wrong
}

fn standby(
    name: &InstanceName,
    copy: &CopyFacts,
    leader: &InstanceName,
    facts: &CopyFacts,
    replayed: &BTreeSet<InstanceName>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    if copy.system != facts.system {
        wrong.push(format!(
            "{name} is a copy of database system {}, {leader} of {}",
            copy.system, facts.system
        ));
    }
    if copy.receiver != "streaming" {
        wrong.push(format!("{name} does not stream ({})", copy.receiver));
    }
    if copy.timeline != facts.timeline || copy.history != facts.history {
        wrong.push(format!(
            "{name} is on timeline {} with another history than {leader} (timeline {})",
            copy.timeline, facts.timeline
        ));
    }
    if !replayed.contains(name) {
        wrong.push(format!(
            "{name} has not replayed what {leader} wrote after the faults"
        ));
    }
    wrong
}

/// Whether all primaries have one list of Citus's nodes.
pub fn nodes(told: &[Told]) -> Vec<String> {
    let leads = |(name, answer): &'_ Told| {
        let facts = answer.as_ref().ok().filter(|facts| !facts.in_recovery)?;
        Some((name.clone(), facts.nodes.clone()?))
    };
    let lists: Vec<(InstanceName, String)> = told.iter().filter_map(leads).collect();
    let Some((first, list)) = lists.first() else {
        return Vec::new();
    };
    let others = lists.iter().filter(|(_, other)| other != list);
    others
        .map(|(name, _)| format!("{name} has another pg_dist_node than {first}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(in_recovery: bool) -> CopyFacts {
        CopyFacts {
            system: "7".to_owned(),
            timeline: "00000003".to_owned(),
            history: "1\t0/5000000\n2\t0/6000000\n".to_owned(),
            in_recovery,
            receiver: if in_recovery { "streaming" } else { "" }.to_owned(),
            prepared: 0,
            nodes: Some("n".to_owned()),
        }
    }

    /// Three members of a group that is well, changed; what is found.
    fn found(change: impl Fn(&mut [Told]), replayed: &[&str]) -> Vec<String> {
        let name = |number| InstanceName::new(format!("pg-test-{number}"));
        let mut told: Vec<Told> = (1..=3)
            .map(|number| (name(number), Ok(copy(number != 1))))
            .collect();
        change(&mut told);
        let replayed = replayed
            .iter()
            .map(|name| InstanceName::new(*name))
            .collect();
        let mut wrong = group(&ClusterName::new("pg-test"), &told, &replayed);
        wrong.extend(nodes(&told));
        wrong
    }

    const BOTH: [&str; 2] = ["pg-test-2", "pg-test-3"];

    #[test]
    fn a_group_that_is_well_is_let_pass() {
        assert_eq!(found(|_| {}, &BOTH), [""; 0]);
    }

    #[test]
    fn each_lie_is_caught() {
        type Lie = fn(&mut CopyFacts);
        let lies: [(Lie, &str); 7] = [
            (
                |facts| facts.in_recovery = false,
                "2 members that are no standbys",
            ),
            (
                |facts| facts.system = "8".to_owned(),
                "of database system 8",
            ),
            (
                |facts| facts.receiver = "waiting".to_owned(),
                "does not stream (waiting)",
            ),
            (
                |facts| facts.timeline = "00000002".to_owned(),
                "on timeline 00000002",
            ),
            (
                |facts| facts.history = "1\t0/4000000\n".to_owned(),
                "with another history",
            ),
            (
                |facts| {
                    facts.in_recovery = false;
                    facts.nodes = Some("other".to_owned());
                },
                "has another pg_dist_node",
            ),
            (|facts| facts.receiver = String::new(), "does not stream"),
        ];
        for (lie, words) in lies {
            let wrong = found(
                |told| {
                    if let Ok(facts) = &mut told[1].1 {
                        lie(facts);
                    }
                },
                &BOTH,
            );
            assert!(
                wrong.iter().any(|line| line.contains(words)),
                "{words}: {wrong:?}"
            );
        }
        let behind = found(|_| {}, &["pg-test-2"]);
        assert_eq!(
            behind,
            ["pg-test-3 has not replayed what pg-test-1 wrote after the faults"]
        );
        let silent = found(|told| told[2].1 = Err("refused".to_owned()), &BOTH);
        assert_eq!(silent, ["pg-test-3 cannot be asked: refused"]);
        let none = found(
            |told| {
                if let Ok(facts) = &mut told[0].1 {
                    facts.in_recovery = true;
                }
            },
            &BOTH,
        );
        assert!(
            none[0].contains("has 0 members that are no standbys"),
            "{none:?}"
        );
        let held = found(
            |told| {
                if let Ok(facts) = &mut told[0].1 {
                    facts.prepared = 2;
                }
            },
            &BOTH,
        );
        assert_eq!(held, ["pg-test-1 holds 2 prepared transactions"]);
    }
}
