//! Who runs this and how the run is called; what Ctrl-C does to it.

use super::super::options::Options;
use crate::event::{Emitter, Kind};
use crate::names::RunId;
use time::OffsetDateTime;

/// A fresh run id: sortable by time, unique by chance.
pub fn run_id() -> RunId {
    let now = OffsetDateTime::now_utc();
    let nonce = nonce();
    RunId::new(format!(
        "{:04}{:02}{:02}-{:02}{:02}{:02}-{}",
        now.year(),
        u8::from(now.month()),
        now.day(),
        now.hour(),
        now.minute(),
        now.second(),
        &nonce[..4]
    ))
}

/// Random digits that no output of a host contains by chance.
pub fn nonce() -> String {
    use ring::rand::{SecureRandom, SystemRandom};
    let mut bytes = [0u8; 12];
    if SystemRandom::new().fill(&mut bytes).is_err() {
        bytes.copy_from_slice(
            &OffsetDateTime::now_utc()
                .unix_timestamp_nanos()
                .to_le_bytes()[..12],
        );
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Who holds the locks of this run, for people.
pub fn operator() -> String {
    let user = std::env::var("SUDO_USER")
        .or_else(|_| std::env::var("USER"))
        .unwrap_or_else(|_| "somebody".to_owned());
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{user}@{} (pid {})", machine.trim(), std::process::id())
}

/// What this run does, for people who meet its locks. `-e` is left out: it may hold secrets.
pub fn command(options: &Options, verb: &str) -> String {
    let mut words = format!("citusctl {verb} -i {}", options.inventory.display());
    if let Some(limit) = &options.limit {
        words.push_str(&format!(" -l {limit}"));
    }
    if !options.tags.is_empty() {
        words.push_str(&format!(" -t {}", options.tags.join(",")));
    }
    words
}

/// First Ctrl-C: stop after what is in flight. Second: abandon it.
pub fn watch_interrupts(raise: tokio::sync::watch::Sender<u8>, emitter: Emitter) {
    tokio::spawn(async move {
        for level in 1..=2u8 {
            if tokio::signal::ctrl_c().await.is_err() {
                return;
            }
            let what = match level {
                1 => "finishing the steps in flight; press Ctrl-C again to abandon them",
                _ => "abandoning the steps in flight",
            };
            emitter.emit(Kind::Note {
                text: what.to_owned(),
            });
            raise.send_replace(level);
        }
        std::future::pending::<()>().await;
    });
}
