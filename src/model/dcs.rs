//! Patroni's dynamic configuration: what the configuration store holds for one group.
//!
//! `bootstrap.dcs` is read once in the life of a cluster; afterwards only `/config` counts. So the
//! whole of it is computed here and kept equal to `/config` of every group by the plan. Facts by
//! version are from Patroni's release notes and sources (3.0.2, 4.0.7, 4.1.3).

use super::tuning::{GucValue, Gucs, Profile};
use semver::Version;
use serde_json::{Map, Value, json};

/// `pg_synchronous_mode`: when a commit waits for a standby.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncMode {
    /// By profile, `pg_rpo` and Citus.
    #[default]
    Auto,
    Off,
    On,
    /// Any sufficient number of standbys; Patroni 4 and later, [`SyncMode::On`] before.
    Quorum,
}

impl SyncMode {
    /// Reads `auto`, `off`, `on`, `quorum`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "off" => Some(Self::Off),
            "on" => Some(Self::On),
            "quorum" => Some(Self::Quorum),
            _ => None,
        }
    }
}

/// The cluster that this one follows as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandbyOf {
    pub host: String,
    pub port: u16,
    /// `recovery_min_apply_delay` (`pg_delay`), such as `1h`. `None`: no delay.
    pub delay: Option<String>,
}

/// What the dynamic configuration of a group is made from.
#[derive(Clone, Debug)]
pub struct DcsInput {
    /// The Patroni that reads it.
    pub patroni: Version,
    pub citus: bool,
    pub profile: Profile,
    /// Seconds, like the next three (`pg_rto`).
    pub ttl: u32,
    pub loop_wait: u32,
    pub retry_timeout: u32,
    pub primary_start_timeout: u32,
    /// `pg_rpo`: bytes that a failover may lose; 0 asks for synchronous replication.
    pub rpo: u64,
    pub synchronous: SyncMode,
    pub standby_of: Option<StandbyOf>,
    /// What [`super::tuning::tuning`] computed.
    pub parameters: Gucs,
    /// `pg_parameters`: the user's, which win. `null` takes a parameter out.
    pub overrides: Map<String, Value>,
}

/// Parameters that Patroni sets itself whatever is configured: writing them does nothing.
pub const OWNED_BY_PATRONI: [&str; 9] = [
    "archive_cleanup_command",
    "cluster_name",
    "config_file",
    "data_directory",
    "hba_file",
    "ident_file",
    "listen_addresses",
    "port",
    "primary_conninfo",
];

/// Parameters of one instance, for its own patroni.yml: paths, and TLS, which must be on before Citus
/// is created (else Citus makes a certificate of its own and writes it into `postgresql.auto.conf`).
pub fn local_parameters(cert_dir: &str, socket_dir: &str, log_dir: &str) -> Value {
    json!({
        "log_directory": log_dir,
        "ssl": "on",
        "ssl_ca_file": format!("{cert_dir}/ca.crt"),
        "ssl_cert_file": format!("{cert_dir}/server.crt"),
        "ssl_key_file": format!("{cert_dir}/server.key"),
        "ssl_min_protocol_version": "TLSv1.2",
        "unix_socket_directories": format!("{socket_dir}, /tmp"),
    })
}

/// Beside keys that come and go with the inventory: their names. Patroni keeps a key that it does not know and does nothing
/// with it, so what we wrote can be told from what somebody set by hand.
pub const OWNED: &str = "citusctl_owns";

/// The whole dynamic configuration of a group.
pub fn dynamic_config(input: &DcsInput) -> Value {
    let (mode, strict) = synchronous(input);
    let mut config = json!({
        "ttl": input.ttl,
        "loop_wait": input.loop_wait,
        "retry_timeout": input.retry_timeout,
        "primary_start_timeout": input.primary_start_timeout,
        "primary_stop_timeout": 30,
        "maximum_lag_on_failover": input.rpo,
        "maximum_lag_on_syncnode": -1,
        "check_timeline": true,
        "failsafe_mode": true,
        "synchronous_mode": mode,
        "synchronous_mode_strict": strict,
        "postgresql": {
            "use_pg_rewind": true,
            "use_slots": true,
            // What a returned host alone has is put aside by `recover rejoin`, never wiped by Patroni.
            "remove_data_directory_on_rewind_failure": false,
            "parameters": parameters(input),
        },
    });
    let mut add = |key: &str, value: Value| {
        if let Value::Object(map) = &mut config {
            map.insert(key.to_owned(), value);
        }
    };
    if input.patroni.major >= 4 {
        // Seconds: a member that is away this long loses its replication slot.
        add("member_slots_ttl", json!(1800));
    }
    if let Some(upstream) = &input.standby_of {
        add("standby_cluster", standby_cluster(upstream));
        add(OWNED, json!(["standby_cluster"]));
    }
    config
}

/// What goes under `bootstrap.dcs`: the same, without what the version's own
/// `patroni --validate-config` rejects. Releases up to 4.1.4 do not accept `quorum` there; with
/// Citus they choose it by themselves, otherwise the plan sets it once the cluster is up.
pub fn bootstrap_config(config: &Value) -> Value {
    let mut config = config.clone();
    if let Value::Object(map) = &mut config
        && map.get("synchronous_mode").is_some_and(Value::is_string)
    {
        map.shift_remove("synchronous_mode");
    }
    config
}

fn synchronous(input: &DcsInput) -> (Value, bool) {
    let strict = input.profile == Profile::Crit;
    let quorum = match input.patroni.major >= 4 {
        true => json!("quorum"),
        false => json!(true),
    };
    let mode = match input.synchronous {
        SyncMode::Off => json!(false),
        SyncMode::On => json!(true),
        SyncMode::Quorum => quorum,
        SyncMode::Auto if strict || input.rpo == 0 => json!(true),
        SyncMode::Auto if input.citus => quorum,
        SyncMode::Auto => json!(false),
    };
    let strict = strict && mode != json!(false);
    (mode, strict)
}

fn standby_cluster(upstream: &StandbyOf) -> Value {
    let mut section = json!({
        "host": upstream.host,
        "port": upstream.port,
        "create_replica_methods": ["basebackup"],
    });
    if let (Some(delay), Value::Object(map)) = (&upstream.delay, &mut section) {
        map.insert("recovery_min_apply_delay".to_owned(), json!(delay));
    }
    section
}

fn parameters(input: &DcsInput) -> Value {
    let computed = input.parameters.iter();
    let mut all: Map<String, Value> = computed
        .map(|(name, value)| (name.clone(), plain(value)))
        .collect();
    for (name, value) in &input.overrides {
        match value {
            Value::Null => all.shift_remove(name),
            value => all.insert(name.clone(), on_or_off(value)),
        };
    }
    if input.citus {
        keep_citus_working(&mut all, &input.overrides);
    }
    all.sort_keys();
    Value::Object(all)
}

fn plain(value: &GucValue) -> Value {
    match value {
        GucValue::Int(value) => json!(value),
        GucValue::Float(value) => json!(value),
        GucValue::Text(value) => json!(value),
    }
}

/// PostgreSQL's spelling of booleans, so that a comparison with `/config` is one of equals.
fn on_or_off(value: &Value) -> Value {
    match value {
        Value::Bool(true) => json!("on"),
        Value::Bool(false) => json!("off"),
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            value.clone()
        }
    }
}

/// The user's numbers must not take away what distributed transactions rest on.
fn keep_citus_working(all: &mut Map<String, Value>, overrides: &Map<String, Value>) {
    if !overrides.contains_key("max_prepared_transactions")
        && let Some(connections) = all.get("max_connections").and_then(as_number)
    {
        all.insert(
            "max_prepared_transactions".to_owned(),
            json!(2 * connections),
        );
    }
    let libraries = all
        .get("shared_preload_libraries")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let others = libraries
        .split(',')
        .map(str::trim)
        .filter(|lib| !lib.is_empty() && *lib != "citus");
    let libraries: Vec<&str> = std::iter::once("citus").chain(others).collect();
    all.insert(
        "shared_preload_libraries".to_owned(),
        json!(libraries.join(", ")),
    );
}

/// YAML may hold a number as a text.
fn as_number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tuning::{Hardware, TuningInput, tuning};

    fn input(patroni: &str, citus: bool) -> DcsInput {
        let hardware = Hardware {
            cpu: 2,
            mem_mb: 2048,
            disk_gb: 20,
        };
        let options = TuningInput {
            citus,
            ..TuningInput::default()
        };
        DcsInput {
            patroni: patroni.parse().unwrap(),
            citus,
            profile: Profile::Oltp,
            ttl: 30,
            loop_wait: 5,
            retry_timeout: 10,
            primary_start_timeout: 25,
            rpo: 1_048_576,
            synchronous: SyncMode::Auto,
            standby_of: None,
            parameters: tuning(Profile::Oltp, hardware, &options),
            overrides: Map::new(),
        }
    }

    #[test]
    fn each_version_gets_what_it_knows() {
        let old = dynamic_config(&input("3.0.2", true));
        assert_eq!(old["synchronous_mode"], json!(true));
        assert_eq!(old.get("member_slots_ttl"), None);
        let new = dynamic_config(&input("4.0.7", true));
        assert_eq!(new["synchronous_mode"], json!("quorum"));
        assert_eq!(new["member_slots_ttl"], json!(1800));
        assert_eq!(bootstrap_config(&new).get("synchronous_mode"), None);
        assert_eq!(bootstrap_config(&old), old);
        assert_eq!(
            dynamic_config(&input("4.0.7", false))["synchronous_mode"],
            json!(false)
        );
    }

    #[test]
    fn no_loss_means_synchronous() {
        let mut zero = input("4.0.7", false);
        zero.rpo = 0;
        assert_eq!(dynamic_config(&zero)["synchronous_mode"], json!(true));
        assert_eq!(
            dynamic_config(&zero)["synchronous_mode_strict"],
            json!(false)
        );
        let mut crit = input("4.0.7", true);
        crit.profile = Profile::Crit;
        assert_eq!(
            dynamic_config(&crit)["synchronous_mode_strict"],
            json!(true)
        );
        crit.synchronous = SyncMode::Off;
        assert_eq!(
            dynamic_config(&crit)["synchronous_mode_strict"],
            json!(false)
        );
    }

    #[test]
    fn the_users_parameters_win_and_citus_keeps_working() {
        let mut input = input("4.0.7", true);
        let overrides = json!({
            "work_mem": "7MB", "jit": false, "track_functions": null,
            "max_connections": "77", "shared_preload_libraries": "pg_cron, citus",
        });
        input.overrides = overrides.as_object().cloned().unwrap();
        let config = dynamic_config(&input);
        let parameters = &config["postgresql"]["parameters"];
        assert_eq!(parameters["work_mem"], json!("7MB"));
        assert_eq!(parameters["jit"], json!("off"));
        assert_eq!(parameters.get("track_functions"), None);
        assert_eq!(parameters["max_prepared_transactions"], json!(154));
        assert_eq!(
            parameters["shared_preload_libraries"],
            json!("citus, pg_cron")
        );
    }

    #[test]
    fn a_standby_cluster_names_its_source() {
        let mut input = input("4.0.7", false);
        input.standby_of = Some(StandbyOf {
            host: "10.0.0.1".into(),
            port: 5432,
            delay: Some("1h".into()),
        });
        let config = dynamic_config(&input);
        assert_eq!(
            config["standby_cluster"]["recovery_min_apply_delay"],
            json!("1h")
        );
    }
}
