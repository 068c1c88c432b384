//! `pg_upstream`: on a replica the member it follows, on a primary the cluster it follows.

use super::etcd::port;
use super::place_of;
use crate::inventory::parameters::Typed;
use crate::inventory::{InvHost, Inventory};
use crate::model::{Group, Instance, PatroniTags, PgRole, Standby};
use crate::names::InstanceName;
use crate::source::{Diagnostic, Diagnostics};

/// Resolves `pg_upstream` of all members of a group.
pub(super) fn resolve(inv: &Inventory, group: &mut Group, problems: &mut Diagnostics) {
    let members = group.members.clone();
    for member in &mut group.members {
        let Some((host, upstream)) = written(inv, member) else {
            continue;
        };
        if member.role == PgRole::Primary {
            group.standby = Some(Standby {
                host: upstream,
                port: port(&Typed::new(&host.vars), "pg_port", 5432),
            });
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

fn written<'a>(inv: &'a Inventory, member: &Instance) -> Option<(&'a InvHost, String)> {
    let host = inv.hosts.get(&member.host)?;
    let upstream = Typed::new(&host.vars).opt_str("pg_upstream")?;
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
