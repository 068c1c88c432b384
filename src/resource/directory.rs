//! A directory. Its content is not ours to judge.

use super::file::attribute_differences;
use super::{Action, Change, ResourceKind, Step, Verdict, digest_of};
use crate::command::quote;
use crate::fact::{Observed, PathKind, PathState, Probe};
use serde::Deserialize;

/// `directory: {path, mode, owner, group}`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    pub path: String,
    #[serde(default = "default_mode")]
    pub mode: String,
    #[serde(default = "root")]
    pub owner: String,
    #[serde(default = "root")]
    pub group: String,
}

fn default_mode() -> String {
    "0755".to_owned()
}

fn root() -> String {
    "root".to_owned()
}

impl Directory {
    fn step(&self, title: &str) -> Step {
        let words = [&self.path, &self.owner, &self.group, &self.mode].map(|word| quote(word));
        let script = format!("put_dir {}\n", words.join(" "));
        Step::new(format!("{title} {}", self.path), script)
    }
}

impl Directory {
    /// What stands in its place, in words.
    fn no_directory(&self, state: &PathState) -> Option<String> {
        let (path, owner) = (&self.path, &state.owner);
        match &state.kind {
            PathKind::Directory => None,
            PathKind::Link { to } => Some(format!(
                "`{path}` is a link (to `{to}`) that belongs to {owner}, not a directory"
            )),
            PathKind::File { .. } | PathKind::Other(_) => {
                Some(format!("`{path}` is there and is not a directory"))
            }
        }
    }
}

impl ResourceKind for Directory {
    fn probes(&self) -> Vec<Probe> {
        vec![Probe::Path(self.path.clone())]
    }

    fn diff(&self, seen: &Observed) -> Verdict {
        let Some(state) = seen.paths.get(&self.path) else {
            let steps = vec![self.step("make")];
            return Verdict::differs(Change::new(
                Action::Create,
                format!("{}/", self.path),
                steps,
            ));
        };
        if let Some(reason) = self.no_directory(state) {
            return Verdict::Refused {
                reason,
                hint: format!(
                    "look at it, move `{}` away, then run the same command again",
                    self.path
                ),
            };
        }
        let differences = attribute_differences(state, &self.mode, &self.owner, &self.group);
        if differences.is_empty() {
            return Verdict::same("mode and owner are as wanted");
        }
        let summary = format!("{}/ ({})", self.path, differences.join(", "));
        Verdict::differs(Change::new(
            Action::Update,
            summary,
            vec![self.step("set attributes of")],
        ))
    }

    fn digest(&self) -> String {
        digest_of(&[&self.path, &self.mode, &self.owner, &self.group])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_in_its_place_is_refused_with_its_owner() {
        let directory = Directory {
            path: "/pg/conf".into(),
            mode: default_mode(),
            owner: root(),
            group: root(),
        };
        let state = PathState {
            kind: PathKind::Link { to: "/etc".into() },
            mode: "777".into(),
            owner: "postgres".into(),
            group: "postgres".into(),
            size: 4,
            changed: None,
        };
        let seen = Observed {
            paths: [("/pg/conf".to_owned(), state)].into(),
            ..Observed::default()
        };
        let Verdict::Refused { reason, .. } = directory.diff(&seen) else {
            panic!("refused")
        };
        let words = "`/pg/conf` is a link (to `/etc`) that belongs to postgres, not a directory";
        assert_eq!(reason, words);
    }
}
