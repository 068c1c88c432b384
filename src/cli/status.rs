//! Arguments of `status`.

use clap::Args;

/// Options of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Refresh every two seconds
    #[arg(long)]
    pub watch: bool,
}
