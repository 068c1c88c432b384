//! `pg_upstream`: on a replica the member it follows, on a primary the cluster it follows.

use super::clusters;
use super::hosts::address;
use super::place_of;
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::inventory::{InvHost, Inventory};
use crate::model::{Group, Instance, PatroniTags, PgRole, Standby};
use crate::names::InstanceName;
use crate::source::{Diagnostic, Diagnostics};
use std::net::IpAddr;

/// Resolves `pg_upstream` of all members of a group.
pub(super) fn resolve(inv: &Inventory, group: &mut Group, problems: &mut Diagnostics) {
    let members = group.members.clone();
    for member in &mut group.members {
        let Some((host, upstream)) = written(inv, member) else {
            continue;
        };
        if member.role == PgRole::Primary {
            match source(inv, host, member, &upstream) {
                Ok(standby) => group.standby = Some(standby),
                Err(why) => problems.push(no_source(host, member, &upstream, &why)),
            }
            continue;
        }
        match target(&members, member, &upstream) {
            Ok(name) => {
                member.tags = PatroniTags::of(member.role, Some(name.clone()));
                member.upstream = Some(name);
            }
            Err(why) => problems.push(unknown(host, member, &upstream, &why)),
        }
    }
}

/// Where a standby cluster streams from: all members of a cluster that may lead, one host of the inventory, or an address
/// outside of it, as `ADDRESS` or `ADDRESS:PORT`. Of several hosts Patroni takes the one that is writable (all versions
/// since 3.0 write `target_session_attrs=read-write` then).
fn source(
    inv: &Inventory,
    own: &InvHost,
    member: &Instance,
    upstream: &str,
) -> Result<Standby, String> {
    let others = of_cluster(inv, upstream);
    let meant = match others.is_empty() {
        true => of_host(inv, upstream).into_iter().collect(),
        false => others,
    };
    let Some(first) = meant.first().copied() else {
        return outside(own, upstream);
    };
    if clusters::cluster_of(first).is_some_and(|cluster| cluster == member.cluster) {
        return Err("it is this cluster itself".into());
    }
    let version = |host: &InvHost| Typed::new(&host.vars).get(param::PG_VERSION);
    if version(first) != version(own) {
        return Err(format!(
            "it is PostgreSQL {}, and this is {}",
            version(first),
            version(own)
        ));
    }
    let ports: Vec<u16> = meant
        .iter()
        .map(|host| Typed::new(&host.vars).get(param::PG_PORT))
        .collect();
    if ports.iter().any(|port| *port != ports[0]) {
        return Err(
            "its members listen on different ports: name one of them by its address".into(),
        );
    }
    let addresses: Vec<String> = meant
        .iter()
        .filter_map(|host| address(host))
        .map(|ip| ip.to_string())
        .collect();
    match addresses.is_empty() {
        true => Err("none of its members has an address".into()),
        false => Ok(Standby {
            host: addresses.join(","),
            port: ports[0],
        }),
    }
}

/// The members of a cluster that may lead it, the primary of the inventory first.
fn of_cluster<'a>(inv: &'a Inventory, name: &str) -> Vec<&'a InvHost> {
    let mut members: Vec<&InvHost> = Vec::new();
    for (cluster, hosts) in clusters::clusters(inv) {
        if cluster.as_str() == name {
            members = hosts;
        }
    }
    let role = |host: &InvHost| {
        Typed::new(&host.vars)
            .get(param::PG_ROLE)
            .unwrap_or_default()
    };
    members.retain(|host| matches!(role(host).as_str(), "primary" | "replica"));
    members.sort_by_key(|host| role(host) != "primary");
    members
}

/// The host of PostgreSQL that an address, a host's name or an instance's name means.
fn of_host<'a>(inv: &'a Inventory, name: &str) -> Option<&'a InvHost> {
    inv.hosts.values().find(|host| {
        let Some(cluster) = clusters::cluster_of(host) else {
            return false;
        };
        let seq = Typed::new(&host.vars)
            .get(param::PG_SEQ)
            .unwrap_or_default();
        let is_address = || address(host).is_some_and(|address| address.to_string() == name);
        host.name.as_str() == name || is_address() || format!("{cluster}-{seq}") == name
    })
}

fn outside(own: &InvHost, upstream: &str) -> Result<Standby, String> {
    let (host, given) = match upstream.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.starts_with('[') => (host, Some(port)),
        Some(_) | None => (upstream, None),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let own_port = || Some(Typed::new(&own.vars).get(param::PG_PORT));
    let port = given.map_or_else(own_port, |port| port.parse().ok());
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
    // A name without a dot is more likely a cluster or a host that is not there than one that a name server knows.
    let named = host.contains('.') || host.parse::<IpAddr>().is_ok();
    match port {
        Some(port) if named && host.chars().all(plain) => Ok(Standby {
            host: host.to_owned(),
            port,
        }),
        Some(_) if named => Err("it is no address".into()),
        Some(_) => Err("no cluster, instance or host of the inventory is called so".into()),
        None => Err("what follows the colon is no port".into()),
    }
}

fn no_source(host: &InvHost, member: &Instance, upstream: &str, why: &str) -> Diagnostic {
    let message = format!(
        "`{}` cannot follow `pg_upstream: {upstream}`",
        member.cluster
    );
    Diagnostic::error("unknown-upstream", message)
        .at(place_of(host, "pg_upstream"), why)
        .help("name another cluster of the same `pg_version`, one of its members, or an address outside of the inventory, as `10.1.1.1:5432`")
}

fn written<'a>(inv: &'a Inventory, member: &Instance) -> Option<(&'a InvHost, String)> {
    let host = inv.hosts.get(&member.host)?;
    let upstream = Typed::new(&host.vars).get(param::PG_UPSTREAM)?;
    (!upstream.is_empty()).then_some((host, upstream))
}

/// The member that an address, a host name or an instance name means.
fn target(members: &[Instance], member: &Instance, upstream: &str) -> Result<InstanceName, String> {
    let is_meant = |other: &&Instance| {
        other.address.to_string() == upstream
            || other.host.as_str() == upstream
            || other.name.as_str() == upstream
    };
    match members.iter().find(is_meant) {
        Some(found) if found.name == member.name => Err("a member cannot follow itself".into()),
        Some(found) => Ok(found.name.clone()),
        None => Err(format!(
            "no member of `{}` has this address",
            member.cluster
        )),
    }
}

fn unknown(host: &InvHost, member: &Instance, upstream: &str, why: &str) -> Diagnostic {
    let message = format!("`{}` cannot follow `pg_upstream: {upstream}`", member.name);
    Diagnostic::error("unknown-upstream", message)
        .at(place_of(host, "pg_upstream"), why)
        .help(format!(
            "name another member of `{}` by its address or as `{}-N`; only a `primary` may follow \
             another cluster",
            member.cluster, member.cluster
        ))
}
