//! `recover`: the worst day.

use super::exit::{Failure, code};
use super::options::Common;
use super::project::Project;
use super::rebuild::{self, RebuildArgs};
use super::runbook::{self, RunbookArgs};
use super::session::Session;
use super::why;
use crate::engine::{self, Run};
use crate::model::Host;
use crate::names::HostName;
use crate::runbook::host_functions;
use crate::runbook::recover::{self, Input, Request, Seen, Via, read_survey, survey_program};
use clap::{Args, Subcommand, ValueEnum};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Options of `recover`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct RecoverArgs {
    #[command(subcommand)]
    after: Option<After>,
    /// Host with the last good copy
    #[arg(long, value_name = "HOST", required = true)]
    survivor: Option<String>,
    /// Lost host that is off or disconnected and will not come back on its own; repeatable
    #[arg(long, value_name = "HOST")]
    fenced: Vec<String>,
    /// Method [default: etcd, if a member with its data is reachable]
    #[arg(long, value_name = "WAY")]
    via: Option<Way>,
    /// Promote even where Patroni would refuse because acknowledged transactions may be lost
    #[arg(long)]
    accept_loss: bool,
    #[command(flatten)]
    runbook: RunbookArgs,
}

/// The ways back.
#[derive(Debug, Subcommand)]
pub enum After {
    /// Rejoin lost hosts that are back
    Rejoin(RunbookArgs),
    /// Continue without hosts that are lost for good; writes a new inventory beside the old one
    Rebuild(RebuildArgs),
    /// Restore the previous state, if nothing was promoted yet
    Undo(RunbookArgs),
}

/// How a survivor becomes writable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Way {
    /// Reduce etcd to a quorum of one and let Patroni promote
    Etcd,
    /// Without etcd: stop Patroni and promote PostgreSQL directly
    Promote,
}

/// What one look may take on a host.
const LOOK: Duration = Duration::from_secs(30);
/// Most hosts may be gone: nobody waits long for them.
const CONNECT: u64 = 4;

/// Runs it.
pub async fn run(common: &Common, args: &RecoverArgs) -> Result<u8, Failure> {
    let mut common = common.clone();
    common.connect.connect_timeout = common.connect.connect_timeout.min(CONNECT);
    let project = Project::open(&common)?;
    if let Some(after) = &args.after {
        return back(&common, &project, after).await;
    }
    let survivor = known(&project, args.survivor.as_deref().unwrap_or_default())?;
    let fenced = args.fenced.iter().map(|host| known(&project, host));
    let request = Request {
        survivor,
        fenced: fenced.collect::<Result<_, _>>()?,
        via: args.via.map(|way| match way {
            Way::Etcd => Via::Etcd,
            Way::Promote => Via::Promote,
        }),
        accept_loss: args.accept_loss,
    };
    let hosts = recover::hosts(&project.model, &request.survivor);
    let hosts = if hosts.is_empty() {
        BTreeSet::from([request.survivor.clone()])
    } else {
        hosts
    };
    let looks = args.runbook.dry_run;
    let session = Session::reach_for(&common, &project, "recover", hosts, looks).await?;
    let run = session.run()?;
    let planned = planned(&session, &run, &request).await;
    let members = project.model.instances();
    let members = members.filter(|member| member.host == request.survivor);
    let planned = why::with_words(&run, members, planned).await;
    runbook::run(&common, &args.runbook, &session, &run, planned).await
}

type Planner = fn(Input<'_>) -> Result<crate::runbook::Runbook, crate::runbook::Refusal>;

/// The ways back look at all hosts: the note of the recover may be on any of them.
async fn back(common: &Common, project: &Project, after: &After) -> Result<u8, Failure> {
    let (args, verb, planner): (_, _, Planner) = match after {
        After::Rejoin(args) => (args, "recover rejoin", recover::plan_rejoin),
        After::Rebuild(args) => return rebuild::run(common, project, args).await,
        After::Undo(args) => (args, "recover undo", recover::plan_undo),
    };
    let hosts = project.model.hosts.keys().cloned().collect();
    let session = Session::reach_for(common, project, verb, hosts, args.dry_run).await?;
    let run = session.run()?;
    let seen = look(&session, &run).await;
    let input = input(&session, &seen);
    let planned = planner(input).map_err(Failure::from).map(|mut book| {
        book.risks.extend(project.without_authority());
        book
    });
    runbook::run(common, args, &session, &run, planned).await
}

/// A host of the inventory, or words about it.
fn known(project: &Project, name: &str) -> Result<HostName, Failure> {
    let host = HostName::new(name);
    if project.model.hosts.contains_key(&host) {
        return Ok(host);
    }
    let failure = Failure::new(
        code::INPUT,
        format!("{name} is not a host of the inventory; nothing was changed"),
    );
    let names: Vec<&str> = project.model.hosts.keys().map(HostName::as_str).collect();
    Err(failure.hint(format!("its hosts are {}", names.join(", "))))
}

async fn planned(
    session: &Session<'_>,
    run: &Run<'_>,
    request: &Request,
) -> Result<crate::runbook::Runbook, Failure> {
    if let Some(error) = session.fleet.unreachable().get(&request.survivor) {
        let failure = Failure::new(
            code::UNREACHABLE,
            format!(
                "{} cannot be reached, so it cannot be the survivor: {error}\n  nothing was changed",
                request.survivor
            ),
        );
        return Err(failure.hint("name another host that has a copy, or mend the way to it"));
    }
    let seen = look(session, run).await;
    let input = input(session, &seen);
    let mut book = recover::plan(input, request)?;
    book.risks.extend(session.project.without_authority());
    Ok(book)
}

/// What planners are given: the inventory, and what was seen.
pub fn input<'a>(session: &'a Session<'_>, seen: &'a Seen) -> Input<'a> {
    Input {
        inventory: &session.project.inventory,
        model: &session.project.model,
        seen,
        run: &session.id,
    }
}

/// One quick program on each host that answers.
pub async fn look(session: &Session<'_>, run: &Run<'_>) -> Seen {
    let reachable = session
        .project
        .model
        .hosts()
        .filter(|host| session.fleet.get(&host.name).is_some());
    let (inventory, model) = (&session.project.inventory, &session.project.model);
    let silent = |host: &Host| session.fleet.unreachable().contains_key(&host.name);
    let programs: BTreeMap<HostName, _> = reachable
        .map(|host| {
            let functions = host_functions(inventory, model, host);
            let asked = recover::questions(inventory, model, host, silent);
            let program = survey_program(&run.frame, &functions, &asked);
            (host.name.clone(), program)
        })
        .collect();
    let unreachable = session.fleet.unreachable().iter();
    let mut seen = Seen {
        hosts: BTreeMap::new(),
        unreachable: unreachable
            .map(|(host, error)| (host.clone(), error.to_string()))
            .collect(),
    };
    for (host, answer) in engine::survey(run, &programs, LOOK).await {
        let read = answer.and_then(|text| {
            read_survey(&run.frame, &text).ok_or_else(|| "its answer is not whole".to_owned())
        });
        match read {
            Ok(found) => drop(seen.hosts.insert(host, found)),
            Err(why) => drop(seen.unreachable.insert(host, why)),
        }
    }
    seen
}
