//! What cannot survive the loss of a host although it looks as if it could.

use super::{LintRule, Placed, Scope, list, text};
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::model::build::place_of;
use crate::model::{Etcd, Group, Instance};
use crate::source::Diagnostic;

pub(super) const RULES: &[LintRule] = &[two_hosts, one_candidate, strict_sync, no_standby];

/// Two hosts can never outvote each other.
fn two_hosts(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let Some(etcd) = scope.etcd.filter(|etcd| etcd.tolerance() == 0) else {
        return Vec::new();
    };
    let groups = scope
        .model
        .groups()
        .filter(|(_, group)| group.members.len() > 1);
    groups
        .filter_map(|(_, group)| falls_with(scope, etcd, group))
        .collect()
}

/// The group looks redundant, but its failover depends on a host of its own.
fn falls_with(scope: &Scope<'_>, etcd: &Etcd, group: &Group) -> Option<Diagnostic> {
    let shared = |pg: &&Instance| etcd.members.iter().any(|member| member.host == pg.host);
    let shared: Vec<_> = group.members.iter().filter(shared).collect();
    let host = &shared.first()?.host;
    let leader = shared
        .iter()
        .any(|pg| group.primary().is_some_and(|p| p.name == pg.name));
    let advice = match leader && shared.len() == 1 {
        true => {
            "; until then keep etcd off the host of the `primary`, so that losing it is not losing both"
        }
        false => "",
    };
    let names = list(shared.iter().map(|pg| &pg.host));
    let message = format!(
        "`{}` has standbys but cannot fail over alone",
        group.cluster
    );
    Some(
        Diagnostic::warning("two-node-trap", message)
            .at(
                place_of(scope.host(host)?, "etcd_seq"),
                "etcd stops when this host is lost",
            )
            .see_if(
                scope.place(group.members.first()?, "pg_cluster"),
                "the cluster",
            )
            .help(format!(
                "losing {names} stops etcd, and without etcd no standby is promoted: run etcd on \
                 three hosts (a small third host is enough){advice}"
            )),
    )
}

fn one_candidate(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let groups = scope
        .model
        .groups()
        .map(|(_, group)| group)
        .filter(|group| {
            !group.incomplete && group.members.len() > 1 && group.candidates().count() == 1
        });
    let found = groups.filter_map(|group| {
        let apart = group
            .members
            .iter()
            .find(|member| !member.role.is_candidate())?;
        let message = format!(
            "no member of `{}` can take over from its leader",
            group.cluster
        );
        Some(
            Diagnostic::warning("no-candidate", message)
                .at_if(
                    scope.place(apart, "pg_role"),
                    format!("`{}` is never promoted", apart.role),
                )
                .help("add a host with `pg_role: replica`"),
        )
    });
    found.collect()
}

/// Strict synchronous replication stops writes when the only standby is away.
fn strict_sync(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let groups = scope.model.groups().map(|(_, group)| group);
    let groups = groups.filter(|group| !group.incomplete && group.candidates().count() == 2);
    let found = groups.filter_map(|group| {
        let member = group.primary()?;
        let host = scope.host(&member.host)?;
        if !text(host, "pg_conf").starts_with("crit") {
            return None;
        }
        let message = format!(
            "`{}` stops writing when its only standby is away",
            group.cluster
        );
        Some(
            Diagnostic::warning("strict-sync-two-nodes", message)
                .at(
                    place_of(host, "pg_conf"),
                    "demands a synchronous standby at all times",
                )
                .help("add a second replica, or take another `pg_conf`"),
        )
    });
    found.collect()
}

/// A group without a standby, where others of the formation have one, or etcd promises more.
fn no_standby(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let alone = |group: &Group| !group.incomplete && group.members.len() == 1;
    let mut found = Vec::new();
    for formation in &scope.model.formations {
        if formation.groups.iter().all(alone) {
            continue;
        }
        for group in formation.groups.iter().filter(|group| alone(group)) {
            let Some(member) = group.members.first() else {
                continue;
            };
            let message = format!("`{}` has no standby, other groups have", group.cluster);
            found.push(
                Diagnostic::warning("no-standby", message)
                    .at_if(scope.place(member, "pg_cluster"), "lost with its only host")
                    .help("add a `replica`: a formation is only as available as its weakest group"),
            );
        }
    }
    found.extend(tags_hide(scope));
    found
}

/// `pg_offline_query` on a host that is offline already.
fn tags_hide(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let members = scope
        .model
        .instances()
        .filter(|m| !m.role.is_candidate() && m.offline_query);
    let found = members.filter_map(|member| {
        let host = scope.host(&member.host)?;
        let place = Typed::new(&host.vars).span(param::PG_OFFLINE_QUERY)?;
        let message = format!("`{}` is `{}` already", member.name, member.role);
        Some(
            Diagnostic::note("offline-twice", message)
                .at(place, "adds nothing")
                .help("`pg_offline_query` is for replicas that also serve ordinary reads"),
        )
    });
    found.collect()
}
