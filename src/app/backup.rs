//! `backup`: backups of groups, points to which a formation can return, and what there is.

mod inspect;

pub use inspect::{Inspection, expire, inspect};

use super::failure::{Failure, code, pretty, result, say};
use super::options::Options;
use super::project::Project;
use super::runbook::{Approval, close, consent, show};
use super::session::Session;
use crate::engine::{self, EngineError, Run};
use crate::event::{Kind, Outcome};
use crate::model::Group;
use crate::model::backup::{self, Backups, RepositoryPlace};
use crate::names::HostName;
use crate::runbook::backup::{
    BackupInput, BackupKind, BackupLook, Reach, RestorePoint, look_program, made_program,
    plan_backup, plan_point, plan_record, reach as way_back, read_look, read_made,
};
use crate::ui::backup_list::{Listing, listing};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// A backup that is asked for.
#[derive(Clone, Debug)]
pub struct BackupRequest {
    /// Only these groups; none: all of them, and then a point.
    pub groups: Vec<String>,
    pub kind: BackupKind,
    pub approval: Approval,
}

static NOBODY: BTreeSet<HostName> = BTreeSet::new();
const LOOK: Duration = Duration::from_secs(60);
/// Beside the inventory.
const POINTS_HERE: &str = "points";
/// The size of large directories takes its time.
const MEASURE: Duration = Duration::from_secs(3600);

/// Makes a point by itself.
///
/// # Errors
/// Whatever stood in the way.
pub async fn point_alone(
    options: &Options,
    name: Option<String>,
    approval: &Approval,
) -> Result<u8, Failure> {
    let project = Project::open(options)?;
    let session = reach(options, &project, "backup point", approval.dry_run).await?;
    let run = session.run()?;
    let name = name.unwrap_or_else(|| point_name(&session));
    let ended = point(options, approval, &session, &run, &name, true).await;
    close(&session, ended).await
}

/// A session with all members, and with the hosts of repositories, which remember points.
pub(super) async fn reach<'a>(
    options: &'a Options,
    project: &'a Project,
    verb: &str,
    looks: bool,
) -> Result<Session<'a>, Failure> {
    let mut hosts: BTreeSet<HostName> = project
        .model
        .instances()
        .map(|member| member.host.clone())
        .collect();
    let etcd = project.model.etcd.iter().flat_map(|etcd| &etcd.members);
    hosts.extend(etcd.map(|member| member.host.clone()));
    for (_, group) in project.model.groups() {
        if let Ok(Backups::To(repository)) = backup::of_group(&project.model, group)
            && let RepositoryPlace::Host { host, .. } = &repository.place
            && let Some(host) = backup::repository_host(&project.model, host)
        {
            hosts.insert(host.name.clone());
        }
    }
    Session::reach_for(options, project, verb, hosts, looks).await
}

/// One look at all hosts of the session.
pub(super) async fn look(session: &Session<'_>, run: &Run<'_>) -> BackupLook {
    look_at(session, run, false).await
}

/// The same; `sizes`: with the size of old data.
pub(super) async fn look_at(session: &Session<'_>, run: &Run<'_>, sizes: bool) -> BackupLook {
    let model = &session.project.model;
    let hosts = model
        .hosts()
        .filter(|host| session.fleet.get(&host.name).is_some());
    let programs: BTreeMap<HostName, _> = hosts
        .map(|host| {
            (
                host.name.clone(),
                look_program(&run.frame, model, host, sizes),
            )
        })
        .collect();
    let unreachable = session.fleet.unreachable().iter();
    let points = fs_err::read_to_string(session.project.state_dir.join(POINTS_HERE));
    let mut look = BackupLook {
        unreachable: unreachable
            .map(|(host, error)| (host.clone(), error.to_string()))
            .collect(),
        here: points
            .unwrap_or_default()
            .lines()
            .filter_map(RestorePoint::read)
            .collect(),
        ..BackupLook::default()
    };
    let within = if sizes { MEASURE } else { LOOK };
    for (host, answer) in engine::survey(run, &programs, within).await {
        let read = answer.and_then(|text| {
            read_look(&run.frame, &text).ok_or_else(|| "its answer is not whole".to_owned())
        });
        match read {
            Ok(seen) => drop(look.hosts.insert(host, seen)),
            Err(why) => drop(look.unreachable.insert(host, why)),
        }
    }
    look
}

pub(super) fn input<'a>(session: &'a Session<'_>, look: &'a BackupLook) -> BackupInput<'a> {
    BackupInput {
        model: &session.project.model,
        look,
        run: &session.id,
        without: &NOBODY,
    }
}

fn point_name(session: &Session<'_>) -> String {
    format!("ctl-{}", session.id)
}

type Ended = Result<Outcome, (Outcome, Failure)>;

pub(super) fn stopped(failure: Failure) -> (Outcome, Failure) {
    (super::apply::outcome_of(failure.code), failure)
}

fn broken(error: &EngineError) -> Outcome {
    super::apply::outcome(error)
}

/// Makes backups.
///
/// # Errors
/// Whatever stood in the way.
pub async fn make(options: &Options, request: &BackupRequest) -> Result<u8, Failure> {
    let project = Project::open(options)?;
    let groups = chosen(&project, &request.groups)?;
    let session = reach(options, &project, "backup", request.approval.dry_run).await?;
    let run = session.run()?;
    let ended = backed_up(options, request, &session, &run, &groups).await;
    close(&session, ended).await
}

async fn backed_up(
    options: &Options,
    request: &BackupRequest,
    session: &Session<'_>,
    run: &Run<'_>,
    groups: &[&Group],
) -> Ended {
    let seen = look(session, run).await;
    let book = plan_backup(input(session, &seen), groups, request.kind);
    let book = book.map_err(|refusal| stopped(refusal.into()))?;
    session.emitter.pause();
    show(options, &request.approval, &book, &session.masker).map_err(stopped)?;
    if request.approval.dry_run {
        return Ok(Outcome::Done);
    }
    consent(options, &request.approval, &book).map_err(stopped)?;
    engine::carry_out(run, &book)
        .await
        .map_err(|error| (broken(&error), Failure::from(error)))?;
    // Groups by themselves are at no options point.
    if !request.groups.is_empty() || session.project.model.formations.len() != 1 {
        return Ok(Outcome::Done);
    }
    point(
        options,
        &request.approval,
        session,
        run,
        &point_name(session),
        false,
    )
    .await
}

/// Makes a point, and remembers it on all hosts that were reached. It counts only then.
async fn point(
    options: &Options,
    args: &Approval,
    session: &Session<'_>,
    run: &Run<'_>,
    name: &str,
    asks: bool,
) -> Ended {
    let seen = look(session, run).await;
    let planned = plan_point(input(session, &seen), name);
    let book = planned.map_err(|refusal| stopped(refusal.into()))?;
    if asks {
        session.emitter.pause();
        show(options, args, &book, &session.masker).map_err(stopped)?;
        if args.dry_run {
            return Ok(Outcome::Done);
        }
        consent(options, args, &book).map_err(stopped)?;
    }
    let failed = |error: EngineError| (broken(&error), Failure::from(error));
    engine::carry_out(run, &book).await.map_err(failed)?;
    let point = written(session, run, &book.hosts(), name).await?;
    let record = plan_record(input(session, &seen), &point);
    engine::carry_out(run, &record).await.map_err(failed)?;
    remember(session, &point);
    // What is said of it is looked at, as `backup list` does.
    let seen = look(session, run).await;
    let lacks = match way_back(&session.project.model, &seen, &point) {
        Reach::Whole => {
            if !options.json && !options.quiet {
                session.emitter.pause();
                say(&format!(
                    "point `{name}`: all groups can return to it (`citusctl restore --point {name}`)"
                ));
            }
            return Ok(Outcome::Done);
        }
        Reach::No(why) => format!("there is no way back to it: {why}"),
        Reach::Unknown(why) => format!("whether all groups can return to it is not known: {why}"),
    };
    Err(stopped(
        Failure::new(
            code::FAILED,
            format!("the point `{name}` is recorded, but {lacks}"),
        )
        .hint("`citusctl backup list` says it of all points"),
    ))
}

/// Keeps a point on this computer as well: where all hosts are lost and the repository is a store, nobody else knows it.
fn remember(session: &Session<'_>, point: &RestorePoint) {
    let path = session.project.state_dir.join(POINTS_HERE);
    let written = serde_json::to_string(point)
        .map_err(|error| error.to_string())
        .and_then(|line| append(&path, &line).map_err(|error| error.to_string()));
    if let Err(why) = written {
        let text = format!("the point is not remembered on this computer: {why}");
        session.emitter.emit(Kind::Note { text });
    }
}

fn append(path: &Path, line: &str) -> std::io::Result<()> {
    let mut file = fs_err::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?;
    writeln!(file, "{line}")?;
    file.sync_all()
}

async fn written(
    session: &Session<'_>,
    run: &Run<'_>,
    hosts: &BTreeSet<HostName>,
    name: &str,
) -> Result<RestorePoint, (Outcome, Failure)> {
    let programs = hosts
        .iter()
        .map(|host| (host.clone(), made_program(name)))
        .collect();
    let made = engine::survey(run, &programs, LOOK).await;
    let Some(formation) = session.project.model.formations.first() else {
        return Err(stopped(Failure::new(
            code::INTERNAL,
            "the inventory has no formation",
        )));
    };
    read_made(formation, name, &made)
        .map_err(|refusal| stopped(Failure::new(code::FAILED, refusal.reason).hint(refusal.hint)))
}

/// The groups that were named, or all.
fn chosen<'a>(project: &'a Project, named: &[String]) -> Result<Vec<&'a Group>, Failure> {
    let all: Vec<&Group> = project.model.groups().map(|(_, group)| group).collect();
    if named.is_empty() {
        return Ok(all);
    }
    let is = |group: &Group, name: &str| {
        group.cluster.as_str() == name
            || group
                .number
                .is_some_and(|number| number.to_string() == name)
    };
    let find = |name: &String| {
        all.iter()
            .find(|group| is(group, name))
            .copied()
            .ok_or_else(|| {
                let known: Vec<&str> = all.iter().map(|group| group.cluster.as_str()).collect();
                Failure::new(
                    code::INPUT,
                    format!("`{name}` is no group of the inventory"),
                )
                .hint(format!("its groups are {}", known.join(", ")))
            })
    };
    named.iter().map(find).collect()
}

/// Lists backups and points; ends with 1 where a group is not known.
///
/// # Errors
/// No host can be asked.
pub async fn list(options: &Options) -> Result<u8, Failure> {
    let project = Project::open(options)?;
    let session = reach(options, &project, "backup list", true).await?;
    let run = session.run()?;
    let seen = look(&session, &run).await;
    drop(run);
    session.finish(Outcome::Done).await;
    let found: Listing = listing(&project.model, &seen);
    match options.json {
        true => result(&pretty(&found)?)?,
        false => result(&found.view())?,
    }
    Ok(match found.problems.is_empty() {
        true => code::DONE,
        false => code::INTERNAL,
    })
}
