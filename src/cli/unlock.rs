//! Arguments of `unlock`.

use crate::app::Options;
use crate::app::failure::Failure;
use crate::app::unlock::{UnlockRequest, run as unlock};
use clap::Args;

/// Options of `unlock`.
#[derive(Debug, Args)]
pub struct UnlockArgs {
    /// The host, as a pattern; without it all hosts, or those of --limit
    #[arg(value_name = "HOST")]
    host: Option<String>,
    /// End the programs that a dead run has left on the host, too: what they were doing stays half done
    #[arg(long)]
    end_programs: bool,
    /// Stop after the look
    #[arg(long)]
    dry_run: bool,
}

pub async fn run(options: &Options, args: UnlockArgs) -> Result<u8, Failure> {
    let options = Options {
        limit: args.host.or_else(|| options.limit.clone()),
        ..options.clone()
    };
    let request = UnlockRequest {
        end_programs: args.end_programs,
        dry_run: args.dry_run,
    };
    unlock(&options, &request).await
}
