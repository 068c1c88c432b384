//! What the lab tells while it works. Whoever shows it implements [`Progress`].

use crate::names::HostName;
use std::time::Duration;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabEvent {
    /// Something that is cached from now on is being built; minutes, not seconds.
    Building {
        what: String,
    },
    /// A remark of the build.
    BuildNote(String),
    Built {
        what: String,
        took: Duration,
    },
    /// Another process builds the same image.
    WaitingForBuild {
        what: String,
    },
    /// The lab's Citus is a stand-in. Whoever shows anything must show this.
    StandIn,
    Booting {
        hosts: usize,
    },
    /// sshd answers.
    HostReady {
        host: HostName,
        after: Duration,
    },
    HostStopped {
        host: HostName,
    },
    Removed {
        lab: String,
    },
}

/// Hears what happens, from several threads.
pub trait Progress: Sync {
    /// Takes one event. It must not block for long.
    fn event(&self, event: LabEvent);
}

/// Hears nothing.
pub struct Silent;

impl Progress for Silent {
    fn event(&self, _: LabEvent) {}
}
