//! A regular file with its whole content.

use super::shell::{Write, write_file};
use super::{Action, BeforeAfter, Change, ResourceKind, Step, Verdict, digest_of, sha256_hex};
use crate::command::quote;
use crate::fact::{Observed, PathKind, PathState, Probe, SUMS, sum_pattern};
use serde::Deserialize;

/// `file: {path, content | template, mode, owner, group, validate, sensitive}`. The compiler renders
/// `template` into `content` before this is read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub path: String,
    pub content: String,
    #[serde(default = "default_mode")]
    pub mode: String,
    #[serde(default = "root")]
    pub owner: String,
    #[serde(default = "root")]
    pub group: String,
    /// A command that must accept the new file; `%s` stands for it.
    #[serde(default)]
    pub validate: Option<String>,
    /// The content is a secret as a whole (a private key): never shown, only said to differ.
    #[serde(default)]
    pub sensitive: bool,
    /// The content without its secrets, where it holds any: the compiler's.
    #[serde(default)]
    pub shown: Option<String>,
    /// Lines that begin so mean nothing to who reads the file while it runs: a change of them alone restarts nobody. A
    /// line that ends with a colon stands for all that is indented below it as well.
    #[serde(default)]
    pub inert: Vec<String>,
}

fn default_mode() -> String {
    "0644".to_owned()
}

fn root() -> String {
    "root".to_owned()
}

impl File {
    fn step(&self, title: String) -> Step {
        let write = Write {
            path: &self.path,
            content: self.content.as_bytes(),
            mode: &self.mode,
            owner: &self.owner,
            group: &self.group,
            validate: self.validate.as_deref(),
        };
        Step::new(title, write_file(&write))
    }

    fn contents(&self, before: Option<Vec<u8>>) -> Option<BeforeAfter> {
        Some(BeforeAfter {
            path: self.path.clone(),
            before,
            after: self.content.clone().into_bytes(),
            sensitive: self.sensitive,
            closed: self.mode.ends_with('0'),
            shown: self.shown.clone(),
        })
    }

    fn create(&self) -> Verdict {
        let mut change = Change::new(
            Action::Create,
            self.path.clone(),
            vec![self.step(format!("write {}", self.path))],
        );
        change.contents = self.contents(None);
        Verdict::differs(change)
    }

    fn rewrite(&self, seen: &Observed) -> Verdict {
        let mut change = Change::new(
            Action::Update,
            self.path.clone(),
            vec![self.step(format!("write {}", self.path))],
        );
        change.contents = self.contents(seen.contents.get(&self.path).cloned());
        Verdict::differs(change)
    }

    fn attributes(&self, state: &PathState) -> Verdict {
        let differences = attribute_differences(state, &self.mode, &self.owner, &self.group);
        if differences.is_empty() {
            return Verdict::same("content, mode and owner are as wanted");
        }
        // Written again, as a new file: who owns the directory may have other names for the one that is there.
        let step = self.step(format!("set attributes of {}", self.path));
        Verdict::differs(Change::new(
            Action::Update,
            format!("{} ({})", self.path, differences.join(", ")),
            vec![step],
        ))
    }
}

/// What differs in mode and ownership, in words.
pub(super) fn attribute_differences(
    state: &PathState,
    mode: &str,
    owner: &str,
    group: &str,
) -> Vec<String> {
    let wanted = mode.trim_start_matches('0');
    let mut differences = Vec::new();
    if state.mode != wanted {
        differences.push(format!("mode {} -> {wanted}", state.mode));
    }
    if state.owner != owner || state.group != group {
        differences.push(format!(
            "owner {}:{} -> {owner}:{group}",
            state.owner, state.group
        ));
    }
    differences
}

/// A string of awk's.
fn awk_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

impl ResourceKind for File {
    fn probes(&self) -> Vec<Probe> {
        let path = Probe::Path(self.path.clone());
        match self.inert.is_empty() {
            true => vec![path],
            false => vec![path, self.live_probe()],
        }
    }

    fn diff(&self, seen: &Observed) -> Verdict {
        let Some(state) = seen.paths.get(&self.path) else {
            return self.create();
        };
        match &state.kind {
            PathKind::File { sha256 } if *sha256 == sha256_hex(self.content.as_bytes()) => {
                self.attributes(state)
            }
            // A link is replaced by the file, as `mv -T` does it.
            PathKind::File { .. } | PathKind::Link { .. } => self.rewrite(seen),
            PathKind::Directory | PathKind::Other(_) => Verdict::Refused {
                reason: format!("`{}` is not a regular file", self.path),
                hint: "move it away by hand; citusctl does not replace directories or devices"
                    .to_owned(),
            },
        }
    }

    fn owns(&self) -> Vec<String> {
        vec![self.path.clone()]
    }

    fn digest(&self) -> String {
        match self.inert.is_empty() {
            true => digest_of(&[&self.content, &self.mode, &self.owner, &self.group]),
            false => digest_of(&[
                &self.live().join("\n"),
                &self.mode,
                &self.owner,
                &self.group,
            ]),
        }
    }
}

impl File {
    /// Whether what counts of it on the host, while it is in use, is other than what is wanted.
    pub fn is_live_changed(&self, seen: &Observed) -> bool {
        if self.inert.is_empty() {
            return true;
        }
        let found = seen.scripts.get(&self.live_name());
        found.map(|digest| digest.trim()) != Some(&self.live_digest())
    }

    fn live_name(&self) -> String {
        format!("live:{}", self.path)
    }

    /// The digest of the lines that [`Self::live`] gives, of the file on the host.
    fn live_probe(&self) -> Probe {
        let begins = |start: &String| format!("index($0, {}) == 1", awk_text(start));
        let inert: Vec<String> = self.inert.iter().map(begins).collect();
        let program = format!(
            "below && (/^[ \\t]/ || $0 == \"\") {{ next }} {{ inert = {}; below = inert && /:$/ }} !inert",
            inert.join(" || ")
        );
        let (program, path) = (quote(&program), quote(&self.path));
        // No process where the whole file is as wanted.
        let same = sum_pattern(&self.path, &sha256_hex(self.content.as_bytes()));
        let wanted = self.live_digest();
        Probe::Script {
            name: self.live_name(),
            text: format!(
                "case {SUMS} in {same}) printf '%s\\n' {wanted} ;; *) [ ! -f {path} ] || awk {program} {path} | sha256sum | cut -d ' ' -f 1 ;; esac\n"
            ),
        }
    }

    fn live_digest(&self) -> String {
        let lines: String = self.live().iter().map(|line| format!("{line}\n")).collect();
        sha256_hex(lines.as_bytes())
    }

    /// The lines that count while the file is in use.
    fn live(&self) -> Vec<&str> {
        let mut below = false;
        let live = self.content.lines().filter(|line| {
            if below && (line.starts_with([' ', '\t']) || line.is_empty()) {
                return false;
            }
            let inert = self.inert.iter().any(|start| line.starts_with(start));
            below = inert && line.ends_with(':');
            !inert
        });
        live.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &str) -> File {
        File {
            path: "/etc/x.cfg".into(),
            content: content.into(),
            mode: "0640".into(),
            owner: "root".into(),
            group: "adm".into(),
            validate: None,
            sensitive: false,
            shown: None,
            inert: Vec::new(),
        }
    }

    fn seen(content: &str, mode: &str) -> Observed {
        let state = PathState {
            kind: PathKind::File {
                sha256: sha256_hex(content.as_bytes()),
            },
            mode: mode.into(),
            owner: "root".into(),
            group: "adm".into(),
            size: 1,
            changed: None,
        };
        Observed {
            paths: [("/etc/x.cfg".to_owned(), state)].into(),
            ..Observed::default()
        }
    }

    #[test]
    fn an_equal_file_is_left_alone() {
        assert!(matches!(
            file("a").diff(&seen("a", "640")),
            Verdict::Same(_)
        ));
    }

    #[test]
    fn what_is_read_at_the_first_start_only_restarts_nobody() {
        let with = |content: &str| File {
            inert: vec!["initial-cluster:".to_owned()],
            ..file(content)
        };
        let digest = |content: &str| with(content).digest();
        assert_eq!(
            digest("a\ninitial-cluster: x\n"),
            digest("a\ninitial-cluster: y\n")
        );
        assert_ne!(
            digest("a\ninitial-cluster: x\n"),
            digest("b\ninitial-cluster: x\n")
        );
        let block = File {
            inert: vec!["bootstrap:".to_owned()],
            ..file("a: 1\nbootstrap:\n  b: 2\n\n  c: 3\nd:\n  e: 4\n")
        };
        assert_eq!(block.live(), ["a: 1", "d:", "  e: 4"]);
    }

    #[test]
    fn a_host_finds_the_same_lines_to_count() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("it's").to_string_lossy().into_owned();
        let wanted = File {
            path,
            inert: vec!["bootstrap:".to_owned(), "x \"\\:".to_owned()],
            ..file("a: 1\nbootstrap:\n  b: 2\n\n\tc: 3\nd:\n\n  e: 4\nx \"\\: 5\n  f: 6")
        };
        let found = |content: &str| {
            std::fs::write(&wanted.path, content).expect("written");
            let Probe::Script { name, text } = wanted.live_probe() else {
                panic!("a script")
            };
            let done = std::process::Command::new("sh")
                .arg("-c")
                .arg(text)
                .output();
            let answer = String::from_utf8(done.expect("sh").stdout).expect("text");
            wanted.is_live_changed(&Observed {
                scripts: [(name, answer)].into(),
                ..Observed::default()
            })
        };
        assert!(!found(&wanted.content));
        assert!(!found("a: 1\nbootstrap:\n  b: 7\nd:\n\n  e: 4\n  f: 6\n"));
        assert!(found("a: 2\nbootstrap:\n  b: 2\nd:\n\n  e: 4\n  f: 6\n"));
        assert!(found(""));
        assert!(wanted.is_live_changed(&Observed::default()));
    }

    #[test]
    fn a_file_that_is_as_wanted_is_not_read_again() {
        let wanted = File {
            inert: vec!["bootstrap:".to_owned()],
            ..file("a: 1\nbootstrap:\n  b: 2\n")
        };
        let said = |path: &str, content: &str| {
            let Probe::Script { name, text } = wanted.live_probe() else {
                panic!("a script")
            };
            let sums = format!("sums='\n{}  {path}\n'\n", sha256_hex(content.as_bytes()));
            let shell = std::process::Command::new("sh")
                .args(["-c", &format!("awk() {{ echo read; }}\n{sums}{text}")])
                .output();
            let answer = String::from_utf8(shell.expect("sh").stdout).expect("text");
            let seen = Observed {
                scripts: [(name, answer)].into(),
                ..Observed::default()
            };
            wanted.is_live_changed(&seen)
        };
        assert!(!said(&wanted.path, &wanted.content));
        assert!(said(&wanted.path, "a: 2\n"));
        assert!(said(&format!("{}.old", wanted.path), &wanted.content));
    }

    #[test]
    fn a_wrong_mode_is_named() {
        let Verdict::Differs(change) = file("a").diff(&seen("a", "644")) else {
            panic!("differs")
        };
        assert_eq!(change.summary, "/etc/x.cfg (mode 644 -> 640)");
    }
}
