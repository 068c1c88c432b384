//! Arguments of `verify`.

use crate::app::Options;
use crate::app::failure::Failure;
use crate::app::verify::{VerifyRequest, run as verify};
use clap::Args;

/// Options of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Also create a table, write and read it through every read-write port, and drop it
    #[arg(long)]
    write: bool,
    /// Log in as this role of the inventory [default: the administrator]
    #[arg(long = "as", value_name = "ROLE")]
    role: Option<String>,
}

pub async fn run(options: &Options, args: VerifyArgs) -> Result<u8, Failure> {
    let request = VerifyRequest {
        write: args.write,
        role: args.role,
    };
    verify(options, &request).await
}
