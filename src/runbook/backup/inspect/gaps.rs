//! Segments that are missing from an archive. pgBackRest's own `verify` says `ok` where a whole segment is missing.

use crate::fact::{BackupSet, lsn};
use std::collections::{BTreeMap, BTreeSet};

/// A segment: timeline, and its number in the log.
pub(in crate::runbook::backup) type Segment = (u32, u64);

/// A timeline, and where it left another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Branch {
    pub timeline: u32,
    pub from: u32,
    /// The segment in which it was left.
    pub at: u64,
}

/// Reads the name of a segment; `size`: bytes of one.
pub(in crate::runbook::backup) fn segment(name: &str, size: u64) -> Option<Segment> {
    let digits = name.get(..24)?;
    if !digits
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'))
    {
        return None;
    }
    let part = |from: usize| u64::from_str_radix(digits.get(from..from + 8)?, 16).ok();
    let per_file = (1u64 << 32).checked_div(size)?;
    let timeline = u32::try_from(part(0)?).ok()?;
    Some((timeline, part(8)? * per_file + part(16)?))
}

/// The name of a segment.
pub(super) fn name((timeline, number): Segment, size: u64) -> String {
    let per_file = (1u64 << 32).checked_div(size).unwrap_or(1).max(1);
    format!(
        "{timeline:08X}{:08X}{:08X}",
        number / per_file,
        number % per_file
    )
}

/// The segments of an archive, as `repo-ls --recurse` lists it: those of the newest archive id.
pub(super) fn listed(json: &str, size: u64) -> Option<BTreeSet<Segment>> {
    let text = json
        .lines()
        .find(|line| line.trim_start().starts_with('{'))?;
    let files: BTreeMap<String, serde_json::Value> = serde_json::from_str(text).ok()?;
    let number = |id: &str| {
        id.rsplit('-')
            .next()
            .and_then(|number| number.parse::<u32>().ok())
    };
    let newest = files
        .keys()
        .filter_map(|path| number(path.split('/').next()?))
        .max();
    let of = |path: &String| {
        let mut parts = path.split('/');
        let id = parts.next()?;
        // What follows a segment's name is its checksum; a `.partial` or a `.backup` is none.
        let file = parts
            .next_back()
            .filter(|file| file.as_bytes().get(24) == Some(&b'-'))?;
        (number(id) == newest)
            .then(|| segment(file, size))
            .flatten()
    };
    Some(files.keys().filter_map(of).collect())
}

/// Reads `00000002.history 1 0/5000000`.
pub(super) fn branch(line: &str, size: u64) -> Option<Branch> {
    let mut words = line.split_whitespace();
    let timeline = u32::from_str_radix(words.next()?.strip_suffix(".history")?, 16).ok()?;
    let from = words.next()?.parse().ok()?;
    let at = lsn(words.next()?)?.checked_div(size)?;
    Some(Branch { timeline, from, at })
}

/// Runs of missing segments, from the oldest backup on.
pub(super) fn gaps(
    there: &BTreeSet<Segment>,
    sets: &[BackupSet],
    branches: &[Branch],
    size: u64,
) -> Vec<(Segment, Segment)> {
    let starts: Vec<Segment> = sets
        .iter()
        .filter_map(|set| segment(&set.wal_start, size))
        .collect();
    let Some(oldest) = starts.iter().map(|(_, number)| *number).min() else {
        return Vec::new();
    };
    let mut wanted = BTreeSet::new();
    let timelines: BTreeSet<u32> = there
        .iter()
        .chain(&starts)
        .map(|(timeline, _)| *timeline)
        .collect();
    for timeline in timelines {
        wanted.extend(
            wanted_of(timeline, there, sets, branches, size).map(|number| (timeline, number)),
        );
    }
    let missing = wanted
        .into_iter()
        .filter(|it| it.1 >= oldest && !there.contains(it));
    runs(missing)
}

/// What a timeline needs: from where it begins to the last segment that is there, that a backup needs, or in which the next
/// one left it (which the next one has itself).
fn wanted_of(
    timeline: u32,
    there: &BTreeSet<Segment>,
    sets: &[BackupSet],
    branches: &[Branch],
    size: u64,
) -> std::ops::RangeInclusive<u64> {
    let of = |it: &Segment| (it.0 == timeline).then_some(it.1);
    let own: Vec<u64> = there.iter().filter_map(of).collect();
    let ends = sets.iter().flat_map(|set| [&set.wal_start, &set.wal_stop]);
    let ends: Vec<u64> = ends.filter_map(|name| of(&segment(name, size)?)).collect();
    let begun = branches
        .iter()
        .find(|branch| branch.timeline == timeline)
        .map(|branch| branch.at);
    let left = branches
        .iter()
        .filter(|branch| branch.from == timeline && branch.at > 0)
        .map(|branch| branch.at - 1);
    let begins = || own.iter().chain(&ends).copied();
    let first = begins()
        .min()
        .map(|first| begun.map_or(first, |begun| first.min(begun)));
    // A timeline that was left before its oldest segment that is there is not needed to the end.
    let last = begins()
        .chain(left.filter(|left| begins().min().is_some_and(|first| *left >= first)))
        .max();
    match (first, last) {
        (Some(first), Some(last)) => first..=last,
        _ => std::ops::RangeInclusive::new(1, 0),
    }
}

fn runs(missing: impl Iterator<Item = Segment>) -> Vec<(Segment, Segment)> {
    let mut runs: Vec<(Segment, Segment)> = Vec::new();
    for it in missing {
        match runs.last_mut() {
            Some((_, last)) if last.0 == it.0 && last.1 + 1 == it.1 => *last = it,
            _ => runs.push((it, it)),
        }
    }
    runs
}
