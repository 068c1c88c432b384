//! Arguments of `check`.

use clap::Args;

/// How far.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Name for each value of the inventory where it acts, or why it has no effect; exit 3 when any is left over
    #[arg(long)]
    pub explain_values: bool,
}
