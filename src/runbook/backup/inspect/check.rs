//! `backup check`: a segment archived and read back, one configuration, one version, the same database.

use super::{Finding, Findings, Proof};
use crate::command::{Frame, Sections, given, whole_program};
use crate::model::backup::{self, Backups, Repository, RepositoryPlace, stanza};
use crate::model::{Group, Host, Model};
use crate::names::HostName;
use crate::runbook::backup::{BackupInput, GroupLook};
use crate::runbook::host_functions;
use crate::secret::Secret;
use std::collections::{BTreeMap, BTreeSet};

const CHECK: &str = include_str!("../scripts/check.sh");

type Answers = BTreeMap<HostName, Result<String, String>>;

/// The programs for members of these groups and for their repository hosts.
pub fn check_programs(
    frame: &Frame,
    input: BackupInput<'_>,
    groups: &[&Group],
) -> BTreeMap<HostName, Secret> {
    let mut programs = BTreeMap::new();
    for group in groups {
        let Ok(Backups::To(repository)) = backup::of_group(input.model, group) else {
            continue;
        };
        let leader = input.look.group(group).ok().map(|look| look.leader);
        for member in &group.members {
            if let Some(host) = reached(&input, &member.host) {
                let leads = leader.as_ref() == Some(&host.name);
                programs.insert(
                    host.name.clone(),
                    of_member(frame, input.model, host, group, leads),
                );
            }
        }
        if let Some(host) = server(input.model, &repository) {
            let text = format!(
                "{}mark version\n/usr/bin/pgbackrest version 2>&1\nmark end\n",
                frame.define_mark()
            );
            programs.insert(host.name.clone(), whole_program(&text));
        }
    }
    programs
}

fn reached<'a>(input: &BackupInput<'a>, host: &HostName) -> Option<&'a Host> {
    input.look.hosts.get(host)?;
    input.model.hosts.get(host)
}

/// The repository host of a repository, if it has one.
fn server<'m>(model: &'m Model, repository: &Repository) -> Option<&'m Host> {
    match &repository.place {
        RepositoryPlace::Host { host, .. } => backup::repository_host(model, host),
        RepositoryPlace::Directory { .. } | RepositoryPlace::S3 { .. } => None,
    }
}

fn of_member(frame: &Frame, model: &Model, host: &Host, group: &Group, leads: bool) -> Secret {
    let stanza = stanza(&group.cluster);
    let values = [
        ("STANZA", stanza.as_str()),
        ("LEADS", if leads { "yes" } else { "" }),
    ];
    let functions = host_functions(model, host);
    whole_program(&format!(
        "{}{}{}",
        frame.define_mark(),
        functions.expose(),
        given(&values, CHECK)
    ))
}

/// Reads what the hosts answered.
pub fn read_check(
    frame: &Frame,
    input: BackupInput<'_>,
    groups: &[&Group],
    answers: &Answers,
) -> Findings {
    let findings = groups
        .iter()
        .flat_map(|group| of_group(frame, input, group, answers));
    Findings::of(findings.collect())
}

fn of_group(
    frame: &Frame,
    input: BackupInput<'_>,
    group: &Group,
    answers: &Answers,
) -> Vec<Finding> {
    let cluster = group.cluster.as_str();
    let repository = match backup::of_group(input.model, group) {
        Ok(Backups::To(repository)) => repository,
        Ok(Backups::Off) => {
            let words = "backups are switched off (`pgbackrest_enabled: false`)";
            return vec![Finding::new(cluster, "repository", Proof::Skipped, words)];
        }
        Ok(Backups::Unnamed) => {
            let words = "no repository is named (`pgbackrest_repo`): nothing is kept";
            return vec![Finding::new(cluster, "repository", Proof::Fails, words)];
        }
        Err(fault) => {
            return vec![Finding::new(
                cluster,
                "repository",
                Proof::Fails,
                fault.words,
            )];
        }
    };
    let hosts: Vec<&HostName> = group.members.iter().map(|member| &member.host).collect();
    let members = said(frame, input, answers, hosts);
    let server: Vec<&HostName> = server(input.model, &repository)
        .map(|host| &host.name)
        .into_iter()
        .collect();
    let servers = said(frame, input, answers, server);
    let mut findings = match input.look.group(group) {
        Err(refusal) => vec![Finding::new(
            cluster,
            "repository",
            Proof::Unknown,
            refusal.reason,
        )],
        Ok(look) => of_leader(
            &look,
            members
                .get(&look.leader)
                .and_then(|said| said.as_ref().ok()),
        ),
    };
    findings.push(equal(cluster, "configuration", "conf", &members));
    let all = members.into_iter().chain(servers).collect();
    findings.push(equal(cluster, "version", "version", &all));
    findings
}

type Said<'a> = BTreeMap<&'a HostName, Result<Sections, String>>;

fn said<'a>(
    frame: &Frame,
    input: BackupInput<'_>,
    answers: &Answers,
    hosts: Vec<&'a HostName>,
) -> Said<'a> {
    let of = |host: &HostName| match answers.get(host) {
        Some(Ok(text)) => {
            let sections = frame.sections(text);
            let whole = sections.get("end").is_some();
            whole
                .then_some(sections)
                .ok_or_else(|| "its answer is not whole".to_owned())
        }
        Some(Err(why)) => Err(why.clone()),
        None => Err(input
            .look
            .unreachable
            .get(host)
            .cloned()
            .unwrap_or_else(|| "it was not asked".to_owned())),
    };
    hosts.into_iter().map(|host| (host, of(host))).collect()
}

fn line(sections: &Sections, name: &str) -> String {
    let text = sections.get(name).unwrap_or_default();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.next_back().unwrap_or_default().to_owned()
}

/// Whether all hosts say the same.
fn equal(cluster: &str, what: &'static str, section: &str, hosts: &Said<'_>) -> Finding {
    let mut by_answer = BTreeMap::<String, Vec<&str>>::new();
    for (host, said) in hosts {
        match said {
            Err(why) => {
                return Finding::new(cluster, what, Proof::Unknown, format!("{host}: {why}"));
            }
            Ok(sections) => by_answer
                .entry(line(sections, section))
                .or_default()
                .push(host.as_str()),
        }
    }
    let empty = by_answer.get("").map(|hosts| hosts.join(", "));
    if let Some(hosts) = empty {
        let words = format!("{hosts}: no {what} of pgBackRest was found");
        return Finding::new(cluster, what, Proof::Unknown, words);
    }
    match by_answer.len() {
        1 => {
            let same: BTreeSet<&String> = by_answer.keys().collect();
            let shown = same.first().filter(|_| section == "version");
            let shown = shown.map(|text| format!(": {text}")).unwrap_or_default();
            Finding::new(
                cluster,
                what,
                Proof::Holds,
                format!("equal on {} hosts{shown}", hosts.len()),
            )
        }
        _ => {
            let parts: Vec<String> = by_answer
                .iter()
                .map(|(answer, hosts)| format!("{} on {}", short(answer), hosts.join(", ")))
                .collect();
            let words = format!(
                "differs: {}; `citusctl apply` makes it equal",
                parts.join("; ")
            );
            Finding::new(cluster, what, Proof::Fails, words)
        }
    }
}

/// A digest in few letters, a version as it is.
fn short(answer: &str) -> &str {
    match answer.len() {
        64 => &answer[..8],
        _ => answer,
    }
}

fn of_leader(look: &GroupLook<'_>, said: Option<&Sections>) -> Vec<Finding> {
    let (cluster, leader) = (look.group.cluster.as_str(), &look.leader);
    let identity = format!(
        "its repository is of this database (system identifier {})",
        look.stanza.server
    );
    let identity = Finding::new(cluster, "identity", Proof::Holds, identity);
    let Some(said) = said else {
        let words = format!("{leader}: it did not answer");
        return vec![
            identity,
            Finding::new(cluster, "archive", Proof::Unknown, words),
        ];
    };
    let own = match said.get("checked 0") {
        Some(_) => Finding::new(
            cluster,
            "pgbackrest check",
            Proof::Holds,
            format!("passed on {leader}"),
        ),
        None => Finding::new(
            cluster,
            "pgbackrest check",
            Proof::Fails,
            format!("{leader}: {}", words_of(said)),
        ),
    };
    vec![identity, own, segment(cluster, leader, said)]
}

/// pgBackRest's error, without the time before it.
fn words_of(said: &Sections) -> String {
    let text = said.get("check").unwrap_or_default();
    let error = text.lines().find_map(|line| {
        line.split_once("ERROR: ")
            .map(|(_, words)| words.trim().to_owned())
    });
    error.unwrap_or_else(|| match line(said, "check") {
        silent if silent.is_empty() => "`pgbackrest check` did not end within 90 s".to_owned(),
        last => last,
    })
}

fn segment(cluster: &str, leader: &HostName, said: &Sections) -> Finding {
    let text = said.get("segment").unwrap_or_default();
    let wal = text
        .lines()
        .map(str::trim)
        .find(|line| line.len() == 24)
        .unwrap_or("(unnamed)");
    let finding = |proof, words: String| Finding::new(cluster, "archive", proof, words);
    let has = |name: &str| said.get(name).is_some();
    match (
        has("equal"),
        has("differs"),
        has("uncompared"),
        has("absent"),
    ) {
        (true, ..) => finding(
            Proof::Holds,
            format!("segment {wal} was archived, read back, and is equal"),
        ),
        (_, true, ..) => finding(
            Proof::Fails,
            format!("{leader}: segment {wal} in the repository is not what was written"),
        ),
        (_, _, true, _) => finding(
            Proof::Unknown,
            format!("{leader}: segment {wal} is not in pg_wal any more: it could not be compared"),
        ),
        (.., true) => finding(
            Proof::Fails,
            format!(
                "{leader}: segment {wal} could not be read back within 60 s: {}",
                line(said, "segment")
            ),
        ),
        _ => finding(
            Proof::Unknown,
            format!("{leader}: it does not say whether segment {wal} was archived"),
        ),
    }
}
