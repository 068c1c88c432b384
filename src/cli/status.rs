//! `status`: the formation at a glance.

use super::exit::{Failure, code};
use super::options::Common;
use clap::Args;

/// Options of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Show it again every two seconds
    #[arg(long)]
    watch: bool,
}

/// Runs it.
pub async fn run(_common: &Common, _args: &StatusArgs) -> Result<u8, Failure> {
    Err(Failure::new(code::INTERNAL, "status is not built yet"))
}
