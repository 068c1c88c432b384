//! What the guard on a host goes by (`roles/pgsql/templates/promotion-guard.py.j2`): its own data, and the other members of
//! its group. Passwords are not in it: the guard reads Patroni's own configuration.

use super::pg::bin_dir;
use super::{Formation, Group, Instance};
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use serde_json::{Value, json};

/// The program, as roles install it.
pub const GUARD: &str = include_str!("../../roles/pgsql/templates/promotion-guard.py.j2");

/// A file of root's: for three minutes the member of this host may lead whatever it lacks, as an operator said.
pub const ACCEPTED: &str = "/run/citusctl-promotion-accepted";

/// The part of etcd that says which host has each member of a formation: `members`, as JSON. Below `promote/` stand members
/// that an operator lets lead whatever they lack.
pub fn seats(formation: &Formation) -> String {
    let namespace = formation.namespace.trim_end_matches('/');
    format!("/citusctl/seats{namespace}/{}/", formation.name)
}

/// What `members` holds there: the address of each member's host, by its name.
pub fn homes(formation: &Formation) -> String {
    let homes = formation.members().map(|member| {
        let address = Value::from(member.address.to_string());
        (member.name.to_string(), address)
    });
    Value::Object(homes.collect()).to_string()
}

/// The guard's case of one member.
pub fn guard_case(
    typed: &Typed<'_>,
    formation: &Formation,
    group: &Group,
    instance: &Instance,
) -> Value {
    let others = group
        .members
        .iter()
        .filter(|member| member.name != instance.name);
    let peer = |member: &Instance| {
        json!({
            "name": member.name,
            "address": member.address.to_string(),
            "port": member.port,
            "patroni": member.patroni_url(),
            "leads": !member.tags.nofailover,
        })
    };
    let store = json!({ "seats": seats(formation), "prefix": group.dcs_prefix });
    json!({
        "name": instance.name,
        "address": instance.address.to_string(),
        "store": store,
        "accepted": ACCEPTED,
        "data": typed.get(param::PG_DATA),
        "bin": bin_dir(typed, formation.version),
        "socket": typed.get(param::PG_LOCALHOST),
        "port": instance.port,
        "user": typed.get(param::PG_DBSU),
        "patroni_conf": format!("/pg/conf/{}.yml", instance.name),
        "standby": group.standby.is_some(),
        "peers": others.map(peer).collect::<Vec<_>>(),
    })
}
