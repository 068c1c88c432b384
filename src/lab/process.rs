//! Processes by id and start time, so that an id that was given to somebody else is never killed.

use super::error::LabError;
use super::tool;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A process that we started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pid {
    pub pid: u32,
    /// Field 22 of `/proc/PID/stat`, clock ticks since boot.
    pub started: u64,
}

/// Parent and start time of a process.
fn stat(pid: u32) -> Option<(char, u32, u64)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    Some((
        fields.first()?.chars().next()?,
        fields.get(1)?.parse().ok()?,
        fields.get(19)?.parse().ok()?,
    ))
}

impl Pid {
    /// The process as it runs now.
    pub(super) fn of(pid: u32) -> Option<Self> {
        stat(pid).map(|(_, _, started)| Self { pid, started })
    }

    /// Whether it still runs; a zombie does not.
    pub(super) fn alive(self) -> bool {
        stat(self.pid).is_some_and(|(state, _, started)| started == self.started && state != 'Z')
    }

    /// Kills it and all its descendants at once, and waits until they are gone.
    pub(super) fn kill(self) -> Result<(), LabError> {
        if !self.alive() {
            return Ok(());
        }
        let family = self.family();
        let mut args = vec!["-KILL".to_owned()];
        args.extend(family.iter().map(|member| member.pid.to_string()));
        // One that ended by itself in between is no failure.
        drop(tool::run("kill", &args));
        let deadline = Instant::now() + Duration::from_secs(10);
        while family.iter().any(|member| member.alive()) {
            if Instant::now() > deadline {
                return Err(LabError::Unkillable {
                    pid: self.pid,
                    seconds: 10,
                });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn family(self) -> Vec<Self> {
        let mut children = BTreeMap::<u32, Vec<u32>>::new();
        for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(pid) = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok())
            else {
                continue;
            };
            if let Some((_, parent, _)) = stat(pid) {
                children.entry(parent).or_default().push(pid);
            }
        }
        let mut family = vec![self];
        let mut next = 0;
        while next < family.len() {
            let below = children.get(&family[next].pid).cloned().unwrap_or_default();
            family.extend(below.into_iter().filter_map(Self::of));
            next += 1;
        }
        family
    }
}
