//! Connections, memory and locks: the parameters that can break a host when they are wrong.

use super::{Gucs, Hardware, Profile, TuningInput, set};

/// What one connection wants at least, in MiB: a backend's own memory and its caches.
const MEMORY_OF_A_CONNECTION: u64 = 8;

/// Bytes of shared memory for one lock (`LOCK` and `PROCLOCK` with their hash entries).
const BYTES_OF_A_LOCK: u64 = 300;

/// Part of the memory that the lock table may take: one in this many.
const LOCK_TABLE_SHARE: u64 = 25;

/// Computed once, since other parameters depend on them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sizes {
    pub(super) connections: u64,
    pub(super) prepared: u64,
    locks: u64,
    /// MiB, like all below.
    shared_buffers: u64,
    work_mem: u64,
    maintenance: u64,
    cache: u64,
}

pub(super) fn sizes(profile: Profile, hardware: Hardware, input: &TuningInput) -> Sizes {
    let memory = hardware.mem_mb.max(256);
    let connections = connections(profile, memory, input);
    let prepared = if has(input, "citus") {
        2 * connections
    } else {
        0
    };
    let shared_buffers = share(memory, input.shared_buffer_ratio).max(64);
    Sizes {
        connections,
        prepared,
        locks: locks(profile, memory, connections, prepared, input),
        shared_buffers,
        work_mem: work_mem(profile, memory, shared_buffers, connections),
        maintenance: (shared_buffers / maintenance_divisor(profile)).max(16),
        cache: memory.saturating_sub(shared_buffers).max(64),
    }
}

fn has(input: &TuningInput, library: &str) -> bool {
    (library == "citus" && input.citus) || input.libs.iter().any(|lib| lib == library)
}

/// `part` of `whole`, rounded up. The ratio is kept within sane limits whatever was asked.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "MiB of a host are far below 2^52, and the ratio is positive"
)]
fn share(whole: u64, part: f64) -> u64 {
    (whole as f64 * part.clamp(0.05, 0.5)).ceil() as u64
}

/// Pigsty: a number below 20 means `auto`. Ours: `auto` also looks at the memory.
fn connections(profile: Profile, memory: u64, input: &TuningInput) -> u64 {
    if let Some(wanted) = input.max_conn.filter(|wanted| *wanted >= 20) {
        return u64::from(wanted);
    }
    let usual = match (profile, input.pooled) {
        (Profile::Oltp | Profile::Crit, false) => 1000,
        (Profile::Oltp | Profile::Crit, true) | (Profile::Olap, _) => 500,
        (Profile::Tiny, _) => 250,
    };
    let affordable = memory / MEMORY_OF_A_CONNECTION / 50 * 50;
    usual.min(affordable.max(100))
}

/// Pigsty: as many as connections, twice that with Citus or TimescaleDB (olap twice as many again);
/// ours: no more than the lock table may cost.
fn locks(
    profile: Profile,
    memory: u64,
    connections: u64,
    prepared: u64,
    input: &TuningInput,
) -> u64 {
    let partitioned = has(input, "citus") || has(input, "timescaledb");
    let factor = 1 + u64::from(partitioned);
    let wanted = connections * factor * if profile == Profile::Olap { 2 } else { 1 };
    let budget = memory * 1024 * 1024 / LOCK_TABLE_SHARE;
    let affordable = budget / BYTES_OF_A_LOCK / (connections + prepared);
    wanted.min(affordable).max(64)
}

/// MiB. Pigsty's floor (64, for tiny 16) holds where twice the memory beside the shared buffers
/// pays for it at all connections.
fn work_mem(profile: Profile, memory: u64, shared_buffers: u64, connections: u64) -> u64 {
    let (floor, most) = match profile {
        Profile::Oltp | Profile::Crit => (64, 1024),
        Profile::Olap => (64, 8192),
        Profile::Tiny => (16, 256),
    };
    let affordable = memory.saturating_sub(shared_buffers) * 2 / connections;
    let floor = affordable.clamp(4, floor);
    (shared_buffers / connections).clamp(floor, most)
}

fn maintenance_divisor(profile: Profile) -> u64 {
    match profile {
        Profile::Olap => 2,
        Profile::Oltp | Profile::Crit | Profile::Tiny => 4,
    }
}

pub(super) fn add(gucs: &mut Gucs, sizes: &Sizes) {
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    set(
        gucs,
        [
            ("max_connections", number(sizes.connections)),
            ("max_prepared_transactions", number(sizes.prepared)),
            ("max_locks_per_transaction", number(sizes.locks)),
            ("superuser_reserved_connections", 10),
        ],
    );
    set(
        gucs,
        [
            ("shared_buffers", format!("{}MB", sizes.shared_buffers)),
            ("work_mem", format!("{}MB", sizes.work_mem)),
            ("maintenance_work_mem", format!("{}MB", sizes.maintenance)),
            ("effective_cache_size", format!("{}MB", sizes.cache)),
            ("huge_pages", "try".to_owned()),
        ],
    );
}
