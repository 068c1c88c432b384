//! `apply`: plan, consent, carry out.

use super::exit::{Failure, chain, code, refused};
use super::options::Common;
use super::plan::{SavedPlan, plan_key, show};
use super::project::Project;
use super::remove::{self, Removing};
use super::runbook::RunbookArgs;
use super::session::{Deed, Session};
use crate::engine::{self, ApplyOptions, EngineError};
use crate::event::Outcome;
use crate::plan::{Plan, digest, outline};
use crate::ui::term;
use clap::Args;
use std::path::{Path, PathBuf};

/// Options of `apply`.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// Playbook: site, node, etcd, pgsql, pgbouncer, haproxy, vip; to remove: pgsql-rm, etcd-rm, node-rm
    #[arg(default_value = "site")]
    playbook: String,
    /// Apply this saved plan; refused if anything has changed since
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Confirm a removal by naming what is removed, as the plan says it; required for a group or a formation
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,
}

impl ApplyArgs {
    /// The whole, as the tags narrow it.
    pub fn site() -> Self {
        Self {
            playbook: "site".to_owned(),
            plan: None,
            confirm: None,
        }
    }
}

/// How an apply ended, for verbs that changed something beside it.
pub(super) struct Ended {
    /// Whether hosts may have been changed: it was consented to, and carrying out began.
    pub begun: bool,
    pub result: Result<u8, Failure>,
}

/// Runs it.
pub async fn run(common: &Common, args: &ApplyArgs) -> Result<u8, Failure> {
    ended(common, args).await.result
}

/// Runs it, and tells how far it came.
pub(super) async fn ended(common: &Common, args: &ApplyArgs) -> Ended {
    let mut begun = false;
    let result = tried(common, args, &mut begun).await;
    Ended { begun, result }
}

async fn tried(common: &Common, args: &ApplyArgs, begun: &mut bool) -> Result<u8, Failure> {
    let saved = args.plan.as_deref().map(read).transpose()?;
    let playbook = saved
        .as_ref()
        .map_or(args.playbook.as_str(), |saved| saved.playbook.as_str());
    let project = Project::open(common)?;
    project.say_warnings(common);
    if let Some(removing) = Removing::of(common, &project, playbook)? {
        let args = RunbookArgs {
            confirm: args.confirm.clone(),
            dry_run: false,
        };
        return remove::run(common, &project, &removing, &args, false).await;
    }
    if args.confirm.is_some() {
        let failure = Failure::new(
            code::USAGE,
            format!("`{playbook}` removes nothing, so there is nothing to `--confirm`"),
        );
        return Err(failure.hint("`--yes` consents to an ordinary plan"));
    }
    let session = Session::connect(common, &project, playbook, "apply", Deed::Changes).await?;
    match carry_out(common, &session, saved.as_ref(), begun).await {
        Ok(outcome) => Ok(session.finish(outcome).await),
        Err((outcome, failure)) => {
            session.finish(outcome).await;
            Err(failure)
        }
    }
}

type Stopped = (Outcome, Failure);

async fn carry_out(
    common: &Common,
    session: &Session<'_>,
    saved: Option<&SavedPlan>,
    begun: &mut bool,
) -> Result<Outcome, Stopped> {
    let internal = |failure: Failure| (outcome_of(failure.code), failure);
    let run = session.run().map_err(internal)?;
    let (desired, _, plan) = session.plan(&run).await.map_err(internal)?;
    let shown = outline(&plan, &session.masker);
    session.emitter.pause();
    if !plan.refusals.is_empty() {
        return Err((Outcome::Refused, refused(code::REFUSED, &plan.refusals)));
    }
    if let Some(saved) = saved {
        still_valid(saved, &plan, session).map_err(internal)?;
    }
    if saved.is_none() && !common.json() {
        show(common, &shown).map_err(internal)?;
    }
    if plan.is_empty() {
        return Ok(session.outcome());
    }
    if saved.is_none() {
        consent(common).map_err(internal)?;
    }
    let recompile = |seen: &crate::plan::Seen| session.recompile(seen);
    let options = ApplyOptions {
        recompile: &recompile,
        ask_again: true,
        unseen_allowed: common.yes,
    };
    *begun = true;
    match engine::apply(&run, desired, &plan, &options).await {
        Ok(()) => Ok(session.outcome()),
        Err(error) => Err((outcome(&error), Failure::from(error))),
    }
}

pub(super) fn outcome(error: &EngineError) -> Outcome {
    match error {
        EngineError::AllUnreachable => Outcome::Unreachable,
        EngineError::Refused(_)
        | EngineError::Unseen { .. }
        | EngineError::Changed(_)
        | EngineError::Precondition { .. } => Outcome::Refused,
        EngineError::Locked { .. } | EngineError::NoKeeper { .. } => Outcome::Locked,
        EngineError::Interrupted(_) => Outcome::Interrupted,
        EngineError::Transport(_)
        | EngineError::Answer { .. }
        | EngineError::Gate { .. }
        | EngineError::Stage { .. }
        | EngineError::Group { .. }
        | EngineError::Step { .. }
        | EngineError::LockLost { .. }
        | EngineError::Recompile(_) => Outcome::Failed,
    }
}

pub(super) fn outcome_of(exit: u8) -> Outcome {
    match exit {
        code::USAGE => Outcome::Usage,
        code::INPUT => Outcome::Input,
        code::REFUSED => Outcome::Refused,
        code::UNREACHABLE => Outcome::Unreachable,
        code::DECLINED => Outcome::Interrupted,
        code::LOCKED => Outcome::Locked,
        code::FAILED => Outcome::Failed,
        _ => Outcome::Internal,
    }
}

fn read(path: &Path) -> Result<SavedPlan, Failure> {
    let text =
        fs_err::read_to_string(path).map_err(|error| Failure::new(code::INPUT, chain(&error)))?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::new(
            code::INPUT,
            format!("{} is not a saved plan: {error}", path.display()),
        )
    })
}

fn still_valid(saved: &SavedPlan, plan: &Plan, session: &Session<'_>) -> Result<(), Failure> {
    let key = plan_key(session.project)?;
    if saved.digest == digest(plan, &session.masker, &key)? {
        return Ok(());
    }
    let failure = Failure::new(
        code::REFUSED,
        "the saved plan no longer fits: the inventory or the hosts have changed since",
    );
    Err(failure.hint("make a new one with `citusctl plan --out FILE`"))
}

/// Asks, unless told not to.
fn consent(common: &Common) -> Result<(), Failure> {
    if common.yes {
        return Ok(());
    }
    if !term::can_ask() {
        let failure = Failure::new(
            code::DECLINED,
            "there is no terminal to ask for consent at; nothing was changed",
        );
        return Err(failure.hint("`--yes` answers, or `--plan FILE` with a plan that was reviewed"));
    }
    let declined = || Failure::new(code::DECLINED, "declined; nothing was changed");
    let answer = term::ask("Apply these changes? [y/N] ").map_err(|_| declined())?;
    if matches!(answer.trim(), "y" | "yes" | "Y" | "Yes") {
        Ok(())
    } else {
        Err(declined())
    }
}
