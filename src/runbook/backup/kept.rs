//! What restores leave on a host: data that was put aside, and notes of how far they came.

use super::MemberLook;
use crate::fact::lsn;
use std::collections::BTreeSet;

/// What stands between a data directory's name and the point in the name of a copy beside it.
const COPY: &str = ".restoring-";

/// A data directory as pg_controldata shows it, or a directory without data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptData {
    pub path: String,
    /// As in `shut down`; `None`: there is no data in it.
    pub state: Option<String>,
    pub timeline: u32,
    /// Its last checkpoint.
    pub lsn: String,
    /// How far a standby had replayed its log.
    pub replayed: String,
    /// KB, where it was measured.
    pub size: Option<u64>,
}

impl KeptData {
    /// The same of a standby's.
    pub fn standby(&self) -> Option<(u32, u64)> {
        self.state.as_ref()?;
        Some((
            self.timeline,
            lsn(&self.lsn)?.max(lsn(&self.replayed).unwrap_or_default()),
        ))
    }

    /// Orders data by how far its history goes; only that of a server which took writes can be compared.
    pub fn primary(&self) -> Option<(u32, u64)> {
        let was = matches!(
            self.state.as_deref(),
            Some("shut down" | "shutting down" | "in production" | "in crash recovery")
        );
        was.then_some((self.timeline, lsn(&self.lsn)?))
    }
}

/// A place in a log, and the next transaction there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    pub lsn: String,
    /// With its epoch.
    pub next: u64,
}

impl Position {
    /// Reads `0/5000028|756` or `0/5000028 0:756`.
    pub fn read(line: &str) -> Option<Self> {
        let (at, next) = line.trim().split_once(['|', ' '])?;
        lsn(at)?;
        let next = match next.split_once(':') {
            Some((epoch, low)) => (epoch.parse::<u64>().ok()? << 32) | low.parse::<u64>().ok()?,
            None => next.parse().ok()?,
        };
        Some(Self {
            lsn: at.to_owned(),
            next,
        })
    }

    /// Bytes of log, and transactions that may have written, from another place of the same history to here.
    pub fn since(&self, other: &Self) -> Option<(u64, u64)> {
        let bytes = lsn(&self.lsn)?.checked_sub(lsn(&other.lsn)?)?;
        Some((bytes, self.next.checked_sub(other.next)?))
    }
}

/// How far a restore has come on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotePhase {
    /// It has begun.
    Open,
    Done,
    /// It is being undone.
    Undo,
    /// It was undone, or finished.
    Closed,
}

/// What a restore has noted on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreNote {
    pub point: String,
    pub phase: NotePhase,
    /// When it was changed last, in seconds since 1970.
    pub at: i64,
    /// Whether etcd's keys were saved here.
    pub saved: bool,
    /// Whether its group was restored here.
    pub chosen: bool,
    /// What is done here, by the names of its steps' marks.
    pub marks: BTreeSet<String>,
    /// Whether the host was given to Patroni, and where the new history began.
    pub opened: Option<Option<Position>>,
}

impl RestoreNote {
    /// Whether a step has left its mark.
    pub fn has(&self, mark: &str) -> bool {
        self.marks.contains(mark)
    }

    /// Reads `NAME SECONDS yes|no yes|no MARKS [opened LSN EPOCH:XID]`, with marks behind commas.
    pub fn read(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let (name, at) = (words.next()?, words.next()?.parse().ok()?);
        let (saved, chosen) = (words.next()? == "yes", words.next()? == "yes");
        let (point, phase) = match name.split_once('@') {
            None => (name, NotePhase::Open),
            Some((point, "done")) => (point, NotePhase::Done),
            Some((point, "undo")) => (point, NotePhase::Undo),
            Some((point, "undone" | "finished")) => (point, NotePhase::Closed),
            Some(_) => return None,
        };
        let marks = words.next()?.split(',').filter(|mark| !mark.is_empty());
        let marks = marks.map(str::to_owned).collect();
        let opened = words.next().map(|_| {
            let rest: Vec<&str> = words.collect();
            Position::read(&rest.join(" "))
        });
        Some(Self {
            point: point.to_owned(),
            phase,
            at,
            saved,
            chosen,
            marks,
            opened,
        })
    }
}

/// Reads the data directories of a host: what is said of one stands before its name.
pub(super) fn read_kept(lines: &[String]) -> Vec<KeptData> {
    let (mut found, mut next) = (Vec::new(), KeptData::default());
    for line in lines {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "state" => next.state = Some(rest.to_owned()),
            "timeline" => next.timeline = rest.parse().unwrap_or_default(),
            "lsn" => next.lsn = rest.to_owned(),
            "replayed" => next.replayed = rest.to_owned(),
            "size" => next.size = rest.parse().ok(),
            "dir" => {
                next.path = rest.to_owned();
                found.push(std::mem::take(&mut next));
            }
            _ => {}
        }
    }
    found
}

impl MemberLook {
    /// Data that the restore to this point put aside.
    pub fn before(&self, point: &str) -> Option<&KeptData> {
        let end = format!(".before-{point}");
        self.kept.iter().find(|data| data.path.ends_with(&end))
    }

    /// Data that undoing the restore to this point put aside.
    pub fn after(&self, point: &str) -> Option<&KeptData> {
        let end = format!(".after-{point}");
        self.kept.iter().find(|data| data.path.ends_with(&end))
    }

    /// A copy that a restore to this point has made beside the data, and not put in its place.
    pub fn copy(&self, point: &str) -> Option<&KeptData> {
        self.copies().find(|(of, _)| *of == point).map(|it| it.1)
    }

    /// All such copies, with their points.
    pub fn copies(&self) -> impl Iterator<Item = (&str, &KeptData)> {
        let kept = self.kept.iter();
        kept.filter_map(|data| Some((data.path.rsplit_once(COPY)?.1, data)))
    }

    /// Points of restores that have prepared something here and stopped nothing.
    pub fn prepared_points(&self) -> BTreeSet<&str> {
        let open = |note: &&RestoreNote| note.phase == NotePhase::Open && !note.has("stopped");
        let notes = self.notes.iter().filter(open).filter(|note| note.chosen);
        let notes = notes.map(|note| note.point.as_str());
        let points = notes.chain(self.copies().map(|(point, _)| point));
        points
            .filter(|point| self.open.as_deref() != Some(*point))
            .collect()
    }

    /// Whether its group is restored on it by the restore that is open.
    pub fn is_chosen(&self) -> bool {
        let open = self.open.as_ref();
        open.is_some_and(|point| self.chosen_for(point))
    }

    /// Whether its group is restored on it by a restore to this point that is not done.
    pub fn chosen_for(&self, point: &str) -> bool {
        let mut notes = self.notes.iter();
        notes.any(|it| it.point == point && it.phase == NotePhase::Open && it.chosen)
    }

    /// Whether an open restore to this point has made it a clone.
    pub fn followed(&self, point: &str) -> bool {
        let open = self.open.as_deref() == Some(point);
        open && self
            .note(point)
            .is_some_and(|it| it.opened.is_some() && !it.has("placed"))
    }

    /// Whether a restore to this point found no data here to put aside.
    pub fn was_empty(&self, point: &str) -> bool {
        self.note(point).is_some_and(|note| note.has("empty"))
    }

    /// Its data directory.
    pub fn data(&self) -> Option<&KeptData> {
        self.kept.iter().find(|data| !data.aside())
    }

    /// Whether there is no data of PostgreSQL, neither in its place nor put aside. What a restore made from the repository does not count.
    pub fn is_bare(&self) -> bool {
        let mut own = self.kept.iter().filter(|data| !data.path.contains(COPY));
        own.all(|data| data.state.is_none())
    }

    /// What the restore to this point noted here; of an open one before of one that is done.
    pub fn note(&self, point: &str) -> Option<&RestoreNote> {
        let of = |phase: NotePhase| {
            let mut notes = self.notes.iter();
            notes.find(|note| note.point == point && note.phase == phase)
        };
        of(NotePhase::Open).or_else(|| of(NotePhase::Done))
    }

    /// Whether its old data leads once the restore is undone, as an earlier run has decided.
    pub fn chosen_to_go_back(&self, point: &str) -> bool {
        let mut notes = self.notes.iter();
        notes.any(|note| note.point == point && note.phase == NotePhase::Undo && note.chosen)
    }

    /// Whether the restore to this point is being undone here.
    pub fn undoing(&self, point: &str) -> bool {
        let undo = |note: &RestoreNote| note.point == point && note.phase == NotePhase::Undo;
        self.notes.iter().any(undo)
    }
}

impl KeptData {
    /// Whether it is beside the data directory, and not the directory itself.
    pub fn aside(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let ends = [".before-", ".after-", COPY];
        ends.iter().any(|end| name.contains(end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_tell_points_and_phases_apart() {
        let note =
            RestoreNote::read("p.1@done 17 yes no ,stopped opened 0/5000028 1:7").expect("a note");
        assert_eq!(
            (note.point.as_str(), note.phase, note.saved, note.chosen),
            ("p.1", NotePhase::Done, true, false)
        );
        assert!(note.has("stopped") && !note.has("placed"));
        let began = note.opened.expect("opened").expect("where");
        let now = Position::read("0/7000028|4294967310").expect("a position");
        assert_eq!(now.since(&began), Some((0x200_0000, 7)));
        assert_eq!(began.since(&now), None, "another history");
        let bare = RestoreNote::read("p 17 no yes - opened").expect("a note");
        assert_eq!((bare.opened, bare.phase), (Some(None), NotePhase::Open));
        let closed = RestoreNote::read("p@finished 17 no yes -").expect("a note");
        assert_eq!(closed.phase, NotePhase::Closed);
        assert_eq!(RestoreNote::read("p@other 17 no yes -"), None);
    }

    #[test]
    fn a_data_directory_is_told_from_what_was_put_aside() {
        let text = "size \ndir /d/data\nstate shut down\nlsn 0/28\ntimeline 2\nsize 12\ndir /d/data.before-p";
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let seen = MemberLook {
            kept: read_kept(&lines),
            ..MemberLook::default()
        };
        assert_eq!(seen.data().map(|it| it.path.as_str()), Some("/d/data"));
        assert_eq!(seen.data().and_then(KeptData::primary), None);
        let old = seen.before("p").expect("old data");
        assert_eq!((old.size, old.primary()), (Some(12), Some((2, 0x28))));
        assert_eq!(seen.after("p"), None);
    }
}
