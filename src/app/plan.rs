//! `plan`: what would change.

use super::failure::{Failure, chain, code, compact, refused, result};
use super::init;
use super::options::Options;
use super::project::Project;
use super::remove::{self, Removing};
use super::runbook::Approval;
use super::session::{Deed, Session};
use crate::event::Outcome;
use crate::event::outline::PlanOutline;
use crate::plan::{digest, outline};
use crate::secret::Secret;
use crate::ui;
use fs_err::os::unix::fs::OpenOptionsExt;
use serde::{Deserialize, Serialize};
use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What to plan.
#[derive(Debug)]
pub struct PlanRequest {
    pub playbook: String,
    /// Where the plan is saved.
    pub out: Option<PathBuf>,
    /// Whether pending changes end with an exit code of their own.
    pub detailed_exitcode: bool,
}

/// A plan on disk. It is carried out only while a fresh look yields the same digest.
#[derive(Debug, Serialize, Deserialize)]
pub struct SavedPlan {
    pub schema: u32,
    pub playbook: String,
    pub digest: String,
    pub outline: PlanOutline,
}

/// Shows what would change.
///
/// # Errors
/// Whatever stood in the way, and what the plan itself is refused for.
pub async fn run(options: &Options, args: &PlanRequest) -> Result<u8, Failure> {
    let project = Project::open(options)?;
    project.say_warnings(options);
    if let Some(removing) = Removing::of(options, &project, &args.playbook)? {
        return removal(options, &project, &removing, args).await;
    }
    shown(options, &project, args).await
}

/// The whole, of a project that is open.
pub(super) async fn site(options: &Options, project: &Project) -> Result<u8, Failure> {
    project.say_warnings(options);
    let whole = PlanRequest {
        playbook: "site".to_owned(),
        out: None,
        detailed_exitcode: false,
    };
    shown(options, project, &whole).await
}

async fn shown(options: &Options, project: &Project, args: &PlanRequest) -> Result<u8, Failure> {
    let deed = match args.out {
        Some(_) => Deed::Saves,
        None => Deed::Looks,
    };
    let session = Session::connect(options, project, &args.playbook, "plan", deed).await?;
    let run = session.run()?;
    let (_, _, plan) = session.plan(&run).await?;
    drop(run);
    let outline = outline(&plan, &session.masker);
    session.emitter.pause();
    // Where something is in the way, `No changes` would be half the truth.
    if options.json || plan.refusals.is_empty() || !plan.is_empty() {
        show(options, &outline)?;
    }
    if let Some(path) = &args.out {
        let digest = digest(&plan, &session.masker, &plan_key(project)?)?;
        save(path, &args.playbook, digest, &outline)?;
    }
    if !plan.refusals.is_empty() {
        session.finish(Outcome::Refused).await;
        return Err(refused(code::REFUSED, &plan.refusals));
    }
    let outcome = match session.outcome() {
        Outcome::Done if args.detailed_exitcode && !plan.is_empty() => Outcome::Pending,
        other => other,
    };
    Ok(session.finish(outcome).await)
}

/// A removal is planned anew each time: there is nothing to save.
async fn removal(
    options: &Options,
    project: &Project,
    removing: &Removing,
    args: &PlanRequest,
) -> Result<u8, Failure> {
    if args.out.is_some() {
        let failure = Failure::new(code::USAGE, "the plan of a removal cannot be saved");
        return Err(failure.hint("`citusctl apply` shows it again before it asks"));
    }
    let dry = Approval {
        confirm: None,
        dry_run: true,
    };
    remove::run(options, project, removing, &dry, args.detailed_exitcode).await
}

/// Prints a plan.
pub fn show(options: &Options, outline: &PlanOutline) -> Result<(), Failure> {
    let text = match options.json {
        true => compact(outline)?,
        false => ui::plan_view(outline, options.verbose > 0),
    };
    result(&text)?;
    Ok(())
}

/// The key of the digests of saved plans. It stays beside the inventory, for its owner only; made when there is none.
pub(super) fn plan_key(project: &Project) -> Result<Secret, Failure> {
    let path = project.state_dir.join("plan.key");
    match fs_err::read_to_string(&path) {
        Ok(text) if !text.trim().is_empty() => return Ok(Secret::new(text.trim())),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Failure::new(code::INPUT, chain(&error)));
        }
        Ok(_) | Err(_) => {}
    }
    let key = Secret::new(init::password()?);
    let made =
        fs_err::create_dir_all(&project.state_dir).and_then(|()| private(&path, key.expose()));
    made.map_err(|error| Failure::new(code::INTERNAL, chain(&error)))?;
    Ok(key)
}

fn save(path: &Path, playbook: &str, digest: String, outline: &PlanOutline) -> Result<(), Failure> {
    let saved = SavedPlan {
        schema: 2,
        playbook: playbook.to_owned(),
        digest,
        outline: outline.clone(),
    };
    let text = serde_json::to_string_pretty(&saved)?;
    private(path, &text).map_err(|error| Failure::new(code::INTERNAL, chain(&error)))
}

/// A plan tells much of a formation: it is its owner's, also where a file of others' stood.
fn private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = fs_err::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path)?;
    if file.metadata()?.is_file() {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    file.write_all(text.as_bytes())
}
