//! The inventory as it will be when hosts have been taken out of it: what the rest is to look like is computed from
//! this, before anybody has edited a line.

use crate::catalog::Removal;
use crate::inventory::{InvHost, Inventory, Layer};
use crate::model::{self, Model};
use crate::names::{GroupName, HostName};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The group of the inventory that makes a host a member of etcd.
const ETCD: &str = "etcd";

/// The inventory and the model without these hosts' part. `None`: nothing is left.
///
/// Names in certificates stay as they are: whoever only asks what a removal would do must not make new ones.
pub fn without(
    inventory: &Inventory,
    model: &Model,
    hosts: &BTreeSet<HostName>,
    what: Removal,
) -> Option<(Inventory, Model)> {
    let mut rest = inventory.clone();
    match what {
        Removal::Node => hosts.iter().for_each(|host| drop_host(&mut rest, host)),
        Removal::Etcd => hosts.iter().for_each(|host| leave_etcd(&mut rest, host)),
        Removal::Pgsql => hosts.iter().for_each(|host| leave_pgsql(&mut rest, host)),
    }
    let left = model::build(&rest).0?;
    for host in hosts.iter().filter(|host| idle(&left, host)) {
        drop_host(&mut rest, host);
    }
    let mut left = model::build(&rest).0?;
    keep_names(&mut left, model);
    Some((rest, left))
}

/// The inventory without what it names and no host has: lines of members that have left already, or never came. `has`
/// says whether a role ever wrote anything on a host; hosts that did not tell count as if it had. `None`: it is as
/// the inventory says.
pub fn deployed(
    inventory: &Inventory,
    model: &Model,
    has: impl Fn(&HostName, &str) -> bool,
) -> Option<(Inventory, Model)> {
    let lacks = |wanted: fn(&model::Host) -> bool, role: &str| -> BTreeSet<HostName> {
        let hosts = model
            .hosts()
            .filter(|host| wanted(host) && !has(&host.name, role));
        hosts.map(|host| host.name.clone()).collect()
    };
    let steps = [
        (lacks(|host| host.pg.is_some(), "pgsql"), Removal::Pgsql),
        (lacks(|host| host.etcd.is_some(), "etcd"), Removal::Etcd),
    ];
    let mut now = None;
    for (hosts, what) in steps.into_iter().filter(|(hosts, _)| !hosts.is_empty()) {
        let (inventory, model) = now.as_ref().map_or((inventory, model), |(i, m)| (i, m));
        now = Some(without(inventory, model, &hosts, what)?);
    }
    now
}

/// Nothing that a role makes stands on it any more, apart from what every host has.
fn idle(model: &Model, host: &HostName) -> bool {
    let vip = model.node_vips.iter().any(|vip| vip.hosts.contains(host));
    let known = model.hosts.get(host);
    known.is_none_or(|host| host.pg.is_none() && host.etcd.is_none() && !host.haproxy) && !vip
}

fn drop_host(rest: &mut Inventory, host: &HostName) {
    rest.hosts.shift_remove(host);
    for group in rest.groups.values_mut() {
        group.hosts.retain(|member| member != host);
    }
}

fn leave_etcd(rest: &mut Inventory, host: &HostName) {
    leave(rest, host, &BTreeSet::from([GroupName::new(ETCD)]));
    if let Some(host) = rest.hosts.get_mut(host) {
        Arc::make_mut(&mut host.vars)
            .retain(|name, var| !(var.layer == Layer::Host && name.starts_with("etcd_")));
    }
}

/// What is written for the host as a member of its cluster goes with its line there.
fn leave_pgsql(rest: &mut Inventory, host: &HostName) {
    let Some(known) = rest.hosts.get(host) else {
        return;
    };
    let groups = clusters(rest, known);
    leave(rest, host, &groups);
    if let Some(host) = rest.hosts.get_mut(host) {
        let own = |name: &str| {
            ["pg_", "pgbouncer_", "patroni_"]
                .iter()
                .any(|start| name.starts_with(start))
        };
        Arc::make_mut(&mut host.vars)
            .retain(|name, var| name != "pg_cluster" && !(var.layer == Layer::Host && own(name)));
    }
}

/// The groups that make it a member of a cluster: those that name one, or speak of PostgreSQL.
fn clusters(inventory: &Inventory, host: &InvHost) -> BTreeSet<GroupName> {
    let speaks = |name: &&GroupName| {
        let group = inventory.groups.get(*name);
        let about =
            group.is_some_and(|group| group.vars.iter().any(|(name, _)| name.starts_with("pg_")));
        about && !matches!(name.as_str(), "all" | ETCD)
    };
    host.groups.iter().filter(speaks).cloned().collect()
}

fn leave(rest: &mut Inventory, host: &HostName, groups: &BTreeSet<GroupName>) {
    if let Some(host) = rest.hosts.get_mut(host) {
        host.groups.retain(|group| !groups.contains(group));
        Arc::make_mut(&mut host.vars).retain(|_, var| match &var.layer {
            Layer::Group(group) | Layer::GroupFile(group) => !groups.contains(group),
            Layer::All | Layer::Host | Layer::HostFile | Layer::Extra => true,
        });
    }
    for group in rest
        .groups
        .values_mut()
        .filter(|group| groups.contains(&group.name))
    {
        group.hosts.retain(|member| member != host);
    }
}

fn keep_names(left: &mut Model, before: &Model) {
    let members = left
        .formations
        .iter_mut()
        .flat_map(|formation| &mut formation.groups);
    let own = left.hosts.values_mut().filter_map(|host| host.pg.as_mut());
    for member in members.flat_map(|group| &mut group.members).chain(own) {
        if let Some(old) = before.instance(&member.name) {
            member.sans.clone_from(&old.sans);
        }
    }
    let members = left.etcd.iter_mut().flat_map(|etcd| &mut etcd.members);
    let own = left
        .hosts
        .values_mut()
        .filter_map(|host| host.etcd.as_mut());
    for member in members.chain(own) {
        let old = before
            .etcd
            .iter()
            .flat_map(|etcd| &etcd.members)
            .find(|old| old.name == member.name);
        if let Some(old) = old {
            member.sans.clone_from(&old.sans);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(name: &str, hosts: &[&str], what: Removal) -> Option<(Inventory, Model)> {
        let path = format!("{}/inventory/{name}.yml", env!("CARGO_MANIFEST_DIR"));
        let inventory = crate::inventory::load(path.as_ref(), &[])
            .unwrap()
            .inventory;
        let model = model::build(&inventory).0.unwrap();
        let hosts = hosts.iter().map(|host| HostName::new(*host)).collect();
        without(&inventory, &model, &hosts, what)
    }

    #[test]
    fn a_member_that_leaves_its_cluster_may_stay_in_etcd() {
        let (inventory, model) = rest("ha-trio", &["10.10.10.13"], Removal::Pgsql).unwrap();
        let host = &model.hosts["10.10.10.13"];
        assert!(host.pg.is_none() && host.etcd.is_some() && !host.haproxy);
        assert_eq!(model.instances().count(), 2);
        assert_eq!(inventory.groups["pg-test"].hosts.len(), 2);
        let (_, model) = rest("ha-trio", &["10.10.10.13"], Removal::Etcd).unwrap();
        let host = &model.hosts["10.10.10.13"];
        assert!(host.pg.is_some() && host.etcd.is_none() && host.haproxy);
        assert_eq!(model.etcd.unwrap().members.len(), 2);
    }

    #[test]
    fn a_host_that_has_nothing_else_is_gone() {
        let (inventory, model) =
            rest("citus-ha", &["10.10.10.15", "10.10.10.16"], Removal::Pgsql).unwrap();
        assert_eq!(model.groups().count(), 2);
        assert!(!inventory.hosts.contains_key("10.10.10.16"));
        assert!(rest("single", &["10.10.10.10"], Removal::Node).is_none());
    }

    #[test]
    fn lines_of_what_has_left_already_mean_nothing() {
        let path = format!("{}/inventory/ha-trio.yml", env!("CARGO_MANIFEST_DIR"));
        let inventory = crate::inventory::load(path.as_ref(), &[])
            .unwrap()
            .inventory;
        let model = model::build(&inventory).0.unwrap();
        let has =
            |host: &HostName, role: &str| !(host.as_str() == "10.10.10.13" && role == "pgsql");
        let (_, now) = deployed(&inventory, &model, has).unwrap();
        assert_eq!(
            (now.instances().count(), now.etcd.unwrap().members.len()),
            (2, 3)
        );
    }
}
