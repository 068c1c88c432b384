//! Arguments of `etcd`.

use super::runbook::RunbookArgs;
use crate::app::Options;
use crate::app::etcd::open;
use crate::app::failure::Failure;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What to do with etcd.
#[derive(Debug, Args)]
pub struct EtcdArgs {
    #[command(subcommand)]
    what: EtcdVerb,
}

#[derive(Debug, Subcommand)]
enum EtcdVerb {
    /// Show members and quorum; exit 1 when a member is down
    Status,
    /// Save a verified snapshot to a local file
    Snapshot {
        /// Target file; must not exist
        file: PathBuf,
    },
    /// Add a host of the inventory as a member, or replace the dead member at its address
    Add(MemberArgs),
    /// Remove a member
    Remove(MemberArgs),
    /// Quorum is lost for good: rebuild the cluster from the data of one member
    Reset(ResetArgs),
    /// Rebuild the cluster from a snapshot
    Restore(RestoreArgs),
}

#[derive(Debug, Args)]
struct MemberArgs {
    /// Member by name, host or id
    member: String,
    #[command(flatten)]
    runbook: RunbookArgs,
}

#[derive(Debug, Args)]
struct ResetArgs {
    /// Host whose data is kept
    #[arg(long, value_name = "HOST", required_unless_present = "without_data")]
    to: Option<String>,
    /// No member has data left: start empty, with the last leader of each group first
    #[arg(long, conflicts_with = "to")]
    without_data: bool,
    /// Lost host that is off and stays off; repeatable
    #[arg(long, value_name = "HOST")]
    fenced: Vec<String>,
    #[command(flatten)]
    runbook: RunbookArgs,
}

#[derive(Debug, Args)]
struct RestoreArgs {
    /// File written by `etcd snapshot`
    file: PathBuf,
    /// Unreachable host whose data is given up; repeatable
    #[arg(long, value_name = "HOST")]
    fenced: Vec<String>,
    #[command(flatten)]
    runbook: RunbookArgs,
}

pub async fn run(options: &Options, args: &EtcdArgs) -> Result<u8, Failure> {
    let etcd = open(options)?;
    match &args.what {
        EtcdVerb::Status => etcd.status().await,
        EtcdVerb::Snapshot { file } => etcd.snapshot(file).await,
        EtcdVerb::Add(args) => etcd.add(&args.member, &args.runbook.approval()).await,
        EtcdVerb::Remove(args) => etcd.remove(&args.member, &args.runbook.approval()).await,
        EtcdVerb::Reset(args) => {
            let approval = args.runbook.approval();
            match &args.to {
                Some(to) => etcd.reset(to, &args.fenced, &approval).await,
                None => etcd.reset_empty(&args.fenced, &approval).await,
            }
        }
        EtcdVerb::Restore(args) => {
            let approval = args.runbook.approval();
            etcd.restore(&args.file, &args.fenced, &approval).await
        }
    }
}
