//! What is logged, tracked and counted.

use super::{Gucs, Profile, TuningInput, set};

pub(super) fn add(gucs: &mut Gucs, profile: Profile, input: &TuningInput) {
    files(gucs);
    statements(gucs, profile);
    connections(gucs, profile, input);
    tracking(gucs, profile);
    extensions(gucs, profile, input);
}

/// One file per day of the week.
fn files(gucs: &mut Gucs) {
    set(
        gucs,
        [
            ("logging_collector", "on"),
            ("log_destination", "csvlog"),
            ("log_filename", "postgresql-%a.log"),
            ("log_file_mode", "0640"),
            ("log_rotation_age", "1d"),
            ("log_rotation_size", "0"),
            ("log_truncate_on_rotation", "on"),
            ("log_timezone", "UTC"),
        ],
    );
}

fn statements(gucs: &mut Gucs, profile: Profile) {
    let slow = if profile == Profile::Olap { 1000 } else { 100 };
    set(gucs, [("log_min_duration_statement", slow)]);
    set(
        gucs,
        [
            ("log_statement", "ddl"),
            ("log_lock_waits", "on"),
            ("log_checkpoints", "on"),
            ("log_replication_commands", "on"),
            ("log_autovacuum_min_duration", "1s"),
        ],
    );
}

/// From version 18 on `log_connections` is a list of stages.
fn connections(gucs: &mut Gucs, profile: Profile, input: &TuningInput) {
    match (profile, input.version >= 18) {
        (Profile::Crit, true) => {
            set(
                gucs,
                [("log_connections", "receipt,authentication,authorization")],
            );
            set(gucs, [("log_disconnections", true)]);
        }
        (Profile::Crit, false) => {
            set(
                gucs,
                [("log_connections", true), ("log_disconnections", true)],
            );
        }
        (Profile::Oltp | Profile::Olap, true) => set(gucs, [("log_connections", "authorization")]),
        (Profile::Oltp | Profile::Olap, false) | (Profile::Tiny, _) => {}
    }
}

fn tracking(gucs: &mut Gucs, profile: Profile) {
    let query = if profile == Profile::Crit {
        32_768
    } else {
        8192
    };
    set(gucs, [("track_activity_query_size", query)]);
    set(
        gucs,
        [("track_io_timing", "on"), ("track_functions", "all")],
    );
}

/// Only for libraries that are loaded: PostgreSQL warns about names it does not know.
fn extensions(gucs: &mut Gucs, profile: Profile, input: &TuningInput) {
    let loaded = |name: &str| input.libs.iter().any(|lib| lib == name);
    if loaded("pg_stat_statements") {
        let most = if profile == Profile::Tiny {
            2500
        } else {
            10_000
        };
        set(gucs, [("pg_stat_statements.max", most)]);
        set(
            gucs,
            [
                ("pg_stat_statements.track", "all"),
                ("pg_stat_statements.track_utility", "off"),
            ],
        );
    }
    if loaded("auto_explain") {
        set(
            gucs,
            [
                ("auto_explain.log_min_duration", "1s"),
                ("auto_explain.log_nested_statements", "on"),
                ("auto_explain.log_verbose", "on"),
            ],
        );
    }
}
