//! What russh asks and tells while a connection lives.

use crate::transport::error::HostKeyProblem;
use crate::transport::talk::brief;
use crate::transport::trust::Trust;
use russh::client::{DisconnectReason, Handler};
use russh::keys::PublicKeyOrCertificate;
use std::sync::{Arc, Mutex, PoisonError};

/// Why a connection ended, once it has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fate(Arc<Mutex<Option<String>>>);

impl Fate {
    fn set(&self, why: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    /// The reason, if one is known.
    pub(crate) fn get(&self) -> Option<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Checks the host's key and notes why the connection ended.
#[derive(Debug)]
pub(crate) struct SshClient {
    pub(crate) trust: Trust,
    pub(crate) fate: Fate,
}

/// A failure inside the connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SshClientError {
    #[error(transparent)]
    Ssh(#[from] russh::Error),
    #[error(transparent)]
    Key(#[from] HostKeyProblem),
}

impl Handler for SshClient {
    type Error = SshClientError;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        self.trust.check(shown)?;
        Ok(true)
    }

    async fn disconnected(
        &mut self,
        reason: DisconnectReason<Self::Error>,
    ) -> Result<(), Self::Error> {
        match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                self.fate
                    .set(format!("the host says `{}`", brief(info.message.trim())));
                Ok(())
            }
            DisconnectReason::Error(error) => {
                self.fate.set(error.to_string());
                Err(error)
            }
        }
    }
}
