//! The eyes of a drill: one child for each member, inside the member's own network, so that a leader that is cut off is
//! watched too.

use crate::cli::exit::{Failure, code};
use crate::engine::drill::{Door, sample};
use crate::engine::verify::Login;
use crate::event::drill::{MemberLine, Millis, State, spans};
use crate::lab::Lab;
use crate::model::Instance;
use crate::secret::Secret;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

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

/// All children, and what they have said.
pub struct Watch {
    samples: Samples,
    _children: Vec<Child>,
}

impl Watch {
    /// Starts a child for each member.
    pub async fn start(
        lab: &Lab,
        members: &[Instance],
        login: &Login,
        started: Instant,
    ) -> Result<Self, Failure> {
        let samples = Samples::default();
        let mut children = Vec::new();
        for member in members {
            let failed = |error: std::io::Error| {
                Failure::new(
                    code::INTERNAL,
                    format!("{}: the sampler: {error}", member.host),
                )
            };
            let program = std::env::current_exe().map_err(failed)?;
            let command = lab.beside(
                member.host.as_str(),
                &program.into_os_string(),
                &["drill-sampler".into()],
            )?;
            let mut command = Command::from(command);
            command
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .kill_on_drop(true);
            let mut child = command.spawn().map_err(failed)?;
            orders(&mut child, member, login).await.map_err(failed)?;
            if let Some(out) = child.stdout.take() {
                tokio::spawn(listen(
                    out,
                    member.name.to_string(),
                    Arc::clone(&samples),
                    started,
                ));
            }
            children.push(child);
        }
        Ok(Self {
            samples,
            _children: children,
        })
    }

    /// Whether every member has answered throughout since then.
    pub fn all_up(&self, since: Millis) -> bool {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples.values().all(|samples| {
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

async fn orders(child: &mut Child, member: &Instance, login: &Login) -> std::io::Result<()> {
    let orders = Orders {
        address: member.address.to_string(),
        port: member.port,
        user: login.user.clone(),
        password: login.password.expose().to_owned(),
        // Every member has this one, whichever group it is in.
        database: "postgres".to_owned(),
        ca_pem: login.ca_pem.clone(),
    };
    let text = serde_json::to_vec(&orders).map_err(std::io::Error::other)?;
    match child.stdin.take() {
        Some(mut stdin) => stdin.write_all(&text).await,
        None => Ok(()),
    }
}

async fn listen(
    out: tokio::process::ChildStdout,
    name: String,
    samples: Samples,
    started: Instant,
) {
    let mut lines = BufReader::new(out).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let state = match line.as_str() {
            "w" => State::Writable,
            "r" => State::ReadOnly,
            _ => State::Down,
        };
        let at = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut samples = samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples.entry(name.clone()).or_default().push((at, state));
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
    let door = Door {
        address: orders.address,
        port: orders.port,
    };
    let login = Login {
        user: orders.user,
        password: Secret::new(orders.password),
        database: orders.database,
        ca_pem: orders.ca_pem,
    };
    sample(&door, &login, |state| {
        let letter = match state {
            State::Writable => "w",
            State::ReadOnly => "r",
            State::Down => "d",
        };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{letter}").and_then(|()| out.flush()).is_ok()
    })
    .await;
    Ok(code::DONE)
}
