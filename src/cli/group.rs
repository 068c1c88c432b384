//! `group`: worker groups of a Citus formation come, are emptied, and leave.

use super::apply::{self, ApplyArgs};
use super::exit::{Failure, code};
use super::options::Common;
use super::project::Project;
use super::remove::{self, Removing};
use super::runbook::{self, RunbookArgs};
use super::session::Session;
use crate::engine::{self, Run};
use crate::model::{Formation, Group};
use crate::names::HostName;
use crate::runbook::patroni::group_named;
use crate::runbook::shards::{self, Case, Shards};
use crate::runbook::{Refusal, Runbook, host_functions};
use clap::{Args, Subcommand};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long the coordinator's leader may take to say what is where.
const LOOK: Duration = Duration::from_secs(30);

/// What to do with a group.
#[derive(Debug, Args)]
pub struct GroupArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Add a worker group of the inventory with an ordinary apply; --rebalance moves shards to it
    Add {
        #[command(flatten)]
        moving: Moving,
        /// Rebalance shards over all groups
        #[arg(long)]
        rebalance: bool,
        #[command(flatten)]
        runbook: RunbookArgs,
    },
    /// Move all shards of a worker group to the others, online
    Drain {
        #[command(flatten)]
        moving: Moving,
        #[command(flatten)]
        runbook: RunbookArgs,
    },
    /// Drain a worker group, then remove it with its hosts, as `apply pgsql-rm` does
    Remove {
        #[command(flatten)]
        moving: Moving,
        #[command(flatten)]
        runbook: RunbookArgs,
    },
}

/// Whose shards, and how they move.
#[derive(Debug, Args)]
struct Moving {
    /// Group number or cluster name
    #[arg(value_name = "N|CLUSTER")]
    group: String,
    /// Block writes to a shard while it moves; required for tables without a replica identity
    #[arg(long)]
    block_writes: bool,
}

type Planner = fn(&Case<'_>) -> Result<Runbook, Refusal>;

/// Runs it.
pub async fn run(common: &Common, args: &GroupArgs) -> Result<u8, Failure> {
    whole(common)?;
    let project = Project::open(common)?;
    match &args.what {
        What::Add {
            moving,
            rebalance,
            runbook,
        } => add(common, &project, moving, *rebalance, runbook).await,
        What::Drain { moving, runbook } => {
            moved(common, &project, moving, runbook, shards::drain).await
        }
        What::Remove { moving, runbook } => leave(common, &project, moving, runbook).await,
    }
}

/// The group says which hosts.
fn whole(common: &Common) -> Result<(), Failure> {
    if common.limit.is_none() && common.tags.is_empty() && common.skip_tags.is_empty() {
        return Ok(());
    }
    let failure = Failure::new(code::USAGE, "`group` takes the group alone");
    Err(failure.hint("leave out `-l`, `-t` and `--skip-tags`"))
}

fn of<'a>(project: &'a Project, moving: &Moving) -> Result<(&'a Formation, &'a Group), Failure> {
    let group = group_named(&project.model, Some(&moving.group))?;
    let found = project.model.group(&group.cluster);
    let (formation, group) = found.ok_or_else(|| Failure::new(code::INTERNAL, "no such group"))?;
    shards::worker(formation, group)?;
    Ok((formation, group))
}

/// An ordinary apply brings the group in and tells all others of it: its plan shows both. Then it takes shards.
async fn add(
    common: &Common,
    project: &Project,
    moving: &Moving,
    rebalance: bool,
    args: &RunbookArgs,
) -> Result<u8, Failure> {
    of(project, moving)?;
    if args.dry_run {
        return super::plan::run(common, &super::plan::PlanArgs::site()).await;
    }
    let ended = apply::run(common, &ApplyArgs::site()).await?;
    if ended != code::DONE || !rebalance {
        return Ok(ended);
    }
    moved(common, project, moving, args, shards::rebalance).await
}

/// Empty first, then the removal with its own safeguards and its own consent.
async fn leave(
    common: &Common,
    project: &Project,
    moving: &Moving,
    args: &RunbookArgs,
) -> Result<u8, Failure> {
    let (_, group) = of(project, moving)?;
    let limited = Common {
        limit: Some(group.cluster.to_string()),
        ..common.clone()
    };
    let removing = Removing::of(&limited, project, "pgsql-rm")?
        .ok_or_else(|| Failure::new(code::INTERNAL, "`pgsql-rm` removes nothing"))?;
    named(common, args, group)?;
    if there(common, project, moving).await? {
        let drained = moved(common, project, moving, args, shards::drain).await?;
        if drained != code::DONE || args.dry_run {
            return Ok(drained);
        }
    }
    remove::run(&limited, project, &removing, args, false).await
}

/// What destroys wants the name before anything moves.
fn named(common: &Common, args: &RunbookArgs, group: &Group) -> Result<(), Failure> {
    let said = args.confirm.as_deref() == Some(group.cluster.as_str());
    if said || args.dry_run || args.confirm.is_none() && !common.yes && crate::ui::term::can_ask() {
        return Ok(());
    }
    let failure = Failure::new(
        code::DECLINED,
        "a group leaves under its name; nothing was changed",
    );
    Err(failure.hint(format!("`--confirm {}` says it", group.cluster)))
}

/// Whether Citus still counts the group; one that was taken out half is only to be removed.
async fn there(common: &Common, project: &Project, moving: &Moving) -> Result<bool, Failure> {
    let (formation, group) = of(project, moving)?;
    let session = Session::reach(common, project, "group", hosts(formation)).await?;
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
    common: &Common,
    project: &Project,
    moving: &Moving,
    args: &RunbookArgs,
    plan: Planner,
) -> Result<u8, Failure> {
    let (formation, group) = of(project, moving)?;
    let session = Session::reach(common, project, "group", hosts(formation)).await?;
    let run = session.run()?;
    let planned = match looked(&session, &run, formation).await {
        Err(failure) => Err(failure),
        Ok((leader, shards)) => plan(&Case {
            formation,
            group,
            leader: &leader,
            shards: &shards,
            block_writes: moving.block_writes,
            functions: functions(project, &leader),
        })
        .map_err(Failure::from),
    };
    runbook::run(common, args, &session, &run, planned).await
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
        |host| host_functions(&project.inventory, &project.model, host),
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
