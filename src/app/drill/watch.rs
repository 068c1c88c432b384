//! The eyes of a drill: one child for each member, inside the member's own network, so that a leader that is cut off is
//! watched too.

use crate::app::failure::{Failure, code};
use crate::engine::drill::{ListenAddress, sample};
use crate::engine::verify::Login;
use crate::event::drill::{MemberLine, Millis, State, spans};
use crate::lab::Lab;
use crate::model::{Group, Instance};
use crate::secret::Secret;
use crate::ui::term;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;
use tokio::task::JoinSet;

/// What a child is told on its standard input.
#[derive(Serialize, Deserialize)]
struct Orders {
    address: String,
    port: u16,
    user: String,
    password: String,
    database: String,
    ca_pem: String,
}

type Samples = Arc<Mutex<BTreeMap<String, Vec<(Millis, State)>>>>;

/// The words that start a child beside a member.
fn sampler(lab: Option<&Lab>, member: &Instance) -> Result<Vec<OsString>, Failure> {
    let program = std::env::current_exe().map_err(|error| {
        let text = format!("{}: the sampler: {error}", member.host);
        Failure::new(code::INTERNAL, text)
    })?;
    let (program, words) = (program.into_os_string(), ["drill-sampler".into()]);
    let command = match lab {
        Some(lab) => lab.beside(member.host.as_str(), &program, &words)?,
        None => {
            let mut command = std::process::Command::new(program);
            command.args(words);
            command
        }
    };
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    Ok(words.map(ToOwned::to_owned).collect())
}

/// All children, and what they have said. They end with it.
pub struct Watch {
    samples: Samples,
    members: usize,
    _tasks: JoinSet<()>,
}

impl Watch {
    /// Starts a child for each member, and again when it ends: who clears a host's network before it boots ends it.
    pub fn start(
        lab: Option<&Lab>,
        members: &[Instance],
        login: &Login,
        started: Instant,
    ) -> Result<Self, Failure> {
        let samples = Samples::default();
        let mut tasks = JoinSet::new();
        for member in members {
            let words = sampler(lab, member)?;
            let eye = Eye {
                words,
                orders: orders(member, login),
                name: member.name.to_string(),
                samples: Arc::clone(&samples),
                started,
            };
            tasks.spawn(async move {
                loop {
                    // A child that could not be started is seen as a member that does not answer.
                    let ended = eye.look().await;
                    eye.note(State::Down);
                    drop(ended);
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            });
        }
        Ok(Self {
            samples,
            members: members.len(),
            _tasks: tasks,
        })
    }

    /// Whether every member has answered throughout since then.
    pub fn all_up(&self, since: Millis) -> bool {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples.len() == self.members
            && samples.values().all(|samples| {
                let mut recent = samples
                    .iter()
                    .rev()
                    .take_while(|(at, _)| *at >= since)
                    .peekable();
                recent.peek().is_some() && recent.all(|(_, state)| *state != State::Down)
            })
    }

    /// What was seen.
    pub fn lines(&self) -> Vec<MemberLine> {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = samples.iter().map(|(name, samples)| MemberLine {
            name: name.clone(),
            spans: spans(samples),
        });
        lines.collect()
    }
}

fn orders(member: &Instance, login: &Login) -> Orders {
    Orders {
        address: member.address.to_string(),
        port: member.port,
        user: login.user.clone(),
        password: login.password.expose().to_owned(),
        // Every member has this one, whichever group it is in.
        database: "postgres".to_owned(),
        ca_pem: login.ca_pem.clone(),
    }
}

/// Watches one member.
struct Eye {
    words: Vec<OsString>,
    orders: Orders,
    name: String,
    samples: Samples,
    started: Instant,
}

impl Eye {
    /// One child, until it ends.
    async fn look(&self) -> std::io::Result<()> {
        let mut words = self.words.iter();
        let mut command = Command::new(words.next().ok_or(std::io::ErrorKind::NotFound)?);
        command
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let text = serde_json::to_vec(&self.orders).map_err(std::io::Error::other)?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(&text).await?;
        }
        let out = child.stdout.take().ok_or(std::io::ErrorKind::BrokenPipe)?;
        let mut lines = BufReader::new(out).lines();
        while let Some(line) = lines.next_line().await? {
            self.note(match line.as_str() {
                "w" => State::Writable,
                "r" => State::ReadOnly,
                _ => State::Down,
            });
        }
        child.wait().await.map(drop)
    }

    fn note(&self, state: State) {
        let at = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples
            .entry(self.name.clone())
            .or_default()
            .push((at, state));
    }
}

/// The child itself: a letter for each sample, until nobody reads them.
pub async fn child() -> Result<u8, Failure> {
    let bad = |error: String| {
        Failure::new(
            code::USAGE,
            format!("`drill` starts this by itself: {error}"),
        )
    };
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| bad(error.to_string()))?;
    let orders: Orders = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
    let door = ListenAddress {
        address: orders.address,
        port: orders.port,
    };
    let login = Login {
        user: orders.user,
        password: Secret::new(orders.password),
        database: orders.database,
        pooled: false,
        ca_pem: orders.ca_pem,
    };
    sample(&door, &login, |state| {
        let letter = match state {
            State::Writable => "w",
            State::ReadOnly => "r",
            State::Down => "d",
        };
        term::raw(&format!("{letter}\n")).is_ok()
    })
    .await;
    Ok(code::DONE)
}

/// The members of one group: two writers in two groups are none.
pub(super) fn of_group(lines: &[MemberLine], group: &Group) -> Vec<MemberLine> {
    let ours = |line: &&MemberLine| {
        let mut members = group.members.iter();
        members.any(|member| member.name.as_str() == line.name)
    };
    lines.iter().filter(ours).cloned().collect()
}
