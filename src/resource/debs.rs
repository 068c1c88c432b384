//! A directory of `.deb` files as a repository of packages, for hosts without any other.

use super::{Action, Change, ResourceKind, Step, Verdict, digest_of};
use crate::command::given;
use crate::fact::{Observed, Probe};
use crate::names::words::count;
use serde::Deserialize;

/// `debs: {dir, at}`: an index of the packages in `dir`, kept in `at`, made anew when files came or went. No key signs
/// it: it is as trustworthy as the directory, so nobody but root may write there.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Debs {
    pub dir: String,
    pub at: String,
}

/// What the directory holds, by name, size and time.
const LISTING: &str = include_str!("scripts/debs-listing.sh");

const LOOK: &str = include_str!("scripts/debs-look.sh");

const INDEX: &str = include_str!("scripts/debs-index.sh");

impl Debs {
    fn script(&self, body: &str) -> String {
        let values = [
            ("DEBS", self.dir.trim_end_matches('/')),
            ("INDEX", &self.at),
        ];
        given(&values, &format!("{LISTING}{body}"))
    }

    fn probe_name(&self) -> String {
        format!("debs:{}", self.dir)
    }
}

impl ResourceKind for Debs {
    fn probes(&self) -> Vec<Probe> {
        vec![Probe::Script {
            name: self.probe_name(),
            text: format!("( {} )", self.script(LOOK)),
        }]
    }

    fn diff(&self, seen: &Observed) -> Verdict {
        let said = seen.scripts.get(&self.probe_name());
        let said = said.map(|text| text.trim()).unwrap_or_default();
        let (word, rest) = said.split_once(' ').unwrap_or((said, ""));
        match word {
            "same" => Verdict::same("the index names all packages"),
            "absent" => Verdict::Refused {
                reason: format!("there is no directory `{}` on this host", self.dir),
                hint: "copy the packages there, or take `node_debs_dir` out".to_owned(),
            },
            "open" => Verdict::Refused {
                reason: format!("others than root can write to `{rest}`"),
                hint: format!(
                    "what lies there is installed as root: `chown -R root {0}; chmod -R go-w {0}`",
                    self.dir
                ),
            },
            _ => {
                let packages = count(rest.parse().unwrap_or_default(), "package");
                let title = format!("index {packages} in {}", self.dir);
                let step = Step::new(title.clone(), self.script(INDEX));
                Verdict::differs(Change::new(Action::Update, title, vec![step]))
            }
        }
    }

    fn digest(&self) -> String {
        digest_of(&[&self.dir, &self.at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::quote;
    use std::path::Path;
    use std::process::Command;

    fn sh(text: &str) -> String {
        let done = Command::new("sh").args(["-ec", text]).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap()
    }

    fn verdict(debs: &Debs, said: &str) -> Verdict {
        let mut seen = Observed::default();
        seen.scripts.insert(debs.probe_name(), said.to_owned());
        debs.diff(&seen)
    }

    fn debs(root: &Path) -> Debs {
        Debs {
            dir: root.join("it's").display().to_string(),
            at: root.join("index").display().to_string(),
        }
    }

    #[test]
    fn a_directory_is_looked_at() {
        let root = tempfile::tempdir().unwrap();
        let debs = debs(root.path());
        let look = || sh(&debs.script(LOOK));
        assert_eq!(look(), "absent\n");
        std::fs::create_dir(&debs.dir).unwrap();
        std::fs::write(Path::new(&debs.dir).join("a_1%3a2_all.deb"), "x").unwrap();
        let mine = sh("id -u") == "0\n";
        match mine {
            true => assert_eq!(look(), "differs 1\n"),
            false => assert!(look().starts_with("open ")),
        }
        sh(&format!("chmod 0777 {}", quote(&debs.dir)));
        assert_eq!(look(), format!("open {}\n", debs.dir));
    }

    #[test]
    fn what_was_seen_decides() {
        let debs = debs(Path::new("/srv"));
        assert!(matches!(verdict(&debs, "same\n"), Verdict::Same(_)));
        for said in ["absent\n", "open /srv/debs/a.deb\n"] {
            assert!(matches!(verdict(&debs, said), Verdict::Refused { .. }));
        }
        assert!(matches!(verdict(&debs, "differs 3\n"), Verdict::Differs(_)));
        assert!(matches!(verdict(&debs, ""), Verdict::Differs(_)));
    }
}
