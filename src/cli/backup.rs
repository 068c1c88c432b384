//! Arguments of `backup`.

use super::runbook::RunbookArgs;
use crate::app::Options;
use crate::app::backup::{BackupRequest, Inspection, expire, inspect, list, make, point_alone};
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
    /// Archive a segment and read it back, compare configurations and versions; exit 1 when something is ill or not known
    Check(GroupsArgs),
    /// Read every file of the repositories and compare checksums, look for gaps in the log; exit 1 when something is ill or not known
    Verify(GroupsArgs),
    /// Remove expired backups, after showing which points would lose their way back
    Expire {
        #[command(flatten)]
        groups: GroupsArgs,
        /// Remove this backup, and those that depend on it, whatever its age
        #[arg(long, value_name = "LABEL")]
        set: Option<String>,
        #[command(flatten)]
        runbook: RunbookArgs,
    },
}

#[derive(Debug, Args)]
struct GroupsArgs {
    /// Only this group: its number in Citus, or its cluster name; repeatable [default: all]
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
}

pub async fn run(options: &Options, args: BackupArgs) -> Result<u8, Failure> {
    match args.what {
        Some(BackupVerb::List) => list(options).await,
        Some(BackupVerb::Point { name, runbook }) => {
            point_alone(options, name, &runbook.approval()).await
        }
        Some(BackupVerb::Check(args)) => inspect(options, &args.group, Inspection::Check).await,
        Some(BackupVerb::Verify(args)) => inspect(options, &args.group, Inspection::Verify).await,
        Some(BackupVerb::Expire {
            groups,
            set,
            runbook,
        }) => expire(options, &groups.group, set.as_deref(), &runbook.approval()).await,
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
