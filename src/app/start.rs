//! `start --cold`: all machines were off.

use super::failure::Failure;
use super::options::Options;
use super::project::Project;
use super::recover::{input, look, no_restore, with_note};
use super::runbook::{self, Approval};
use super::session::Session;
use crate::runbook::start_cold;

/// Starts what did not come up after all machines were off.
///
/// # Errors
/// Whatever stood in the way.
pub async fn cold(options: &Options, approval: &Approval) -> Result<u8, Failure> {
    let project = Project::open(options)?;
    let hosts = project.model.hosts.keys().cloned().collect();
    let looks = approval.dry_run;
    let session = Session::reach_for(options, &project, "start", hosts, looks).await?;
    let run = session.run()?;
    let planned = match no_restore(&run).await {
        Ok(note) => {
            let seen = look(&session, &run).await;
            let planned = start_cold(input(&session, &seen)).map_err(Failure::from);
            with_note(planned, note)
        }
        Err(refusal) => Err(refusal),
    };
    runbook::run(options, approval, &session, &run, planned).await
}
