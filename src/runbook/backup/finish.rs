//! `restore finish`: a restore is taken for good, and what it put aside is told, or deleted.

use super::kept::NotePhase;
use super::{BackupInput, MemberLook};
use crate::command::given;
use crate::model::Formation;
use crate::names::HostName;
use crate::resource::Impact;
use crate::runbook::{Consent, Refusal, Runbook, Script, Step};
use std::collections::BTreeMap;

const CLOSE: &str = include_str!("scripts/finish.sh");
const DELETE: &str = include_str!("scripts/finish-delete.sh");

const CLOSED: &str = "for dir in /var/lib/citusctl/restore/*@done; do [ ! -d \"$dir\" ] || { echo \"$dir is not closed\"; exit 1; }; done";
const DELETED: &str = "printf '%s\\n' \"$PATHS\" | while read -r path; do [ ! -e \"$path\" ] || { echo \"$path is there\"; exit 1; }; done";

/// Plans the end of restores that are done.
///
/// # Errors
/// A restore is open, or a group does not lead and stream as it should: then old data may still be needed.
pub fn plan_finish(input: BackupInput<'_>, delete: bool) -> Result<Runbook, Refusal> {
    let formation = input.formation()?;
    sound(&input, formation)?;
    let old = old_data(&input);
    let mut seen: Vec<String> = old.iter().flat_map(|(_, lines)| lines.clone()).collect();
    if old.is_empty() {
        seen.push("no old data was found".to_owned());
    }
    let away = input.look.unreachable.iter();
    seen.extend(away.map(|(host, why)| format!("{host}: what it has kept is not known: {why}")));
    let deletes = delete && !old.is_empty();
    if !deletes && !old.is_empty() {
        seen.push("`--delete-old-data` deletes it".to_owned());
    }
    let done = done(&input);
    let mut steps = Vec::new();
    if !done.is_empty() {
        let scripts = done
            .into_iter()
            .map(|host| (host, Script::new(CLOSE, CLOSED)));
        steps.push(Step::on_all(
            scripts.collect(),
            "close",
            "close what is done: `restore undo` is over",
        ));
    }
    if deletes {
        steps.push(deletion(&input));
    }
    Ok(Runbook {
        name: "restore-finish",
        aim: format!("{} stays as it was restored", formation.name),
        subject: formation.name.to_string(),
        seen,
        risks: match deletes {
            true => vec!["old data is deleted, and nothing brings it back".to_owned()],
            false => Vec::new(),
        },
        consent: match deletes {
            true => Consent::Name,
            false => Consent::Yes,
        },
        steps,
        afterwards: match deletes || old.is_empty() {
            true => Vec::new(),
            false => vec![
                "old data is still there: `citusctl restore finish --delete-old-data` deletes it"
                    .to_owned(),
            ],
        },
        prelude: input.preludes(input.model.hosts.keys().cloned()),
    })
}

/// Old data is the last resort until all members of all groups run again.
fn sound(input: &BackupInput<'_>, formation: &Formation) -> Result<(), Refusal> {
    let looks = input.look.hosts.iter();
    if let Some((host, point)) = looks
        .filter_map(|(host, look)| Some((host, look.open.as_ref()?)))
        .next()
    {
        return Err(Refusal::new(
            format!("{host}: the restore to `{point}` is open"),
            format!("run `citusctl restore --point {point}` again, or `citusctl restore undo`"),
        ));
    }
    for group in &formation.groups {
        let seen = |host: &HostName| input.look.hosts.get(host);
        let hosts = group.members.iter().map(|member| &member.host);
        let leading = hosts
            .clone()
            .filter(|host| seen(host).is_some_and(|it| it.leads));
        let count = leading.count();
        if count != 1 {
            return Err(Refusal::new(
                format!("{}: {count} members take writes", group.cluster),
                "old data may still be needed: `citusctl status` says how the group is",
            ));
        }
        if let Some(host) = hosts
            .clone()
            .find(|host| seen(host).is_some_and(|it| !it.up))
        {
            return Err(Refusal::new(
                format!("{host}: its PostgreSQL does not answer"),
                "old data may still be needed: `citusctl status` says how it is",
            ));
        }
    }
    Ok(())
}

fn done(input: &BackupInput<'_>) -> Vec<HostName> {
    let is_done = |look: &MemberLook| look.notes.iter().any(|it| it.phase == NotePhase::Done);
    let hosts = input.look.hosts.iter().filter(|(_, look)| is_done(look));
    hosts.map(|(host, _)| host.clone()).collect()
}

/// What is kept, by host, in words.
fn old_data(input: &BackupInput<'_>) -> Vec<(HostName, Vec<String>)> {
    let hosts = input.look.hosts.iter().map(|(host, look)| {
        let aside = look.kept.iter().filter(|data| data.aside());
        let lines = aside.map(|data| match data.size {
            Some(size) => format!("{host}: {}, {} MB", data.path, size / 1024),
            None => format!("{host}: {}, of unknown size", data.path),
        });
        (host.clone(), lines.collect::<Vec<_>>())
    });
    hosts.filter(|(_, lines)| !lines.is_empty()).collect()
}

fn deletion(input: &BackupInput<'_>) -> Step {
    let hosts = input.look.hosts.iter().map(|(host, look)| {
        let aside = look.kept.iter().filter(|data| data.aside());
        let paths: Vec<&str> = aside.map(|data| data.path.as_str()).collect();
        (host, paths)
    });
    let scripts: BTreeMap<HostName, Script> = hosts
        .filter(|(_, paths)| !paths.is_empty())
        .map(|(host, paths)| {
            let paths = paths.join("\n");
            let values = [("PATHS", paths.as_str())];
            (
                host.clone(),
                Script::new(given(&values, DELETE), given(&values, DELETED)),
            )
        })
        .collect();
    Step::on_all(scripts, "delete", "delete old data")
        .within(3600)
        .with_impact(Impact::Destroys)
}
