//! Any command on many hosts at once, for `exec`.

use super::Run;
use super::fleet::{chain, collect};
use super::look::futures_join;
use crate::command::whole_program;
use crate::names::HostName;
use crate::transport::{Exit, Program};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How a command ended on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Its exit status; of a signal there is none.
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Answer {
    /// Whether it succeeded.
    pub fn ok(&self) -> bool {
        self.status == Some(0)
    }
}

/// Why a host has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    pub words: String,
    /// Whether the command may have begun: not where nobody was let in.
    pub entered: bool,
}

/// Runs shell text as root on each host, all at once. A host that cannot be asked has words for it, and one whose command
/// takes longer than the deadline.
pub async fn on_all(
    run: &Run<'_>,
    hosts: &BTreeSet<HostName>,
    text: &str,
    deadline: Option<Duration>,
) -> BTreeMap<HostName, Result<Answer, Unanswered>> {
    let answers = futures_join(
        hosts
            .iter()
            .map(|host| async { (host.clone(), on_one(run, host, text, deadline).await) }),
    );
    answers.await.into_iter().collect()
}

async fn on_one(
    run: &Run<'_>,
    host: &HostName,
    text: &str,
    deadline: Option<Duration>,
) -> Result<Answer, Unanswered> {
    let transport = run.fleet.get(host).ok_or_else(|| Unanswered {
        words: "not connected".to_owned(),
        entered: false,
    })?;
    // Its own status, not that of what a program ends with.
    let program = Program {
        deadline,
        ..Program::of(whole_program(&format!("cd\n{text}\nexit $?")))
    };
    let (exit, output) = collect(transport.as_ref(), &program)
        .await
        .map_err(|error| Unanswered {
            words: chain(&error),
            entered: !error.is_entry(),
        })?;
    let status = match exit {
        Exit::Code(code) => Some(code),
        Exit::Signal(_) => None,
    };
    Ok(Answer {
        status,
        out: output.out,
        err: output.err,
    })
}
