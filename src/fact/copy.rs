//! A copy of a group's data: which timelines it has gone through, where its log ends, and how two copies stand to each other.
//! Numbers of timelines are chosen by each server for itself, so equal numbers prove nothing: histories are compared.

use serde::Deserialize;

/// A copy as its host tells of it (`copy` of the promotion guard).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct DataCopy {
    /// The system identifier: equal for all forks of one cluster.
    pub system: String,
    pub timeline: u32,
    /// Timelines, oldest first, each with the position (bytes) at which it begins; the last one is [`DataCopy::timeline`].
    pub branches: Vec<(u32, u64)>,
    /// The end of the last whole record (bytes).
    pub end: u64,
    /// Whether `end` is all that it has; else a position that it had passed.
    pub exact: bool,
    /// The first record of the last timeline, with the moment of its promotion, where it is still there.
    #[serde(default)]
    pub first: Option<String>,
}

/// How a copy stands to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Same,
    /// The other one has this much more, and goes on from this one (bytes).
    Behind(u64),
    /// This one has so much more, and goes on from the other one.
    Ahead(u64),
    /// They part at this position, and go on by so many bytes each.
    Diverged {
        at: u64,
        mine: u64,
        theirs: u64,
    },
    /// Of another cluster.
    Stranger,
    /// An end that is only a lower bound may turn this into any other answer.
    Unknown,
}

impl DataCopy {
    /// How this copy stands to another one.
    pub fn relation(&self, other: &Self) -> Relation {
        if self.system != other.system {
            return Relation::Stranger;
        }
        let shared = self.shared(other);
        if shared == 0 {
            return self.parted(other, 0);
        }
        let (mine, theirs) = (self.left(shared), other.left(shared));
        let fork = mine.min(theirs);
        let more = |copy: &Self, left: u64| copy.branches.len() > shared || left > fork;
        let known = self.exact && other.exact;
        match (more(self, mine), more(other, theirs)) {
            (true, true) => self.parted(other, fork),
            _ if !known => Relation::Unknown,
            (false, false) => Relation::Same,
            (false, true) => Relation::Behind(other.end.saturating_sub(fork)),
            (true, false) => Relation::Ahead(self.end.saturating_sub(fork)),
        }
    }

    /// How many branches both have: equal number and beginning, and no other promotion.
    fn shared(&self, other: &Self) -> usize {
        let pairs = self.branches.iter().zip(&other.branches);
        let equal = pairs.take_while(|(mine, theirs)| mine == theirs).count();
        let tip = equal == self.branches.len() && equal == other.branches.len();
        let promoted_twice = match (&self.first, &other.first) {
            (Some(mine), Some(theirs)) => mine != theirs,
            _ => false,
        };
        equal - usize::from(tip && promoted_twice)
    }

    /// Where the last shared branch is left.
    fn left(&self, shared: usize) -> u64 {
        self.branches
            .get(shared)
            .map_or(self.end, |(_, begin)| *begin)
    }

    fn parted(&self, other: &Self, at: u64) -> Relation {
        Relation::Diverged {
            at,
            mine: self.end.saturating_sub(at),
            theirs: other.end.saturating_sub(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn copy(branches: &[(u32, u64)], end: u64) -> DataCopy {
        DataCopy {
            system: "7".to_owned(),
            timeline: branches.last().map_or(1, |branch| branch.0),
            branches: branches.to_vec(),
            end,
            exact: true,
            first: None,
        }
    }

    #[test]
    fn equal_numbers_of_another_beginning_part() {
        let (mine, theirs) = (copy(&[(1, 0), (2, 8)], 20), copy(&[(1, 0), (2, 9)], 30));
        let parted = Relation::Diverged {
            at: 8,
            mine: 12,
            theirs: 22,
        };
        assert_eq!(mine.relation(&theirs), parted);
        // The same beginning, and two promotions: the first record tells.
        let (mut mine, mut theirs) = (copy(&[(1, 0), (2, 8)], 20), copy(&[(1, 0), (2, 8)], 30));
        assert_eq!(mine.relation(&theirs), Relation::Behind(10));
        (mine.first, theirs.first) = (Some("at noon".into()), Some("at one".into()));
        assert_eq!(mine.relation(&theirs), parted);
    }

    #[test]
    fn a_tail_beyond_the_fork_is_no_ancestor() {
        let leader = copy(&[(1, 0), (50, 100)], 200);
        assert_eq!(
            copy(&[(1, 0)], 100).relation(&leader),
            Relation::Behind(100)
        );
        assert_eq!(copy(&[(1, 0)], 90).relation(&leader), Relation::Behind(110));
        let tail = copy(&[(1, 0)], 108).relation(&leader);
        assert!(matches!(
            tail,
            Relation::Diverged {
                at: 100,
                mine: 8,
                ..
            }
        ));
        let mut stranger = leader.clone();
        stranger.system = "8".to_owned();
        assert_eq!(leader.relation(&stranger), Relation::Stranger);
    }

    #[test]
    fn a_lower_bound_proves_no_kinship() {
        let (mut mine, theirs) = (copy(&[(1, 0)], 90), copy(&[(1, 0)], 100));
        mine.exact = false;
        assert_eq!(mine.relation(&theirs), Relation::Unknown);
        mine.end = 110;
        assert_eq!(
            mine.relation(&copy(&[(1, 0), (2, 100)], 120)),
            Relation::Diverged {
                at: 100,
                mine: 10,
                theirs: 20
            }
        );
    }

    /// Histories that grow out of one another: each step takes a new number or goes on.
    fn any_copy() -> impl Strategy<Value = DataCopy> {
        proptest::collection::vec((0_u32..3, 1_u64..4), 0..4).prop_map(|steps| {
            let (mut branches, mut end) = (vec![(1, 0)], 0);
            for (jump, length) in steps {
                end += length;
                if jump > 0 {
                    let last = branches.last().map_or(1, |branch: &(u32, u64)| branch.0);
                    branches.push((last + jump, end));
                    end += 1;
                }
            }
            copy(&branches, end)
        })
    }

    proptest! {
        #[test]
        fn each_side_says_the_same(a in any_copy(), b in any_copy()) {
            let mirrored = match b.relation(&a) {
                Relation::Behind(bytes) => Relation::Ahead(bytes),
                Relation::Ahead(bytes) => Relation::Behind(bytes),
                Relation::Diverged { at, mine, theirs } => Relation::Diverged { at, mine: theirs, theirs: mine },
                same @ (Relation::Same | Relation::Stranger | Relation::Unknown) => same,
            };
            prop_assert_eq!(a.relation(&b), mirrored);
            prop_assert_eq!(a.relation(&a), Relation::Same);
        }

        #[test]
        fn an_ancestor_of_an_ancestor_is_one(a in any_copy(), b in any_copy(), c in any_copy()) {
            let goes_on = |x: &DataCopy, y: &DataCopy| matches!(x.relation(y), Relation::Behind(_) | Relation::Same);
            if goes_on(&a, &b) && goes_on(&b, &c) {
                prop_assert!(goes_on(&a, &c), "{:?} {:?} {:?}", a, b, c);
            }
        }

        #[test]
        fn what_was_written_after_a_fork_parts_them(a in any_copy(), more in 1_u64..9) {
            let mut forked = a.clone();
            forked.branches.push((a.timeline + 40, a.end));
            (forked.timeline, forked.end) = (a.timeline + 40, a.end + 5);
            prop_assert_eq!(a.relation(&forked), Relation::Behind(5));
            let mut on = a.clone();
            on.end += more;
            prop_assert_eq!(on.relation(&forked), Relation::Diverged { at: a.end, mine: more, theirs: 5 });
        }
    }
}
