//! A symbolic link.

use super::{Action, Change, ResourceKind, Step, Verdict, digest_of};
use crate::command::quote;
use crate::fact::{Observed, PathKind, Probe};
use serde::Deserialize;

/// `link: {path, to, made}`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    pub path: String,
    pub to: String,
    /// One that is there and points elsewhere is somebody else's, unless the host's manifest names it.
    #[serde(default)]
    pub made: bool,
}

impl Link {
    fn is_theirs(&self, seen: &Observed) -> bool {
        let of_line = |line: &String| line.split_once(' ').is_some_and(|(_, p)| p == self.path);
        self.made && !seen.manifest.iter().any(of_line)
    }

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
            Some(PathKind::Link { to }) if self.is_theirs(seen) => Verdict::Refused {
                reason: format!("`{}` is there and points to {to}: citusctl did not make it", self.path),
                hint: "move it away by hand if nobody needs it; citusctl does not replace what it did not make".to_owned(),
            },
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::PathState;

    #[test]
    fn a_link_of_somebody_elses_is_not_replaced() {
        let link = Link {
            path: "/pg".to_owned(),
            to: "/data/ours".to_owned(),
            made: true,
        };
        let state = PathState {
            kind: PathKind::Link {
                to: "/data/theirs".to_owned(),
            },
            mode: "777".to_owned(),
            owner: "root".to_owned(),
            group: "root".to_owned(),
            size: 1,
            changed: None,
        };
        let mut seen = Observed {
            paths: [("/pg".to_owned(), state)].into(),
            ..Observed::default()
        };
        let Verdict::Refused { reason, .. } = link.diff(&seen) else {
            panic!("it is replaced");
        };
        assert_eq!(
            reason,
            "`/pg` is there and points to /data/theirs: citusctl did not make it"
        );
        seen.manifest = vec!["pgsql/pg /pg".to_owned()];
        assert!(matches!(link.diff(&seen), Verdict::Differs(_)));
    }
}
