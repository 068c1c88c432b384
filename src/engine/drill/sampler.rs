//! Asks one member twenty times a second whether it takes writes.

use super::{ListenAddress, connect};
use crate::engine::verify::Login;
use crate::engine::verify::client::Client;
use crate::event::drill::State;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, timeout};

const EVERY: Duration = Duration::from_millis(50);
const LIMIT: Duration = Duration::from_millis(400);
/// A login costs a handshake and a slow password hash.
const LOGIN: Duration = Duration::from_secs(2);

/// Samples until `told` says that nobody listens any more.
pub async fn sample(door: &ListenAddress, login: &Login, mut told: impl FnMut(State) -> bool) {
    let mut client = None;
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let state = look(door, login, &mut client).await;
        if !told(state) {
            return;
        }
    }
}

async fn look(door: &ListenAddress, login: &Login, client: &mut Option<Client>) -> State {
    if client.is_none() {
        *client = connect(door, login, LOGIN).await.ok();
    }
    let Some(open) = client else {
        return State::Down;
    };
    let sql = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool";
    match timeout(LIMIT, open.row(sql)).await {
        Ok(Ok(row)) if row.first().is_some_and(|word| word == "f") => State::Writable,
        Ok(Ok(_)) => State::ReadOnly,
        Ok(Err(_)) | Err(_) => {
            *client = None;
            State::Down
        }
    }
}
