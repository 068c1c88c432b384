//! `plan`: what would change.

use super::exit::{Failure, chain, code, compact, refused, result};
use super::init;
use super::options::Common;
use super::project::Project;
use super::remove::{self, Removing};
use super::runbook::RunbookArgs;
use super::session::{Deed, Session};
use crate::event::Outcome;
use crate::event::outline::PlanOutline;
use crate::plan::{digest, outline};
use crate::secret::Secret;
use crate::ui;
use clap::Args;
use fs_err::os::unix::fs::OpenOptionsExt;
use serde::{Deserialize, Serialize};
use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Options of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Playbook: site, node, etcd, pgsql, pgbouncer, haproxy, vip; to remove: pgsql-rm, etcd-rm, node-rm
    #[arg(default_value = "site")]
    playbook: String,
    /// Save the plan to a file, for `apply --plan`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Exit with code 10 when changes are pending
    #[arg(long)]
    detailed_exitcode: bool,
}

impl PlanArgs {
    /// The whole.
    pub fn site() -> Self {
        Self {
            playbook: "site".to_owned(),
            out: None,
            detailed_exitcode: false,
        }
    }
}

/// A plan on disk. It is carried out only while a fresh look yields the same digest.
#[derive(Debug, Serialize, Deserialize)]
pub struct SavedPlan {
    pub schema: u32,
    pub playbook: String,
    pub digest: String,
    pub outline: PlanOutline,
}

/// Runs it.
pub async fn run(common: &Common, args: &PlanArgs) -> Result<u8, Failure> {
    let project = Project::open(common)?;
    project.say_warnings(common);
    if let Some(removing) = Removing::of(common, &project, &args.playbook)? {
        return removal(common, &project, &removing, args).await;
    }
    let deed = match args.out {
        Some(_) => Deed::Saves,
        None => Deed::Looks,
    };
    let session = Session::connect(common, &project, &args.playbook, "plan", deed).await?;
    let run = session.run()?;
    let (_, _, plan) = session.plan(&run).await?;
    drop(run);
    let outline = outline(&plan, &session.masker);
    session.emitter.pause();
    // Where something is in the way, `No changes` would be half the truth.
    if common.json() || plan.refusals.is_empty() || !plan.is_empty() {
        show(common, &outline)?;
    }
    if let Some(path) = &args.out {
        let digest = digest(&plan, &session.masker, &plan_key(&project)?)?;
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
    common: &Common,
    project: &Project,
    removing: &Removing,
    args: &PlanArgs,
) -> Result<u8, Failure> {
    if args.out.is_some() {
        let failure = Failure::new(code::USAGE, "the plan of a removal cannot be saved");
        return Err(failure.hint("`citusctl apply` shows it again before it asks"));
    }
    let dry = RunbookArgs {
        confirm: None,
        dry_run: true,
    };
    remove::run(common, project, removing, &dry, args.detailed_exitcode).await
}

/// Prints a plan.
pub fn show(common: &Common, outline: &PlanOutline) -> Result<(), Failure> {
    let text = match common.json() {
        true => compact(outline)?,
        false => ui::plan_view(outline, common.verbose > 0),
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
