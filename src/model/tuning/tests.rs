use super::*;

fn hardware(cpu: u32, mem_gb: u64, disk_gb: u64) -> Hardware {
    Hardware {
        cpu,
        mem_mb: mem_gb * 1024,
        disk_gb,
    }
}

fn citus() -> TuningInput {
    TuningInput {
        citus: true,
        ..TuningInput::default()
    }
}

fn int(gucs: &Gucs, name: &str) -> i64 {
    match gucs[name] {
        GucValue::Int(value) => value,
        GucValue::Float(_) | GucValue::Text(_) => panic!("{name} is no number"),
    }
}

fn text<'a>(gucs: &'a Gucs, name: &str) -> &'a str {
    match &gucs[name] {
        GucValue::Text(value) => value,
        GucValue::Int(_) | GucValue::Float(_) => panic!("{name} is no text"),
    }
}

fn mib(gucs: &Gucs, name: &str) -> u64 {
    let text = text(gucs, name);
    match text.strip_suffix("GB") {
        Some(gb) => gb.parse::<u64>().unwrap() * 1024,
        None => text.strip_suffix("MB").unwrap().parse().unwrap(),
    }
}

#[test]
fn a_large_host_gets_pigstys_numbers() {
    let gucs = tuning(
        Profile::Oltp,
        hardware(32, 128, 1000),
        &TuningInput::default(),
    );
    assert_eq!(int(&gucs, "max_connections"), 1000);
    assert_eq!(int(&gucs, "max_locks_per_transaction"), 1000);
    assert_eq!(int(&gucs, "max_prepared_transactions"), 0);
    assert_eq!(text(&gucs, "shared_buffers"), "32768MB");
    assert_eq!(text(&gucs, "work_mem"), "64MB");
    assert_eq!(text(&gucs, "maintenance_work_mem"), "8192MB");
    assert_eq!(int(&gucs, "max_worker_processes"), 48);
    assert_eq!(int(&gucs, "max_parallel_workers"), 16);
    assert_eq!(int(&gucs, "max_parallel_workers_per_gather"), 6);
    assert_eq!(int(&gucs, "max_parallel_maintenance_workers"), 11);
    assert_eq!(
        (text(&gucs, "min_wal_size"), text(&gucs, "max_wal_size")),
        ("50GB", "200GB")
    );
    assert_eq!(text(&gucs, "temp_file_limit"), "50GB");
}

#[test]
fn citus_gets_what_it_needs() {
    let gucs = tuning(Profile::Oltp, hardware(16, 64, 500), &citus());
    assert_eq!(int(&gucs, "max_prepared_transactions"), 2000);
    assert!(text(&gucs, "shared_preload_libraries").starts_with("citus, pg_stat_statements"));
    assert_eq!(
        text(&gucs, "citus.node_conninfo"),
        "sslmode=verify-full sslrootcert=/pg/cert/ca.crt keepalives_idle=10 keepalives_interval=2 tcp_user_timeout=10000"
    );
    assert_eq!(int(&gucs, "citus.node_connection_timeout"), 10_000);
    assert_eq!(text(&gucs, "wal_level"), "logical");
    let plain = tuning(
        Profile::Oltp,
        hardware(16, 64, 500),
        &TuningInput::default(),
    );
    assert!(!plain.keys().any(|name| name.starts_with("citus.")));
}

#[test]
fn no_profile_promises_more_than_the_host_has() {
    for profile in [Profile::Oltp, Profile::Olap, Profile::Crit, Profile::Tiny] {
        for (cpu, mem_mb, disk_gb) in [(1, 512, 5), (1, 1024, 10), (2, 2048, 20), (4, 8192, 100)] {
            let gucs = tuning(
                profile,
                Hardware {
                    cpu,
                    mem_mb,
                    disk_gb,
                },
                &citus(),
            );
            let (connections, locks) = (
                int(&gucs, "max_connections"),
                int(&gucs, "max_locks_per_transaction"),
            );
            let lock_table = locks * connections * 3 * 300 / 1024 / 1024;
            assert!(
                connections >= 100 && locks >= 64,
                "{profile} {mem_mb}: {connections} {locks}"
            );
            assert!(
                lock_table <= (i64::try_from(mem_mb).unwrap() / 24).max(20),
                "{profile} {mem_mb}"
            );
            assert!(mib(&gucs, "shared_buffers") <= mem_mb / 4 + 1);
            assert!(
                mib(&gucs, "work_mem") * 100 <= mem_mb * 2,
                "{profile} {mem_mb}"
            );
            assert!(mib(&gucs, "max_wal_size") <= (disk_gb * 1024 / 5).max(320));
        }
    }
}

#[test]
fn parameters_of_later_versions_are_left_out() {
    for (version, name) in [
        (18, "io_workers"),
        (18, "idle_replication_slot_timeout"),
        (15, "wal_compression"),
    ] {
        let with = |version| TuningInput {
            version,
            ..TuningInput::default()
        };
        assert!(tuning(Profile::Oltp, hardware(4, 8, 100), &with(version)).contains_key(name));
        assert!(!tuning(Profile::Oltp, hardware(4, 8, 100), &with(version - 1)).contains_key(name));
    }
}

#[test]
fn the_users_connections_win() {
    let input = |max| TuningInput {
        max_conn: Some(max),
        ..TuningInput::default()
    };
    let conn = |max| {
        int(
            &tuning(Profile::Oltp, hardware(4, 16, 100), &input(max)),
            "max_connections",
        )
    };
    assert_eq!((conn(321), conn(19)), (321, 1000));
}

#[test]
fn a_group_is_tuned_for_its_least_member() {
    let least = Hardware::least([hardware(8, 4, 100), hardware(4, 16, 50)]);
    assert_eq!(least, Some(hardware(4, 4, 50)));
    assert_eq!(Hardware::least([]), None);
}

#[test]
fn profiles_have_names() {
    assert_eq!("crit.yml".parse(), Ok(Profile::Crit));
    assert!("fast".parse::<Profile>().is_err());
}
