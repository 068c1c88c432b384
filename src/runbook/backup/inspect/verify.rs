//! `backup verify`: every file of a repository read and compared with its checksum, by pgBackRest, and the log without gaps.
//!
//! `pgbackrest verify` ends with 0 whatever it finds, and says `ok` where a segment is missing: its text is read, and the
//! list of the archive.

use super::gaps::{branch, gaps, listed, name};
use super::{Finding, Findings, Proof};
use crate::command::{Frame, given, whole_program};
use crate::fact::BackupSet;
use crate::model::Group;
use crate::model::backup::{self, Backups, stanza};
use crate::names::HostName;
use crate::names::words::count;
use crate::runbook::backup::BackupInput;
use crate::runbook::host_functions;
use crate::secret::Secret;
use std::collections::BTreeMap;

const VERIFY: &str = include_str!("../scripts/verify.sh");

/// How many damaged files are named.
const NAMED: usize = 20;

/// The program for the leader of each group.
pub fn verify_programs(
    frame: &Frame,
    input: BackupInput<'_>,
    groups: &[&Group],
) -> BTreeMap<HostName, Secret> {
    let program = |group: &&Group| {
        let look = input.look.group(group).ok()?;
        let host = input.model.hosts.get(&look.leader)?;
        let stanza = stanza(&group.cluster);
        let text = format!(
            "{}{}{}",
            frame.define_mark(),
            host_functions(input.model, host).expose(),
            given(&[("STANZA", &stanza)], VERIFY)
        );
        Some((look.leader, whole_program(&text)))
    };
    groups.iter().filter_map(program).collect()
}

/// Reads what the leaders answered.
pub fn read_verify(
    frame: &Frame,
    input: BackupInput<'_>,
    groups: &[&Group],
    answers: &BTreeMap<HostName, Result<String, String>>,
) -> Findings {
    let mut findings = Vec::new();
    for group in groups {
        let cluster = group.cluster.as_str();
        if let Ok(Backups::Off) = backup::of_group(input.model, group) {
            let words = "backups are switched off (`pgbackrest_enabled: false`)";
            findings.push(Finding::new(cluster, "repository", Proof::Skipped, words));
            continue;
        }
        let unknown = |words: String| Finding::new(cluster, "repository", Proof::Unknown, words);
        match input.look.group(group) {
            Err(refusal) => findings.push(unknown(refusal.reason)),
            Ok(look) => match answers.get(&look.leader) {
                Some(Ok(text)) => {
                    findings.extend(Reading::new(frame, cluster, &look.stanza.sets).of(text))
                }
                Some(Err(why)) => findings.push(unknown(format!("{}: {why}", look.leader))),
                None => findings.push(unknown(format!("{}: it was not asked", look.leader))),
            },
        }
    }
    Findings::of(findings)
}

/// One group's answer.
pub(super) struct Reading<'a> {
    frame: &'a Frame,
    cluster: &'a str,
    sets: &'a [BackupSet],
}

impl<'a> Reading<'a> {
    pub(super) fn new(frame: &'a Frame, cluster: &'a str, sets: &'a [BackupSet]) -> Self {
        Self {
            frame,
            cluster,
            sets,
        }
    }

    fn finding(&self, what: &'static str, proof: Proof, words: impl Into<String>) -> Finding {
        Finding::new(self.cluster, what, proof, words)
    }

    pub(super) fn of(&self, text: &str) -> Vec<Finding> {
        let sections = self.frame.sections(text);
        let section = |name: &str| sections.get(name).unwrap_or_default();
        if sections.get("end").is_none() {
            return vec![self.finding("repository", Proof::Unknown, "its answer is not whole")];
        }
        let mut findings = self.files(section("verify"), sections.get("ended 0").is_some());
        findings.push(self.log(
            section("segment-size"),
            section("archive"),
            section("histories"),
        ));
        findings
    }

    /// What pgBackRest read.
    fn files(&self, text: &str, ended: bool) -> Vec<Finding> {
        let status = text.lines().find_map(|line| line.strip_prefix("status: "));
        let Some(status) = status.filter(|_| ended) else {
            let error = text
                .lines()
                .find_map(|line| Some(line.split_once("ERROR: ")?.1));
            let words = format!(
                "`pgbackrest verify` did not end well: {}",
                error.unwrap_or("it says nothing")
            );
            return vec![self.finding("files", Proof::Unknown, words)];
        };
        let mut findings = self.damaged(text);
        let summary = Summary::read(text);
        for set in self.sets {
            match summary.backups.get(set.label.as_str()) {
                Some(("valid", 1..)) => {}
                Some((state, files)) => findings.push(self.finding(
                    "backup",
                    Proof::Fails,
                    format!(
                        "backup {} is {state}: {files} files could be read",
                        set.label
                    ),
                )),
                None => findings.push(self.finding(
                    "backup",
                    Proof::Unknown,
                    format!("backup {} was not verified", set.label),
                )),
            }
        }
        if status.trim() != "ok" && findings.is_empty() {
            let words = format!("`pgbackrest verify` says `{status}`: {}", summary.words);
            findings.push(self.finding("repository", Proof::Fails, words));
        }
        if findings.is_empty() {
            let words = format!(
                "{} and {} were read: all checksums hold",
                count(self.sets.len(), "backup"),
                count(summary.segments, "segment")
            );
            findings.push(self.finding("files", Proof::Holds, words));
        }
        findings
    }

    /// The files that pgBackRest names: its workers' lines.
    fn damaged(&self, text: &str) -> Vec<Finding> {
        let named = |line: &str| {
            let (before, words) = line.split_once(": ")?;
            let mut before = before.split_whitespace().rev();
            let level = before.next()?;
            let worker = before.next()?.strip_prefix('P')?.parse::<u32>().ok()?;
            let ill = worker > 0 || matches!(level, "WARN" | "ERROR");
            ill.then(|| words.trim().to_owned())
        };
        let all: Vec<String> = text.lines().filter_map(named).collect();
        let mut findings: Vec<Finding> = all
            .iter()
            .take(NAMED)
            .map(|words| self.finding("file", Proof::Fails, words.as_str()))
            .collect();
        if all.len() > NAMED {
            let words = format!(
                "and {} more: pgBackRest's log on the leader names them",
                all.len() - NAMED
            );
            findings.push(self.finding("file", Proof::Fails, words));
        }
        findings
    }

    /// Whether the log has gaps.
    fn log(&self, size: &str, archive: &str, histories: &str) -> Finding {
        let size = size.trim().parse().unwrap_or(0);
        let Some(there) = listed(archive, size).filter(|_| size > 0) else {
            return self.finding(
                "log",
                Proof::Unknown,
                "the segments in the repository could not be listed",
            );
        };
        let branches: Vec<_> = histories
            .lines()
            .filter_map(|line| branch(line, size))
            .collect();
        let found = gaps(&there, self.sets, &branches, size);
        match found.as_slice() {
            [] => self.finding(
                "log",
                Proof::Holds,
                format!(
                    "no segment is missing since the oldest backup ({})",
                    count(there.len(), "segment")
                ),
            ),
            gaps => {
                let shown: Vec<String> = gaps
                    .iter()
                    .take(NAMED)
                    .map(|(first, last)| match first == last {
                        true => name(*first, size),
                        false => format!("{} to {}", name(*first, size), name(*last, size)),
                    })
                    .collect();
                let words = format!(
                    "segments are missing: {}; no restore goes past them from a backup before: make a full backup now",
                    shown.join(", ")
                );
                self.finding("log", Proof::Fails, words)
            }
        }
    }
}

/// pgBackRest's own sum.
#[derive(Default)]
struct Summary<'a> {
    /// Label, state, files that could be read.
    backups: BTreeMap<&'a str, (&'a str, usize)>,
    segments: usize,
    /// Lines that are neither: its words where it read nothing.
    words: String,
}

impl<'a> Summary<'a> {
    fn read(text: &'a str) -> Self {
        let mut found = Self::default();
        // The log repeats it, indented.
        let lines = text
            .lines()
            .filter(|line| line.starts_with("  ") && !line.starts_with("     "));
        for line in lines.map(str::trim) {
            let parts: BTreeMap<&str, &str> = line
                .split(", ")
                .filter_map(|part| part.split_once(": "))
                .collect();
            let number = |key: &str| -> usize {
                parts
                    .get(key)
                    .and_then(|value| value.parse().ok())
                    .unwrap_or(0)
            };
            if let Some(label) = parts.get("backup") {
                let state = parts.get("status").copied().unwrap_or("unknown");
                found
                    .backups
                    .insert(label, (state, number("total valid files")));
            } else if parts.contains_key("archiveId") {
                found.segments += number("total valid WAL");
            } else if !line.contains(": ") {
                line.clone_into(&mut found.words);
            }
        }
        found
    }
}
