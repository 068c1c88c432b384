//! Roles and databases that cannot be made as they are written.

use super::{LintRule, Scope, once};
use crate::inventory::InvHost;
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::model::build::place_of;
use crate::model::objects::{Scene, databases, roles};
use crate::names::words::is_plain;
use crate::source::{Diagnostic, Node};
use serde_json::Value;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use time::OffsetDateTime;

pub(super) const RULES: &[LintRule] = &[written, verifiers, pooler_names];

/// Hosts of PostgreSQL with what their lists are read against, one of those that have the same. The hour does not matter to
/// what is wrong.
fn scenes<'a>(scope: &Scope<'a>) -> Vec<Scene<'a>> {
    let hosts = scope.hosts();
    let mut met = HashSet::new();
    hosts
        .filter(|host| host.vars.contains("pg_cluster"))
        .map(|host| Scene::new(host, OffsetDateTime::UNIX_EPOCH))
        .filter(|scene| met.insert((scene.coordinates(), written_once(scene.host))))
        .collect()
}

/// Which host, cluster and group it is: of these, lists ask for the coordinator's group alone.
const PLACES: [&str; 4] = ["pg_cluster", "pg_group", "pg_seq", "pg_role"];

/// All that lists are read against, as where each value was written: hosts of a cluster share most of them.
fn written_once(host: &InvHost) -> Vec<(&str, *const Node)> {
    let read = |name: &str| name.starts_with("pg") && !PLACES.contains(&name);
    let vars = host.vars.iter().filter(|(name, _)| read(name));
    vars.map(|(name, var)| (name, Arc::as_ptr(&var.node)))
        .collect()
}

/// What the lists themselves say wrong.
fn written(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let found = scenes(scope).into_iter().flat_map(|scene| {
        let roles = roles(&scene);
        let names: BTreeSet<String> = roles.found.iter().map(|role| role.name.clone()).collect();
        let databases = databases(&scene, &names);
        roles.problems.into_iter().chain(databases.problems)
    });
    once(found)
}

/// A verifier opens the door to clients, but no node can log in to another with it.
fn verifiers(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let citus = scenes(scope)
        .into_iter()
        .filter(|scene| scene.citus_db.is_some());
    let found = citus.flat_map(|scene| {
        let place = place_of(scene.host, "pg_users");
        let roles = roles(&scene).found.into_iter();
        roles
            .filter(|role| role.login && !role.absent && role.has_verifier())
            .map(move |role| {
                Diagnostic::warning(
                    "verifier-between-nodes",
                    format!("`{}` cannot run distributed queries: its password is a verifier", role.name),
                )
                .at(place, "in this list")
                .help("nodes of Citus log in to each other as the user of a query: give the password in clear (from the environment or a file)")
            })
            .collect::<Vec<_>>()
    });
    once(found)
}

/// What the inventory asks for and PgBouncer's files have no way to say.
fn pooler_names(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let pooled = scenes(scope)
        .into_iter()
        .filter(|scene| Typed::new(&scene.host.vars).get(param::PGBOUNCER_ENABLED));
    once(pooled.flat_map(|scene| {
        let of = |list: &str, what: fn(&Value) -> bool| unnameable(scene.host, list, what);
        let mut found = of("pg_databases", |entry| entry["pgbouncer"] != false);
        found.extend(of("pg_users", |entry| {
            !entry["pool_mode"].is_null() || !entry["pool_connlimit"].is_null()
        }));
        found
    }))
}

fn unnameable(host: &InvHost, list: &str, asks: fn(&Value) -> bool) -> Vec<Diagnostic> {
    let (what, hint) = match list {
        "pg_databases" => (
            "is not offered by PgBouncer",
            "write `pgbouncer: false` there and reach it at PostgreSQL's own port",
        ),
        _ => (
            "has no pool options of its own in PgBouncer",
            "leave `pool_mode` and `pool_connlimit` out",
        ),
    };
    let entries = Typed::new(&host.vars).json(list);
    let entries = entries.as_array().into_iter().flatten();
    let asking = entries.filter(|entry| entry["state"] != "absent" && asks(entry));
    let names = asking.filter_map(|entry| entry["name"].as_str());
    let odd = names.filter(|name| !name.is_empty() && !is_plain(name));
    odd.map(|name| {
        let message = format!(
            "`{name}` {what}: its file takes names of letters, digits, `_`, `.` and `-` only"
        );
        Diagnostic::warning("pgbouncer-name", message)
            .at(place_of(host, list), "in this list")
            .help(format!("choose another name, or {hint}"))
    })
    .collect()
}
