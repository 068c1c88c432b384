//! Arguments of `start`.

use super::runbook::RunbookArgs;
use crate::app::Options;
use crate::app::failure::{Failure, code};
use crate::app::start::cold;
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

pub async fn run(options: &Options, args: &StartArgs) -> Result<u8, Failure> {
    if !args.cold {
        let failure = Failure::new(code::USAGE, "what to start is not said");
        return Err(failure.hint("`citusctl start --cold`, after all machines were off"));
    }
    cold(options, &args.runbook.approval()).await
}
