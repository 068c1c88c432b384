//! What a drill found: when writes stopped, which acknowledged rows are missing, whether two members ever took writes.

use serde::Serialize;

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
    pub ok: bool,
    /// What is wrong, one sentence each.
    pub problems: Vec<String>,
    pub millis: Millis,
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
    /// The first words of an error.
    pub first_error: Option<String>,
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
    pub spans: Vec<Span>,
}

/// A time in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
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

impl Writes {
    /// Of the moments at which writes were acknowledged.
    pub fn of(acknowledged: &[Millis]) -> Self {
        let pairs = || acknowledged.iter().zip(acknowledged.iter().skip(1));
        let longest = pairs().max_by_key(|(from, to)| *to - *from);
        let (gap_from, gap) = longest.map_or((0, 0), |(from, to)| (*from, to - from));
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
pub fn spans(samples: &[(Millis, State)]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for (at, state) in samples {
        match spans.last_mut() {
            Some(last) if last.state == *state => last.to = *at,
            _ => spans.push(Span {
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
    let mut spans: Vec<&Span> = members.iter().flat_map(writable).collect();
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

fn writable(member: &MemberLine) -> impl Iterator<Item = &Span> {
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
        let writes = Writes::of(&[0, 10, 20, 1520, 1530, 1900]);
        assert_eq!(
            (writes.gap, writes.gap_from, writes.acknowledged),
            (1500, 20, 6)
        );
        assert_eq!(writes.served, [(0, 20), (1520, 1530), (1900, 1900)]);
        assert_eq!(Writes::of(&[]).gap, 0);
    }

    fn line(name: &str, samples: &[(Millis, State)]) -> MemberLine {
        MemberLine {
            name: name.to_owned(),
            spans: spans(samples),
        }
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
