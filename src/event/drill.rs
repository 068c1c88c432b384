//! What a drill found: when writes stopped, which acknowledged rows are missing, whether two members ever took writes.

use serde::Serialize;
use std::collections::BTreeMap;

/// Milliseconds since the drill began.
pub type Millis = u64;

/// One drill.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DrillReport {
    pub drill: String,
    pub run: String,
    pub group: String,
    /// Whether the group and its coordinator run real Citus, the lab's stand-in, or none: as the server says.
    pub citus: String,
    pub marks: Vec<Mark>,
    pub writes: Writes,
    pub members: Vec<MemberLine>,
    /// The longest time in which no member took writes: what Patroni needs, without HAProxy's checks.
    pub leaderless: Millis,
    /// Moments at which two members took writes at once.
    pub two_writers: Vec<Overlap>,
    /// Of a drill that loses hosts and recovers without them.
    pub recovery: Option<Recovery>,
    /// Of random faults.
    pub chaos: Option<Chaos>,
    /// What our own verbs said while it was broken.
    pub said: Vec<VerbOutput>,
    pub ok: bool,
    /// What is wrong, one sentence each.
    pub problems: Vec<String>,
    pub millis: Millis,
}

/// What a verb said while something was broken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VerbOutput {
    pub at: Millis,
    /// As it was typed: `status`.
    pub verb: String,
    pub exit: i32,
    /// The sentences that matter: problems, the last line, or the error.
    pub lines: Vec<String>,
}

/// Random faults, and what they left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Chaos {
    /// Where the acts came from; `None` where they were read from a file.
    pub seed: Option<u64>,
    /// A line for each act: milliseconds, what, host or `-`, how long.
    pub trace: Vec<String>,
    /// Whether commits waited for a standby: then no acknowledged row may be missing.
    pub promised: bool,
    /// From the last fault until `status` said healthy.
    pub healthy: Option<Millis>,
    /// What was looked at then, without `status`.
    pub checked: Vec<String>,
}

/// Hosts lost, one survivor, and what it cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recovery {
    pub survivor: String,
    /// What the survivor was when the others went: `replica` or `primary`.
    pub role: String,
    pub lost: Vec<String>,
    /// `etcd` or `promote`.
    pub via: String,
    /// `rejoin` or `rebuild`.
    pub back: String,
    /// When consent was given: what comes before is the time of people.
    pub consent: Option<Millis>,
    /// From consent to the first acknowledged write through HAProxy.
    pub haproxy: Option<Millis>,
    /// The same through the group's address, if it has one.
    pub vip: Option<Millis>,
    /// Whether the group has an address.
    pub has_vip: bool,
    /// Acknowledged rows that the survivor had when the others went; `None` if it could not be asked.
    pub survivor_had: Option<usize>,
    /// Those of them that are missing now.
    pub survivor_missing: usize,
    /// Acknowledged rows that only the lost hosts had.
    pub lost_with_hosts: usize,
}

impl Recovery {
    /// Seconds from consent that this way may take.
    pub fn limit(&self) -> u64 {
        if self.via == "promote" { 15 } else { 10 }
    }

    /// What is wrong with it, `missing` acknowledged rows being not there in all.
    pub fn problems(&self, missing: usize) -> Vec<String> {
        let mut problems = Vec::new();
        if self.survivor_missing > 0 {
            problems.push(format!(
                "{} acknowledged rows that the survivor had are missing",
                self.survivor_missing
            ));
        }
        let since = missing.saturating_sub(self.survivor_missing + self.lost_with_hosts);
        if since > 0 {
            problems.push(format!(
                "{since} rows acknowledged since the recover are missing"
            ));
        }
        if self.consent.is_none() {
            return problems;
        }
        let doors = [
            ("HAProxy", Some(self.haproxy)),
            ("the address", self.has_vip.then_some(self.vip)),
        ];
        for (door, after) in doors {
            match after {
                Some(None) => problems.push(format!("no write came through {door}")),
                Some(Some(after)) if after > self.limit() * 1000 => problems.push(format!(
                    "writable through {door} later than {} s after consent",
                    self.limit()
                )),
                Some(Some(_)) | None => {}
            }
        }
        problems
    }
}

/// Something that the drill did, or waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mark {
    pub at: Millis,
    pub title: String,
    pub took: Option<Millis>,
}

/// What the writer met.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Writes {
    pub acknowledged: usize,
    pub errors: usize,
    /// What writes were refused with, and how often.
    pub refused: BTreeMap<String, usize>,
    /// The longest time without an acknowledged write: the measured RTO.
    pub gap: Millis,
    pub gap_from: Millis,
    /// Acknowledged rows that are not there: the measured RPO.
    pub missing: usize,
    /// When writes were acknowledged, in intervals without a gap of more than 200 ms.
    pub served: Vec<(Millis, Millis)>,
}

/// What a member was like over time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemberLine {
    pub name: String,
    pub spans: Vec<StateSpan>,
}

/// A time in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct StateSpan {
    pub from: Millis,
    pub to: Millis,
    pub state: State,
}

/// What a member answers at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It takes writes.
    Writable,
    /// It is a standby.
    ReadOnly,
    /// It does not answer.
    Down,
}

/// Two members that took writes at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Overlap {
    pub one: String,
    pub other: String,
    pub from: Millis,
    pub to: Millis,
}

impl Mark {
    /// Whether it is a step of a runbook, and not what the drill itself did.
    pub fn is_step(&self) -> bool {
        self.title.starts_with(' ')
    }
}

impl Writes {
    /// Of the moments at which writes were acknowledged, and the moment at which the writer was told to stop.
    pub fn of(acknowledged: &[Millis], end: Millis) -> Self {
        let next = acknowledged.iter().skip(1).chain([&end]);
        let pairs = acknowledged.iter().zip(next);
        let longest = pairs.max_by_key(|(from, to)| to.saturating_sub(**from));
        let (gap_from, gap) =
            longest.map_or((0, 0), |(from, to)| (*from, to.saturating_sub(*from)));
        let mut served: Vec<(Millis, Millis)> = Vec::new();
        for at in acknowledged {
            match served.last_mut() {
                Some((_, to)) if *at - *to <= 200 => *to = *at,
                _ => served.push((*at, *at)),
            }
        }
        Self {
            acknowledged: acknowledged.len(),
            gap,
            gap_from,
            served,
            ..Self::default()
        }
    }
}

/// Samples of one member as intervals, each from its first to its last sample: what was between two is not claimed.
pub fn spans(samples: &[(Millis, State)]) -> Vec<StateSpan> {
    let mut spans: Vec<StateSpan> = Vec::new();
    for (at, state) in samples {
        match spans.last_mut() {
            Some(last) if last.state == *state => last.to = *at,
            _ => spans.push(StateSpan {
                from: *at,
                to: *at,
                state: *state,
            }),
        }
    }
    spans
}

/// Times at which two of the members took writes.
pub fn two_writers(members: &[MemberLine]) -> Vec<Overlap> {
    let mut found = Vec::new();
    for (index, one) in members.iter().enumerate() {
        for other in &members[index + 1..] {
            let pairs = writable(one).flat_map(|a| writable(other).map(move |b| (a, b)));
            let overlaps = pairs.map(|(a, b)| (a.from.max(b.from), a.to.min(b.to)));
            found.extend(
                overlaps
                    .filter(|(from, to)| from < to)
                    .map(|(from, to)| Overlap {
                        one: one.name.clone(),
                        other: other.name.clone(),
                        from,
                        to,
                    }),
            );
        }
    }
    found
}

/// The longest time between two moments at which some member took writes.
pub fn leaderless(members: &[MemberLine]) -> Millis {
    let mut spans: Vec<&StateSpan> = members.iter().flat_map(writable).collect();
    spans.sort_by_key(|span| span.from);
    let (mut longest, mut end) = (0, None);
    for span in spans {
        if let Some(end) = end {
            longest = longest.max(span.from.saturating_sub(end));
        }
        end = end.max(Some(span.to));
    }
    longest
}

fn writable(member: &MemberLine) -> impl Iterator<Item = &StateSpan> {
    member
        .spans
        .iter()
        .filter(|span| span.state == State::Writable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_gap_is_found() {
        let writes = Writes::of(&[0, 10, 20, 1520, 1530, 1900], 1910);
        assert_eq!(
            (writes.gap, writes.gap_from, writes.acknowledged),
            (1500, 20, 6)
        );
        assert_eq!(writes.served, [(0, 20), (1520, 1530), (1900, 1900)]);
        assert_eq!(Writes::of(&[], 10).gap, 0);
        let never_again = Writes::of(&[0, 10, 300], 5000);
        assert_eq!((never_again.gap, never_again.gap_from), (4700, 300));
    }

    fn line(name: &str, samples: &[(Millis, State)]) -> MemberLine {
        MemberLine {
            name: name.to_owned(),
            spans: spans(samples),
        }
    }

    #[test]
    fn what_is_wrong_with_a_recovery() {
        let good = Recovery {
            via: "etcd".to_owned(),
            consent: Some(5000),
            haproxy: Some(9000),
            lost_with_hosts: 3,
            ..Recovery::default()
        };
        assert!(good.problems(3).is_empty());
        let bad = Recovery {
            haproxy: Some(10_500),
            has_vip: true,
            survivor_missing: 2,
            ..good.clone()
        };
        let said = bad.problems(6).join("; ");
        assert!(
            said.contains("2 acknowledged rows that the survivor had"),
            "{said}"
        );
        assert!(
            said.contains("1 rows acknowledged since the recover"),
            "{said}"
        );
        assert!(said.contains("through HAProxy later than 10 s"), "{said}");
        assert!(said.contains("no write came through the address"), "{said}");
        let promoted = Recovery {
            via: "promote".to_owned(),
            haproxy: Some(10_500),
            ..good
        };
        assert!(promoted.problems(3).is_empty());
    }

    #[test]
    fn two_writers_are_found_and_a_handover_is_none() {
        use State::{Down, ReadOnly, Writable};
        let a = line(
            "a",
            &[(0, Writable), (50, Writable), (100, Down), (150, ReadOnly)],
        );
        let b = line("b", &[(0, ReadOnly), (60, Writable), (110, Writable)]);
        assert!(two_writers(&[a.clone(), b.clone()]).is_empty());
        assert_eq!(leaderless(&[a.clone(), b]), 10);
        let c = line("c", &[(20, Writable), (70, Writable)]);
        let found = two_writers(&[a, c]);
        assert_eq!((found.len(), found[0].from, found[0].to), (1, 20, 50));
    }
}
