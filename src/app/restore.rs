//! `restore`: a formation back to a point, in place; and back again.

use super::backup::{input, look, look_at, reach};
use super::failure::{Failure, code};
use super::options::Options;
use super::project::Project;
use super::runbook::{self, Approval};
use crate::runbook::backup::{RestoreTarget, plan_finish, plan_restore, plan_undo};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Returns to a point.
///
/// # Errors
/// Whatever stood in the way.
pub async fn run(
    options: &Options,
    target: &RestoreTarget,
    approval: &Approval,
) -> Result<u8, Failure> {
    let project = Project::open(options)?;
    let session = reach(options, &project, "restore", approval.dry_run).await?;
    let run = session.run()?;
    let seen = look(&session, &run).await;
    let planned = plan_restore(input(&session, &seen), target).map_err(Failure::from);
    runbook::run(options, approval, &session, &run, planned).await
}

/// Puts back what the last restore put aside.
///
/// # Errors
/// Whatever stood in the way.
pub async fn undo(options: &Options, approval: &Approval) -> Result<u8, Failure> {
    let project = Project::open(options)?;
    let session = reach(options, &project, "restore undo", approval.dry_run).await?;
    let run = session.run()?;
    let seen = look(&session, &run).await;
    let planned = plan_undo(input(&session, &seen)).map_err(Failure::from);
    runbook::run(options, approval, &session, &run, planned).await
}

/// Takes restores for good; `delete`: and deletes what they put aside.
///
/// # Errors
/// Whatever stood in the way.
pub async fn finish(options: &Options, delete: bool, approval: &Approval) -> Result<u8, Failure> {
    let project = Project::open(options)?;
    let session = reach(options, &project, "restore finish", approval.dry_run).await?;
    let run = session.run()?;
    let seen = look_at(&session, &run, true).await;
    let planned = plan_finish(input(&session, &seen), delete).map_err(Failure::from);
    runbook::run(options, approval, &session, &run, planned).await
}

/// A time as the command line has it.
///
/// # Errors
/// It has no offset: hosts and databases would each take their own.
pub fn moment(text: &str) -> Result<RestoreTarget, Failure> {
    let time = OffsetDateTime::parse(text, &Rfc3339);
    let time = time.map_err(|_| {
        Failure::new(code::USAGE, format!("`{text}` is no time with an offset"))
            .hint("write it as 2026-11-30T09:00:00Z or 2026-11-30T10:00:00+01:00")
    })?;
    Ok(RestoreTarget::Time(time.unix_timestamp()))
}
