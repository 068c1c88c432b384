//! A symbolic link.

use super::{Action, Change, ResourceKind, Step, Verdict, digest_of};
use crate::command::quote;
use crate::fact::{Observed, PathKind, Probe};
use serde::Deserialize;

/// `link: {path, to}`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    pub path: String,
    pub to: String,
}

impl Link {
    fn change(&self, action: Action) -> Verdict {
        let (path, to) = (quote(&self.path), quote(&self.to));
        let script = format!("put_link {path} {to}\n");
        let step = Step::new(format!("link {} to {}", self.path, self.to), script);
        Verdict::differs(Change::new(
            action,
            format!("{} -> {}", self.path, self.to),
            vec![step],
        ))
    }
}

impl ResourceKind for Link {
    fn probes(&self) -> Vec<Probe> {
        vec![Probe::Path(self.path.clone())]
    }

    fn diff(&self, seen: &Observed) -> Verdict {
        match seen.paths.get(&self.path).map(|state| &state.kind) {
            None => self.change(Action::Create),
            Some(PathKind::Link { to }) if *to == self.to => Verdict::same("points there"),
            Some(PathKind::Link { .. }) => self.change(Action::Update),
            Some(PathKind::File { .. } | PathKind::Directory | PathKind::Other(_)) => {
                Verdict::Refused {
                    reason: format!("`{}` is there and is not a link", self.path),
                    hint: "move it away by hand; citusctl does not replace what it did not make"
                        .to_owned(),
                }
            }
        }
    }

    fn owns(&self) -> Vec<String> {
        vec![self.path.clone()]
    }

    fn digest(&self) -> String {
        digest_of(&[&self.path, &self.to])
    }
}
