//! The load and the eyes of a drill: a writer that remembers what was acknowledged, and a sampler for each member.

pub mod facts;
mod sampler;
mod writer;

pub use facts::CopyFacts;
pub use sampler::sample;
pub use writer::{ListenAddress, Load, Patience, Table, WriteLog};

use super::verify::Login;
use super::verify::client::{Client, ClientError};
use std::time::Duration;
use tokio::time::timeout;

/// A session straight to an address, given up soon: whoever is cut off never answers.
async fn connect(
    door: &ListenAddress,
    login: &Login,
    limit: Duration,
) -> Result<Client, ClientError> {
    let connecting = Client::direct(&door.address, door.port, login);
    timeout(limit, connecting)
        .await
        .map_err(|_| ClientError::Timeout(limit))?
}
