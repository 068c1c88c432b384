//! Clusters by equality of `pg_cluster` (never by group of the inventory), and their formations.

use super::instances::{Belongs, instance};
use super::upstream;
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::inventory::{InvHost, Inventory};
use crate::model::pg::bin_dir;
use crate::model::{Formation, Group, Host, Instance, LocalPostgres, Mode, Rto, Vip};
use crate::names::{ClusterName, FormationName, HostName};
use crate::source::Diagnostics;
use indexmap::IndexMap;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// All formations, in the order in which their first host is written.
pub(super) fn build(
    inv: &Inventory,
    hosts: &BTreeMap<HostName, Host>,
    problems: &mut Diagnostics,
) -> Vec<Formation> {
    let mut formations: IndexMap<(FormationName, bool), Formation> = IndexMap::new();
    for (cluster, members) in clusters(inv) {
        let Some(first) = members.first() else {
            continue;
        };
        let of = formation(&cluster, first);
        let group = group(inv, &of, &cluster, &members, hosts, problems);
        let key = (of.name.clone(), of.mode == Mode::Citus);
        formations.entry(key).or_insert(of).groups.push(group);
    }
    let mut formations: Vec<Formation> = formations.into_values().collect();
    for formation in &mut formations {
        formation.groups.sort_by_key(|group| group.number);
    }
    formations
}

/// All hosts by `pg_cluster`, in the order of the inventory.
pub(crate) fn clusters(inv: &Inventory) -> IndexMap<ClusterName, Vec<&InvHost>> {
    let mut clusters: IndexMap<ClusterName, Vec<&InvHost>> = IndexMap::new();
    for host in inv.hosts.values() {
        if let Some(cluster) = cluster_of(host) {
            clusters.entry(cluster).or_default().push(host);
        }
    }
    clusters
}

/// The cluster that a host is in.
pub(crate) fn cluster_of(host: &InvHost) -> Option<ClusterName> {
    let name = Typed::new(&host.vars).get(param::PG_CLUSTER)?;
    (!name.is_empty()).then(|| ClusterName::new(name))
}

/// The formation that a host's variables speak of, without its groups.
pub(crate) fn formation(cluster: &ClusterName, host: &InvHost) -> Formation {
    let typed = Typed::new(&host.vars);
    let mode = match typed.get(param::PG_MODE).as_str() {
        "citus" => Mode::Citus,
        _ => Mode::Plain,
    };
    let shard = typed.get(param::PG_SHARD).filter(|shard| !shard.is_empty());
    let name = match (mode, shard) {
        (Mode::Citus, Some(shard)) => FormationName::new(shard),
        (Mode::Citus, None) | (Mode::Plain, _) => FormationName::new(cluster.as_str()),
    };
    let version = typed.get(param::PG_VERSION);
    Formation {
        name,
        mode,
        groups: Vec::new(),
        primary_db: typed.get(param::PG_PRIMARY_DB),
        version,
        local: local(&typed, version),
        namespace: typed
            .get(param::PG_NAMESPACE)
            .trim_end_matches('/')
            .to_owned(),
    }
}

fn local(typed: &Typed<'_>, version: u32) -> LocalPostgres {
    LocalPostgres {
        dbsu: typed.get(param::PG_DBSU),
        bin_dir: bin_dir(typed, version),
        socket_dir: typed.get(param::PG_LOCALHOST),
        patroni_log_dir: typed.get(param::PATRONI_LOG_DIR),
        log_dir: typed.get(param::PG_LOG_DIR),
    }
}

fn group(
    inv: &Inventory,
    of: &Formation,
    cluster: &ClusterName,
    hosts: &[&InvHost],
    built: &BTreeMap<HostName, Host>,
    problems: &mut Diagnostics,
) -> Group {
    let number = hosts.first().and_then(|first| number(of.mode, first));
    let to = Belongs {
        cluster,
        formation: &of.name,
        group: number,
    };
    let mut members: Vec<Instance> = hosts
        .iter()
        .filter_map(|host| instance(host, built.get(&host.name)?, &to, problems))
        .collect();
    members.sort_by_key(|member| member.seq);
    let typed = hosts.first().map(|first| Typed::new(&first.vars));
    let mut group = Group {
        number,
        cluster: cluster.clone(),
        dcs_prefix: prefix(of, number),
        scope: of.name.as_str().to_owned(),
        vip: hosts.iter().find_map(|host| vip(&Typed::new(&host.vars))),
        standby: None,
        rto: typed
            .and_then(|typed| Rto::read(&typed))
            .unwrap_or_default(),
        incomplete: members.len() < hosts.len(),
        members,
    };
    upstream::resolve(inv, &mut group, problems);
    group
}

/// `pg_group`, 0 where it is not written.
pub(crate) fn number(mode: Mode, host: &InvHost) -> Option<u32> {
    let typed = Typed::new(&host.vars);
    let number = typed
        .get(param::PG_GROUP)
        .and_then(|number| u32::try_from(number).ok());
    match mode {
        Mode::Citus => Some(number.unwrap_or(0)),
        Mode::Plain => None,
    }
}

/// Where Patroni keeps the group: `<namespace>/<scope>/`, and in Citus mode its number.
fn prefix(of: &Formation, number: Option<u32>) -> String {
    let group = number.map_or_else(String::new, |number| format!("{number}/"));
    format!("{}/{}/{group}", of.namespace, of.name)
}

/// The VIP of a host's cluster, if it is enabled and readable.
pub(crate) fn vip(typed: &Typed<'_>) -> Option<Vip> {
    let written = typed.get(param::PG_VIP_ADDRESS)?;
    let (address, prefix) = written.split_once('/').unwrap_or((&written, "24"));
    let interface = typed.get(param::PG_VIP_INTERFACE);
    let address: IpAddr = address.parse().ok()?;
    if address.is_loopback() || address.is_unspecified() {
        return None;
    }
    let vip = Vip {
        address,
        prefix: prefix.parse().ok()?,
        interface: (!matches!(interface.as_str(), "" | "auto")).then_some(interface),
    };
    typed.get(param::PG_VIP_ENABLED).then_some(vip)
}
