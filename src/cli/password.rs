//! Arguments of `password`.

use crate::app::Options;
use crate::app::failure::Failure;
use crate::app::password::rotate;
use clap::{Args, Subcommand};

/// What to do with passwords.
#[derive(Debug, Args)]
pub struct PasswordArgs {
    #[command(subcommand)]
    what: PasswordVerb,
}

#[derive(Debug, Subcommand)]
enum PasswordVerb {
    /// Generate new passwords, write them to the inventory, apply it, and test every login
    Rotate {
        /// Parameters (pg_admin_password) or roles of `pg_users` [default: all in the inventory]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
}

pub async fn run(options: &Options, args: &PasswordArgs) -> Result<u8, Failure> {
    let PasswordVerb::Rotate { names } = &args.what;
    rotate(options, names).await
}
