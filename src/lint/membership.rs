//! Hosts that two clusters claim, and inventories of other tools.

use super::{LintRule, Scope, list};
use crate::inventory::{InvGroup, InvHost, Inventory, Layer};
use crate::model::build::{clusters, etcd};
use crate::names::GroupName;
use crate::source::{Diagnostic, Span};

pub(super) const RULES: &[LintRule] = &[two_clusters, of_another_tool, of_no_cluster];

/// What only one of a host's groups may say.
const IDENTITY: [&str; 5] = [
    "pg_cluster",
    "pg_shard",
    "pg_group",
    "pg_mode",
    "etcd_cluster",
];

/// Two groups, neither of which is within the other, give a host different identities. Ansible takes the one whose name
/// comes later in the alphabet, and the other has a member less.
fn two_clusters(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let hosts = scope.hosts();
    hosts
        .filter_map(|host| IDENTITY.iter().find_map(|name| torn(scope.inv, host, name)))
        .collect()
}

fn torn(inv: &Inventory, host: &InvHost, name: &str) -> Option<Diagnostic> {
    let own = host
        .vars
        .get(name)
        .is_some_and(|var| matches!(var.layer, Layer::Host | Layer::HostFile | Layer::Extra));
    if own {
        return None;
    }
    let says = |group: &'_ GroupName| {
        let group = inv.groups.get(group)?;
        let var = group.vars.get(name)?;
        Some((group, var.node.as_str()?.to_owned(), var.node.span))
    };
    let said: Vec<(&InvGroup, String, Span)> = host.groups.iter().filter_map(says).collect();
    let apart =
        |one: &InvGroup, other: &InvGroup| !within(inv, one, other) && !within(inv, other, one);
    let (first, second) = said.iter().enumerate().find_map(|(at, first)| {
        let second = said[at + 1..]
            .iter()
            .find(|second| second.1 != first.1 && apart(first.0, second.0))?;
        Some((first, second))
    })?;
    let message = format!(
        "host `{}` has two values of `{name}`: `{}` by group `{}` and `{}` by group `{}`",
        host.name, first.1, first.0.name, second.1, second.0.name
    );
    let problem = Diagnostic::error("two-clusters", message)
        .at(second.2, "the second")
        .see(first.2, "the first")
        .see(host.span, "this host");
    Some(problem.help("a host carries one instance: take it out of one of the groups, or set the value beside the host"))
}

/// Whether a group is in another one, however deep.
fn within(inv: &Inventory, group: &InvGroup, other: &InvGroup) -> bool {
    other.children.iter().any(|child| {
        *child == group.name
            || inv
                .groups
                .get(child)
                .is_some_and(|child| within(inv, group, child))
    })
}

/// Groups and variables of other tools that set clusters up, by which they are known.
const TOOLS: [(&str, &[&str], &[&str]); 3] = [
    (
        "Autobase (postgresql_cluster)",
        &[
            "postgres_cluster",
            "etcd_cluster",
            "balancers",
            "consul_instances",
            "source_cluster",
            "target_cluster",
        ],
        &[
            "patroni_cluster_name",
            "postgresql_version",
            "postgresql_data_dir",
            "dcs_type",
            "dcs_exists",
            "cluster_vip",
            "with_haproxy_load_balancing",
            "postgresql_users",
            "postgresql_databases",
            "postgresql_parameters",
            "pgbouncer_install",
            "synchronous_mode",
            "postgresql_exists",
            "balancer_tags",
            "pg_old_version",
            "pg_new_version",
            "pg_replication_database",
        ],
    ),
    (
        "EDB's postgres-deployment",
        &[],
        &[
            "pg_type",
            "upstream_node_private_ip",
            "replication_type",
            "repo_username",
        ],
    ),
    (
        "ansible-role-postgresql",
        &[],
        &[
            "postgresql_hba_entries",
            "postgresql_global_config_options",
            "postgresql_unix_socket_directories",
        ],
    ),
];

/// No host is of a cluster, and what is there is another tool's: nothing would be built, and nothing would say so.
fn of_another_tool(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let found = is_without_clusters(scope).then(|| another_tool(scope));
    found.flatten().into_iter().collect()
}

fn is_without_clusters(scope: &Scope<'_>) -> bool {
    let clustered = |host: &&InvHost| clusters::cluster_of(host).is_some();
    !scope.hosts().any(|host| clustered(&host)) && etcd::members(scope.inv).next().is_none()
}

fn another_tool(scope: &Scope<'_>) -> Option<Diagnostic> {
    TOOLS
        .iter()
        .find_map(|(tool, groups, variables)| known(scope, tool, groups, variables))
}

/// No host is of a cluster, and nothing shows whose inventory it is: hosts may be all that is wanted.
fn of_no_cluster(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let first = scope.hosts().next();
    let Some(host) = first.filter(|_| is_without_clusters(scope)) else {
        return Vec::new();
    };
    if another_tool(scope).is_some() {
        return Vec::new();
    }
    let message = "no host belongs to a cluster: only the hosts themselves would be set up";
    let problem = Diagnostic::warning("no-cluster", message).at(host.span, "the first of them");
    vec![problem.help("for PostgreSQL give hosts `pg_cluster`, `pg_seq` and `pg_role`, and a group `etcd`; `citusctl init` writes an inventory to begin with")]
}

fn known(scope: &Scope<'_>, tool: &str, groups: &[&str], variables: &[&str]) -> Option<Diagnostic> {
    let named: Vec<(&str, Span)> = scope
        .inv
        .groups
        .values()
        .filter(|group| groups.contains(&group.name.as_str()))
        .map(|group| (group.name.as_str(), group.span))
        .collect();
    let of_hosts = scope.hosts().flat_map(|host| host.vars.iter());
    let of_groups = scope
        .inv
        .groups
        .values()
        .flat_map(|group| group.vars.iter());
    let mut set: Vec<(&str, Span)> = Vec::new();
    for (name, var) in of_groups
        .chain(of_hosts)
        .filter(|(name, _)| variables.contains(name))
    {
        if !set.iter().any(|(known, _)| *known == name) {
            set.push((name, var.key));
        }
    }
    // A group alone may be called anything.
    let place = set.first().or(named.first().filter(|_| named.len() > 1))?.1;
    let names = list(set.iter().chain(&named).map(|(name, _)| name));
    let message =
        format!("no host belongs to a cluster, and {names} are of {tool}: nothing would be built");
    let problem =
        Diagnostic::error("foreign-inventory", message).at(place, "not of citusctl or Pigsty");
    Some(problem.help("give hosts `pg_cluster`, `pg_seq` and `pg_role`, and a group `etcd`; `citusctl init` writes an inventory to begin with"))
}
