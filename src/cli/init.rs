//! Arguments of `init`.

use clap::Args;

/// What to begin with.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Layout, then the IP addresses of the hosts. Layouts: citus (3 hosts without standbys, 5 or more with), ha (3 or
    /// more), single (1); chosen by the number of hosts if left out
    #[arg(value_name = "[citus|ha|single] HOST", required = true)]
    pub what: Vec<String>,
}
