//! Workers, planner, WAL, vacuum and replication.

use super::{Gucs, Hardware, Profile, TuningInput, libraries, set};

pub(super) fn add(gucs: &mut Gucs, profile: Profile, hardware: Hardware, input: &TuningInput) {
    workers(gucs, profile, hardware, input);
    planner(gucs, profile, input);
    wal(gucs, profile, hardware, input);
    archive(gucs, input);
    vacuum(gucs, profile);
    replication(gucs, profile, input);
    sessions(gucs, profile, input);
}

/// `per_mille` of the processors, rounded down and up.
fn part(cpu: u32, per_mille: i64) -> (i64, i64) {
    let scaled = i64::from(cpu) * per_mille;
    (scaled / 1000, (scaled + 999) / 1000)
}

fn workers(gucs: &mut Gucs, profile: Profile, hardware: Hardware, input: &TuningInput) {
    let cpu = hardware.cpu.max(1);
    let (processes, parallel, gather) = parallel_workers(profile, cpu);
    let maintenance = match profile {
        Profile::Oltp | Profile::Olap | Profile::Crit => part(cpu, 330).1.max(2),
        Profile::Tiny => part(cpu, 330).0.max(1),
    };
    set(
        gucs,
        [
            ("max_worker_processes", processes + 8),
            ("max_parallel_workers", parallel),
            ("max_parallel_workers_per_gather", gather),
            ("max_parallel_maintenance_workers", maintenance),
            ("max_logical_replication_workers", 8),
            ("max_sync_workers_per_subscription", 6),
        ],
    );
    if input.version >= 18 {
        set(gucs, [("io_method", input.io_method.as_str())]);
        set(gucs, [("io_workers", io_workers(profile, cpu))]);
    }
}

/// Background processes, parallel workers in all, and for one node of a plan.
fn parallel_workers(profile: Profile, cpu: u32) -> (i64, i64, i64) {
    let all = i64::from(cpu);
    let (half, half_up) = part(cpu, 500);
    match profile {
        Profile::Oltp => (
            (all + 8).max(16),
            half_up.max(2),
            part(cpu, 200).0.clamp(2, 8),
        ),
        Profile::Crit => ((all + 8).max(16), half_up.max(2), 0),
        Profile::Olap => ((all + 12).max(20), part(cpu, 800).1.max(2), half.max(2)),
        Profile::Tiny => ((all + 4).max(12), half.max(1), 0),
    }
}

fn io_workers(profile: Profile, cpu: u32) -> i64 {
    match profile {
        Profile::Oltp => part(cpu, 250).1.clamp(4, 16),
        Profile::Olap => part(cpu, 500).1.clamp(4, 32),
        Profile::Crit => part(cpu, 250).1.clamp(4, 8),
        Profile::Tiny => 3,
    }
}

fn planner(gucs: &mut Gucs, profile: Profile, input: &TuningInput) {
    let target = match profile {
        Profile::Oltp | Profile::Crit => 400,
        Profile::Olap => 1000,
        Profile::Tiny => 200,
    };
    set(
        gucs,
        [
            ("default_statistics_target", target),
            ("hash_mem_multiplier", 8),
        ],
    );
    let partitions = profile == Profile::Olap;
    set(
        gucs,
        [
            ("enable_partitionwise_join", partitions),
            ("enable_partitionwise_aggregate", partitions),
        ],
    );
    match profile {
        Profile::Oltp | Profile::Crit => {
            set(gucs, [("parallel_setup_cost", 2000)]);
            set(gucs, [("parallel_tuple_cost", 0.2)]);
            let sizes = [
                ("min_parallel_table_scan_size", "32MB"),
                ("min_parallel_index_scan_size", "2MB"),
            ];
            set(gucs, sizes);
        }
        Profile::Olap | Profile::Tiny => {}
    }
    if input.ssd {
        set(gucs, [("random_page_cost", 1.1)]);
        set(gucs, [("effective_io_concurrency", 200)]);
    }
}

/// Pigsty: a twentieth of the disk as the unit, at most 100 GB.
fn wal(gucs: &mut Gucs, profile: Profile, hardware: Hardware, input: &TuningInput) {
    let unit = (hardware.disk_gb * 1024 / 20).clamp(80, 100 * 1024);
    let temporary = if profile == Profile::Olap {
        4 * unit
    } else {
        unit
    };
    set(
        gucs,
        [
            ("min_wal_size", megabytes(unit)),
            ("max_wal_size", megabytes(4 * unit)),
            ("max_slot_wal_keep_size", megabytes(6 * unit)),
            ("temp_file_limit", megabytes(temporary)),
        ],
    );
    let (delay, flush) = match profile {
        Profile::Crit => ("10ms", "0"),
        Profile::Oltp | Profile::Olap | Profile::Tiny => ("20ms", "1MB"),
    };
    set(
        gucs,
        [
            ("wal_level", "logical"),
            ("wal_log_hints", "on"),
            ("wal_writer_delay", delay),
            ("wal_writer_flush_after", flush),
            ("checkpoint_timeout", "15min"),
        ],
    );
    set(gucs, [("checkpoint_completion_target", 0.95)]);
    if input.version >= 15 {
        set(gucs, [("wal_compression", "lz4")]);
    }
}

/// Whole gigabytes where they are whole: PostgreSQL shows them so.
fn megabytes(mib: u64) -> String {
    match mib % 1024 {
        0 => format!("{}GB", mib / 1024),
        _ => format!("{mib}MB"),
    }
}

/// `archive_mode` cannot change without a restart, so it is on from the start.
fn archive(gucs: &mut Gucs, input: &TuningInput) {
    let command = input.archive_command.as_deref().unwrap_or("/bin/true");
    set(gucs, [("archive_mode", "on"), ("archive_command", command)]);
    set(gucs, [("archive_timeout", 300)]);
}

fn vacuum(gucs: &mut Gucs, profile: Profile) {
    let (delay, limit, thresholds) = match profile {
        Profile::Oltp | Profile::Crit => ("20ms", 2000, [500, 250]),
        Profile::Olap => ("10ms", 10_000, [1000, 500]),
        Profile::Tiny => ("20ms", 2000, [500, 250]),
    };
    set(gucs, [("vacuum_cost_delay", delay)]);
    set(
        gucs,
        [
            ("vacuum_cost_limit", limit),
            (
                "autovacuum_max_workers",
                if profile == Profile::Tiny { 2 } else { 3 },
            ),
            ("autovacuum_vacuum_threshold", thresholds[0]),
            ("autovacuum_analyze_threshold", thresholds[1]),
            ("autovacuum_freeze_max_age", 1_000_000_000),
        ],
    );
    if profile != Profile::Tiny {
        let factors = [
            ("autovacuum_vacuum_scale_factor", 0.08),
            ("autovacuum_analyze_scale_factor", 0.04),
        ];
        set(gucs, factors);
    }
}

fn replication(gucs: &mut Gucs, profile: Profile, input: &TuningInput) {
    set(
        gucs,
        [("max_wal_senders", 50), ("max_replication_slots", 50)],
    );
    set(
        gucs,
        [
            ("hot_standby", "on"),
            ("hot_standby_feedback", "on"),
            ("max_standby_archive_delay", "10min"),
            ("max_standby_streaming_delay", "3min"),
            ("track_commit_timestamp", "on"),
        ],
    );
    if input.version >= 18 {
        let days = if profile == Profile::Crit { "3d" } else { "7d" };
        set(gucs, [("idle_replication_slot_timeout", days)]);
    }
}

fn sessions(gucs: &mut Gucs, profile: Profile, input: &TuningInput) {
    let idle = match profile {
        Profile::Oltp | Profile::Tiny => "10min",
        Profile::Olap => "0",
        Profile::Crit => "1min",
    };
    let deadlock = if input.citus { "1s" } else { "50ms" };
    set(
        gucs,
        [
            ("idle_in_transaction_session_timeout", idle),
            ("deadlock_timeout", deadlock),
            ("password_encryption", input.password_encryption.as_str()),
        ],
    );
    set(gucs, [("shared_preload_libraries", libraries(input))]);
    if input.libs.iter().any(|lib| lib == "pg_cron") {
        set(gucs, [("cron.database_name", input.primary_db.as_str())]);
    }
}
