//! Control groups: each machine has its own, and leaves none behind.

use super::error::LabError;
use super::host::outside;
use super::record::Record;
use super::tool;

const SCRIPT: &str = include_str!("scripts/cgroup.sh");

/// Shell text with which a machine's first process enters its group.
pub(super) fn enter(record: &Record, index: usize) -> String {
    text(record, index, "enter")
}

/// Removes a machine's group, once its processes are gone.
pub(super) fn leave(record: &Record, index: usize) -> Result<(), LabError> {
    let mut command = outside();
    command.args(["bash", "-c", &text(record, index, "leave")]);
    tool::finish(command).map(drop)
}

fn text(record: &Record, index: usize, what: &str) -> String {
    let name = record.host_ns(index);
    format!("{SCRIPT}cgroup {what} citusctl-{name}\n")
}
