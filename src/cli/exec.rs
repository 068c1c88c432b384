//! Arguments of `exec`.

use crate::app::exec::ExecRequest;
use clap::Args;

/// Options of `exec`.
#[derive(Debug, Args)]
pub struct ExecArgs {
    /// Command to run; a single argument is passed to the shell
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<String>,
    /// Seconds that the command may take on a host; then it is killed there. 0 sets no limit
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    timeout: u64,
    /// Show the output as it came on a terminal, too; else sequences that steer a terminal are spelt out there
    #[arg(long)]
    raw: bool,
}

impl ExecArgs {
    /// The same as plain values.
    pub fn plain(self) -> ExecRequest {
        ExecRequest {
            command: self.command,
            timeout: self.timeout,
            raw: self.raw,
        }
    }
}
