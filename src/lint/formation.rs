//! What must hold between the groups of a formation.

use super::{LintRule, Placed, Scope, list, repeated, text};
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::inventory::{InvHost, Layer};
use crate::model::build::place_of;
use crate::model::{Formation, Group};
use crate::names::{ClusterName, FormationName};
use crate::source::{Data, Diagnostic, Span};
use indexmap::IndexMap;

pub(super) const RULES: &[LintRule] = &[
    unsupported_mode,
    shard_without_citus,
    missing_shard,
    missing_group,
    quoted_group,
    duplicate_group,
    no_coordinator,
    group_gap,
    no_workers,
    cluster_name_convention,
    empty_superuser_password,
    default_citus_database,
    citus_not_loaded,
    dcs_collision,
];

fn citus<'a>(scope: &Scope<'a>) -> impl Iterator<Item = &'a Formation> {
    scope
        .model
        .formations
        .iter()
        .filter(|formation| formation.is_citus())
}

/// Formations that have a name, so that their groups belong together.
fn named<'a>(scope: &Scope<'a>) -> impl Iterator<Item = &'a Formation> {
    citus(scope).filter(|formation| no_shard(scope, formation).is_none())
}

/// Pigsty's other kernels.
fn unsupported_mode(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let found = scope.clusters.iter().filter_map(|(cluster, hosts)| {
        let host = hosts.iter().find(|host| {
            let mode = text(host, "pg_mode");
            host.vars.contains("pg_mode") && !matches!(mode.as_str(), "pgsql" | "citus")
        })?;
        let mode = text(host, "pg_mode");
        Some(
            Diagnostic::error(
                "unsupported-mode",
                format!("`{cluster}`: no `pg_mode: {mode}` here"),
            )
            .at(
                place_of(host, "pg_mode"),
                "not a mode that citusctl sets up",
            )
            .help("`pg_mode` is `pgsql` (plain PostgreSQL) or `citus`"),
        )
    });
    found.collect()
}

fn shard_without_citus(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut places: IndexMap<Span, (Vec<ClusterName>, &str)> = IndexMap::new();
    for (cluster, hosts) in &scope.clusters {
        let plain = hosts.iter().find(|host| text(host, "pg_mode") != "citus");
        let names = ["pg_shard", "pg_group"];
        let name = |host: &InvHost| names.into_iter().find(|name| host.vars.contains(name));
        if let Some((host, name)) = plain.and_then(|host| Some((host, name(host)?))) {
            let place = places
                .entry(place_of(host, name))
                .or_insert((Vec::new(), name));
            place.0.push(cluster.clone());
        }
    }
    let problem = |(place, (clusters, name)): (Span, (Vec<ClusterName>, &str))| {
        let message = format!("`{name}` without Citus: {}", list(&clusters));
        Diagnostic::warning("shard-without-citus", message)
            .at(place, "means nothing without `pg_mode: citus`")
            .help("add `pg_mode: citus` beside it, or remove it")
    };
    places.into_iter().map(problem).collect()
}

/// Where a formation's `pg_shard` should have been written.
fn no_shard(scope: &Scope<'_>, formation: &Formation) -> Option<Span> {
    let hosts = scope.formation_hosts(formation);
    let host = hosts
        .into_iter()
        .find(|host| text(host, "pg_shard").is_empty())?;
    Some(place_of(host, "pg_mode"))
}

fn missing_shard(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut places: IndexMap<Span, Vec<&FormationName>> = IndexMap::new();
    for formation in citus(scope) {
        if let Some(place) = no_shard(scope, formation) {
            places.entry(place).or_default().push(&formation.name);
        }
    }
    let problem = |(place, clusters): (Span, Vec<&FormationName>)| {
        let message = format!("no `pg_shard` for the Citus clusters {}", list(clusters));
        Diagnostic::error("missing-pg-shard", message)
            .at(place, "each would be a formation of its own")
            .help("give all groups of the formation one `pg_shard`, as in `pg-citus`")
    };
    places.into_iter().map(problem).collect()
}

/// Pigsty takes group 0 where none is written: two such clusters are two coordinators.
fn missing_group(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let groups = citus(scope).flat_map(|formation| &formation.groups);
    let found = groups.filter_map(|group| {
        let member = group.members.first()?;
        let host = scope
            .host(&member.host)
            .filter(|host| !host.vars.contains("pg_group"))?;
        let message = format!(
            "`{}` has no `pg_group` and so becomes group 0",
            group.cluster
        );
        Some(
            Diagnostic::warning("missing-pg-group", message)
                .at(place_of(host, "pg_cluster"), "taken for the coordinator")
                .help("write `pg_group: 0` if it is the coordinator, else its number"),
        )
    });
    found.collect()
}

/// Patroni drops the whole `citus` section, silently, when the group is a string.
fn quoted_group(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut seen = Vec::new();
    for host in scope.hosts() {
        let Some(var) = host.vars.get("pg_group") else {
            continue;
        };
        let quoted = matches!(&var.node.data, Data::Scalar { plain: false, .. });
        let quoted = quoted && var.layer != Layer::Extra;
        if quoted && !seen.contains(&var.node.span) {
            seen.push(var.node.span);
        }
    }
    let problem = |span| {
        Diagnostic::warning("quoted-pg-group", "`pg_group` is a string, not a number")
            .at(span, "in quotes")
            .help("write the bare number: Patroni itself ignores a group that is in quotes")
    };
    seen.into_iter().map(problem).collect()
}

fn duplicate_group(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for formation in citus(scope) {
        for (first, second) in repeated(&formation.groups, |group| group.number) {
            let number = second.number.unwrap_or_default();
            let message = format!(
                "`{}` and `{}` both claim group {number} of `{}`",
                first.cluster, second.cluster, formation.name
            );
            found.push(
                Diagnostic::error("duplicate-pg-group", message)
                    .at_if(group_place(scope, second), "the second")
                    .see_if(group_place(scope, first), "the first")
                    .help("give each cluster of the formation a number of its own, from 0 on"),
            );
        }
    }
    found
}

fn group_place(scope: &Scope<'_>, group: &Group) -> Option<Span> {
    let member = group.members.first()?;
    let written = scope.host(&member.host)?.vars.contains("pg_group");
    scope.place(member, if written { "pg_group" } else { "pg_cluster" })
}

fn no_coordinator(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let found = named(scope)
        .filter(|f| f.coordinator().is_none())
        .map(|formation| {
            let numbers = formation.groups.iter().filter_map(|group| group.number);
            let message = format!(
                "`{}` has no group 0, only {}",
                formation.name,
                list(numbers)
            );
            let first = formation.groups.first();
            Diagnostic::error("no-coordinator", message)
                .at_if(
                    first.and_then(|g| group_place(scope, g)),
                    "the lowest group",
                )
                .help("group 0 is the coordinator; give one cluster `pg_group: 0`")
        });
    found.collect()
}

fn group_gap(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for formation in citus(scope) {
        for pair in formation.groups.windows(2) {
            let [before, after] = pair else { continue };
            let (Some(low), Some(high)) = (before.number, after.number) else {
                continue;
            };
            if high <= low + 1 {
                continue;
            }
            let message = format!("`{}` has no group {}", formation.name, low + 1);
            found.push(
                Diagnostic::warning("group-gap", message)
                    .at_if(group_place(scope, after), format!("follows group {low}"))
                    .help("harmless where a group was removed; otherwise number them in one row"),
            );
        }
    }
    found
}

fn no_workers(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let alone = named(scope).filter(|f| f.workers().next().is_none() && f.coordinator().is_some());
    let found = alone.map(|formation| {
        let message = format!("`{}` is a coordinator without workers", formation.name);
        let coordinator = formation.coordinator();
        Diagnostic::warning("no-workers", message)
            .at_if(
                coordinator.and_then(|g| group_place(scope, g)),
                "the only group",
            )
            .help("add clusters with `pg_group: 1` and on; until then it holds all shards itself")
    });
    found.collect()
}

/// A warning only: Pigsty's own template breaks its own convention.
fn cluster_name_convention(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for formation in citus(scope) {
        for group in &formation.groups {
            let wanted = format!("{}{}", formation.name, group.number.unwrap_or_default());
            let Some(first) = group.members.first() else {
                continue;
            };
            if group.cluster.as_str() == wanted || formation.name.as_str() == group.cluster.as_str()
            {
                continue;
            }
            let message = format!(
                "`{}` is group {} of `{}`",
                group.cluster,
                group.number.unwrap_or_default(),
                formation.name
            );
            found.push(
                Diagnostic::warning("cluster-name", message)
                    .at_if(
                        scope.place(first, "pg_cluster"),
                        format!("usually `{wanted}`"),
                    )
                    .see_if(scope.place(first, "pg_group"), "its group")
                    .help(
                        "by convention `pg_cluster` is `pg_shard` followed by `pg_group`, and \
                         dashboards rely on it; a running cluster cannot be renamed",
                    ),
            );
        }
    }
    found
}

fn empty_superuser_password(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let found =
        citus(scope).filter_map(|formation| {
            let hosts = scope.formation_hosts(formation);
            let host = hosts.into_iter().find(|host| {
                Typed::new(&host.vars)
                    .get(param::PG_DBSU_PASSWORD)
                    .is_empty()
            })?;
            let message = format!("`{}`: the superuser has no password", formation.name);
            Some(
            Diagnostic::error("empty-superuser-password", message)
                .at(place_of_either(host, "pg_dbsu_password", "pg_mode"), "Citus needs one")
                .help(
                    "set `pg_dbsu_password`: Citus's nodes connect to each other as the superuser, \
                     with the password that Patroni puts into `pg_dist_authinfo`",
                ),
        )
        });
    found.collect()
}

fn place_of_either(host: &InvHost, name: &str, otherwise: &str) -> Span {
    place_of(
        host,
        if host.vars.contains(name) {
            name
        } else {
            otherwise
        },
    )
}

fn default_citus_database(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let found =
        citus(scope)
            .filter(|f| f.primary_db == "postgres")
            .filter_map(|formation| {
                let host = scope.formation_hosts(formation).into_iter().next()?;
                let message = format!(
                    "`{}` puts Citus into the database `postgres`",
                    formation.name
                );
                Some(
            Diagnostic::warning("citus-in-postgres", message)
                .at(place_of_either(host, "pg_primary_db", "pg_mode"), "no database of its own")
                .help("set `pg_primary_db: citus`; a formation has exactly one Citus database"),
        )
            });
    found.collect()
}

fn citus_not_loaded(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let found = citus(scope).filter_map(|formation| {
        let hosts = scope.formation_hosts(formation);
        let host = hosts.into_iter().find(|host| {
            let has_citus = |lib: &str| lib.trim() == "citus";
            host.vars.contains("pg_libs") && !text(host, "pg_libs").split(',').any(has_citus)
        })?;
        Some(
            Diagnostic::note("citus-not-in-libs", "`pg_libs` does not name `citus`")
                .at(place_of(host, "pg_libs"), "Patroni puts it first by itself")
                .help("write `pg_libs: 'citus, ...'` to say what will run"),
        )
    });
    found.collect()
}

/// Two groups in one place of etcd fight for one leader key.
fn dcs_collision(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let groups: Vec<_> = scope.model.groups().collect();
    let mut found = Vec::new();
    for (at, (formation, group)) in groups.iter().enumerate() {
        let clash = groups[..at].iter().find(|(of, other)| {
            let nested = group.dcs_prefix.starts_with(&other.dcs_prefix)
                || other.dcs_prefix.starts_with(&group.dcs_prefix);
            nested && (of.name != formation.name || of.mode != formation.mode)
        });
        let Some((_, other)) = clash else { continue };
        let message = format!(
            "`{}` and `{}` share `{}` in etcd",
            other.cluster, group.cluster, other.dcs_prefix
        );
        let place = |g: &Group| scope.place(g.members.first()?, "pg_cluster");
        found.push(
            Diagnostic::error("dcs-collision", message)
                .at_if(place(group), "keeps its state below the other's")
                .see_if(place(other), "the other")
                .help("a `pg_cluster` may not be called like the `pg_shard` of another formation"),
        );
    }
    found
}
