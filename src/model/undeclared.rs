//! What stands in a group's dynamic configuration that no inventory can declare.

use super::dcs::OWNED;
use serde_json::{Map, Value};

/// Keys that a dynamic configuration of ours may have, and `pause`, which the verb of that name sets.
const KEYS: [&str; 16] = [
    "ttl",
    "loop_wait",
    "retry_timeout",
    "primary_start_timeout",
    "primary_stop_timeout",
    "maximum_lag_on_failover",
    "maximum_lag_on_syncnode",
    "check_timeline",
    "failsafe_mode",
    "synchronous_mode",
    "synchronous_mode_strict",
    "member_slots_ttl",
    "postgresql",
    "standby_cluster",
    "pause",
    OWNED,
];

/// The same, below keys; what is below `parameters` is compared one by one.
const KEYS_BELOW: [(&str, &[&str]); 2] = [
    (
        "postgresql",
        &[
            "use_pg_rewind",
            "use_slots",
            "remove_data_directory_on_rewind_failure",
            "parameters",
        ],
    ),
    (
        "standby_cluster",
        &[
            "host",
            "port",
            "create_replica_methods",
            "recovery_min_apply_delay",
        ],
    ),
];

/// What somebody set by hand (`patronictl edit-config`) and no inventory can declare, as sentences. It acts on all members, and
/// is not ours to take away.
pub fn undeclared(live: &Map<String, Value>) -> Vec<String> {
    let below = |key: &str| {
        let known = KEYS_BELOW.iter().find(|(name, _)| *name == key);
        known.map_or(&[][..], |(_, keys)| keys)
    };
    let mut found: Vec<(String, &Value)> = Vec::new();
    for (key, value) in live {
        match value {
            _ if !KEYS.contains(&key.as_str()) => found.push((key.clone(), value)),
            Value::Object(map) => found.extend(
                map.iter()
                    .filter(|(name, _)| !below(key).contains(&name.as_str()))
                    .map(|(name, value)| (format!("{key}.{name}"), value)),
            ),
            _ => {}
        }
    }
    let found = found.into_iter().filter(|(_, value)| !value.is_null());
    found
        .map(|(path, value)| {
            format!(
                "Patroni's dynamic configuration has `{path}: {value}`, which nobody declared: `patronictl edit-config -s {path}=null` takes it out"
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(config: Value) -> Vec<String> {
        undeclared(config.as_object().expect("a map"))
    }

    #[test]
    fn what_a_hand_set_is_told_and_what_is_ours_is_not() {
        let ours = json!({"ttl": 30, "pause": true, "postgresql": {"use_slots": true, "parameters": {"any": "1"}},
            "standby_cluster": {"host": "h", "recovery_min_apply_delay": "1h"}, OWNED: ["standby_cluster"], "gone": null});
        assert_eq!(said(ours), Vec::<String>::new());
        let found = said(
            json!({"synchronous_node_count": 2, "slots": {"cdc": {"type": "physical"}},
            "postgresql": {"recovery_conf": {"recovery_min_apply_delay": "1h"}}}),
        );
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(
            found[2],
            "Patroni's dynamic configuration has `postgresql.recovery_conf: {\"recovery_min_apply_delay\":\"1h\"}`, which nobody declared: `patronictl edit-config -s postgresql.recovery_conf=null` takes it out"
        );
    }
}
