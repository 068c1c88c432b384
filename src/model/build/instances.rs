//! One host's PostgreSQL instance, from its identity parameters.

use super::{place_in_cluster, place_of};
use crate::inventory::InvHost;
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::model::{Host, Instance, PatroniTags, PgRole};
use crate::names::{ClusterName, FormationName, InstanceName};
use crate::source::{Diagnostic, Diagnostics};

/// What all instances of one cluster share.
pub(super) struct Belongs<'a> {
    pub(super) cluster: &'a ClusterName,
    pub(super) formation: &'a FormationName,
    pub(super) group: Option<u32>,
}

/// The instance of a host; `None` where its identity is incomplete.
pub(super) fn instance(
    host: &InvHost,
    built: &Host,
    to: &Belongs<'_>,
    problems: &mut Diagnostics,
) -> Option<Instance> {
    let role = role(host, to.cluster, problems);
    let seq = seq(host, to.cluster, problems)?;
    let typed = Typed::new(&host.vars);
    Some(Instance {
        name: InstanceName::new(format!("{}-{seq}", to.cluster)),
        cluster: to.cluster.clone(),
        formation: to.formation.clone(),
        group: to.group,
        host: host.name.clone(),
        address: built.address,
        host_groups: host.groups.clone(),
        seq,
        role: role?,
        upstream: None,
        weight: typed.get(param::PG_WEIGHT),
        offline_query: typed.get(param::PG_OFFLINE_QUERY),
        port: typed.get(param::PG_PORT),
        patroni_port: typed.get(param::PATRONI_PORT),
        pgbouncer_port: typed
            .get(param::PGBOUNCER_ENABLED)
            .then(|| typed.get(param::PGBOUNCER_PORT)),
        patroni_ssl: typed.get(param::PATRONI_SSL_ENABLED),
        delay: Some(typed.get(param::PG_DELAY)).filter(|delay| !matches!(delay.as_str(), "" | "0")),
        tags: PatroniTags::of(role?, None),
        sans: Vec::new(),
    })
}

fn seq(host: &InvHost, cluster: &ClusterName, problems: &mut Diagnostics) -> Option<u32> {
    let seq = Typed::new(&host.vars).get(param::PG_SEQ);
    if seq.is_none() && !host.vars.contains("pg_seq") {
        let message = format!("host `{}` of `{cluster}` has no `pg_seq`", host.name);
        problems.push(
            Diagnostic::error("missing-pg-seq", message)
                .at(
                    place_in_cluster(host),
                    "this host needs a number of its own",
                )
                .see(place_of(host, "pg_cluster"), "it is in this cluster")
                .help(format!(
                    "write `pg_seq: N` with a number that no other host of `{cluster}` has; the \
                     instance is called `{cluster}-N`, so it never changes later"
                )),
        );
    }
    u32::try_from(seq?).ok()
}

fn role(host: &InvHost, cluster: &ClusterName, problems: &mut Diagnostics) -> Option<PgRole> {
    let role = Typed::new(&host.vars).get(param::PG_ROLE);
    if role.is_none() && !host.vars.contains("pg_role") {
        let message = format!("host `{}` of `{cluster}` has no `pg_role`", host.name);
        problems.push(
            Diagnostic::error("missing-pg-role", message)
                .at(place_in_cluster(host), "this host needs a role")
                .see(place_of(host, "pg_cluster"), "it is in this cluster")
                .help("write `pg_role: primary` on the one host that bootstraps, else `replica`"),
        );
    }
    role?.parse().ok()
}
