//! `apply`: plan, consent, carry out.

use super::failure::{Failure, chain, code, refused};
use super::options::Options;
use super::plan::{SavedPlan, plan_key, show};
use super::project::Project;
use super::remove::{self, Removing};
use super::runbook::{Approval, close};
use super::session::{Deed, Session};
use crate::engine::{self, ApplyOptions, EngineError};
use crate::event::Outcome;
use crate::plan::{Plan, digest, outline};
use crate::ui::term;
use std::path::{Path, PathBuf};

/// What to apply.
#[derive(Debug)]
pub struct ApplyRequest {
    pub playbook: String,
    /// A saved plan.
    pub plan: Option<PathBuf>,
    /// The name of what a removal removes.
    pub confirm: Option<String>,
}

/// How an apply ended, for verbs that changed something beside it.
pub(super) struct ApplyEnd {
    /// Whether hosts may have been changed: it was consented to, and carrying out began.
    pub begun: bool,
    pub result: Result<u8, Failure>,
}

/// Plans, shows, asks, carries out.
///
/// # Errors
/// Whatever stood in the way.
pub async fn run(options: &Options, request: &ApplyRequest) -> Result<u8, Failure> {
    let saved = request.plan.as_deref().map(read).transpose()?;
    let playbook = saved
        .as_ref()
        .map_or(request.playbook.as_str(), |saved| saved.playbook.as_str());
    let project = Project::open(options)?;
    project.say_warnings(options);
    if let Some(removing) = Removing::of(options, &project, playbook)? {
        let approval = Approval {
            confirm: request.confirm.clone(),
            dry_run: false,
        };
        return remove::run(options, &project, &removing, &approval, false).await;
    }
    if request.confirm.is_some() {
        let failure = Failure::new(
            code::USAGE,
            format!("`{playbook}` removes nothing, so there is nothing to `--confirm`"),
        );
        return Err(failure.hint("`--yes` consents to an ordinary plan"));
    }
    built(options, &project, playbook, saved.as_ref())
        .await
        .result
}

/// The whole, as the tags narrow it, of a project that is open.
pub(super) async fn site(options: &Options, project: &Project) -> ApplyEnd {
    project.say_warnings(options);
    built(options, project, "site", None).await
}

/// The same for another playbook.
pub(super) async fn playbook(options: &Options, project: &Project, name: &str) -> ApplyEnd {
    built(options, project, name, None).await
}

async fn built(
    options: &Options,
    project: &Project,
    playbook: &str,
    saved: Option<&SavedPlan>,
) -> ApplyEnd {
    let mut begun = false;
    let result = match Session::connect(options, project, playbook, "apply", Deed::Changes).await {
        Err(failure) => Err(failure),
        Ok(session) => {
            let ended = carry_out(options, &session, saved, &mut begun).await;
            close(&session, ended).await
        }
    };
    ApplyEnd { begun, result }
}

type Stopped = (Outcome, Failure);

async fn carry_out(
    options: &Options,
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
    if saved.is_none() && !options.json {
        show(options, &shown).map_err(internal)?;
    }
    if plan.is_empty() {
        return Ok(session.outcome());
    }
    if saved.is_none() {
        consent(options).map_err(internal)?;
    }
    let recompile = |seen: &crate::plan::Seen| session.recompile(seen);
    let how = ApplyOptions {
        recompile: &recompile,
        ask_again: true,
        unseen_allowed: options.yes,
    };
    *begun = true;
    match engine::apply(&run, desired, &plan, &how).await {
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
fn consent(options: &Options) -> Result<(), Failure> {
    if options.yes {
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
