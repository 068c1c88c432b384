//! Passwords that everybody knows.

use super::{Placed, Rule, Scope, list};
use crate::inventory::InvHost;
use crate::inventory::parameters::Typed;
use crate::model::build::place_of;
use crate::source::{Diagnostic, Span};

pub(super) const RULES: &[Rule] = &[
    default_passwords,
    default_user_passwords,
    etcd_user_password,
];

/// Passwords with a default that Pigsty publishes, and what stands on a host that uses them.
const PUBLISHED: [(&str, &str, Needs); 7] = [
    ("pg_dbsu_password", "DBUser.Postgres", Needs::Pg),
    ("pg_replication_password", "DBUser.Replicator", Needs::Pg),
    ("pg_admin_password", "DBUser.DBA", Needs::Pg),
    ("pg_monitor_password", "DBUser.Monitor", Needs::Pg),
    ("patroni_password", "Patroni.API", Needs::Pg),
    ("haproxy_admin_password", "pigsty", Needs::Haproxy),
    ("etcd_root_password", "Etcd.Root", Needs::Etcd),
];

#[derive(Clone, Copy)]
enum Needs {
    Pg,
    Haproxy,
    Etcd,
}

/// All passwords of the built-in users that are still the published ones, as one warning.
fn default_passwords(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut names: Vec<&str> = Vec::new();
    let mut spans: Vec<Span> = Vec::new();
    for (name, published, needs) in PUBLISHED {
        let hosts = scope
            .inv
            .hosts
            .values()
            .filter(|host| concerns(scope, host, needs));
        for host in hosts.filter(|host| is(host, name, published)) {
            names.push(name);
            spans.extend(host.vars.get(name).map(|var| var.node.span));
        }
    }
    names.dedup();
    if names.is_empty() {
        return Vec::new();
    }
    spans.sort();
    spans.dedup();
    let message = format!("published default passwords: {}", list(&names));
    let mut problem = Diagnostic::warning("default-password", message);
    for span in &spans {
        problem = problem.at(*span, "everybody knows this one");
    }
    if spans.is_empty() {
        problem = problem.at_if(scope.whole(), "not set here, so the defaults hold");
    }
    vec![problem.help(
        "set your own before the first run, or begin with `citusctl init`, which generates them",
    )]
}

fn concerns(scope: &Scope<'_>, host: &InvHost, needs: Needs) -> bool {
    let Some(host) = scope.model.hosts.get(&host.name) else {
        return false;
    };
    match needs {
        Needs::Pg => host.pg.is_some(),
        Needs::Haproxy => host.haproxy,
        Needs::Etcd => host.etcd.is_some(),
    }
}

fn is(host: &InvHost, name: &str, published: &str) -> bool {
    Typed::new(&host.vars).secret(name).expose() == published
}

/// Users of the inventory with a password from Pigsty's examples.
fn default_user_passwords(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for host in scope.inv.hosts.values() {
        let Some(users) = host.vars.get("pg_users").and_then(|var| var.node.items()) else {
            continue;
        };
        for user in users {
            let Some(password) = user.get("password") else {
                continue;
            };
            let example = password
                .as_str()
                .is_some_and(|text| text.starts_with("DBUser."));
            let name = user
                .get("name")
                .and_then(|name| name.as_str())
                .unwrap_or_default();
            let message = format!("user `{name}` has a password from an example");
            let problem = Diagnostic::warning("default-password", message)
                .at(password.span, "everybody knows this one")
                .help("set your own");
            if example && !found.contains(&problem) {
                found.push(problem);
            }
        }
    }
    found
}

/// Without `pg_etcd_password` the password of the etcd user is the user's name.
fn etcd_user_password(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let found = scope.model.formations.iter().filter_map(|formation| {
        let host = scope
            .formation_hosts(formation)
            .into_iter()
            .find(|host| Typed::new(&host.vars).secret("pg_etcd_password").is_empty())?;
        let message = format!(
            "the etcd user `{}` has its own name as password",
            formation.name
        );
        let name = match host.vars.contains("pg_etcd_password") {
            true => "pg_etcd_password",
            false => "pg_cluster",
        };
        Some(
            Diagnostic::warning("etcd-user-password", message)
                .at(place_of(host, name), "`pg_etcd_password` is empty")
                .help("set `pg_etcd_password`: whoever can write there can take the leader's lock"),
        )
    });
    found.collect()
}
