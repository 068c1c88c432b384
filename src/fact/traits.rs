//! What a host is, as against what it holds: these may shape the plan, nothing else that is observed may.

use serde::{Deserialize, Serialize};

/// Immutable traits of a host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Traits {
    /// `ID` of os-release, as in `debian`.
    pub os_id: String,
    /// `VERSION_ID` of os-release, as in `13`.
    pub os_version: String,
    /// As `uname -m` says.
    pub machine: String,
    pub hostname: String,
    pub cpus: u32,
    /// Total memory in MiB.
    pub mem_mb: u64,
    /// Size in GiB of the file system that will hold the data.
    pub disk_gb: u64,
    /// Free space there in MiB.
    pub disk_free_mb: u64,
    /// The host's clock, seconds since 1970.
    pub clock: f64,
}
