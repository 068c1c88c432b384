//! `group`: worker groups of a Citus formation come, are emptied, and leave.

use super::apply;
use super::failure::{Failure, code};
use super::options::Options;
use super::project::Project;
use super::remove::{self, Removing};
use super::runbook::{self, Approval};
use super::session::Session;
use crate::engine::{self, Run};
use crate::model::{Formation, Group};
use crate::names::HostName;
use crate::runbook::patroni::group_named;
use crate::runbook::shards::{self, ShardCase, Shards};
use crate::runbook::{Refusal, Runbook, host_functions};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long the coordinator's leader may take to say what is where.
const LOOK: Duration = Duration::from_secs(30);

/// Whose shards, and how they move.
#[derive(Debug)]
pub struct Moving {
    /// Number or cluster name.
    pub group: String,
    pub block_writes: bool,
}

type ShardPlanner = fn(&ShardCase<'_>) -> Result<Runbook, Refusal>;

/// An ordinary apply brings the group in and tells all others of it: its plan shows both. Then it takes shards.
///
/// # Errors
/// Whatever stood in the way.
pub async fn add(
    options: &Options,
    moving: &Moving,
    rebalance: bool,
    approval: &Approval,
) -> Result<u8, Failure> {
    let project = open(options)?;
    of(&project, moving)?;
    if approval.dry_run {
        return super::plan::site(options, &project).await;
    }
    let ended = apply::site(options, &project).await.result?;
    if ended != code::DONE || !rebalance {
        return Ok(ended);
    }
    moved(options, &project, moving, approval, shards::rebalance).await
}

/// All shards of a group go to the others.
///
/// # Errors
/// Whatever stood in the way.
pub async fn drain(options: &Options, moving: &Moving, approval: &Approval) -> Result<u8, Failure> {
    let project = open(options)?;
    moved(options, &project, moving, approval, shards::drain).await
}

/// Empty first, then the removal with its own safeguards and its own consent.
///
/// # Errors
/// Whatever stood in the way.
pub async fn leave(options: &Options, moving: &Moving, approval: &Approval) -> Result<u8, Failure> {
    let project = open(options)?;
    let (_, group) = of(&project, moving)?;
    let limited = Options {
        limit: Some(group.cluster.to_string()),
        ..options.clone()
    };
    let removing = Removing::of(&limited, &project, "pgsql-rm")?
        .ok_or_else(|| Failure::new(code::INTERNAL, "`pgsql-rm` removes nothing"))?;
    named(options, approval, group)?;
    if there(options, &project, moving).await? {
        let drained = moved(options, &project, moving, approval, shards::drain).await?;
        if drained != code::DONE || approval.dry_run {
            return Ok(drained);
        }
    }
    remove::run(&limited, &project, &removing, approval, false).await
}

/// The group says which hosts.
fn open(options: &Options) -> Result<Project, Failure> {
    let why = "`group` takes the group alone";
    options.undivided(why, "leave out `-l`, `-t` and `--skip-tags`")?;
    Project::open(options)
}

fn of<'a>(project: &'a Project, moving: &Moving) -> Result<(&'a Formation, &'a Group), Failure> {
    let group = group_named(&project.model, Some(&moving.group))?;
    let found = project.model.group(&group.cluster);
    let (formation, group) = found.ok_or_else(|| Failure::new(code::INTERNAL, "no such group"))?;
    shards::worker(formation, group)?;
    Ok((formation, group))
}

/// What destroys wants the name before anything moves.
fn named(options: &Options, args: &Approval, group: &Group) -> Result<(), Failure> {
    let said = args.confirm.as_deref() == Some(group.cluster.as_str());
    if said || args.dry_run || args.confirm.is_none() && !options.yes && crate::ui::term::can_ask()
    {
        return Ok(());
    }
    let failure = Failure::new(
        code::DECLINED,
        "a group leaves under its name; nothing was changed",
    );
    Err(failure.hint(format!("`--confirm {}` says it", group.cluster)))
}

/// Whether Citus still counts the group; one that was taken out half is only to be removed.
async fn there(options: &Options, project: &Project, moving: &Moving) -> Result<bool, Failure> {
    let (formation, group) = of(project, moving)?;
    let session = Session::reach(options, project, "group", hosts(formation)).await?;
    let looked = {
        let run = session.run()?;
        looked(&session, &run, formation).await
    };
    session.finish(crate::event::Outcome::Done).await;
    let (_, shards) = looked?;
    Ok(shards
        .nodes
        .iter()
        .any(|node| Some(node.group) == group.number))
}

/// Looks, plans, shows, asks, carries out.
async fn moved(
    options: &Options,
    project: &Project,
    moving: &Moving,
    args: &Approval,
    plan: ShardPlanner,
) -> Result<u8, Failure> {
    let (formation, group) = of(project, moving)?;
    let session = Session::reach(options, project, "group", hosts(formation)).await?;
    let run = session.run()?;
    let planned = match looked(&session, &run, formation).await {
        Err(failure) => Err(failure),
        Ok((leader, shards)) => plan(&ShardCase {
            formation,
            group,
            leader: &leader,
            shards: &shards,
            block_writes: moving.block_writes,
            functions: functions(project, &leader),
        })
        .map_err(Failure::from),
    };
    runbook::run(options, args, &session, &run, planned).await
}

/// The coordinator's hosts: whoever leads there answers.
fn hosts(formation: &Formation) -> BTreeSet<HostName> {
    let members = formation.coordinator().map(|group| &group.members);
    let members = members.into_iter().flatten();
    members.map(|member| member.host.clone()).collect()
}

fn functions(project: &Project, host: &HostName) -> crate::secret::Secret {
    let host = project.model.hosts.get(host);
    host.map_or_else(
        || crate::secret::Secret::new(""),
        |host| host_functions(&project.model, host),
    )
}

async fn looked(
    session: &Session<'_>,
    run: &Run<'_>,
    formation: &Formation,
) -> Result<(HostName, Shards), Failure> {
    let silent = |why: String| {
        let words = format!(
            "{}: the coordinator does not tell where shards are: {why}",
            formation.name
        );
        Failure::new(code::FAILED, words).hint("`citusctl status` shows what is wrong with it")
    };
    let coordinator = formation
        .coordinator()
        .ok_or_else(|| silent("there is none".to_owned()))?;
    let groups = engine::groups(run, &[coordinator]).await;
    let leader = match groups.get(&coordinator.cluster) {
        Some(Ok(seen)) => seen.leader().map(|leader| leader.host.clone()),
        Some(Err(why)) => return Err(silent(why.clone())),
        None => None,
    };
    let leader = leader.ok_or_else(|| silent("nobody leads it".to_owned()))?;
    let functions = functions(session.project, &leader);
    let program = shards::survey_program(&run.frame, &functions, &formation.primary_db);
    let mut said = engine::survey(run, &BTreeMap::from([(leader.clone(), program)]), LOOK).await;
    match said.remove(&leader) {
        Some(Ok(text)) => match shards::read_shards(&run.frame, &text) {
            Some(shards) => Ok((leader, shards)),
            None => Err(silent(text.lines().last().unwrap_or_default().to_owned())),
        },
        Some(Err(why)) => Err(silent(why)),
        None => Err(silent("it was not asked".to_owned())),
    }
}
