//! A marked block of lines inside a file that others write to as well, such as `/etc/hosts`.

use super::shell::{Write, write_file};
use super::{Action, BeforeAfter, Change, Kind, Step, Verdict, digest_of};
use crate::command::quote;
use crate::fact::{Observed, PathKind, Probe};
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

    /// The whole file with our block replaced or appended.
    fn spliced(&self, old: &str) -> String {
        let (begin, end) = self.markers();
        let before = old.split_once(&begin).map(|(before, _)| before);
        let after = old
            .split_once(&end)
            .map(|(_, after)| after.trim_start_matches('\n'));
        match (before, after) {
            (Some(before), Some(after)) if self.first => {
                format!("{}{before}{after}", self.wanted())
            }
            _ if self.first => format!("{}{old}", self.wanted()),
            (Some(before), Some(after)) => format!("{before}{}{after}", self.wanted()),
            _ if old.is_empty() || old.ends_with('\n') => format!("{old}{}", self.wanted()),
            _ => format!("{old}\n{}", self.wanted()),
        }
    }
}

impl Kind for Block {
    fn probes(&self) -> Vec<Probe> {
        let text = format!("cat -- {} 2>/dev/null", quote(&self.path));
        vec![
            Probe::Path(self.path.clone()),
            Probe::Script {
                name: self.probe_name(),
                text,
            },
        ]
    }

    fn diff(&self, seen: &Observed) -> Verdict {
        let old = seen
            .scripts
            .get(&self.probe_name())
            .map(String::as_str)
            .unwrap_or_default();
        let there = match self.first {
            true => old.starts_with(&self.wanted()),
            false => old.contains(&self.wanted()),
        };
        if there {
            return Verdict::same("the block is as wanted");
        }
        let new = self.spliced(old);
        let state = seen.paths.get(&self.path);
        let (mode, owner, group) = state.map_or(("0644", "root", "root"), |s| {
            (s.mode.as_str(), s.owner.as_str(), s.group.as_str())
        });
        let write = Write {
            path: &self.path,
            content: new.as_bytes(),
            mode,
            owner,
            group,
            validate: None,
            keep: true,
        };
        let step = Step::new(
            format!("write the block `{}` in {}", self.name, self.path),
            write_file(&write),
        );
        let existed = matches!(state.map(|s| &s.kind), Some(PathKind::File { .. }));
        let mut change = Change::new(
            if existed {
                Action::Update
            } else {
                Action::Create
            },
            format!("{} (block `{}`)", self.path, self.name),
            vec![step],
        );
        change.contents = Some(BeforeAfter {
            path: self.path.clone(),
            before: existed.then(|| old.as_bytes().to_vec()),
            after: new.into_bytes(),
            sensitive: false,
            closed: false,
            shown: None,
        });
        Verdict::differs(change)
    }

    fn digest(&self) -> String {
        digest_of(&[&self.path, &self.wanted()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_only_its_own_lines() {
        let block = Block {
            path: "/etc/hosts".into(),
            name: "hosts".into(),
            content: "10.0.0.1 a\n".into(),
            first: false,
        };
        let first = block.spliced("127.0.0.1 localhost\n");
        let changed = Block {
            content: "10.0.0.2 b".into(),
            ..block.clone()
        }
        .spliced(&format!("{first}# mine\n"));
        assert_eq!(
            changed,
            "127.0.0.1 localhost\n# BEGIN citusctl hosts\n10.0.0.2 b\n# END citusctl hosts\n# mine\n"
        );
    }

    #[test]
    fn may_come_before_all_others() {
        let block = |content: &str| Block {
            path: "/etc/resolv.conf".into(),
            name: "resolv".into(),
            content: content.into(),
            first: true,
        };
        let first = block("nameserver 10.0.0.1").spliced("nameserver 9.9.9.9\n");
        let lines = "# BEGIN citusctl resolv\nnameserver 10.0.0.1\n# END citusctl resolv\n";
        assert_eq!(first, format!("{lines}nameserver 9.9.9.9\n"));
        let moved = format!("search x\n{first}");
        let changed = block("nameserver 10.0.0.2").spliced(&moved);
        assert_eq!(
            changed,
            format!(
                "{}search x\nnameserver 9.9.9.9\n",
                lines.replace("0.1", "0.2")
            )
        );
    }
}
