//! Roles and databases that cannot be made as they are written.

use super::{Rule, Scope, once};
use crate::model::build::place_of;
use crate::model::objects::{Scene, databases, roles};
use crate::source::Diagnostic;
use std::collections::BTreeSet;
use time::OffsetDateTime;

pub(super) const RULES: &[Rule] = &[written, verifiers];

/// Hosts of PostgreSQL with what their lists are read against. The hour does not matter to what is wrong.
fn scenes<'a>(scope: &Scope<'a>) -> Vec<Scene<'a>> {
    let hosts = scope.inv.hosts.values();
    hosts
        .filter(|host| host.vars.contains("pg_cluster"))
        .map(|host| Scene::new(host, OffsetDateTime::UNIX_EPOCH))
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
