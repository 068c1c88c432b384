//! Values of `pg_parameters`, right and wrong.

use super::{For, SETTINGS, SettingFault, fault};
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
    assert!(SETTINGS.len() > 340, "{}", SETTINGS.len());
    for name in [
        "max_connections",
        "pg_stat_statements.max",
        "auto_explain.log_analyze",
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
