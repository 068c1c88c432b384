//! All groups of a formation back to one point, in place.
//!
//! An instance that stands at its target is never given to Patroni as it is: PostgreSQL has fetched segments beyond the target
//! already and would replay them. So each group is recovered and promoted privately, the record at which it stopped is proved
//! from its timeline's history, and only when all groups have come so far are they handed over. Old data is put aside.

mod progress;
mod steps;

use super::kept::NotePhase;
use super::majority::etcd_majority;
use super::point::{PointGroup, RestorePoint};
use super::reach::way_to;
use super::rejoin::rejoin;
use super::steps::Way;
use super::{BackupInput, MemberLook, on_the_way};
use crate::fact::BackupSet;
use crate::model::{Formation, Group};
use crate::names::HostName;
use crate::runbook::{Consent, Refusal, Runbook};
use progress::Progress;
use steps::Plan;
pub(super) use steps::etcd;
use time::OffsetDateTime;

/// To where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestoreTarget {
    Point(String),
    /// The newest point that is complete.
    Latest,
    /// The newest point that is not later, in seconds since 1970.
    Time(i64),
}

/// One group and how it gets there.
struct Returning<'a> {
    group: &'a Group,
    host: HostName,
    at: &'a PointGroup,
    set: BackupSet,
    /// Whether no member had data.
    fresh: bool,
    /// Whether it leads already, as a clone of a member that is gone since.
    led: bool,
}

/// Plans the restore.
///
/// # Errors
/// No such point, a group without it, a member that cannot be reached, no room, a backup or a segment that is missing.
pub fn plan_restore(input: BackupInput<'_>, target: &RestoreTarget) -> Result<Runbook, Refusal> {
    let formation = input.formation()?;
    let point = choose(&input, formation, target)?;
    if let Some(planned) = rejoin(input, formation) {
        return planned;
    }
    all_there(&input, formation)?;
    etcd_majority(&input)?;
    if progress::closing(input, &point.name) {
        return closing(input, formation, &point.name);
    }
    known_history(&input, formation, target)?;
    let groups: Result<Vec<_>, _> = formation
        .groups
        .iter()
        .map(|group| returning(&input, group, point))
        .collect();
    let groups = groups?;
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let mut seen = vec![format!(
        "point `{}`, made {} s ago",
        point.name,
        now - point.at
    )];
    seen.extend(groups.iter().map(|it| {
        format!(
            "{}: {} is restored from backup {} and recovers to {} on timeline {}",
            it.group.cluster, it.host, it.set.label, it.at.lsn, it.at.timeline
        )
    }));
    let progress = Progress {
        input,
        formation,
        point: &point.name,
        groups: &groups,
    };
    seen.extend(progress.left());
    let way = Way {
        input,
        formation,
        point: &point.name,
    };
    let plan = Plan {
        way,
        groups: &groups,
    };
    let steps = plan.steps()?.into_iter().map(|step| progress.told(step));
    let steps = steps.collect();
    let opened = progress.opened();
    if opened {
        seen.push("an earlier run has put all groups back to the point and given them to Patroni: what was written since then stays".to_owned());
    }
    Ok(Runbook {
        name: "restore",
        aim: format!("{} as it was at the point `{}`", formation.name, point.name),
        subject: formation.name.to_string(),
        seen,
        risks: if opened {
            Vec::new()
        } else {
            risks(now - point.at)
        },
        consent: if opened { Consent::Yes } else { Consent::Name },
        steps,
        afterwards: afterwards(point, &groups),
        prelude: input.preludes(input.model.hosts.keys().cloned()),
    })
}

/// What is left where a run was killed while it was closing.
fn closing(input: BackupInput<'_>, formation: &Formation, point: &str) -> Result<Runbook, Refusal> {
    let way = Way {
        input,
        formation,
        point,
    };
    Ok(Runbook {
        name: "restore",
        aim: format!(
            "close the restore of {} to the point `{point}`",
            formation.name
        ),
        subject: formation.name.to_string(),
        seen: vec![
            "all groups are back at the point, and some hosts have closed the restore".to_owned(),
        ],
        risks: Vec::new(),
        consent: Consent::Yes,
        steps: vec![steps::closed(way)?],
        afterwards: Vec::new(),
        prelude: input.preludes(input.model.hosts.keys().cloned()),
    })
}

fn risks(age: i64) -> Vec<String> {
    vec![
        format!("everything that was written since then is lost: {age} s, and what is written until the stop"),
        "no reads and no writes from the stop until each group has a leader: the time of a restart and of two renames; the backup is restored and proved before that, while the formation runs".to_owned(),
        "roles, passwords and databases are as they were then: `citusctl apply` afterwards makes them as the inventory says".to_owned(),
        "unlogged tables are empty, logical replication slots are gone: subscribers begin again".to_owned(),
    ]
}

/// Of a group without data only its repository knows which history was the last one.
fn known_history(
    input: &BackupInput<'_>,
    formation: &Formation,
    target: &RestoreTarget,
) -> Result<(), Refusal> {
    let unknown = |group: &&Group| {
        let hosts = group.members.iter().map(|member| &member.host);
        let mut looks = hosts.filter_map(|host| input.look.hosts.get(host));
        looks.all(|look| look.is_bare() && look.timelines.is_none())
    };
    let by_name = matches!(target, RestoreTarget::Point(_));
    match formation.groups.iter().find(unknown).filter(|_| !by_name) {
        None => Ok(()),
        Some(group) => Err(Refusal::new(
            format!(
                "{}: its repository does not say which history was its last: the newest point may be of one that was left",
                group.cluster
            ),
            "name the point: `citusctl restore --point NAME`",
        )),
    }
}

fn afterwards(point: &RestorePoint, groups: &[Returning<'_>]) -> Vec<String> {
    let proof = "`citusctl apply`, then `citusctl verify --write`".to_owned();
    match groups.iter().all(|it| it.fresh) {
        true => vec![proof],
        false => vec![
            format!(
                "old data is kept beside each data directory as `*.before-{}`: `citusctl restore undo` puts it back, `citusctl restore finish --delete-old-data` deletes it",
                point.name
            ),
            proof,
        ],
    }
}

pub(super) fn choose<'a>(
    input: &BackupInput<'a>,
    formation: &Formation,
    target: &RestoreTarget,
) -> Result<&'a RestorePoint, Refusal> {
    let points = input.look.points();
    let points = points
        .into_iter()
        .filter(|point| point.formation == formation.name.as_str());
    let points: Vec<&RestorePoint> = points.collect();
    let hint =
        "`citusctl backup list` shows the points that there are, `citusctl backup point` makes one";
    // What an earlier restore has left is returned to by name alone.
    let mut present = points.iter().rev();
    let found = match target {
        RestoreTarget::Point(name) => points.iter().find(|point| point.name == *name),
        RestoreTarget::Latest => present.find(|point| on_the_way(input.model, input.look, point)),
        RestoreTarget::Time(at) => {
            present.find(|point| point.at <= *at && on_the_way(input.model, input.look, point))
        }
    };
    let point = found.ok_or_else(|| match target {
        RestoreTarget::Point(name) => Refusal::new(
            format!("{}: no host knows a point `{name}`", formation.name),
            hint,
        ),
        RestoreTarget::Latest => Refusal::new(
            format!(
                "{}: no host knows a point of its present history",
                formation.name
            ),
            hint,
        ),
        RestoreTarget::Time(_) => Refusal::new(
            format!(
                "{}: no host knows a point of its present history that is not later",
                formation.name
            ),
            hint,
        ),
    })?;
    let lacks = formation
        .groups
        .iter()
        .find(|group| point.group(group.cluster.as_str()).is_none());
    match lacks {
        None => Ok(point),
        Some(group) => Err(Refusal::new(
            format!(
                "{}: it is not in the point `{}`: it joined later, and cannot return to it",
                group.cluster, point.name
            ),
            hint,
        )),
    }
}

/// A member that comes back in the middle with old data must not be missed.
pub(super) fn all_there(input: &BackupInput<'_>, formation: &Formation) -> Result<(), Refusal> {
    let back = "it would come back with its old data";
    input.all_there(formation, "restore", back)?;
    for member in formation.members() {
        let host = &member.host;
        // What the point itself brought is no reason to stop in the middle.
        let look = input
            .look
            .hosts
            .get(host)
            .filter(|look| look.open.is_none());
        if let Some(what) = look.and_then(|look| look.elsewhere.first()) {
            return Err(Refusal::new(
                format!(
                    "{host}: {what} outside of the data directory: a restore of that is not built"
                ),
                "restore this group by hand with pgBackRest (docs/backup.md)",
            ));
        }
    }
    Ok(())
}

fn returning<'a>(
    input: &BackupInput<'a>,
    group: &'a Group,
    point: &'a RestorePoint,
) -> Result<Returning<'a>, Refusal> {
    input.repository(group)?;
    let cluster = &group.cluster;
    let looks = group
        .members
        .iter()
        .filter_map(|member| Some((&member.host, input.look.hosts.get(&member.host)?)));
    let looks: Vec<_> = looks.collect();
    for (host, look) in &looks {
        if look.open.as_ref().is_some_and(|open| *open != point.name) {
            return Err(Refusal::new(
                format!(
                    "{host}: a restore to `{}` is open",
                    look.open.clone().unwrap_or_default()
                ),
                "run that one again: it goes on where it stopped; or `citusctl restore undo` puts the old data back",
            ));
        }
        if look.undoing(&point.name) {
            return Err(Refusal::new(
                format!("{host}: the restore to `{}` is being undone", point.name),
                "run `citusctl restore undo` again: it goes on where it stopped",
            ));
        }
    }
    let find = |fits: &dyn Fn(&MemberLook) -> bool| looks.iter().find(|(_, look)| fits(look));
    let primary = group.primary().map(|member| &member.host);
    let primary = looks.iter().find(|(host, _)| Some(*host) == primary);
    let host = find(&|look| look.chosen_for(&point.name))
        .or_else(|| find(&|look| look.leads))
        .or_else(|| find(&|look| look.repository.is_some() && !look.is_bare()))
        .or_else(|| primary.filter(|(_, look)| look.repository.is_some()))
        .or_else(|| find(&|look| look.repository.is_some()));
    let (host, look) = host.ok_or_else(|| {
        Refusal::new(
            format!("{cluster}: no member says what its repository holds"),
            "`citusctl status` says more",
        )
    })?;
    let at = point.group(cluster.as_str()).ok_or_else(|| {
        Refusal::new(
            format!("{cluster}: it is not in the point"),
            "choose another",
        )
    })?;
    // A directory without data, emptied by an interrupted run or lost, says nothing of its system.
    let stanza = match look.open.is_some() || look.is_empty() {
        true => input.look.opened(group, host)?,
        false => input.look.stanza(group, host)?,
    };
    let set = way_to(&stanza, look.segments.as_ref(), at, &point.name)?;
    // Only where there is a way back: this may be the last copy.
    for (host, look) in &looks {
        if let (Some(old), None) = (look.before(&point.name), &look.open) {
            let is_done = look
                .note(&point.name)
                .is_some_and(|it| it.phase == NotePhase::Done);
            let done = if is_done { ", which is done" } else { "" };
            return Err(Refusal::new(
                format!(
                    "{host}: {} is there from an earlier restore to this point{done}",
                    old.path
                ),
                "`citusctl restore undo` puts it back, `citusctl restore finish --delete-old-data` deletes it",
            ));
        }
    }
    let need = set.size / 1024 + set.size / 10_240;
    let copied = look.copy(&point.name).is_some() || look.before(&point.name).is_some();
    if let Some(free) = look.free.filter(|free| *free < need && !copied) {
        return Err(Refusal::new(
            format!(
                "{host}: {} MB are free beside its data, {} MB are needed: old data is kept",
                free / 1024,
                need / 1024
            ),
            "make room on that file system",
        ));
    }
    Ok(Returning {
        group,
        host: (*host).clone(),
        at,
        set,
        led: look.leads && look.followed(&point.name),
        fresh: looks.iter().all(|(_, look)| look.is_bare()) || look.was_empty(&point.name),
    })
}
