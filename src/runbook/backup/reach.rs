//! Whether a formation can return to a point, from what was seen: a backup before it, every segment of the log from there to
//! the point, nothing of the database outside of what a restore puts back. What was not seen is not known.

use super::survey::{BackupLook, MemberLook};
use super::{PointGroup, RestorePoint};
use crate::fact::{BackupSet, StanzaSeen, lsn};
use crate::model::{Group, Model};
use crate::runbook::Refusal;
use std::collections::BTreeMap;

/// The way back to a point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Each group has a backup and all of its log.
    Whole,
    /// A group cannot return to it, and why.
    No(String),
    /// Nobody could say, and why.
    Unknown(String),
}

/// The timelines of a group as it is now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timelines {
    /// The present one.
    pub present: u32,
    /// Earlier ones, and where each was left.
    pub left: Vec<(u32, u64)>,
}

impl Timelines {
    /// Reads the number of the present timeline (hexadecimal) and its history file below it.
    pub fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let present = u32::from_str_radix(lines.next()?.trim(), 16).ok()?;
        let left = lines.filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.parse().ok()?, lsn(words.next()?)?))
        });
        Some(Self {
            present,
            left: left.collect(),
        })
    }

    /// Whether the database has gone through a point on its way to where it is now.
    pub fn hold(&self, at: &PointGroup) -> bool {
        let left = self.left.iter().find(|(number, _)| *number == at.timeline);
        at.timeline == self.present
            || left.is_some_and(|(_, end)| lsn(&at.lsn).is_some_and(|at| at <= *end))
    }
}

/// The segments that a repository holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segments {
    /// Bytes of each (`wal_segment_size`).
    size: u64,
    /// By timeline: the first and the last number of each row without a gap.
    rows: BTreeMap<u32, Vec<(u64, u64)>>,
}

impl Segments {
    /// Reads the size of a segment, and then lines of TIMELINE+LOG (16 digits), the first and the last segment in it.
    pub fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let size: u64 = lines.next()?.parse().ok().filter(|size| *size > 0)?;
        let mut found = Self {
            size,
            ..Self::default()
        };
        for line in lines {
            let mut words = line.split_whitespace();
            let prefix = words.next()?;
            let timeline = u32::from_str_radix(prefix.get(..8)?, 16).ok()?;
            let log = u64::from_str_radix(prefix.get(8..16)?, 16).ok()?;
            let number =
                |word: Option<&str>| Some(log * found.per_log() + word?.parse::<u64>().ok()?);
            let row = (number(words.next())?, number(words.next())?);
            found.rows.entry(timeline).or_default().push(row);
        }
        Some(found)
    }

    fn per_log(&self) -> u64 {
        (1 << 32) / self.size
    }

    fn holds(&self, timeline: u32, number: u64) -> bool {
        let rows = self.rows.get(&timeline).into_iter().flatten();
        rows.into_iter()
            .any(|(first, last)| (*first..=*last).contains(&number))
    }

    fn name(&self, timeline: u32, number: u64) -> String {
        let (log, segment) = (number / self.per_log(), number % self.per_log());
        format!("{timeline:08X}{log:08X}{segment:08X}")
    }

    /// The first segment between a backup and a point that is not there.
    pub fn gap(&self, set: &BackupSet, at: &PointGroup) -> Option<String> {
        let (first, last) = (self.number(&set.wal_start)?, self.number(&at.wal)?);
        (first..=last).find_map(|number| {
            let timeline = self.timeline(at, number);
            (!self.holds(timeline, number)).then(|| self.name(timeline, number))
        })
    }

    fn number(&self, name: &str) -> Option<u64> {
        let part = |range| u64::from_str_radix(name.get(range)?, 16).ok();
        Some(part(8..16)? * self.per_log() + part(16..24)?)
    }

    /// As recovery looks for it: the newest timeline on the way to the point that had begun by then.
    fn timeline(&self, at: &PointGroup, number: u64) -> u32 {
        let mut found = at.timeline;
        for (timeline, left) in at.history.iter().rev() {
            match lsn(left) {
                Some(left) if number < left / self.size => found = *timeline,
                Some(_) | None => break,
            }
        }
        found
    }
}

/// Why a repository does not lead to a point.
enum Lack {
    /// It is of another database.
    Other,
    /// No backup ends before it.
    Backup,
    /// This segment is missing between the two.
    Segment(String),
}

/// The backup from which a group comes to a point, by what its repository holds. Segments that were not read are not judged.
fn way(
    stanza: &StanzaSeen,
    segments: Option<&Segments>,
    at: &PointGroup,
) -> Result<BackupSet, Lack> {
    if stanza.system.as_ref() != Some(&at.system) {
        return Err(Lack::Other);
    }
    let set = at.set(&stanza.sets).ok_or(Lack::Backup)?;
    let gap = segments.and_then(|held| held.gap(set, at));
    gap.map_or_else(|| Ok(set.clone()), |gap| Err(Lack::Segment(gap)))
}

/// The same for who wants to go there.
///
/// # Errors
/// The point is of another database, no backup ends before it, or a segment between them is missing.
pub(super) fn way_to(
    stanza: &StanzaSeen,
    segments: Option<&Segments>,
    at: &PointGroup,
    point: &str,
) -> Result<BackupSet, Refusal> {
    let cluster = &at.cluster;
    way(stanza, segments, at).map_err(|lack| match lack {
        Lack::Other => Refusal::new(
            format!(
                "{cluster}: the point is of another database (system identifier {})",
                at.system
            ),
            "choose another point",
        ),
        Lack::Backup => Refusal::new(
            format!(
                "{cluster}: no backup in its repository ends before the point `{point}` ({})",
                at.lsn
            ),
            "choose a later point: `citusctl backup list`",
        ),
        Lack::Segment(gap) => Refusal::new(
            format!(
                "{cluster}: segment {gap} is missing in its repository: its log does not lead to the point"
            ),
            "choose another point: `citusctl backup list` says to which all groups can return",
        ),
    })
}

/// Whether a formation of the model can return to a point.
pub fn reach(model: &Model, look: &BackupLook, point: &RestorePoint) -> Reach {
    let formations = model.formations.iter();
    let groups = formations
        .filter(|it| it.name.as_str() == point.formation)
        .flat_map(|it| &it.groups);
    let mut unknown = None;
    for group in groups {
        match of_group(look, group, point) {
            Reach::Whole => {}
            Reach::No(why) => return Reach::No(why),
            Reach::Unknown(why) => unknown = unknown.or(Some(why)),
        }
    }
    unknown.map_or(Reach::Whole, Reach::Unknown)
}

fn of_group(look: &BackupLook, group: &Group, point: &RestorePoint) -> Reach {
    let cluster = &group.cluster;
    let Some(at) = point.group(cluster.as_str()) else {
        return Reach::No(format!("{cluster} joined later"));
    };
    if let Some(what) = members(look, group).find_map(|seen| seen.elsewhere.first()) {
        return Reach::No(format!(
            "{cluster} has its {what} outside of the data directory, which `restore` does not put back"
        ));
    }
    let (member, stanza) = match look.reading(group) {
        Ok(seen) => seen,
        Err(why) => return Reach::Unknown(why),
    };
    match (way(stanza, member.segments.as_ref(), at), &member.segments) {
        (Err(Lack::Other), _) => Reach::No(format!("{cluster} is another database now")),
        (Err(Lack::Backup), _) => Reach::No(format!("{cluster} has no backup from before")),
        (Err(Lack::Segment(gap)), _) => {
            Reach::No(format!("{cluster} lacks segment {gap} in its repository"))
        }
        (Ok(_), None) => Reach::Unknown(format!(
            "which segments the repository of {cluster} holds was not read"
        )),
        (Ok(_), Some(_)) => Reach::Whole,
    }
}

fn members<'a>(look: &'a BackupLook, group: &'a Group) -> impl Iterator<Item = &'a MemberLook> {
    let members = group.members.iter();
    members.filter_map(|member| look.hosts.get(&member.host))
}

/// Whether all groups went through a point on their way to where they are; a group of which that is not known did.
pub fn on_the_way(model: &Model, look: &BackupLook, point: &RestorePoint) -> bool {
    let groups = model.groups().map(|(_, group)| group);
    groups
        .filter_map(|group| Some((group, point.group(group.cluster.as_str())?)))
        .all(|(group, at)| {
            let present = members(look, group).filter_map(|seen| seen.timelines.as_ref());
            present
                .max_by_key(|timelines| timelines.present)
                .is_none_or(|timelines| timelines.hold(at))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(timeline: u32, lsn: &str, wal: &str, history: &[(u32, &str)]) -> PointGroup {
        PointGroup {
            cluster: "pg-test".to_owned(),
            system: "7".to_owned(),
            timeline,
            lsn: lsn.to_owned(),
            wal: wal.to_owned(),
            at: 100,
            history: history
                .iter()
                .map(|(number, end)| (*number, (*end).to_owned()))
                .collect(),
        }
    }

    fn set(wal_start: &str) -> BackupSet {
        BackupSet {
            wal_start: wal_start.to_owned(),
            ..BackupSet::default()
        }
    }

    #[test]
    fn each_segment_from_the_backup_to_the_point_has_to_be_there() {
        let segments = |rows: &str| Segments::read(&format!("16777216\n{rows}")).expect("segments");
        let point = at(1, "1/1000060", "000000010000000100000001", &[]);
        let backup = set("0000000100000000000000FE");
        let whole = segments("0000000100000000 2 255\n0000000100000001 0 9");
        assert_eq!(whole.gap(&backup, &point), None);
        let torn = segments("0000000100000000 2 255\n0000000100000001 1 9");
        let gap = torn.gap(&backup, &point);
        assert_eq!(gap.as_deref(), Some("000000010000000100000000"));
    }

    #[test]
    fn at_a_fork_the_segment_of_the_newer_timeline_counts() {
        let segments = Segments::read("16777216\n0000000100000000 2 4\n0000000200000000 5 9")
            .expect("segments");
        let backup = set("000000010000000000000003");
        // Timeline 1 was left within its segment 5, of which the archive has timeline 2's.
        let point = at(
            2,
            "0/8000060",
            "000000020000000000000008",
            &[(1, "0/5000100")],
        );
        assert_eq!(segments.gap(&backup, &point), None);
        let later = at(
            2,
            "0/8000060",
            "000000020000000000000008",
            &[(1, "0/6000100")],
        );
        let gap = segments.gap(&backup, &later);
        assert_eq!(gap.as_deref(), Some("000000010000000000000005"));
    }

    #[test]
    fn a_history_that_was_left_by_a_restore_is_not_on_the_way() {
        let now = Timelines::read("00000007\n1\t0/5000100\tat restore point \"a4\"\n")
            .expect("timelines");
        assert!(now.hold(&at(1, "0/5000100", "000000010000000000000005", &[])));
        assert!(now.hold(&at(7, "0/9000000", "000000070000000000000009", &[])));
        assert!(!now.hold(&at(1, "0/5000200", "000000010000000000000005", &[])));
        assert!(!now.hold(&at(5, "0/4000000", "000000050000000000000004", &[])));
    }
}
