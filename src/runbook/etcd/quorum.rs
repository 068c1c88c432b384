//! Arithmetic of majorities.

use std::fmt;

/// Members with a vote, and how many of them take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Quorum {
    pub voters: usize,
    pub alive: usize,
}

impl Quorum {
    /// How many must agree.
    pub fn needed(self) -> usize {
        self.voters / 2 + 1
    }

    /// Whether they can.
    pub fn holds(self) -> bool {
        self.voters > 0 && self.alive >= self.needed()
    }

    /// How many more may fail.
    pub fn spare(self) -> usize {
        self.alive.saturating_sub(self.needed())
    }

    /// With one more member, that is alive.
    #[must_use]
    pub fn plus(self) -> Self {
        Self {
            voters: self.voters + 1,
            alive: self.alive + 1,
        }
    }

    /// Without one of the members.
    #[must_use]
    pub fn minus(self, alive: bool) -> Self {
        Self {
            voters: self.voters.saturating_sub(1),
            alive: self.alive.saturating_sub(usize::from(alive)),
        }
    }
}

impl fmt::Display for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { voters, alive } = self;
        write!(
            f,
            "{voters} with a vote, {alive} alive, {} needed: ",
            self.needed()
        )?;
        match self.holds() {
            true => write!(f, "{} more may fail", self.spare()),
            false => f.write_str("no quorum"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn majorities() {
        let q = |voters, alive| Quorum { voters, alive };
        assert_eq!((q(3, 3).needed(), q(3, 3).spare()), (2, 1));
        assert_eq!((q(4, 4).needed(), q(4, 4).spare()), (3, 1));
        assert!(q(1, 1).holds() && !q(0, 0).holds() && !q(4, 2).holds());
        // A dead one of three may go, a living one may not while another is dead.
        assert!(q(3, 2).minus(false).holds());
        assert!(!q(3, 2).minus(true).holds());
        assert_eq!(
            q(3, 2).to_string(),
            "3 with a vote, 2 alive, 2 needed: 0 more may fail"
        );
        assert_eq!(
            q(3, 1).to_string(),
            "3 with a vote, 1 alive, 2 needed: no quorum"
        );
        assert_eq!(q(2, 2).plus().spare(), 1);
    }
}
