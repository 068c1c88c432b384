//! The end of a conversation that does not end by itself: its deadline, and a program that nobody reads any more.

use super::Exit;
use super::error::TransportError;
use crate::names::HostName;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How long ending a program may take, and how long its output is waited for afterwards.
const KILLING: Duration = Duration::from_secs(10);
/// The same of a program whose host sends without end: it may not listen at all.
const STOPPING: Duration = Duration::from_secs(3);
const DRAINING: Duration = Duration::from_secs(5);

/// Waits for a conversation, at most until the deadline; then kills the program.
///
/// The conversation is listened to while the killing goes on: output that nobody takes would
/// hold up the connection, and with it the killing.
pub(crate) async fn bounded<K: Future<Output = Result<Exit, TransportError>>>(
    host: &HostName,
    deadline: Option<Duration>,
    pid: &AtomicU32,
    talk: impl Future<Output = Result<Exit, TransportError>>,
    kill: impl FnOnce(u32) -> K,
) -> Result<Exit, TransportError> {
    let mut talk = std::pin::pin!(talk);
    let ended = match deadline {
        None => Ok(talk.as_mut().await),
        Some(deadline) => tokio::time::timeout(deadline, &mut talk).await,
    };
    let (drain, deadline) = match (ended, deadline) {
        (Ok(Err(flood @ TransportError::Flood { .. })), _) => {
            // What is not read any more must not run on; nobody waits for how that ends.
            if let pid @ 1.. = pid.load(Ordering::Relaxed) {
                let _ = tokio::time::timeout(STOPPING, kill(pid)).await;
            }
            return Err(flood);
        }
        (Ok(ended), _) => return ended,
        (Err(_), deadline) => (talk, deadline.unwrap_or_default()),
    };
    let said = match pid.load(Ordering::Relaxed) {
        0 => String::from("it had not begun"),
        pid => {
            let kill = tokio::time::timeout(KILLING, kill(pid));
            let (killed, _) = tokio::join!(kill, tokio::time::timeout(DRAINING, drain));
            killed.map_or_else(|_| String::from("it could not be killed"), fate)
        }
    };
    Err(TransportError::Timeout {
        host: host.clone(),
        doing: String::from("the program"),
        after: deadline,
        said,
    })
}

fn fate(killed: Result<Exit, TransportError>) -> String {
    match killed {
        Ok(exit) if exit.ok() => String::from("it was killed"),
        Ok(exit) => format!("killing it ended with {exit}"),
        Err(error) => format!("it could not be killed: {error}"),
    }
}
