//! Values of `pg_parameters`, right and wrong.

use super::{For, SETTINGS, SettingFault, fault, session_fault};
use crate::model::tuning::{Hardware, Profile, TuningInput, tuning};
use crate::source::Severity;

fn judged(version: u32, name: &str, value: &str) -> Option<SettingFault> {
    let libraries = [
        "citus".to_owned(),
        "pg_stat_statements".to_owned(),
        "auto_explain".to_owned(),
    ];
    let of = For {
        version,
        libraries: &libraries,
    };
    fault(name, value, of)
}

#[test]
fn the_table_has_both_versions() {
    assert!(SETTINGS.len() > 560, "{}", SETTINGS.len());
    for name in [
        "max_connections",
        "pg_stat_statements.max",
        "auto_explain.log_analyze",
        "pg_trgm.similarity_threshold",
        "citus.shard_count",
        "citus.enable_ddl_propagation",
    ] {
        assert!(SETTINGS.contains_key(name), "{name}");
    }
}

#[test]
fn values_that_postgresql_takes() {
    for (name, value) in [
        ("work_mem", "64MB"),
        ("work_mem", "65536"),
        ("shared_buffers", "1.5GB"),
        ("checkpoint_timeout", "15min"),
        ("checkpoint_timeout", "900"),
        ("random_page_cost", "1.1"),
        ("jit", "off"),
        ("jit", "on"),
        ("DateStyle", "ISO, MDY"),
        ("log_min_duration_statement", "-1"),
        ("autovacuum_vacuum_cost_delay", "2ms"),
        ("wal_level", "logical"),
        ("huge_pages", "try"),
        ("backslash_quote", "on"),
        ("synchronous_commit", "remote_apply"),
        ("max_connections", "25"),
        ("wal_keep_size", "1GB"),
        ("citus.shard_count", "32"),
        ("citus.node_conninfo", "sslmode=require"),
        ("citus.enable_ddl_propagation", "off"),
        ("pg_stat_statements.track", "all"),
        ("plpgsql.extra_warnings", "all"),
        ("log_statement", "ddl"),
        ("temp_buffers", "8MB"),
        ("shared_preload_libraries", "citus"),
    ] {
        assert_eq!(judged(17, name, value), None, "{name} {value}");
    }
}

#[test]
fn versions_know_what_they_have() {
    assert_eq!(judged(17, "summarize_wal", "on"), None);
    let words = judged(15, "summarize_wal", "on")
        .map(|fault| fault.message)
        .unwrap_or_default();
    assert_eq!(
        words,
        "PostgreSQL 15 has no setting `summarize_wal`: it is one of version 17"
    );
    let words = judged(17, "old_snapshot_threshold", "1h")
        .map(|fault| fault.message)
        .unwrap_or_default();
    assert_eq!(
        words,
        "PostgreSQL 17 has no setting `old_snapshot_threshold`: it is one of version 15"
    );
    assert_eq!(
        judged(18, "summarize_wal", "on"),
        None,
        "of a version that is not in the table the newest row counts"
    );
    let odd = judged(18, "io_method", "worker");
    assert!(
        odd.is_some_and(|fault| fault.weight != Severity::Error),
        "what another version may have is only told"
    );
}

#[test]
fn what_the_profiles_compute_is_right() {
    for profile in [Profile::Oltp, Profile::Olap, Profile::Crit, Profile::Tiny] {
        for mem_mb in [1024, 4096, 65536] {
            let hardware = Hardware {
                cpu: 4,
                mem_mb,
                disk_gb: 100,
            };
            let input = TuningInput {
                citus: true,
                version: 17,
                ..TuningInput::default()
            };
            for (name, value) in tuning(profile, hardware, &input) {
                let text = serde_json::to_value(&value).unwrap();
                let text = text
                    .as_str()
                    .map_or_else(|| text.to_string(), str::to_owned);
                let wrong = judged(17, &name, &text).filter(|fault| {
                    fault.weight == Severity::Error && !fault.message.contains("has no effect")
                });
                assert_eq!(wrong, None, "{profile:?} {mem_mb} {name} {text}");
            }
        }
    }
}

/// Twenty wrong values: what PostgreSQL or Patroni would refuse or pass over, in the words of `check`.
const WRONG: [(&str, &str, &str); 24] = [
    (
        "max_conections",
        "100",
        "PostgreSQL 17 has no setting `max_conections`",
    ),
    (
        "max_connections",
        "20",
        "`max_connections: 20` is less than Patroni takes: 100 would run",
    ),
    (
        "max_wal_senders",
        "1",
        "`max_wal_senders: 1` is less than Patroni takes: 10 would run",
    ),
    (
        "wal_keep_size",
        "8MB",
        "`wal_keep_size: 8MB` is less than Patroni takes: 128MB would run",
    ),
    (
        "wal_level",
        "minimal",
        "`wal_level: minimal` has no effect: Patroni takes replica only",
    ),
    (
        "hot_standby",
        "off",
        "`hot_standby: off` has no effect: Patroni takes on only",
    ),
    (
        "port",
        "5433",
        "`port` has no effect: Patroni sets it itself",
    ),
    (
        "cluster_name",
        "mine",
        "`cluster_name` has no effect: Patroni sets it itself",
    ),
    ("ssl", "off", "`ssl` has no effect here"),
    (
        "ssl_min_protocol_version",
        "TLSv1",
        "`ssl_min_protocol_version` has no effect here",
    ),
    (
        "log_directory",
        "/var/log",
        "`log_directory` has no effect here",
    ),
    (
        "synchronous_standby_names",
        "*",
        "`synchronous_standby_names` has no effect here",
    ),
    (
        "block_size",
        "4096",
        "`block_size` cannot be set: it is what the server was built or made with",
    ),
    (
        "old_snapshot_threshold",
        "1h",
        "PostgreSQL 17 has no setting `old_snapshot_threshold`: it is one of version 15",
    ),
    (
        "work_mem",
        "8MBB",
        "`work_mem: 8MBB`: it is a number, with one of the units B, kB, MB, GB, TB",
    ),
    ("work_mem", "1kB", "`work_mem: 1kB`: it is from "),
    (
        "shared_buffers",
        "lots",
        "`shared_buffers: lots`: it is a number, with one of the units B, kB, MB, GB, TB",
    ),
    (
        "checkpoint_timeout",
        "2d",
        "`checkpoint_timeout: 2d`: it is from ",
    ),
    (
        "random_page_cost",
        "-1",
        "`random_page_cost: -1`: it is from 0 to ",
    ),
    ("jit", "maybe", "`jit: maybe`: it is `on` or `off`"),
    (
        "synchronous_commit",
        "sometimes",
        "`synchronous_commit: sometimes`: it is one of local, remote_write, remote_apply, on, off",
    ),
    (
        "citus.shard_cuont",
        "32",
        "`citus` has no setting `citus.shard_cuont`",
    ),
    (
        "citus.shard_count",
        "0",
        "`citus.shard_count: 0`: it is from 1 to 64000",
    ),
    (
        "pg_stat_statements.frobnicate",
        "on",
        "`pg_stat_statements` has no setting `pg_stat_statements.frobnicate`",
    ),
];

#[test]
fn twenty_wrong_values_have_words() {
    for (name, value, words) in WRONG {
        let fault =
            judged(17, name, value).unwrap_or_else(|| panic!("{name}: {value} is accepted"));
        assert_eq!(fault.weight, Severity::Error, "{name}: {value}");
        assert!(fault.message.starts_with(words), "{}", fault.message);
    }
}

#[test]
fn a_role_has_settings_of_sessions_alone() {
    let of = For {
        version: 17,
        libraries: &[],
    };
    let words = |name: &str, value: &str| session_fault(name, value, of).map(|fault| fault.message);
    for (name, value) in [
        ("search_path", "a, b"),
        ("statement_timeout", "DEFAULT"),
        ("role", "owner"),
        ("log_min_duration_statement", "1s"),
        ("synchronous_commit", "off"),
    ] {
        assert_eq!(words(name, value), None, "{name}");
    }
    for (name, value, want) in [
        ("wrok_mem", "1MB", "PostgreSQL 17 has no setting `wrok_mem`"),
        (
            "shared_buffers",
            "1GB",
            "`shared_buffers` is of the whole server: no role or database can have a value of its own",
        ),
        (
            "log_directory",
            "/x",
            "`log_directory` is of the whole server: no role or database can have a value of its own",
        ),
    ] {
        assert_eq!(words(name, value).as_deref(), Some(want), "{name}");
    }
}
