//! What Patroni cannot tell of itself: the notes of an open recover, and whether etcd has its majority.

use super::Run;
use super::gate::{exec, healthy};
use super::look::futures_join;
use crate::runbook::recover::{MARKER_PATH, Marker};

/// The notes of recovers that are open, of all hosts that are connected.
pub async fn markers(run: &Run<'_>) -> Vec<Marker> {
    let hosts = run.fleet.hosts();
    let line = format!("cat {MARKER_PATH} 2>/dev/null || :");
    let said = futures_join(hosts.iter().map(|host| exec(run, host, &line))).await;
    let notes = said.into_iter().flatten();
    notes.filter_map(|text| Marker::read(&text)).collect()
}

/// Whether etcd can decide anything, as its members that are connected say; `None` where none of them can be asked.
pub async fn etcd_majority(run: &Run<'_>) -> Option<bool> {
    let etcd = run.model.etcd.as_ref()?;
    let asked = etcd.members.iter();
    let asked = asked.filter(|member| run.fleet.get(&member.host).is_some());
    let said = futures_join(asked.map(|member| healthy(run, member, etcd.client_port))).await;
    (!said.is_empty()).then(|| said.contains(&true))
}
