//! The lab: one machine per inventory host on this computer, with real systemd, real sshd and a network of its own.
//!
//! A host is a `systemd-nspawn` container on an overlay of a cached image. All hosts of a lab hang on one bridge that
//! lives in a network namespace of its own (the control namespace), so that their addresses exist only there: nothing
//! leaks to this computer's network, and labs with equal addresses stand side by side. Whoever talks to the hosts runs
//! inside the control namespace ([`Lab::command`], [`reexec`]).
//!
//! Mounts are private to the processes that need them, so that a crash leaves only processes, namespaces and files, all
//! of which `lab.json` names: [`Lab::down`] removes exactly what [`Lab::up`] made.

mod cgroup;
mod citus;
mod control;
mod dirs;
mod error;
mod fault;
mod host;
mod image;
mod lock;
mod machine;
mod mirror;
mod named;
mod net;
mod process;
mod progress;
mod record;
mod spec;
mod tool;

pub use control::{INSIDE, reexec};
pub use dirs::LabDirs;
pub use error::LabError;
pub use fault::{LinkFault, Slowness};
pub use host::outside;
pub use image::REPOSITORY;
pub use machine::{HostStatus, Lab, LabStatus};
pub use progress::{LabEvent, Progress, Silent};
pub use spec::{CitusSource, Image, LabHost, LabSpec, Suite};
pub use tool::missing_tools;
