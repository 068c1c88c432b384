//! Names and numbers that must be usable and unique, and who bootstraps.

use super::{LintRule, Placed, Scope, list, repeated, text};
use crate::inventory::InvHost;
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::model::build::{clusters, place_of};
use crate::model::{Group, PgRole};
use crate::source::Diagnostic;

pub(super) const RULES: &[LintRule] = &[
    cluster_names,
    shard_names,
    node_names,
    duplicate_pg_seq,
    duplicate_nodename,
    duplicate_address,
    no_primary,
    two_primaries,
    identity_without_cluster,
    multi_instance,
];

/// PostgreSQL cuts identifiers off after this many bytes, and a cut name makes a member invisible
/// to synchronous replication.
const LONGEST: usize = 63;

/// `pg_cluster` names Patroni's members, an etcd user, files and host names.
fn cluster_names(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let bad = scope.clusters.iter().filter_map(|(cluster, hosts)| {
        let longest = format!("{cluster}-000");
        let why = unusable(cluster.as_str(), longest.len())?;
        Some(bad_name(
            hosts.first()?,
            "pg_cluster",
            cluster.as_str(),
            &why,
        ))
    });
    bad.collect()
}

/// `pg_shard` is Patroni's scope and an etcd user.
fn shard_names(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let citus = scope
        .model
        .formations
        .iter()
        .filter(|formation| formation.is_citus());
    let bad = citus.filter_map(|formation| {
        let name = formation.name.as_str();
        let why = unusable(name, name.len())?;
        Some(bad_name(
            scope.formation_hosts(formation).first()?,
            "pg_shard",
            name,
            &why,
        ))
    });
    bad.collect()
}

/// `nodename` becomes the host's name.
fn node_names(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let bad = scope.hosts().filter_map(|host| {
        let name = text(host, "nodename");
        let why = unusable(&name.replace('.', "-"), name.len()).filter(|_| !name.is_empty())?;
        Some(bad_name(host, "nodename", &name, &why))
    });
    bad.collect()
}

fn unusable(name: &str, length: usize) -> Option<String> {
    let odd = name
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || *c == '-'));
    match odd {
        Some(odd) => Some(format!("`{odd}` may not stand in it")),
        None if name == "root" => Some("etcd's superuser is called so".to_owned()),
        None if name.starts_with('-') || name.ends_with('-') => {
            Some("it begins or ends with `-`".to_owned())
        }
        None if length > LONGEST => Some(format!("longer than {LONGEST} characters")),
        None => None,
    }
}

fn bad_name(host: &InvHost, parameter: &str, name: &str, why: &str) -> Diagnostic {
    let message = format!("`{name}` cannot be a `{parameter}`: {why}");
    Diagnostic::error("bad-name", message)
        .at(place_of(host, parameter), why)
        .help("use letters, digits and `-` only: it names members, files, hosts and an etcd user")
}

fn duplicate_pg_seq(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (cluster, hosts) in &scope.clusters {
        let seq = |host: &&InvHost| Typed::new(&host.vars).get(param::PG_SEQ);
        let hosts: Vec<&InvHost> = hosts
            .iter()
            .filter(|host| seq(host).is_some())
            .copied()
            .collect();
        let free = hosts.iter().filter_map(seq).max().unwrap_or(0) + 1;
        for (first, second) in repeated(&hosts, seq) {
            let number = seq(second).unwrap_or_default();
            found.push(
                Diagnostic::error(
                    "duplicate-pg-seq",
                    format!("two hosts of `{cluster}` have `pg_seq: {number}`"),
                )
                .at(
                    place_of(second, "pg_seq"),
                    format!("`{cluster}-{number}` again"),
                )
                .see(
                    place_of(first, "pg_seq"),
                    format!("`{cluster}-{number}` is this host"),
                )
                .help(format!(
                    "give `{}` a number of its own; {free} is free",
                    second.name
                )),
            );
        }
    }
    found
}

fn duplicate_nodename(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let hosts: Vec<_> = scope
        .model
        .hosts()
        .filter(|host| host.nodename_managed)
        .collect();
    let pairs = repeated(&hosts, |host| host.nodename.clone());
    let found = pairs.into_iter().filter_map(|(first, second)| {
        // Two equal instances are a duplicate `pg_seq`, which says it better.
        let (first, second) = (scope.host(&first.name)?, scope.host(&second.name)?);
        let written = [first, second]
            .iter()
            .any(|host| !text(host, "nodename").is_empty());
        let name = &scope.model.hosts.get(&second.name)?.nodename;
        written.then(|| {
            Diagnostic::error(
                "duplicate-nodename",
                format!("two hosts would be called `{name}`"),
            )
            .at(place_of(second, "nodename"), "this one too")
            .see(place_of(first, "nodename"), "this one")
            .help("give each host a `nodename` of its own, or leave it out")
        })
    });
    found.collect()
}

fn duplicate_address(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let hosts: Vec<_> = scope.model.hosts().collect();
    let pairs = repeated(&hosts, |host| host.address);
    let found = pairs.into_iter().filter_map(|(first, second)| {
        let (one, two) = (scope.host(&first.name)?, scope.host(&second.name)?);
        let message = format!(
            "`{}` and `{}` are one machine: both have the address {}",
            first.name, second.name, second.address
        );
        Some(
            Diagnostic::error("duplicate-address", message)
                .at(place_of(two, "ansible_host"), "the same address")
                .see(place_of(one, "ansible_host"), "first here")
                .help("list a machine once and put it into several groups instead"),
        )
    });
    found.collect()
}

/// Groups all of whose hosts are known, so that counting their primaries means something.
fn complete<'a>(scope: &Scope<'a>) -> impl Iterator<Item = &'a Group> {
    scope
        .model
        .groups()
        .map(|(_, group)| group)
        .filter(|group| !group.incomplete)
}

fn no_primary(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let found = complete(scope)
        .filter(|group| group.primary().is_none())
        .map(|group| {
            let message = format!("no host of `{}` has `pg_role: primary`", group.cluster);
            let first = group.candidates().next().or(group.members.first());
            Diagnostic::error("no-primary", message)
            .at_if(first.and_then(|m| scope.place(m, "pg_role")), "nobody would bootstrap")
            .help("make one host the `primary`: it bootstraps, afterwards the live cluster decides")
        });
    found.collect()
}

fn two_primaries(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for group in complete(scope) {
        let primaries: Vec<_> = group
            .members
            .iter()
            .filter(|m| m.role == PgRole::Primary)
            .collect();
        let [first, others @ ..] = primaries.as_slice() else {
            continue;
        };
        if others.is_empty() {
            continue;
        }
        let names = list(primaries.iter().map(|member| &member.name));
        let mut problem = Diagnostic::error(
            "two-primaries",
            format!("`{}` has more than one primary: {names}", group.cluster),
        );
        for other in others {
            problem = problem.at_if(scope.place(other, "pg_role"), "a primary too");
        }
        found.push(
            problem
                .see_if(scope.place(first, "pg_role"), "a primary")
                .help("leave one; it only says who bootstraps, so any of them will do"),
        );
    }
    found
}

/// `pg_seq` and `pg_role` without a `pg_cluster` do nothing.
fn identity_without_cluster(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let hosts = scope.hosts();
    let found = hosts
        .filter(|host| clusters::cluster_of(host).is_none())
        .filter_map(|host| {
            let name = ["pg_role", "pg_seq"]
                .into_iter()
                .find(|name| host.vars.contains(name))?;
            let message = format!("host `{}` has `{name}` but no `pg_cluster`", host.name);
            Some(
                Diagnostic::error("missing-pg-cluster", message)
                    .at(place_of(host, name), "of which cluster?")
                    .help("set `pg_cluster` on the host or in the `vars` of its group"),
            )
        });
    found.collect()
}

/// Pigsty declares several instances on one host and never built it.
fn multi_instance(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let hosts = scope.hosts();
    let found = hosts
        .filter(|host| host.vars.contains("pg_instances"))
        .map(|host| {
            let message = format!("host `{}`: several instances on one host", host.name);
            Diagnostic::error("multi-instance", message)
                .at(
                    place_of(host, "pg_instances"),
                    "`pg_instances` does nothing",
                )
                .help("run one instance on each host, with `pg_cluster`, `pg_seq` and `pg_role`")
        });
    found.collect()
}
