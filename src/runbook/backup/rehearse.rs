//! A restore in a lab: what of the repository is copied, and how the empty formation there takes its place.
//!
//! Nothing goes from the lab to where the backup came from: the lab has a network of its own without a way out, and it gets a copy of
//! the backup and the log, never a way to the repository.

use super::reach::way_to;
use super::restore::choose;
use super::survey::POINTS;
use super::{BackupInput, Reach, RestorePoint, RestoreTarget, reach};
use crate::command::{given, quote, whole_program};
use crate::model::backup::{self, RepositoryPlace, stanza};
use crate::model::{Group, Model};
use crate::names::HostName;
use crate::runbook::{Refusal, host_functions};
use crate::secret::Secret;
use std::collections::{BTreeMap, BTreeSet};

const COPY: &str = include_str!("scripts/copy.sh");
const SWAP: &str = include_str!("scripts/rehearse-swap.sh");
const SEED: &str = include_str!("scripts/rehearse-seed.sh");

/// What is copied, and to where it leads.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    pub point: RestorePoint,
    pub formation: String,
    pub groups: Vec<RehearsedGroup>,
}

/// One group's part.
#[derive(Clone, Debug)]
pub struct RehearsedGroup {
    pub cluster: String,
    pub stanza: String,
    /// The member on which it is restored.
    pub member: HostName,
    /// The host that keeps the repository, at home and in the lab.
    pub keeper: HostName,
    pub path: String,
    /// Label of the backup.
    pub set: String,
    /// Bytes of the database.
    pub size: u64,
    from: String,
    to: String,
}

/// Chooses the point and the backups.
///
/// # Errors
/// No such point, no backup before it, a repository that cannot be copied.
pub fn plan_rehearsal(
    input: BackupInput<'_>,
    target: &RestoreTarget,
) -> Result<Rehearsal, Refusal> {
    let formation = input.formation()?;
    let point = choose(&input, formation, target)?;
    let groups: Result<Vec<_>, _> = formation
        .groups
        .iter()
        .map(|group| rehearsed(input, group, point))
        .collect();
    let groups = groups?;
    // What is not known is found out there.
    if let Reach::No(why) = reach(input.model, input.look, point) {
        return Err(Refusal::new(
            format!("there is no way back to the point `{}`: {why}", point.name),
            "choose another point: `citusctl backup list`",
        ));
    }
    Ok(Rehearsal {
        point: point.clone(),
        formation: formation.name.to_string(),
        groups,
    })
}

fn rehearsed(
    input: BackupInput<'_>,
    group: &Group,
    point: &RestorePoint,
) -> Result<RehearsedGroup, Refusal> {
    let cluster = &group.cluster;
    let look = input.look.group(group)?;
    let (keeper, path) = keeper(input, group)?;
    let at = point.group(cluster.as_str()).ok_or_else(|| {
        Refusal::new(
            format!("{cluster}: it is not in the point `{}`", point.name),
            "choose another point: `citusctl backup list`",
        )
    })?;
    let held = input.look.hosts.get(&look.leader);
    let segments = held.and_then(|seen| seen.segments.as_ref());
    let set = way_to(&look.stanza, segments, at, &point.name)?;
    let number = |name: &str| name.get(8..24).unwrap_or_default().to_owned();
    let member = group.primary().or(group.members.first());
    let member = member
        .map(|member| member.host.clone())
        .unwrap_or(look.leader);
    Ok(RehearsedGroup {
        cluster: cluster.to_string(),
        stanza: stanza(cluster),
        member,
        keeper,
        path,
        set: set.label.clone(),
        size: set.size,
        from: number(&set.wal_start),
        to: number(&at.wal),
    })
}

/// The host with the files, and where they are.
fn keeper(input: BackupInput<'_>, group: &Group) -> Result<(HostName, String), Refusal> {
    let repository = input.repository(group)?;
    let name = &repository.name;
    let cannot = |what: &str| {
        Refusal::new(
            format!(
                "{}: repository `{name}` is {what}: a copy of that into a lab is not built",
                group.cluster
            ),
            "rehearse it by hand on machines of their own, which reach nothing of the formation (docs/backup.md)",
        )
    };
    let host = match &repository.place {
        RepositoryPlace::S3 { .. } => return Err(cannot("an S3 store")),
        RepositoryPlace::Directory { shared: true, .. } => {
            return Err(cannot("a shared file system"));
        }
        RepositoryPlace::Directory {
            path,
            shared: false,
        } => {
            let member = group
                .members
                .first()
                .map(|member| (member.host.clone(), path.clone()));
            return member.ok_or_else(|| cannot("on no host"));
        }
        RepositoryPlace::Host { host, .. } => backup::repository_host(input.model, host),
    };
    let host = host.ok_or_else(|| cannot("on a host outside of the inventory"))?;
    match &repository.place {
        RepositoryPlace::Host { path, .. } if input.look.hosts.contains_key(&host.name) => {
            Ok((host.name.clone(), path.clone()))
        }
        RepositoryPlace::Host { .. }
        | RepositoryPlace::Directory { .. }
        | RepositoryPlace::S3 { .. } => {
            let why = input
                .look
                .unreachable
                .get(&host.name)
                .map_or("it did not answer", String::as_str);
            Err(Refusal::new(
                format!("{}: {why}: its repository cannot be copied", host.name),
                "bring the repository host up",
            ))
        }
    }
}

impl RehearsedGroup {
    /// The program that sends it, as lines of text.
    pub fn copy(&self) -> Secret {
        let values = [
            ("REPO", self.path.as_str()),
            ("STANZA", &self.stanza),
            ("SET", &self.set),
            ("BEGINS", &self.from),
            ("ENDS", &self.to),
        ];
        whole_program(&given(&values, COPY))
    }

    /// The shell line that takes it on the lab's host.
    pub fn take(&self) -> String {
        let repo = quote(&self.path);
        let owner = format!(
            "setpriv --reuid $(stat -c %U {repo}) --regid $(stat -c %G {repo}) --init-groups"
        );
        format!(
            "set -o pipefail; cd {repo} && {owner} mkdir -p .copy && base64 -d | {owner} tar -xf - -C .copy"
        )
    }
}

impl Rehearsal {
    /// The programs that put the copy in its place, on the lab's repositories.
    pub fn swap(&self) -> BTreeMap<HostName, Secret> {
        let mut keepers = BTreeMap::<HostName, (String, BTreeSet<&str>)>::new();
        for group in &self.groups {
            let keeper = keepers
                .entry(group.keeper.clone())
                .or_insert_with(|| (group.path.clone(), BTreeSet::new()));
            keeper.1.insert(&group.stanza);
        }
        let program = |(host, (path, stanzas)): (HostName, (String, BTreeSet<&str>))| {
            let stanzas = stanzas.into_iter().collect::<Vec<_>>().join(" ");
            let text = given(&[("REPO", path.as_str()), ("STANZAS", &stanzas)], SWAP);
            (host, whole_program(&format!("set -e\n{text}")))
        };
        keepers.into_iter().map(program).collect()
    }

    /// The programs that let `restore` go on in the lab, on its members.
    pub fn seed(&self, model: &Model) -> BTreeMap<HostName, Secret> {
        let line = serde_json::to_string(&self.point).unwrap_or_default();
        let members = model
            .instances()
            .filter_map(|member| model.hosts.get(&member.host));
        let program = |host: &crate::model::Host| {
            let chosen = self.groups.iter().any(|group| group.member == host.name);
            let values = [
                ("POINT", self.point.name.as_str()),
                ("LINE", &line),
                ("POINTS", POINTS),
                ("CHOSEN", if chosen { "yes" } else { "" }),
            ];
            let functions = host_functions(model, host);
            whole_program(&format!(
                "{}\nset -e\n{}",
                functions.expose(),
                given(&values, SEED)
            ))
        };
        members
            .map(|host| (host.name.clone(), Secret::new(program(host).expose())))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    /// The files of a repository that a copy takes.
    fn copied(group: &RehearsedGroup) -> BTreeSet<String> {
        let program = format!("{}\n", group.copy().expose());
        let list = format!("sh | base64 -d | tar -tf - # {}", group.path);
        let mut child = Command::new("sh")
            .args(["-c", &list])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut stdin = child.stdin.take().expect("its input");
        std::io::Write::write_all(&mut stdin, program.as_bytes()).expect("written");
        drop(stdin);
        let output = child.wait_with_output().expect("its output");
        let text = String::from_utf8(output.stdout).expect("text");
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn only_what_leads_to_the_point_is_copied() {
        let dir = tempfile::tempdir().expect("a directory");
        let wal = "archive/pg-a/17-1/0000000100000000/";
        let sum = "-f019607469636df124e90802d17d0cdc66007afa.zst";
        let files = [
            "backup/pg-a/backup.info".to_owned(),
            "backup/pg-a/20261130-100000F/backup.manifest".to_owned(),
            "backup/pg-a/20261130-100000F_20261130-110000I/pg_data/x".to_owned(),
            "backup/pg-a/20261130-100000F_20261130-120000I/pg_data/later".to_owned(),
            "backup/pg-a/20261129-100000F/older".to_owned(),
            "backup/pg-b/backup.info".to_owned(),
            "archive/pg-a/archive.info".to_owned(),
            "archive/pg-a/17-1/00000002.history".to_owned(),
            format!("{wal}000000010000000000000004{sum}"),
            format!("{wal}000000010000000000000005{sum}"),
            format!("{wal}00000001000000000000000A{sum}"),
            format!("{wal}00000001000000000000000B{sum}"),
        ];
        for file in &files {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().expect("a directory")).expect("made");
            std::fs::write(&path, file).expect("written");
        }
        let group = RehearsedGroup {
            cluster: "pg-a".to_owned(),
            stanza: "pg-a".to_owned(),
            member: HostName::new("a"),
            keeper: HostName::new("k"),
            path: dir.path().display().to_string(),
            set: "20261130-100000F_20261130-110000I".to_owned(),
            size: 1,
            from: "0000000000000005".to_owned(),
            to: "000000000000000A".to_owned(),
        };
        let wanted: BTreeSet<String> = [0, 1, 2, 6, 7, 9, 10]
            .iter()
            .filter_map(|at| files.get(*at).cloned())
            .collect();
        assert_eq!(copied(&group), wanted);
    }
}
