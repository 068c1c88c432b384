//! Arguments of `recover`.

use super::runbook::RunbookArgs;
use crate::app::Options;
use crate::app::failure::Failure;
use crate::app::recover::{After, RecoverRequest, back, run as recover};
use crate::runbook::recover::RecoverMethod;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Options of `recover`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct RecoverArgs {
    #[command(subcommand)]
    after: Option<AfterVerb>,
    /// Host with the last good copy
    #[arg(long, value_name = "HOST", required = true)]
    survivor: Option<String>,
    /// Lost host that is off or disconnected and will not come back on its own; repeatable
    #[arg(long, value_name = "HOST")]
    fenced: Vec<String>,
    /// Method [default: etcd, if a member with its data is reachable]
    #[arg(long, value_name = "WAY")]
    via: Option<RecoverMethod>,
    /// Promote even where Patroni would refuse because acknowledged transactions may be lost
    #[arg(long)]
    accept_loss: bool,
    #[command(flatten)]
    runbook: RunbookArgs,
}

/// The ways back.
#[derive(Debug, Subcommand)]
enum AfterVerb {
    /// Rejoin lost hosts that are back
    Rejoin(RunbookArgs),
    /// Continue without hosts that are lost for good; writes a new inventory beside the old one
    Rebuild(RebuildArgs),
    /// Restore the previous state, if nothing was promoted yet
    Undo(RunbookArgs),
}

/// Options of `recover rebuild`.
#[derive(Debug, Args)]
struct RebuildArgs {
    /// Where the new inventory goes; never over a file that is there [default: NAME-rebuilt.yml beside the old one]
    #[arg(long, value_name = "FILE")]
    new: Option<PathBuf>,
    #[command(flatten)]
    runbook: RunbookArgs,
}

pub async fn run(options: &Options, args: RecoverArgs) -> Result<u8, Failure> {
    match args.after {
        Some(after) => back(options, &after.plain()).await,
        None => {
            let request = RecoverRequest {
                survivor: args.survivor.unwrap_or_default(),
                fenced: args.fenced,
                via: args.via,
                accept_loss: args.accept_loss,
                approval: args.runbook.approval(),
            };
            recover(options, &request).await
        }
    }
}

impl AfterVerb {
    fn plain(self) -> After {
        match self {
            Self::Rejoin(runbook) => After::Rejoin(runbook.approval()),
            Self::Rebuild(args) => After::Rebuild(args.new, args.runbook.approval()),
            Self::Undo(runbook) => After::Undo(runbook.approval()),
        }
    }
}
