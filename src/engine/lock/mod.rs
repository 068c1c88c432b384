//! Locks: one for each host, one for each formation, held by a process on the hosts for as long as this run gives signs of life.
//!
//! The programs of a run hold its host's lock as well: what a killed run has left behind still has it, and nobody begins beside it.
//! A lost network frees a lock after [`SILENCE`] seconds. Nothing is to be cleaned up after a `kill -9`.

mod owner;
mod places;
mod shell;
#[cfg(test)]
mod tests;
mod unlock;

pub use owner::{Life, Owner};
pub use places::all_keepers;
pub use shell::SILENCE;
pub use unlock::{Taken, locks, take_away};

use super::fleet::chain;
use super::look::futures_join;
use super::{EngineError, Run};
use crate::command::{Frame, FrameLine, listening_program};
use crate::event::Kind;
use crate::names::{FormationName, HostName};
use crate::transport::{self, OutputSink, Program, StreamKind, Transport};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How long a lock that somebody holds is asked for again: a run that was just killed lets go within it.
const PATIENCE: Duration = Duration::from_secs(8);
/// How often a holder gets a sign of life.
const BEAT: Duration = Duration::from_secs(5);
/// A holder that has not answered for so long may be about to let go.
const LEASE: Duration = Duration::from_secs(SILENCE - 5);

/// A host that only keeps a lock is waited for so long: a switchover must not wait for a dead one.
const DIALLING: Duration = Duration::from_secs(5);

/// What to do where none of the hosts that keep a formation's lock can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unkept {
    Refuse,
    /// A procedure for disasters must go on; it says so.
    Tell,
}

/// Locks that are held until this is dropped.
#[derive(Debug, Default)]
pub(super) struct Locks {
    held: BTreeMap<HostName, Held>,
    /// Who keeps the locks of formations for this run.
    kept: BTreeMap<FormationName, BTreeSet<HostName>>,
}

/// The holder on one host.
#[derive(Debug)]
struct Held {
    task: JoinHandle<()>,
    state: Arc<Mutex<HolderState>>,
    /// A connection that is there for the lock alone.
    _transport: Arc<dyn Transport>,
}

#[derive(Debug)]
struct HolderState {
    heard: Instant,
    ended: Option<String>,
}

impl Drop for Locks {
    fn drop(&mut self) {
        for held in self.held.values() {
            held.task.abort();
        }
    }
}

impl Locks {
    /// Whether somebody still keeps the lock of each formation for us.
    pub(super) fn intact(&self) -> Result<(), EngineError> {
        for (formation, hosts) in &self.kept {
            let lost: Vec<String> = hosts.iter().filter_map(|host| self.lost(host)).collect();
            if lost.len() == hosts.len() && !lost.is_empty() {
                return Err(EngineError::LockLost {
                    formation: formation.clone(),
                    why: lost.join("; "),
                });
            }
        }
        Ok(())
    }

    fn lost(&self, host: &HostName) -> Option<String> {
        let held = self.held.get(host)?;
        let state = held.state.lock().unwrap_or_else(PoisonError::into_inner);
        let silent = state.heard.elapsed();
        match &state.ended {
            Some(why) => Some(format!("{host}: {why}")),
            None if silent > LEASE => Some(format!("{host}: no answer for {} s", silent.as_secs())),
            None => None,
        }
    }
}

/// The head of every program of this run that acts.
pub(super) fn guard(run: &Run<'_>) -> String {
    shell::guard(shell::DIR, run.id.as_str())
}

/// Takes the locks of all hosts and of the formations that they belong to, or none.
///
/// Formations come first, one host after the other in one order for all runs: two runs meet at the first host that both can
/// reach, so that one of them goes on.
pub(super) async fn acquire(
    run: &Run<'_>,
    hosts: &BTreeSet<HostName>,
    unkept: Unkept,
) -> Result<Locks, EngineError> {
    let formations = places::concerned(run.model, hosts);
    let mut files = places::files(run.model, hosts, &formations);
    let ways = ways(run, files.keys()).await;
    files.retain(|host, _| ways.contains_key(host));
    let mut locks = Locks::default();
    for formation in formations {
        let keepers = places::keepers(run.model, &formation);
        let reached: BTreeSet<_> = keepers
            .intersection(&ways.keys().cloned().collect())
            .cloned()
            .collect();
        if reached.is_empty() {
            nobody_keeps(run, &formation, &keepers, unkept)?;
        }
        locks.kept.insert(formation, reached);
    }
    let keepers: BTreeSet<HostName> = locks.kept.values().flatten().cloned().collect();
    let (first, rest): (Vec<_>, Vec<_>) =
        files.iter().partition(|(host, _)| keepers.contains(*host));
    for (host, files) in first {
        if let Some(way) = ways.get(host) {
            locks.held.insert(host.clone(), one(run, way, files).await?);
        }
    }
    let rest = rest.into_iter().filter_map(|(host, files)| {
        let way = ways.get(host)?;
        Some(async move { (host.clone(), one(run, way, files).await) })
    });
    let mut failed = None;
    for (host, held) in futures_join(rest).await {
        match held {
            Ok(held) => drop(locks.held.insert(host, held)),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(locks), Err)
}

fn nobody_keeps(
    run: &Run<'_>,
    formation: &FormationName,
    keepers: &BTreeSet<HostName>,
    unkept: Unkept,
) -> Result<(), EngineError> {
    let error = EngineError::NoKeeper {
        formation: formation.clone(),
        hosts: keepers.iter().map(ToString::to_string).collect(),
    };
    match unkept {
        Unkept::Refuse => Err(error),
        Unkept::Tell => {
            run.emitter.emit(Kind::Note {
                text: format!("{error}; this run goes on, with the locks of its own hosts"),
            });
            Ok(())
        }
    }
}

/// The ways to hosts: connections that are there, and new ones to those that only keep locks. Who cannot be reached is left out.
async fn ways<'h>(
    run: &Run<'_>,
    hosts: impl Iterator<Item = &'h HostName>,
) -> BTreeMap<HostName, Arc<dyn Transport>> {
    let found = futures_join(hosts.map(|host| async move {
        if let Some(way) = run.fleet.get(host) {
            return Some((host.clone(), Arc::clone(way)));
        }
        if run.fleet.unreachable().contains_key(host) {
            return None;
        }
        let mut endpoint = run.dial.endpoints.get(host)?.clone();
        endpoint.connect_timeout = endpoint.connect_timeout.min(DIALLING);
        match transport::connect(&endpoint, &run.dial.resolver).await {
            Ok(way) => Some((host.clone(), Arc::from(way))),
            Err(error) => {
                run.emitter.emit(Kind::Note {
                    text: format!("{host} keeps a lock and cannot be asked: {}", chain(&error)),
                });
                None
            }
        }
    }));
    found.await.into_iter().flatten().collect()
}

#[derive(Debug)]
enum HolderAnswer {
    Held,
    Busy { file: String, owner: Owner },
    Ended(String),
}

struct HolderOutput {
    frame: Frame,
    answers: mpsc::UnboundedSender<HolderAnswer>,
    state: Arc<Mutex<HolderState>>,
    lines: Vec<String>,
}

impl OutputSink for HolderOutput {
    fn line(&mut self, _: StreamKind, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let answer = match self.frame.read(&line) {
            FrameLine::Mark(words) => match words.as_slice() {
                ["held"] => HolderAnswer::Held,
                ["busy", file] => HolderAnswer::Busy {
                    file: (*file).to_owned(),
                    owner: Owner::read(self.lines.iter().map(String::as_str)),
                },
                _ => {
                    let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                    state.heard = Instant::now();
                    return;
                }
            },
            FrameLine::Text(text) => {
                self.lines.push(text.to_owned());
                return;
            }
        };
        // The receiver is gone only when the answer is not wanted any more.
        let _ = self.answers.send(answer);
    }
}

/// What stands beside a lock of this run.
fn who(run: &Run<'_>) -> String {
    let plain = |text: &str| text.replace(char::is_control, " ");
    format!(
        "run={}\noperator={}\ncommand={}",
        run.id,
        plain(&run.operator),
        plain(&run.command)
    )
}

async fn one(
    run: &Run<'_>,
    way: &Arc<dyn Transport>,
    files: &[String],
) -> Result<Held, EngineError> {
    let deadline = Instant::now() + PATIENCE;
    let mut pause = Duration::from_millis(50);
    loop {
        let (held, mut answers) = ask(run, way, files);
        let (what, holder) = match answers.recv().await {
            Some(HolderAnswer::Held) => return Ok(held),
            Some(HolderAnswer::Busy { file, owner }) => (what(run, &file), owner.sentence()),
            Some(HolderAnswer::Ended(words)) => ("the host".to_owned(), format!("nobody: {words}")),
            None => ("the host".to_owned(), "nobody: it said nothing".to_owned()),
        };
        if Instant::now() >= deadline {
            let host = way.host().clone();
            return Err(EngineError::Locked { host, what, holder });
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(500));
    }
}

/// Starts a holder.
fn ask(
    run: &Run<'_>,
    way: &Arc<dyn Transport>,
    files: &[String],
) -> (Held, mpsc::UnboundedReceiver<HolderAnswer>) {
    let (sender, answers) = mpsc::unbounded_channel();
    let state = Arc::new(Mutex::new(HolderState {
        heard: Instant::now(),
        ended: None,
    }));
    let mut listener = HolderOutput {
        frame: run.frame.clone(),
        answers: sender.clone(),
        state: Arc::clone(&state),
        lines: Vec::new(),
    };
    let text = shell::holder(&run.frame, shell::DIR, files, &who(run));
    let program = Program::of(listening_program(&text)).with_beat(BEAT);
    let (transport, ended) = (Arc::clone(way), Arc::clone(&state));
    let task = tokio::spawn(async move {
        let result = transport.run(&program, &mut listener).await;
        let words = result.map_or_else(|error| chain(&error), |exit| exit.to_string());
        let mut state = ended.lock().unwrap_or_else(PoisonError::into_inner);
        state.ended = Some(words.clone());
        drop(state);
        let _ = sender.send(HolderAnswer::Ended(words));
    });
    let held = Held {
        task,
        state,
        _transport: Arc::clone(way),
    };
    (held, answers)
}

/// What a file locks, in words.
fn what(run: &Run<'_>, file: &str) -> String {
    unlock::what(run.model, file)
}
