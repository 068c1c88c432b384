//! The lock of a run on each host: held by a process of ours there, gone when the connection is.
//!
//! Nothing is left behind by a `kill -9` of citusctl: the holder notices within two seconds that nobody listens
//! to it any more, and the kernel drops the lock with it.

use super::{EngineError, Run};
use crate::command::{Frame, FrameLine, quote, whole_program};
use crate::names::HostName;
use crate::transport::{OutputSink, Program, StreamKind, Transport};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How long a lock that somebody holds is asked for again: a run that was just killed lets go within it.
const PATIENCE: Duration = Duration::from_secs(8);

/// Locks that are held until this is dropped.
#[derive(Debug, Default)]
pub(super) struct Locks(Vec<JoinHandle<()>>);

impl Drop for Locks {
    fn drop(&mut self) {
        for holder in &self.0 {
            holder.abort();
        }
    }
}

#[derive(Debug)]
enum Answer {
    Held,
    Busy(String),
    Ended(String),
}

struct Listener {
    frame: Frame,
    answers: mpsc::UnboundedSender<Answer>,
}

impl OutputSink for Listener {
    fn line(&mut self, _: StreamKind, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let answer = match self.frame.read(&line) {
            FrameLine::Mark(words) if words.first() == Some(&"held") => Answer::Held,
            FrameLine::Mark(words) if words.first() == Some(&"busy") => {
                Answer::Busy(words[1..].join(" "))
            }
            FrameLine::Mark(_) | FrameLine::Text(_) => return,
        };
        // The receiver is gone only when the answer is not wanted any more.
        let _ = self.answers.send(answer);
    }
}

fn program(frame: &Frame, holder: &str) -> Program {
    let body = format!(
        "{}command -v flock >/dev/null || {{ mark busy 'nobody: `flock` is missing on this host'; exit 0; }}\n\
         mkdir -p /run/citusctl\nexec 9>>/run/citusctl/lock\n\
         if ! flock -n 9; then mark busy \"$(cat /run/citusctl/holder 2>/dev/null)\"; exit 0; fi\n\
         printf '%s\\n' {} >/run/citusctl/holder\nmark held\nwhile sleep 2 9>&-; do printf '.\\n' || exit 0; done\n",
        frame.define_mark(),
        quote(holder)
    );
    Program {
        text: whole_program(&body),
        deadline: None,
    }
}

/// Takes the lock on all hosts, or none.
pub(super) async fn acquire(
    run: &Run<'_>,
    hosts: &BTreeSet<HostName>,
) -> Result<Locks, EngineError> {
    let holder = format!("run {} of {}", run.id, run.operator);
    let mut locks = Locks::default();
    for host in hosts {
        if let Some(transport) = run.fleet.get(host) {
            locks.0.push(one(run, transport, &holder).await?);
        }
    }
    Ok(locks)
}

async fn one(
    run: &Run<'_>,
    transport: &Arc<dyn Transport>,
    holder: &str,
) -> Result<JoinHandle<()>, EngineError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (sender, mut answers) = mpsc::unbounded_channel();
        let mut listener = Listener {
            frame: run.frame.clone(),
            answers: sender.clone(),
        };
        let program = program(&run.frame, holder);
        let transport = Arc::clone(transport);
        let host = transport.host().clone();
        let task = tokio::spawn(async move {
            let ended = transport.run(&program, &mut listener).await;
            let words = ended.map_or_else(|error| error.to_string(), |exit| exit.to_string());
            let _ = sender.send(Answer::Ended(words));
        });
        let holder = match answers.recv().await {
            Some(Answer::Held) => return Ok(task),
            Some(Answer::Busy(holder)) => holder,
            Some(Answer::Ended(words)) => words,
            None => "an unknown run".to_owned(),
        };
        if Instant::now() >= deadline {
            return Err(EngineError::Locked { host, holder });
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
