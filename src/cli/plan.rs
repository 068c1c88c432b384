//! Arguments of `plan`.

use crate::app::Options;
use crate::app::failure::Failure;
use crate::app::plan::{PlanRequest, run as plan};
use clap::Args;
use std::path::PathBuf;

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

pub async fn run(options: &Options, args: PlanArgs) -> Result<u8, Failure> {
    let request = PlanRequest {
        playbook: args.playbook,
        out: args.out,
        detailed_exitcode: args.detailed_exitcode,
    };
    plan(options, &request).await
}
