//! A private certificate authority beside the inventory, and one certificate per instance.
//!
//! The key of the authority is made once, and replaced only by [`rotation`]. Every leaf has a key of its own and is
//! kept while it is fit: same key, same issuer, same names, enough time left. Keys are ECDSA P-256:
//! Ed25519 breaks SCRAM channel binding of PostgreSQL, and ring makes no RSA keys. Time is passed
//! in; a [`Ca`] that lives in memory serves `check` and `render`, which write nothing.

mod authority;
mod inspect;
mod kept;
mod leaf;
pub mod rotation;
mod store;

pub use authority::Ca;
pub use inspect::{Inspected, inspect, stranger};
pub use kept::{KeptCertificate, bring_back, kept, retire};
pub use leaf::{Leaf, LeafRequest, Reissue, Usage};

use std::path::PathBuf;

/// What can be wrong with the authority or a certificate.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    /// The authority's certificate is there, its key is not.
    #[error("{}: there is a certificate of an authority, but its key `ca.key` is missing", dir.display())]
    KeyMissing { dir: PathBuf },
    /// There is no authority, and none may be made.
    #[error("{}: there is no certificate authority", dir.display())]
    Absent { dir: PathBuf },
    /// The key is of a form that cannot be read.
    #[error("{name}: not a usable private key: {why}")]
    Key { name: String, why: String },
    /// The certificate is of a form that cannot be read.
    #[error("{name}: not a usable certificate: {why}")]
    Certificate { name: String, why: String },
    /// Key and certificate of the authority do not belong together, or it may not sign.
    #[error("{}: {why}", dir.display())]
    Unfit { dir: PathBuf, why: &'static str },
    /// A leaf cannot be signed.
    #[error("{name}: the certificate cannot be made: {why}")]
    Sign { name: String, why: String },
    /// A name that no certificate can carry.
    #[error("{name}: `{san}` is neither an address nor a host name")]
    BadName { name: String, san: String },
}

impl PkiError {
    /// What to do next.
    pub fn hints(&self) -> Vec<&'static str> {
        match self {
            Self::KeyMissing { .. } => vec![
                "bring `ca.key` back from a backup: certificates that are out there were signed with it",
                "if it is lost for good: `citusctl cert rotate-ca --key-lost` puts another authority in its place",
            ],
            Self::Absent { .. } => {
                vec!["set `ca_create: true`, or put `ca.key` and `ca.crt` there"]
            }
            Self::Key { .. } => vec![
                "keys must be unencrypted PKCS#8: `openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW` makes one",
            ],
            Self::Unfit { .. } => vec!["put a matching pair of `ca.key` and `ca.crt` there"],
            Self::Io { .. }
            | Self::Certificate { .. }
            | Self::Sign { .. }
            | Self::BadName { .. } => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
