//! Arguments of `apply`.

use crate::app::Options;
use crate::app::apply::{ApplyRequest, run as apply};
use crate::app::failure::Failure;
use clap::Args;
use std::path::PathBuf;

/// Options of `apply`.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// Playbook: site, node, etcd, pgsql, pgbouncer, haproxy, vip; to remove: pgsql-rm, etcd-rm, node-rm
    #[arg(default_value = "site")]
    playbook: String,
    /// Apply this saved plan; refused if anything has changed since
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Confirm a removal by naming what is removed, as the plan says it; required for a group or a formation
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,
}

pub async fn run(options: &Options, args: ApplyArgs) -> Result<u8, Failure> {
    let request = ApplyRequest {
        playbook: args.playbook,
        plan: args.plan,
        confirm: args.confirm,
    };
    apply(options, &request).await
}
