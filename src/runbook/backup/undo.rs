//! `restore undo`: the data that a restore put aside goes back in its place, on all members of all groups.
//!
//! What the restore made is put aside in its turn, and never deleted. The old history goes on under a timeline of its own:
//! the numbers that the restored one has used are in the repository already.

mod copies;
mod steps;

use super::kept::{NotePhase, Position};
use super::rejoin::rejoin;
use super::steps::Way;
use super::{BackupInput, MemberLook};
use crate::model::{Formation, Group};
use crate::names::HostName;
use crate::runbook::{Consent, Refusal, Runbook};
use std::collections::BTreeSet;
use steps::Plan;

/// One group and the member whose old data took writes last.
struct Old<'a> {
    group: &'a Group,
    host: HostName,
    /// What is said of its data.
    seen: String,
    /// Its system identifier, as the point knows it.
    system: Option<String>,
    /// What was written since; `None`: nobody could write.
    since: Option<String>,
}

/// Plans the way back from a restore.
///
/// # Errors
/// No restore to undo, a member that cannot be reached, old data that is not there.
pub fn plan_undo(input: BackupInput<'_>) -> Result<Runbook, Refusal> {
    let formation = input.formation()?;
    if let (false, Some(book)) = (open(&input, formation), copies::removal(input, formation)) {
        return Ok(book);
    }
    if let Some(planned) = rejoin(input, formation) {
        return planned;
    }
    let point = which(&input, formation)?;
    all_there(&input, formation, &point)?;
    let groups: Result<Vec<Old<'_>>, Refusal> = formation
        .groups
        .iter()
        .map(|group| old(&input, group, &point))
        .collect();
    let groups = groups?;
    let mut seen = vec![match open(&input, formation) {
        true => format!("the restore to the point `{point}` is open"),
        false => format!("the restore to the point `{point}` was done, and is not finished"),
    }];
    seen.extend(groups.iter().map(|it| it.seen.clone()));
    seen.extend(cloned(&input, formation, &point));
    let written: Vec<String> = groups.iter().filter_map(|it| it.since.clone()).collect();
    let consent = match written.is_empty() {
        true => Consent::Yes,
        false => Consent::Name,
    };
    let mut risks = written;
    risks.push("the formation takes no reads and no writes until it is done".to_owned());
    Ok(Runbook {
        name: "restore-undo",
        aim: format!(
            "{} as it was before the restore to `{point}`",
            formation.name
        ),
        subject: formation.name.to_string(),
        seen,
        risks,
        consent,
        steps: Plan {
            way: Way {
                input,
                formation,
                point: &point,
            },
            groups: &groups,
        }
        .steps(),
        afterwards: vec![
            format!(
                "what the restore made is kept beside each data directory as `*.after-{point}`: `citusctl restore finish --delete-old-data` deletes it"
            ),
            "`citusctl apply`, then `citusctl verify --write`".to_owned(),
        ],
        prelude: input.preludes(input.model.hosts.keys().cloned()),
    })
}

/// Looks of the members that answered.
fn looks<'a>(
    input: &BackupInput<'a>,
    formation: &'a Formation,
) -> impl Iterator<Item = (&'a HostName, &'a MemberLook)> {
    let seen = &input.look.hosts;
    let members = formation.members().map(|member| &member.host);
    members.filter_map(|host| Some((host, seen.get(host)?)))
}

fn open(input: &BackupInput<'_>, formation: &Formation) -> bool {
    looks(input, formation).any(|(_, look)| look.open.is_some())
}

/// The point of the restore that is open, or of the last one that is done.
fn which(input: &BackupInput<'_>, formation: &Formation) -> Result<String, Refusal> {
    let open: BTreeSet<&String> = looks(input, formation)
        .filter_map(|(_, look)| look.open.as_ref())
        .collect();
    match open.iter().collect::<Vec<_>>().as_slice() {
        [] => {}
        [one] => return Ok((**one).clone()),
        [one, other, ..] => {
            return Err(Refusal::new(
                format!(
                    "{}: restores to `{one}` and to `{other}` are open",
                    formation.name
                ),
                "look at /etc/citusctl/restore on its hosts, and remove the one that is wrong",
            ));
        }
    }
    let done = looks(input, formation)
        .flat_map(|(_, look)| &look.notes)
        .filter(|note| note.phase == NotePhase::Done);
    let last = done.max_by_key(|note| note.at);
    last.map(|note| note.point.clone()).ok_or_else(|| {
        Refusal::new(
            format!(
                "{}: no restore is open, and none is done and not finished",
                formation.name
            ),
            "`citusctl backup list` shows the points to which it can return",
        )
    })
}

/// A member that is away would come back with the restored history.
fn all_there(input: &BackupInput<'_>, formation: &Formation, point: &str) -> Result<(), Refusal> {
    let back = "what it has would meet the old history when it is back";
    input.all_there(formation, "restore undo", back)?;
    for (host, look) in looks(input, formation) {
        if let (Some(after), false) = (look.after(point), look.undoing(point)) {
            return Err(Refusal::new(
                format!(
                    "{host}: {path} is there from an earlier `restore undo`, or from when this member came back to the restore",
                    path = after.path
                ),
                format!(
                    "move it away on that host (`mv {path} {path}.kept`). Not by `restore finish`: that ends the restore, and with it what an undo goes back to",
                    path = after.path
                ),
            ));
        }
    }
    Ok(())
}

/// The member of a group whose old data took writes last.
fn old<'a>(input: &BackupInput<'a>, group: &'a Group, point: &str) -> Result<Old<'a>, Refusal> {
    let members = group
        .members
        .iter()
        .filter_map(|member| Some((&member.host, input.look.hosts.get(&member.host)?)));
    let members: Vec<(&HostName, &MemberLook)> = members.collect();
    let find = |standbys: bool| {
        let found = members.iter().filter_map(|(host, look)| {
            let data = old_data(look, point)?;
            // A run before this one has chosen; its server may be on its way to lead by now.
            let chosen = look.chosen_to_go_back(point);
            let at = data.primary().or(chosen.then_some((0, 0)));
            let at = at.or_else(|| data.standby().filter(|_| standbys))?;
            Some(((chosen, at), *host, data))
        });
        found.max_by_key(|(at, _, _)| *at)
    };
    // What took writes last may be gone with its host: then a standby's is the best that there is.
    let lacks = group
        .members
        .iter()
        .filter(|member| input.without.contains(&member.host));
    let lacks: Vec<&str> = lacks.map(|member| member.host.as_str()).collect();
    let own = find(false);
    let lost = own.is_none().then(|| format!(
        "{}: only a standby's old data is left: what {} had acknowledged and not sent to it is lost",
        group.cluster,
        lacks.join(", ")
    ));
    let best = own.or_else(|| find(true).filter(|_| !lacks.is_empty()));
    let Some((_, host, data)) = best else {
        let paths = members.iter().map(|(host, look)| {
            let path = look
                .data()
                .map_or("its data directory", |it| it.path.as_str());
            format!("{host}:{path}.before-{point}")
        });
        return Err(Refusal::new(
            format!(
                "{}: no member has the old data of a server that took writes: looked for {}",
                group.cluster,
                paths.collect::<Vec<_>>().join(", ")
            ),
            "there is nothing to go back to; `citusctl restore` can go to another point",
        ));
    };
    Ok(Old {
        group,
        host: host.clone(),
        seen: format!(
            "{}: {host} has the old data in {}, on timeline {} up to {}",
            group.cluster, data.path, data.timeline, data.lsn
        ),
        system: input
            .look
            .points()
            .into_iter()
            .find(|it| it.name == point)
            .and_then(|it| it.group(group.cluster.as_str()))
            .map(|at| at.system.clone()),
        since: since(group, &members, point)
            .into_iter()
            .chain(lost)
            .reduce(|a, b| format!("{a}; {b}")),
    })
}

/// The old data of a member: put aside, or where it always was because the restore has not come that far.
fn old_data<'a>(look: &'a MemberLook, point: &str) -> Option<&'a super::KeptData> {
    if let Some(before) = look.before(point) {
        return Some(before);
    }
    let opened = look.note(point).is_some_and(|note| note.opened.is_some());
    let placed = look.undoing(point) && look.after(point).is_some();
    (!opened || placed).then(|| look.data()).flatten()
}

/// How far the new history is, in words.
fn since(group: &Group, members: &[(&HostName, &MemberLook)], point: &str) -> Option<String> {
    let cluster = &group.cluster;
    let notes = || members.iter().filter_map(|(_, look)| look.note(point));
    let opened = notes().find(|note| note.chosen && note.opened.is_some())?;
    let began = opened.opened.clone().flatten();
    let leader = members.iter().find(|(_, look)| look.leads);
    let now = leader.and_then(|(_, look)| look.now.clone());
    let far = began
        .zip(now.clone())
        .and_then(|(began, now): (Position, Position)| now.since(&began));
    Some(match (far, now) {
        (Some((bytes, transactions)), Some(now)) => format!(
            "{cluster}: the restored history took writes: it is at {}, {} KB of log and up to {transactions} transactions that wrote since it was opened; they go out of use, and are kept in `*.after-{point}`",
            now.lsn,
            bytes / 1024
        ),
        (None | Some(_), _) => format!(
            "{cluster}: the restored history was open for writes, and how much it took is not known (no member says so now); it goes out of use, and is kept in `*.after-{point}`"
        ),
    })
}

/// Members whose old data is not there.
fn cloned(input: &BackupInput<'_>, formation: &Formation, point: &str) -> Vec<String> {
    let lacks = looks(input, formation).filter(|(_, look)| {
        let data = old_data(look, point);
        data.is_none_or(|data| data.state.is_none())
    });
    lacks
        .map(|(host, _)| format!("{host}: it has no old data, and is cloned from its leader"))
        .collect()
}
