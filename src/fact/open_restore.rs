//! The note of a restore that is not done, as each host of it has it.

/// A restore, or the undo of one, that has stopped the formation and is not done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenRestore {
    /// Whether the restore is being undone.
    pub undo: bool,
    pub point: String,
}

impl OpenRestore {
    /// Reads the note: the point, and `undo` below it where that was begun.
    pub fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let point = lines.next()?.to_owned();
        let undo = lines.next() == Some("undo");
        Some(Self { undo, point })
    }

    /// What is open, after `has`.
    pub fn words(&self) -> String {
        match self.undo {
            false => format!("an open restore to the point `{}`", self.point),
            true => format!(
                "an open `restore undo` of the restore to the point `{}`",
                self.point
            ),
        }
    }

    /// Which command goes on.
    pub fn way_out(&self) -> String {
        match self.undo {
            false => format!(
                "run `citusctl restore --point {}` again: it goes on where it stopped; `citusctl restore undo` puts the old data back",
                self.point
            ),
            true => "run `citusctl restore undo` again: it goes on where it stopped".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_undo_is_told_from_a_restore_and_goes_on_as_one() {
        let restore = OpenRestore::read("p1\n").expect("a note");
        assert!(restore.way_out().contains("citusctl restore --point p1"));
        let undo = OpenRestore::read("p1\nundo\n").expect("a note");
        assert_eq!(undo.point, "p1");
        assert!(!undo.way_out().contains("--point"));
        assert!(undo.way_out().contains("citusctl restore undo"));
        // Where an undo was killed between two hosts, it is what goes on.
        assert_eq!(restore.max(undo.clone()), undo);
        assert_eq!(OpenRestore::read(" \n"), None);
    }
}
