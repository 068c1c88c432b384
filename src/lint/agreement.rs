//! Variables on which all hosts of a cluster, or of a formation, must agree.

use super::{LintRule, Scope, written};
use crate::inventory::InvHost;
use crate::inventory::parameters::Typed;
use crate::model::build::{etcd, place_of};
use crate::source::Diagnostic;

pub(super) const RULES: &[LintRule] = &[
    differs_in_cluster,
    differs_in_formation,
    differs_in_etcd,
    differs_at_address,
    differs_anywhere,
];

/// Variables that decide which formation and group a cluster is, and those that are read once for all of it (Patroni's
/// dynamic configuration, roles and databases, the address, how it is made): said on one host only they would do nothing.
const OF_A_CLUSTER: [&str; 43] = [
    "pg_mode",
    "pg_shard",
    "pg_group",
    "pg_conf",
    "pg_parameters",
    "pg_rto",
    "pg_rto_plan",
    "pg_rpo",
    "pg_libs",
    "pg_max_conn",
    "pg_shared_buffer_ratio",
    "pg_storage_type",
    "pg_io_method",
    "pg_pwd_enc",
    "pg_synchronous_mode",
    "pg_default_service_dest",
    "pg_users",
    "pg_databases",
    "pg_provision",
    "pg_default_roles",
    "pg_default_privileges",
    "pg_default_schemas",
    "pg_default_extensions",
    "pg_admin_username",
    "pg_admin_password",
    "pg_monitor_username",
    "pg_monitor_password",
    "pg_service_provider",
    "pg_dns_suffix",
    "pg_checksum",
    "pg_encoding",
    "pg_locale",
    "pg_lc_collate",
    "pg_lc_ctype",
    "pg_localhost",
    "pg_bin_dir",
    "pg_data",
    "pg_fs_main",
    "patroni_log_dir",
    "etcd_root_password",
    "pgbackrest_enabled",
    "pgbackrest_method",
    "pgbackrest_repo",
];

/// What all members of etcd must agree on: their neighbours and Patroni read it of the first.
const OF_ETCD: [&str; 4] = [
    "etcd_cluster",
    "etcd_port",
    "etcd_peer_port",
    "etcd_root_password",
];

/// What all hosts of an address of keepalived must agree on.
const OF_AN_ADDRESS: [&str; 2] = ["vip_vrid", "vip_auth_pass"];

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
    for (cluster, hosts) in &scope.clusters {
        let differing = OF_A_CLUSTER.iter().filter_map(|name| {
            let message = format!("the hosts of `{cluster}` do not agree on `{name}`");
            let problem = Diagnostic::error("differs-in-cluster", message);
            differing(hosts, name, problem)
        });
        found.extend(differing.map(|problem| {
            problem.help("it holds for the cluster as a whole: set it once, in the variables that all its hosts share")
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

fn differs_in_etcd(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let hosts: Vec<&InvHost> = etcd::members(scope.inv).collect();
    let found = OF_ETCD.iter().filter_map(|name| {
        let message = format!("the members of etcd do not agree on `{name}`");
        differing(&hosts, name, Diagnostic::error("differs-in-etcd", message))
    });
    found
        .map(|problem| problem.help("set it once, in the variables of the group `etcd`"))
        .collect()
}

fn differs_at_address(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let vips = scope.model.node_vips.iter();
    let found = vips.flat_map(|vip| {
        let hosts: Vec<&InvHost> = vip
            .hosts
            .iter()
            .filter_map(|name| scope.host(name))
            .collect();
        OF_AN_ADDRESS.iter().filter_map(move |name| {
            let message = format!("the hosts of {} do not agree on `{name}`", vip.address);
            differing(
                &hosts,
                name,
                Diagnostic::error("differs-at-address", message),
            )
        })
    });
    found
        .map(|problem| {
            problem.help(
                "keepalived on one of them would not hear the others: set it once for all of them",
            )
        })
        .collect()
}

/// `admin_ip` is one for the whole inventory, read of the first host that has it.
fn differs_anywhere(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let hosts: Vec<&InvHost> = scope
        .inv
        .hosts
        .values()
        .filter(|host| host.vars.contains("admin_ip"))
        .collect();
    let problem = Diagnostic::warning(
        "differs",
        "the hosts do not agree on `admin_ip`: the first counts for all",
    );
    let found = differing(&hosts, "admin_ip", problem);
    found
        .map(|problem| problem.help("set it once, in the variables of `all`"))
        .into_iter()
        .collect()
}

/// Adds the places where a variable differs from that of the first host.
fn differing(hosts: &[&InvHost], name: &str, problem: Diagnostic) -> Option<Diagnostic> {
    let (first, rest) = hosts.split_first()?;
    let value = |host: &InvHost| Typed::new(&host.vars).json(name);
    let differs =
        |host: &InvHost| written(host, name) != written(first, name) && value(host) != value(first);
    let odd: Vec<_> = rest.iter().filter(|host| differs(host)).collect();
    let mut spans: Vec<_> = odd.iter().map(|host| place_of(host, name)).collect();
    spans.dedup();
    let problem = spans
        .into_iter()
        .fold(problem, |problem, span| problem.at(span, "differs"));
    let reference = format!("what `{}` has", first.name);
    (!odd.is_empty()).then(|| problem.see(place_of(first, name), reference))
}
