//! Arguments of `restore`.

use super::runbook::RunbookArgs;
use crate::app::Options;
use crate::app::failure::Failure;
use crate::app::rehearsal::{self, RehearsalRequest};
use crate::app::restore::{RestoreRequest, finish, moment, run as restore, undo};
use crate::names::HostName;
use crate::runbook::backup::RestoreTarget;
use clap::{Args, Subcommand};
use std::collections::BTreeSet;

/// Options of `restore`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct RestoreArgs {
    #[command(subcommand)]
    after: Option<AfterVerb>,
    #[command(flatten)]
    target: TargetArgs,
    /// Restore into a lab on this computer instead, which stays; production is only read
    #[arg(long, conflicts_with_all = ["dry_run", "confirm"])]
    into_lab: bool,
    /// Name of that lab [default: drill-restore]
    #[arg(long, value_name = "LAB", requires = "into_lab")]
    lab_name: Option<String>,
    #[command(flatten)]
    gone: GoneArgs,
    #[command(flatten)]
    runbook: RunbookArgs,
}

/// Who is missing.
#[derive(Debug, Args)]
struct GoneArgs {
    /// Go on without a host that is gone for good, which is cloned if it comes back; may be repeated
    #[arg(long, value_name = "HOST", conflicts_with = "into_lab")]
    without: Vec<String>,
}

impl GoneArgs {
    fn hosts(&self) -> BTreeSet<HostName> {
        self.without.iter().map(HostName::new).collect()
    }
}

/// To where; one of them.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct TargetArgs {
    /// Point to return to, as `citusctl backup list` names it
    #[arg(long, value_name = "NAME")]
    point: Option<String>,
    /// Return to the newest point
    #[arg(long)]
    latest: bool,
    /// Return to the newest point that is not later, as 2026-11-30T09:00:00Z (with its offset)
    #[arg(long, value_name = "TIME")]
    time: Option<String>,
}

/// What may follow a restore.
#[derive(Debug, Subcommand)]
enum AfterVerb {
    /// Put back the data that the last restore put aside
    Undo {
        /// Go on without a host that is gone for good, which is cloned if it comes back; may be repeated
        #[arg(long, value_name = "HOST")]
        without: Vec<String>,
        #[command(flatten)]
        runbook: RunbookArgs,
    },
    /// Close restores that are done, and list the data that they put aside
    Finish {
        /// Delete that data
        #[arg(long)]
        delete_old_data: bool,
        #[command(flatten)]
        runbook: RunbookArgs,
    },
}

pub async fn run(options: &Options, args: RestoreArgs) -> Result<u8, Failure> {
    match args.after {
        Some(AfterVerb::Undo { without, runbook }) => {
            let without = without.iter().map(HostName::new).collect();
            return undo(options, &without, &runbook.approval()).await;
        }
        Some(AfterVerb::Finish {
            delete_old_data,
            runbook,
        }) => return finish(options, delete_old_data, &runbook.approval()).await,
        None => {}
    }
    let target = match (args.target.point, args.target.time) {
        (Some(name), _) => RestoreTarget::Point(name),
        (None, Some(text)) => moment(&text)?,
        (None, None) => RestoreTarget::Latest,
    };
    if args.into_lab {
        let lab = args.lab_name.unwrap_or_else(|| rehearsal::LAB.to_owned());
        return rehearsal::run(options, &RehearsalRequest::kept(target, lab)).await;
    }
    let request = RestoreRequest {
        target,
        without: args.gone.hosts(),
        approval: args.runbook.approval(),
    };
    restore(options, &request).await
}
