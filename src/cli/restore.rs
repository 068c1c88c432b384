//! Arguments of `restore`.

use super::runbook::RunbookArgs;
use crate::app::Options;
use crate::app::failure::Failure;
use crate::app::rehearsal::{self, RehearsalRequest};
use crate::app::restore::{moment, run as restore};
use crate::runbook::backup::RestoreTarget;
use clap::Args;

/// Options of `restore`.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// Point to return to, as `citusctl backup list` names it
    #[arg(long, value_name = "NAME", group = "target", required_unless_present_any = ["latest", "time"])]
    point: Option<String>,
    /// Return to the newest point
    #[arg(long, group = "target")]
    latest: bool,
    /// Return to the newest point that is not later, as 2026-11-30T09:00:00Z (with its offset)
    #[arg(long, value_name = "TIME", group = "target")]
    time: Option<String>,
    /// Restore into a lab on this computer instead, which stays; production is only read
    #[arg(long, conflicts_with_all = ["dry_run", "confirm"])]
    into_lab: bool,
    /// Name of that lab [default: drill-restore]
    #[arg(long, value_name = "LAB", requires = "into_lab")]
    lab_name: Option<String>,
    #[command(flatten)]
    runbook: RunbookArgs,
}

pub async fn run(options: &Options, args: RestoreArgs) -> Result<u8, Failure> {
    let target = match (args.point, args.time) {
        (Some(name), _) => RestoreTarget::Point(name),
        (None, Some(text)) => moment(&text)?,
        (None, None) => RestoreTarget::Latest,
    };
    if args.into_lab {
        let lab = args.lab_name.unwrap_or_else(|| rehearsal::LAB.to_owned());
        return rehearsal::run(options, &RehearsalRequest::kept(target, lab)).await;
    }
    restore(options, &target, &args.runbook.approval()).await
}
