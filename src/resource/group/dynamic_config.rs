//! Patroni's dynamic configuration in the DCS. Each group has its own, and what `bootstrap.dcs` said counts only
//! once, so a change must be patched into every living group (Pigsty's defect D7).

use super::accepted::{self, LiveSettings};
use super::{GroupChange, GroupKind, GroupVerdict, Operation, PgAccess};
use crate::command::quote;
use crate::fact::{GroupSeen, Probe};
use crate::model::dcs::{OWNED, OWNED_BY_PATRONI};
use crate::model::undeclared::undeclared;
use crate::names::words::count;
use crate::resource::{Action, Impact};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// `dynamic_config: {config}`. `postgresql.parameters` and `postgresql.pg_hba` are ours as a whole; of the rest
/// only the keys that are named, so that a `pause` or a `standby_cluster` set by hand stays. Keys that come and go with the
/// inventory are named in [`OWNED`] beside them: one that is there and not wanted any more is removed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DynamicConfig {
    pub config: Value,
}

/// Parameters that only a restart changes, for groups that cannot be asked (PostgreSQL 14 to 18,
/// `pg_settings.context = 'postmaster'`; the common ones).
const RESTART: &[&str] = &[
    "autovacuum_freeze_max_age",
    "autovacuum_max_workers",
    "autovacuum_worker_slots",
    "huge_pages",
    "io_method",
    "listen_addresses",
    "logging_collector",
    "max_connections",
    "max_files_per_process",
    "max_locks_per_transaction",
    "max_logical_replication_workers",
    "max_pred_locks_per_transaction",
    "max_prepared_transactions",
    "max_replication_slots",
    "max_wal_senders",
    "max_worker_processes",
    "port",
    "shared_buffers",
    "shared_memory_type",
    "shared_preload_libraries",
    "superuser_reserved_connections",
    "reserved_connections",
    "track_activity_query_size",
    "track_commit_timestamp",
    "unix_socket_directories",
    "wal_buffers",
    "wal_level",
    "wal_log_hints",
    "archive_mode",
    "hot_standby",
    "cluster_name",
    "bonjour",
    "event_source",
    "jit_provider",
    "recovery_target_action",
    "citus.max_worker_nodes_tracked",
    "citus.shard_count_postmaster",
    "pg_stat_statements.max",
    "cron.database_name",
];

/// A standby does not start with less than its leader has of these.
/// Source: PostgreSQL's documentation, "Hot Standby", "Administrator's Overview".
const LIMITS: &[&str] = &[
    "max_connections",
    "max_locks_per_transaction",
    "max_prepared_transactions",
    "max_wal_senders",
    "max_worker_processes",
];

/// What a lowered limit means.
pub const LOWERED: &str =
    "  # lowered, so the leader restarts where it is before its standbys; needs a restart";

const STATE_PROBE: &str = "patroni_dynamic";
const PARAMETERS_PROBE: &str = "restart_parameters";
const SETTINGS_PROBE: &str = "pg_settings";

/// One key whose value differs.
#[derive(Debug, PartialEq)]
struct KeyDifference {
    path: Vec<String>,
    before: Option<Value>,
    after: Option<Value>,
}

impl KeyDifference {
    fn parameter(&self) -> Option<&str> {
        match self.path.as_slice() {
            [a, b, name] if a == "postgresql" && b == "parameters" => Some(name),
            _ => None,
        }
    }

    /// A limit that a standby must have at least as high as its leader runs with.
    fn lowers(&self) -> bool {
        let limit = self.parameter().is_some_and(|name| LIMITS.contains(&name));
        let number = |value: &Option<Value>| match value {
            Some(Value::String(text)) => text.parse().ok(),
            Some(value) => value.as_i64(),
            None => None,
        };
        limit && number(&self.before) > number(&self.after)
    }

    /// A standby cluster becomes one of its own.
    fn promotes(&self) -> bool {
        self.path == ["standby_cluster"] && self.after.is_none()
    }

    /// A cluster of its own becomes a standby cluster: all of it, or a key below.
    fn demotes(&self) -> bool {
        let [first, rest @ ..] = self.path.as_slice() else {
            return false;
        };
        let names_source = rest.first().is_none_or(|key| key == "host");
        first == "standby_cluster" && names_source && self.before.is_none() && self.after.is_some()
    }

    fn describe(&self, restart: bool) -> String {
        let show = |value: &Option<Value>| match value {
            None => "(unset)".to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let name = self
            .parameter()
            .map_or_else(|| self.path.join("."), str::to_owned);
        let note = match restart {
            _ if self.promotes() => {
                "  # this cluster is promoted: it follows nobody any more, and takes writes"
            }
            true if self.lowers() => LOWERED,
            true => "  # needs a restart",
            false => "",
        };
        format!(
            "{name}: {} -> {}{note}",
            show(&self.before),
            show(&self.after)
        )
    }
}

/// Values as PostgreSQL and Patroni take them: `on` is true, `100` is "100".
fn canonical(value: &Value) -> Value {
    match value {
        Value::Bool(true) => Value::from("on"),
        Value::Bool(false) => Value::from("off"),
        Value::Number(number) => Value::from(number.to_string()),
        Value::String(text) => match text.as_str() {
            "true" | "yes" => Value::from("on"),
            "false" | "no" => Value::from("off"),
            _ => value.clone(),
        },
        Value::Null | Value::Array(_) | Value::Object(_) => value.clone(),
    }
}

fn compare(
    wanted: &Map<String, Value>,
    now: &Map<String, Value>,
    path: &[String],
    found: &mut Vec<KeyDifference>,
) {
    let whole = path == ["postgresql", "parameters"];
    for (key, value) in wanted {
        let mut path = path.to_vec();
        path.push(key.clone());
        match (value, now.get(key)) {
            (Value::Object(wanted), before) => {
                let empty = Map::new();
                let now = before.and_then(Value::as_object).unwrap_or(&empty);
                compare(wanted, now, &path, found);
            }
            (value, Some(before)) if canonical(value) == canonical(before) => {}
            (Value::Null, None) => {}
            (value, before) => {
                let after = (!value.is_null()).then(|| value.clone());
                found.push(KeyDifference {
                    path,
                    before: before.cloned(),
                    after,
                });
            }
        }
    }
    if whole {
        for (key, before) in now.iter().filter(|(key, _)| !wanted.contains_key(*key)) {
            let mut path = path.to_vec();
            path.push(key.clone());
            found.push(KeyDifference {
                path,
                before: Some(before.clone()),
                after: None,
            });
        }
    }
}

/// Keys that were written for an earlier inventory.
fn left(wanted: &Map<String, Value>, now: &Map<String, Value>, found: &mut Vec<KeyDifference>) {
    let owned = now.get(OWNED).and_then(Value::as_array);
    let owned = owned.into_iter().flatten().filter_map(Value::as_str);
    for key in owned.chain([OWNED]) {
        if let (None, Some(before)) = (wanted.get(key), now.get(key)) {
            found.push(KeyDifference {
                path: vec![key.to_owned()],
                before: Some(before.clone()),
                after: None,
            });
        }
    }
}

fn patch(differences: &[KeyDifference]) -> Value {
    let mut root = Map::new();
    for difference in differences {
        insert(
            &mut root,
            &difference.path,
            difference.after.clone().unwrap_or(Value::Null),
        );
    }
    Value::Object(root)
}

fn insert(map: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [last] => drop(map.insert(last.clone(), value)),
        [first, rest @ ..] => {
            let below = map
                .entry(first.clone())
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(below) = below {
                insert(below, rest, value);
            }
        }
    }
}

/// Whether a parameter needs a restart: as the leader says, else as the list says.
fn needs_restart(name: &str, known: &BTreeSet<String>) -> bool {
    if OWNED_BY_PATRONI.contains(&name) {
        // Patroni gives these on the command line, whatever the store says.
        false
    } else if known.is_empty() {
        RESTART.contains(&name)
    } else {
        known.contains(name)
    }
}

impl DynamicConfig {
    fn parameters(&self) -> impl Iterator<Item = (&String, &Value)> {
        let parameters = self.config.pointer("/postgresql/parameters");
        parameters.and_then(Value::as_object).into_iter().flatten()
    }

    /// About our own parameters only: all of them would be long.
    fn settings_query(&self) -> String {
        let names: Vec<String> = self
            .parameters()
            .map(|(name, _)| super::sql::literal(&name.to_lowercase()))
            .collect();
        format!(
            "{} WHERE pg_catalog.lower(s.name) OPERATOR(pg_catalog.=) ANY (ARRAY[{}]::pg_catalog.text[]);",
            accepted::QUERY,
            names.join(", ")
        )
    }

    /// Values that the live server would not take.
    fn objections(&self, seen: &GroupSeen) -> Option<GroupVerdict> {
        let text = seen.answers.get(SETTINGS_PROBE)?;
        let known: LiveSettings = serde_json::from_str(text).ok()?;
        let wanted = |name: &str| self.parameters().find(|(n, _)| *n == name).map(|(_, v)| v);
        let known = accepted::bound(known, wanted);
        let said: Vec<String> = self
            .parameters()
            .filter_map(|(name, value)| {
                let why = accepted::objection(name, value, &known)?;
                Some(format!("`{name}`: {why}"))
            })
            .collect();
        (!said.is_empty()).then(|| GroupVerdict::Refused {
            reason: format!("PostgreSQL does not take what `pg_parameters` says: {}", said.join("; ")),
            hint: "correct the value; Patroni would drop it, and the server would run with another one".to_owned(),
        })
    }
}

/// Patroni would demote its leader, and rewind it to its source: what was written here is gone then.
fn demoted() -> GroupVerdict {
    GroupVerdict::Refused {
        reason: "it is a cluster of its own, and `pg_upstream` would make a standby cluster of it: Patroni would put its data back to that of the source".to_owned(),
        hint: "leave `pg_upstream` out; or take it out with `citusctl apply pgsql-rm -l CLUSTER`, and `citusctl apply` clones it from its source".to_owned(),
    }
}

impl GroupKind for DynamicConfig {
    fn probes(&self, access: &PgAccess) -> Vec<Probe> {
        let dynamic = format!(
            "cat -- {} 2>/dev/null || :",
            quote(&format!("{}/patroni.dynamic.json", access.data_dir))
        );
        let query = "SELECT name FROM pg_settings WHERE context = 'postmaster';";
        vec![
            Probe::Script {
                name: STATE_PROBE.to_owned(),
                text: dynamic,
            },
            super::sql::ask_leader(access, "postgres", PARAMETERS_PROBE.to_owned(), query),
            super::sql::ask_leader(access, "postgres", SETTINGS_PROBE, self.settings_query()),
        ]
    }

    fn warnings(&self, seen: &GroupSeen) -> Vec<String> {
        let live = seen.dynamic.as_ref().and_then(Value::as_object);
        live.map(undeclared).unwrap_or_default()
    }

    /// Where nobody leads it is written all the same: it may be what keeps a leader from starting.
    fn diff(&self, _: &PgAccess, seen: &GroupSeen) -> GroupVerdict {
        if let Some(refused) = self.objections(seen) {
            return refused;
        }
        let leads = seen.leader().is_some();
        let (Some(Value::Object(now)), Some(wanted)) = (&seen.dynamic, self.config.as_object())
        else {
            return GroupVerdict::Unknown(
                "made by the bootstrap; compared once the group has a leader".to_owned(),
            );
        };
        let mut found = Vec::new();
        compare(wanted, now, &[], &mut found);
        left(wanted, now, &mut found);
        if found.is_empty() {
            return GroupVerdict::Same("the DCS holds it".to_owned());
        }
        if found.iter().any(KeyDifference::demotes) {
            return demoted();
        }
        let restarts: Vec<bool> = found
            .iter()
            .map(|d| {
                leads
                    && d.parameter()
                        .is_some_and(|name| needs_restart(name, &seen.restart_parameters))
            })
            .collect();
        let promoted = found.iter().any(KeyDifference::promotes);
        let impact = match restarts.contains(&true) {
            _ if promoted => Impact::Failover,
            true => Impact::Restart,
            false => Impact::Reload,
        };
        GroupVerdict::Differs(Box::new(GroupChange {
            action: Action::Update,
            summary: match promoted {
                true => "dynamic configuration: the standby cluster is promoted".to_owned(),
                false => format!("dynamic configuration ({})", count(found.len(), "key")),
            },
            impact,
            cause: None,
            details: found
                .iter()
                .zip(&restarts)
                .map(|(d, restart)| d.describe(*restart))
                .collect(),
            operations: vec![Operation::PatchConfig(patch(&found))],
        }))
    }
}

#[cfg(test)]
mod tests;
