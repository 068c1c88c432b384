//! `start --cold`: all machines were off.

use super::exit::{Failure, code};
use super::options::Common;
use super::project::Project;
use super::recover::{input, look};
use super::runbook::{self, RunbookArgs};
use super::session::Session;
use crate::runbook::start_cold;
use clap::Args;

/// Options of `start`.
#[derive(Debug, Args)]
pub struct StartArgs {
    /// Start after a power cut: etcd, then the last leaders, standbys, routing
    #[arg(long)]
    cold: bool,
    #[command(flatten)]
    runbook: RunbookArgs,
}

/// Runs it.
pub async fn run(common: &Common, args: &StartArgs) -> Result<u8, Failure> {
    if !args.cold {
        let failure = Failure::new(code::USAGE, "what to start is not said");
        return Err(failure.hint("`citusctl start --cold`, after all machines were off"));
    }
    let project = Project::open(common)?;
    let hosts = project.model.hosts.keys().cloned().collect();
    let looks = args.runbook.dry_run;
    let session = Session::reach_for(common, &project, "start", hosts, looks).await?;
    let run = session.run()?;
    let seen = look(&session, &run).await;
    let planned = start_cold(input(&session, &seen)).map_err(Failure::from);
    runbook::run(common, &args.runbook, &session, &run, planned).await
}
