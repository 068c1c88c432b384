//! Arguments of `cert`.

use crate::app::Options;
use crate::app::cert::{list, renew};
use crate::app::failure::Failure;
use crate::app::rotate;
use crate::pki::rotation::Phase;
use clap::{Args, Subcommand};

/// What to do with certificates.
#[derive(Debug, Args)]
pub struct CertArgs {
    #[command(subcommand)]
    what: CertVerb,
}

#[derive(Debug, Subcommand)]
enum CertVerb {
    /// List the certificates kept beside the inventory and their expiry
    List {
        /// Also check that every listener serves the certificate that is kept; exit 1 when one does not
        #[arg(long)]
        served: bool,
    },
    /// Issue new keys and certificates for all hosts, or those of --limit, and verify that every listener serves them
    Renew,
    /// Replace the certificate authority without downtime: trust both, reissue all certificates, drop the old one
    RotateCa(RotateArgs),
}

/// Options of `cert rotate-ca`.
#[derive(Debug, Args)]
pub struct RotateArgs {
    /// Stop after this step; the next `cert rotate-ca` goes on
    #[arg(long, value_name = "STEP")]
    until: Option<Phase>,
    /// The key of the authority that the hosts trust is lost for good: the next one signs at once
    #[arg(long)]
    key_lost: bool,
}

pub async fn run(options: &Options, args: &CertArgs) -> Result<u8, Failure> {
    match &args.what {
        CertVerb::List { served } => list(options, *served).await,
        CertVerb::Renew => renew(options).await,
        CertVerb::RotateCa(args) => rotate::run(options, args.until, args.key_lost).await,
    }
}
