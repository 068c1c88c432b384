//! Whose a unit is: one that another hand set up is refused before its first start by us, and said once it is ours.

use super::Unit;
use crate::fact::{Observed, UnitState};
use crate::resource::Verdict;

impl Unit {
    /// Somebody else's service under the name of ours: its unit is a file of an administrator's, or it runs with one beside it.
    /// With ours beside those it would become ours, and theirs would end.
    pub(super) fn stranger(&self, seen: &Observed, state: &UnitState) -> Option<Verdict> {
        if seen.stamps.contains_key(&self.name) || !self.running {
            return None;
        }
        let whole = |path: &&str| path.ends_with(&format!("/{}", self.name));
        let mut files = state.foreign_files(&seen.manifest);
        let file = files.find(|path| state.active || whole(path))?;
        let runs = if state.active { "runs" } else { "does not run" };
        Some(Verdict::Refused {
            reason: format!(
                "`{}` is not ours: somebody else set it up in {file}, and it {runs}",
                self.name
            ),
            hint: format!(
                "keep it: give it another name, or choose another host; needed no more: `systemctl disable --now {}`, move {file} away, then `systemctl daemon-reload`",
                self.name
            ),
        })
    }

    /// Files that nobody declared and that change how ours runs.
    pub(super) fn overridden(&self, seen: &Observed) -> Vec<String> {
        let state = seen.units.get(&self.name);
        let files = state
            .into_iter()
            .flat_map(|state| state.foreign_files(&seen.manifest));
        files
            .map(|file| {
                format!(
                    "{} is read from {file}, too, which nobody declared",
                    self.name
                )
            })
            .collect()
    }
}
