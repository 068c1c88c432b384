//! `recover`: the worst day.

use super::failure::{Failure, code};
use super::options::Options;
use super::project::Project;
use super::rebuild;
use super::runbook::{self, Approval};
use super::session::Session;
use super::why;
use crate::engine::{self, Run};
use crate::model::Host;
use crate::names::HostName;
use crate::runbook::recover::{
    self, Input, RecoverMethod, RecoverOrder, Surveyed, read_survey, survey_program,
};
use crate::runbook::{Refusal, Runbook, host_functions};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

/// What to recover.
#[derive(Debug)]
pub struct RecoverRequest {
    /// Host with the last good copy.
    pub survivor: String,
    /// Lost hosts that will not come back on their own.
    pub fenced: Vec<String>,
    /// The method; `None`: by what is left of etcd.
    pub via: Option<RecoverMethod>,
    pub accept_loss: bool,
    pub approval: Approval,
}

/// The ways back.
#[derive(Debug)]
pub enum After {
    Rejoin(Approval),
    /// With the file of the new inventory, if it was named.
    Rebuild(Option<PathBuf>, Approval),
    Undo(Approval),
}

/// What one look may take on a host.
const LOOK: Duration = Duration::from_secs(30);
/// Most hosts may be gone: nobody waits long for them.
const CONNECT: u64 = 4;

/// Makes one host writable after quorum is lost.
///
/// # Errors
/// Whatever stood in the way.
pub async fn run(options: &Options, args: &RecoverRequest) -> Result<u8, Failure> {
    let options = options.impatient(CONNECT);
    let project = Project::open(&options)?;
    let survivor = known(&project, &args.survivor)?;
    let fenced = args.fenced.iter().map(|host| known(&project, host));
    let request = RecoverOrder {
        survivor,
        fenced: fenced.collect::<Result<_, _>>()?,
        via: args.via,
        accept_loss: args.accept_loss,
    };
    let hosts = recover::hosts(&project.model, &request.survivor);
    let hosts = if hosts.is_empty() {
        BTreeSet::from([request.survivor.clone()])
    } else {
        hosts
    };
    let looks = args.approval.dry_run;
    let session = Session::reach_for(&options, &project, "recover", hosts, looks).await?;
    let run = session.run()?;
    let planned = match no_restore(&run).await {
        Ok(note) => with_note(planned(&session, &run, &request).await, note),
        Err(refusal) => Err(refusal),
    };
    let members = project.model.instances();
    let members = members.filter(|member| member.host == request.survivor);
    let planned = why::with_words(&run, members, planned).await;
    runbook::run(&options, &args.approval, &session, &run, planned).await
}

type Planner = fn(Input<'_>) -> Result<Runbook, Refusal>;

/// The ways back look at all hosts: the note of the recover may be on any of them.
///
/// # Errors
/// Whatever stood in the way.
pub async fn back(options: &Options, after: &After) -> Result<u8, Failure> {
    let options = &options.impatient(CONNECT);
    let project = &Project::open(options)?;
    let (args, verb, planner): (_, _, Planner) = match after {
        After::Rejoin(args) => (args, "recover rejoin", recover::plan_rejoin),
        After::Rebuild(new, args) => {
            return rebuild::run(options, project, new.as_deref(), args).await;
        }
        After::Undo(args) => (args, "recover undo", recover::plan_undo),
    };
    let hosts = project.model.hosts.keys().cloned().collect();
    let session = Session::reach_for(options, project, verb, hosts, args.dry_run).await?;
    let run = session.run()?;
    let note = match no_restore(&run).await {
        Ok(note) => note,
        Err(refusal) => return runbook::run(options, args, &session, &run, Err(refusal)).await,
    };
    let seen = look(&session, &run).await;
    let input = input(&session, &seen);
    let planned = planner(input).map_err(Failure::from).map(|mut book| {
        book.risks.extend(project.without_authority());
        book
    });
    runbook::run(options, args, &session, &run, with_note(planned, note)).await
}

/// Members of an open restore are not what they look like: one may be half restored, another hold old data. Most hosts may
/// be lost, so what is not known is a risk that is said.
pub(super) async fn no_restore(run: &Run<'_>) -> Result<Option<String>, Failure> {
    match engine::open_restore(run).await {
        Ok(None) => Ok(None),
        Ok(Some((host, open))) => {
            Err(Refusal::new(format!("{host} has {}", open.words()), open.way_out()).into())
        }
        Err(why) => Ok(Some(why)),
    }
}

pub(super) fn with_note(
    planned: Result<Runbook, Failure>,
    note: Option<String>,
) -> Result<Runbook, Failure> {
    planned.map(|mut book| {
        book.risks.extend(note);
        book
    })
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
    request: &RecoverOrder,
) -> Result<Runbook, Failure> {
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
pub fn input<'a>(session: &'a Session<'_>, seen: &'a Surveyed) -> Input<'a> {
    Input {
        model: &session.project.model,
        sources: &session.project.inventory.sources,
        seen,
        run: &session.id,
    }
}

/// One quick program on each host that answers.
pub async fn look(session: &Session<'_>, run: &Run<'_>) -> Surveyed {
    let reachable = session
        .project
        .model
        .hosts()
        .filter(|host| session.fleet.get(&host.name).is_some());
    let model = &session.project.model;
    let silent = |host: &Host| session.fleet.unreachable().contains_key(&host.name);
    let programs: BTreeMap<HostName, _> = reachable
        .map(|host| {
            let functions = host_functions(model, host);
            let asked = recover::questions(model, host, silent);
            let program = survey_program(&run.frame, &functions, &asked);
            (host.name.clone(), program)
        })
        .collect();
    let unreachable = session.fleet.unreachable().iter();
    let mut seen = Surveyed {
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
    seen.of_one_cluster();
    seen
}
