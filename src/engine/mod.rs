//! The only part that acts: connects, looks, carries out a plan stage by stage, and says what happened.
//!
//! Cross-host order exists in two places: as data in the plan, and in the one loop of [`apply`]. Everything
//! visible is an event; nothing here prints.

mod adhoc;
mod apply;
mod budget;
mod cancel;
mod claims;
mod copies;
pub mod drill;
mod emergency;
mod ending;
mod error;
mod fleet;
mod gate;
mod group;
mod group_look;
mod headless;
mod lock;
mod look;
mod not_starting;
mod patroni;
mod registered;
mod replaced;
mod runbook;
mod served;
mod sources;
pub mod status;
mod systems;
mod tail;
#[cfg(test)]
mod tests;
mod unseen;
pub mod verify;
mod work;

pub use adhoc::{Answer, Unanswered, on_all};
pub use apply::{ApplyOptions, apply};
pub use cancel::Cancel;
pub use claims::{bootstraps, claimed};
pub use emergency::{Majority, etcd_majority, markers, open_restore};
pub use error::EngineError;
pub use fleet::Fleet;
pub use group_look::groups;
pub use headless::headless;
pub use lock::{Life, Owner, SILENCE, Taken, all_keepers, locks, take_away};
pub use look::{Looker, look};
pub use not_starting::{WAY_OUT, not_startable, why_down};
pub use patroni::Patroni;
pub use replaced::{Replaced, replaced};
pub use runbook::{carry_out, survey};
pub use served::{TlsListener, admits, listeners, served};
pub use sources::diverged_sources;
pub use systems::other_systems;

use crate::command::Frame;
use crate::event::Emitter;
use crate::model::Model;
use crate::names::{FormationName, HostName, RunId};
use crate::secret::Secret;
use crate::transport::{Endpoint, Resolver};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What all parts of the engine share for one run.
#[derive(Debug)]
pub struct Run<'a> {
    pub id: RunId,
    pub frame: Frame,
    pub emitter: Emitter,
    pub model: &'a Model,
    pub fleet: &'a Fleet,
    /// How Patroni's REST API is reached, by formation.
    pub patroni: BTreeMap<FormationName, PatroniAccess>,
    pub cancel: Cancel,
    /// Who runs this, for the lock: `user@machine (pid N)`.
    pub operator: String,
    /// What is run, for the lock: the verb and what narrows it.
    pub command: String,
    /// The way to hosts that keep locks and take no other part.
    pub dial: &'a Dial,
    /// How many hosts are talked to at once.
    pub forks: usize,
}

/// How hosts are reached that are not in the fleet.
#[derive(Debug)]
pub struct Dial {
    pub endpoints: BTreeMap<HostName, Endpoint>,
    pub resolver: Arc<Resolver>,
}

impl Dial {
    /// Ways to the hosts of these endpoints, made when they are needed.
    pub fn new(endpoints: Vec<Endpoint>, resolver: Arc<Resolver>) -> Self {
        let named = endpoints.into_iter();
        Self {
            endpoints: named.map(|e| (e.host.clone(), e)).collect(),
            resolver,
        }
    }
}

/// Credentials for Patroni's REST API.
#[derive(Clone, Debug)]
pub struct PatroniAccess {
    pub user: String,
    pub password: Secret,
    /// When the API speaks TLS.
    pub tls: Option<PatroniTls>,
}

/// How both sides of Patroni's REST API prove themselves: unsafe endpoints want a client certificate.
#[derive(Clone, Debug)]
pub struct PatroniTls {
    pub ca_pem: String,
    pub cert_pem: String,
    pub key_pem: Secret,
}
