//! All connections of a run, one per host.

use crate::event::{Emitter, Kind, Traffic};
use crate::names::HostName;
use crate::transport::{
    self, Collected, Endpoint, Exit, Program, Resolver, Transport, TransportError,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// The connected hosts, and those that could not be.
#[derive(Debug, Default)]
pub struct Fleet {
    transports: BTreeMap<HostName, Arc<dyn Transport>>,
    unreachable: BTreeMap<HostName, TransportError>,
}

impl Fleet {
    /// Connects to all hosts, at most `forks` at once, and says so host by host.
    pub async fn connect(
        endpoints: Vec<Endpoint>,
        resolver: Arc<Resolver>,
        forks: usize,
        emitter: &Emitter,
    ) -> Self {
        let permits = Arc::new(Semaphore::new(forks.max(1)));
        let mut tasks = JoinSet::new();
        for endpoint in endpoints {
            let (permits, resolver) = (Arc::clone(&permits), Arc::clone(&resolver));
            tasks.spawn(async move {
                let _permit = permits.acquire_owned().await;
                let started = Instant::now();
                let result = transport::connect(&endpoint, &resolver).await;
                (endpoint.host, started.elapsed(), result)
            });
        }
        let mut fleet = Self::default();
        while let Some(joined) = tasks.join_next().await {
            let Ok((host, elapsed, result)) = joined else {
                continue;
            };
            match result {
                Ok(transport) => {
                    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
                    emitter.emit(Kind::HostConnected {
                        host: host.clone(),
                        millis,
                    });
                    fleet.transports.insert(host, Arc::from(transport));
                }
                Err(error) => {
                    emitter.emit(unreachable(&host, &error));
                    fleet.unreachable.insert(host, error);
                }
            }
        }
        fleet
    }

    /// A fleet of given transports, for tests.
    pub fn of(transports: impl IntoIterator<Item = Arc<dyn Transport>>) -> Self {
        let transports = transports
            .into_iter()
            .map(|t| (t.host().clone(), t))
            .collect();
        Self {
            transports,
            unreachable: BTreeMap::new(),
        }
    }

    /// The connection to a host.
    pub fn get(&self, host: &HostName) -> Option<&Arc<dyn Transport>> {
        self.transports.get(host)
    }

    /// The connected hosts.
    pub fn hosts(&self) -> BTreeSet<HostName> {
        self.transports.keys().cloned().collect()
    }

    /// The hosts that could not be reached, and why.
    pub fn unreachable(&self) -> &BTreeMap<HostName, TransportError> {
        &self.unreachable
    }

    /// What each connection has carried so far.
    pub fn traffic(&self) -> BTreeMap<HostName, Traffic> {
        let count = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let traffic = self.transports.iter().map(|(host, transport)| {
            let stats = transport.stats();
            let traffic = Traffic {
                connections: count(stats.connections),
                execs: count(stats.execs),
                tunnels: count(stats.tunnels),
                bytes_in: stats.bytes_in,
                bytes_out: stats.bytes_out,
            };
            (host.clone(), traffic)
        });
        traffic.collect()
    }

    /// Takes leave of all hosts.
    pub async fn close(&self) {
        let all = self.transports.values().map(|transport| transport.close());
        futures_util::future::join_all(all).await;
    }
}

/// Runs a program and keeps all of its output.
pub(super) async fn collect(
    transport: &dyn Transport,
    program: &Program,
) -> Result<(Exit, Collected), TransportError> {
    let mut output = Collected::default();
    let exit = transport.run(program, &mut output).await?;
    Ok((exit, output))
}

fn unreachable(host: &HostName, error: &TransportError) -> Kind {
    Kind::HostUnreachable {
        host: host.clone(),
        error: chain(error),
        hints: error.hints(),
    }
}

/// An error with all its causes.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Some errors say their cause themselves.
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
