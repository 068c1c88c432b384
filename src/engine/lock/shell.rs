//! What hosts run for locks, as shell text: the holder, the guard before each program of a run, the look at who holds what.
//!
//! A lock is `flock` on a file. To take it one must have it alone for a moment; then it is shared between the holder and all
//! programs of the run, so that whatever is left of a run still holds it. Beside it stands whose it is, which changes only under
//! the lock had alone: by that a program of an older run finds out that it must not begin.

use crate::command::{Frame, given};

/// Where locks are, on a host.
pub(super) const DIR: &str = "/run/citusctl";
/// The lock of the host itself, below [`DIR`].
pub(super) const HOST_LOCK: &str = "lock";
/// Without a sign of life for so many seconds a holder lets go.
pub const SILENCE: u64 = 30;

/// A program that may ask who has a lock.
fn telling(frame: &Frame, values: &[(&str, &str)], program: &str) -> String {
    format!(
        "{}\n{}{}",
        frame.define_mark(),
        include_str!("scripts/told.sh"),
        given(values, program)
    )
}

/// The program that takes locks and holds them for as long as it hears a sign of life. Its input stays open.
pub(super) fn holder(frame: &Frame, dir: &str, files: &[String], who: &str) -> String {
    let values = [
        ("DIR", dir),
        ("FILES", &files.join(" ")),
        ("LOCK_RUN", run_of(who)),
        ("OWNER", who.trim_end()),
        ("HOST_LOCK", HOST_LOCK),
        ("SILENCE", &SILENCE.to_string()),
    ];
    telling(frame, &values, include_str!("scripts/holder.sh"))
}

/// The run's name in the lines of who holds a lock.
fn run_of(who: &str) -> &str {
    let mut lines = who.lines();
    lines
        .find_map(|line| line.strip_prefix("run="))
        .unwrap_or_default()
}

/// The head of every program that acts: it holds the lock of the host together with the holder, and `ours` says whether the lock
/// is still that of its run. One that comes too late says so and ends.
pub(super) fn guard(dir: &str, run: &str) -> String {
    let lock = format!("{dir}/{HOST_LOCK}");
    let values = [("LOCK", lock.as_str()), ("LOCK_RUN", run)];
    given(&values, include_str!("scripts/guard.sh"))
}

/// A look at all locks of a host; it takes none.
pub(super) fn look(frame: &Frame, dir: &str) -> String {
    telling(frame, &[("DIR", dir)], include_str!("scripts/look.sh"))
}

/// Ends the processes that have a lock, if it is still that of this run: its holder, and with `programs` those of the run.
pub(super) fn take_away(frame: &Frame, dir: &str, file: &str, run: &str, programs: bool) -> String {
    let which = if programs { "held|program" } else { "held" };
    let values = [
        ("DIR", dir),
        ("LOCK", file),
        ("LOCK_RUN", run),
        ("WHICH", which),
    ];
    telling(frame, &values, include_str!("scripts/take-away.sh"))
}
