//! PostgreSQL's parameters computed from the size of a host: Pigsty's four profiles (v4.5), made
//! safe for small hosts, with what Citus needs.
//!
//! Pure arithmetic: the same input gives the same parameters. What differs from Pigsty, and why:
//! - connections, `work_mem` and the lock table are bounded by memory, so that the profile of a
//!   large host does not break a small one;
//! - sizes of WAL have no floor of one gigabyte, so that they fit a small disk;
//! - `deadlock_timeout` stays at one second under Citus, whose detector asks all workers twice per
//!   that time;
//! - `sync_replication_slots` is left to Patroni, which looks after logical slots itself.

mod base;
mod citus;
mod logging;
mod memory;

use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A parameter's value as PostgreSQL and Patroni take it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum GucValue {
    Int(i64),
    Float(f64),
    Text(String),
}

impl From<i64> for GucValue {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for GucValue {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for GucValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for GucValue {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

/// PostgreSQL prints booleans as `on` and `off`.
impl From<bool> for GucValue {
    fn from(value: bool) -> Self {
        Self::from(if value { "on" } else { "off" })
    }
}

/// Parameters by name.
pub type Gucs = BTreeMap<String, GucValue>;

/// Pigsty's `pg_conf`: what the database is mostly for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Many short transactions.
    Oltp,
    /// Few long queries.
    Olap,
    /// No lost commit, full audit.
    Crit,
    /// One or two processors, a few gigabytes.
    Tiny,
}

/// `pg_conf` names no profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no tuning profile: there are `oltp`, `olap`, `crit` and `tiny`")]
pub struct UnknownProfile(pub String);

impl FromStr for Profile {
    type Err = UnknownProfile;

    /// Reads `oltp` and Pigsty's `oltp.yml`.
    fn from_str(text: &str) -> Result<Self, UnknownProfile> {
        match text.strip_suffix(".yml").unwrap_or(text) {
            "oltp" => Ok(Self::Oltp),
            "olap" => Ok(Self::Olap),
            "crit" => Ok(Self::Crit),
            "tiny" => Ok(Self::Tiny),
            _ => Err(UnknownProfile(text.to_owned())),
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Oltp => "oltp",
            Self::Olap => "olap",
            Self::Crit => "crit",
            Self::Tiny => "tiny",
        })
    }
}

/// What a host has to offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Hardware {
    /// Processors.
    pub cpu: u32,
    /// Memory in MiB.
    pub mem_mb: u64,
    /// File system of the data, in GiB.
    pub disk_gb: u64,
}

impl Hardware {
    /// The least of each: what every one of several hosts has. A group's configuration is shared,
    /// and any member may become the leader.
    pub fn least(hosts: impl IntoIterator<Item = Self>) -> Option<Self> {
        hosts.into_iter().reduce(|a, b| Self {
            cpu: a.cpu.min(b.cpu),
            mem_mb: a.mem_mb.min(b.mem_mb),
            disk_gb: a.disk_gb.min(b.disk_gb),
        })
    }
}

/// What the parameters depend on beside the hardware. Names are those of the inventory.
#[derive(Clone, Debug)]
pub struct TuningInput {
    /// Major version of PostgreSQL.
    pub version: u32,
    /// Whether Patroni runs Citus (`pg_mode: citus`).
    pub citus: bool,
    /// `pg_libs`, in order; Citus is put first where it is wanted.
    pub libs: Vec<String>,
    /// `pg_max_conn`; `None` is `auto`.
    pub max_conn: Option<u32>,
    /// Clients come through a pooler, so fewer connections will do.
    pub pooled: bool,
    /// `pg_shared_buffer_ratio`, 0.1 to 0.4.
    pub shared_buffer_ratio: f64,
    /// `pg_storage_type` is `SSD`.
    pub ssd: bool,
    /// `pg_io_method`, used from version 18 on.
    pub io_method: String,
    /// `pg_pwd_enc`.
    pub password_encryption: String,
    /// `archive_command`; `None`: archiving is prepared (no restart later) and does nothing.
    pub archive_command: Option<String>,
    /// The authority's certificate on the host: Citus checks the other nodes against it.
    pub ca_file: String,
    /// Seconds of silence after which Citus gives another node's connection up: Patroni's `retry_timeout`.
    pub silence: u32,
    /// Database of `pg_cron`.
    pub primary_db: String,
}

impl Default for TuningInput {
    fn default() -> Self {
        Self {
            version: 17,
            citus: false,
            libs: vec!["pg_stat_statements".into(), "auto_explain".into()],
            max_conn: None,
            pooled: false,
            shared_buffer_ratio: 0.25,
            ssd: true,
            io_method: "worker".into(),
            password_encryption: "scram-sha-256".into(),
            archive_command: None,
            ca_file: "/pg/cert/ca.crt".into(),
            silence: 10,
            primary_db: "postgres".into(),
        }
    }
}

/// All parameters of a group that are worth setting.
pub fn tuning(profile: Profile, hardware: Hardware, input: &TuningInput) -> Gucs {
    let mut gucs = Gucs::new();
    let sizes = memory::sizes(profile, hardware, input);
    memory::add(&mut gucs, &sizes);
    base::add(&mut gucs, profile, hardware, input);
    logging::add(&mut gucs, profile, input);
    if input.citus {
        citus::add(&mut gucs, &sizes, input);
    }
    gucs
}

/// `shared_preload_libraries`: Citus insists on being the first.
pub(super) fn libraries(input: &TuningInput) -> String {
    let others = input
        .libs
        .iter()
        .map(String::as_str)
        .filter(|lib| *lib != "citus");
    let wanted = input.citus || input.libs.iter().any(|lib| lib == "citus");
    let citus = wanted.then_some("citus");
    citus
        .into_iter()
        .chain(others)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Sets several parameters.
fn set<V: Into<GucValue>>(gucs: &mut Gucs, pairs: impl IntoIterator<Item = (&'static str, V)>) {
    gucs.extend(
        pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into())),
    );
}

#[cfg(test)]
mod tests;
