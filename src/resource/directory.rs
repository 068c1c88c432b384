//! A directory. Its content is not ours to judge.

use super::file::attribute_differences;
use super::{Action, Change, Kind, Step, Verdict, digest_of};
use crate::command::quote;
use crate::fact::{Observed, PathKind, Probe};
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

impl Kind for Directory {
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
        if state.kind != PathKind::Directory {
            return Verdict::Refused {
                reason: format!("`{}` is there and is not a directory", self.path),
                hint: "move it away by hand".to_owned(),
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
