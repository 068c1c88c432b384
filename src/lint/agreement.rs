//! Variables on which all hosts of a cluster, or of a formation, must agree.

use super::{Rule, Scope};
use crate::inventory::InvHost;
use crate::inventory::parameters::Typed;
use crate::model::build::place_of;
use crate::source::Diagnostic;

pub(super) const RULES: &[Rule] = &[differs_in_cluster, differs_in_formation];

/// Variables that decide which formation and group a cluster is: all its hosts must agree.
const OF_A_CLUSTER: [&str; 3] = ["pg_mode", "pg_shard", "pg_group"];

/// Variables that all hosts of a formation must agree on. Citus connects every node with every other
/// as the superuser; Patroni's calls between groups need one password; one etcd user serves all.
const OF_A_FORMATION: [&str; 12] = [
    "pg_version",
    "pg_primary_db",
    "pg_dbsu",
    "pg_dbsu_password",
    "pg_namespace",
    "pg_replication_username",
    "pg_replication_password",
    "patroni_username",
    "patroni_password",
    "patroni_ssl_enabled",
    "pg_etcd_password",
    "citus_version",
];

fn differs_in_cluster(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (cluster, hosts) in scope.clusters() {
        let differing = OF_A_CLUSTER.iter().filter_map(|name| {
            let message = format!("the hosts of `{cluster}` do not agree on `{name}`");
            let problem = Diagnostic::error("differs-in-cluster", message);
            differing(&hosts, name, problem)
        });
        found.extend(differing.map(|problem| {
            problem.help("set it once, in the variables that all hosts of the cluster share")
        }));
    }
    found
}

fn differs_in_formation(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for formation in &scope.model.formations {
        let hosts = scope.formation_hosts(formation);
        let differing = OF_A_FORMATION.iter().filter_map(|name| {
            let message = format!("the hosts of `{}` do not agree on `{name}`", formation.name);
            let problem = Diagnostic::error("differs-in-formation", message);
            differing(&hosts, name, problem)
        });
        found.extend(differing.map(|problem| {
            problem.help("set it once, in the variables that all groups of the formation share")
        }));
    }
    found
}

/// Adds the places where a variable differs from that of the first host.
fn differing(hosts: &[&InvHost], name: &str, problem: Diagnostic) -> Option<Diagnostic> {
    let (first, rest) = hosts.split_first()?;
    let value = |host: &InvHost| Typed::new(&host.vars).json(name);
    let odd: Vec<_> = rest
        .iter()
        .filter(|host| value(host) != value(first))
        .collect();
    let mut spans: Vec<_> = odd.iter().map(|host| place_of(host, name)).collect();
    spans.dedup();
    let problem = spans
        .into_iter()
        .fold(problem, |problem, span| problem.at(span, "differs"));
    let reference = format!("what `{}` has", first.name);
    (!odd.is_empty()).then(|| problem.see(place_of(first, name), reference))
}
