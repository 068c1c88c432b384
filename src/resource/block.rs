//! A marked block of lines inside a file that others write to as well, such as `/etc/hosts`.
//!
//! What is seen before consent is for the diff that people read. The host edits the file as it is when the step runs, and refuses where
//! the block itself is not what was shown.

use super::shell::{WriteBlock, show_file, write_block};
use super::{Action, BeforeAfter, Change, ResourceKind, Step, Verdict, digest_of, sha256_hex};
use crate::fact::{Observed, Probe};
use serde::Deserialize;

/// `block: {path, name, content, first}`: the lines between two markers belong to us, the rest does not.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    pub path: String,
    /// Names the block in its markers.
    pub name: String,
    pub content: String,
    /// It comes before what others wrote, not after it.
    #[serde(default)]
    pub first: bool,
}

/// A file in three parts; the middle one is the block with its markers, if it is there.
struct Parts {
    before: String,
    block: String,
    after: String,
}

impl Block {
    fn markers(&self) -> (String, String) {
        (
            format!("# BEGIN citusctl {}", self.name),
            format!("# END citusctl {}", self.name),
        )
    }

    fn probe_name(&self) -> String {
        format!("block:{}:{}", self.path, self.name)
    }

    fn wanted(&self) -> String {
        let (begin, end) = self.markers();
        format!("{begin}\n{}\n{end}\n", self.content.trim_end())
    }

    /// `None`: it begins twice, or does not end.
    fn parts(&self, text: &str) -> Option<Parts> {
        let (begin, end) = self.markers();
        let mut parts = [String::new(), String::new(), String::new()];
        let mut at = 0;
        for line in text.lines() {
            if line == begin {
                if at != 0 {
                    return None;
                }
                at = 1;
            }
            parts[at].push_str(line);
            parts[at].push('\n');
            if line == end && at == 1 {
                at = 2;
            }
        }
        let [before, block, after] = parts;
        (at != 1).then_some(Parts {
            before,
            block,
            after,
        })
    }

    /// The whole file with our block in its place.
    fn spliced(&self, parts: &Parts) -> String {
        let Parts { before, after, .. } = parts;
        match self.first {
            true => format!("{}{before}{after}", self.wanted()),
            false => format!("{before}{}{after}", self.wanted()),
        }
    }

    fn change(&self, old: Option<&str>, parts: &Parts) -> Change {
        let step = Step::new(
            format!("write the block `{}` in {}", self.name, self.path),
            write_block(&WriteBlock {
                path: &self.path,
                name: &self.name,
                lines: &self.wanted(),
                first: self.first,
                seen: &sha256_hex(parts.block.as_bytes()),
            }),
        );
        let action = match old {
            Some(_) => Action::Update,
            None => Action::Create,
        };
        let summary = format!("{} (block `{}`)", self.path, self.name);
        let mut change = Change::new(action, summary, vec![step]);
        change.contents = Some(BeforeAfter {
            path: self.path.clone(),
            before: old.map(|old| old.as_bytes().to_vec()),
            after: self.spliced(parts).into_bytes(),
            sensitive: false,
            closed: false,
            shown: None,
        });
        change
    }
}

impl ResourceKind for Block {
    fn probes(&self) -> Vec<Probe> {
        vec![Probe::Script {
            name: self.probe_name(),
            text: show_file(&self.path),
        }]
    }

    fn diff(&self, seen: &Observed) -> Verdict {
        let said = seen.scripts.get(&self.probe_name());
        let said = said.map(String::as_str).unwrap_or_default();
        let (word, text) = said.split_once('\n').unwrap_or((said, ""));
        let old = match word {
            "there" => Some(text),
            "absent" => None,
            "" => {
                let reason = format!("`{}` could not be looked at", self.path);
                return refused(reason, "run the same command again");
            }
            why => return refused(why.to_owned(), "nothing was written"),
        };
        let Some(parts) = self.parts(old.unwrap_or_default()) else {
            let reason = format!(
                "{}: the block `{}` begins twice, or does not end",
                self.path, self.name
            );
            return refused(reason, "put its markers right by hand");
        };
        let place = parts.before.is_empty() || !self.first;
        match parts.block == self.wanted() && place {
            true => Verdict::same("the block is as wanted"),
            false => Verdict::differs(self.change(old, &parts)),
        }
    }

    fn digest(&self) -> String {
        digest_of(&[&self.path, &self.wanted()])
    }
}

fn refused(reason: String, hint: &str) -> Verdict {
    Verdict::Refused {
        reason,
        hint: hint.to_owned(),
    }
}

#[cfg(test)]
mod tests;
