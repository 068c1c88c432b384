//! How a runbook is consented to, on the command line.

use crate::app::Approval;
use clap::Args;

/// Options of a runbook.
#[derive(Clone, Debug, Default, Args)]
pub struct RunbookArgs {
    /// Confirm non-interactively by naming the formation or group
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
    /// Show the plan and stop
    #[arg(long)]
    pub dry_run: bool,
}

impl RunbookArgs {
    /// The same as plain values.
    pub fn approval(&self) -> Approval {
        Approval {
            confirm: self.confirm.clone(),
            dry_run: self.dry_run,
        }
    }
}
