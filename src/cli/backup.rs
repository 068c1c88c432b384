//! Arguments of `backup`.

use super::runbook::RunbookArgs;
use crate::app::Options;
use crate::app::backup::{BackupRequest, list, make, point_alone};
use crate::app::failure::Failure;
use crate::runbook::backup::BackupKind;
use clap::{Args, Subcommand};

/// Options of `backup`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BackupArgs {
    #[command(subcommand)]
    what: Option<BackupVerb>,
    /// Only this group: its number in Citus, or its cluster name; repeatable [default: all, and then a point]
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
    /// Kind of backup
    #[arg(long = "type", value_name = "TYPE", default_value = "incr")]
    kind: BackupKind,
    #[command(flatten)]
    runbook: RunbookArgs,
}

#[derive(Debug, Subcommand)]
enum BackupVerb {
    /// List backups and the points to which the formation can return
    List,
    /// Make a point to which all groups can return together
    Point {
        /// Its name, never used before [default: one made of the time]
        name: Option<String>,
        #[command(flatten)]
        runbook: RunbookArgs,
    },
}

pub async fn run(options: &Options, args: BackupArgs) -> Result<u8, Failure> {
    match args.what {
        Some(BackupVerb::List) => list(options).await,
        Some(BackupVerb::Point { name, runbook }) => {
            point_alone(options, name, &runbook.approval()).await
        }
        None => {
            let request = BackupRequest {
                groups: args.group,
                kind: args.kind,
                approval: args.runbook.approval(),
            };
            make(options, &request).await
        }
    }
}
