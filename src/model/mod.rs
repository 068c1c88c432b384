//! What an inventory means: hosts, etcd, formations, groups, instances, services, addresses.
//!
//! Everything that needs thought (who bootstraps, derived names, ports, who stands behind which
//! service, which names a certificate carries) is decided here, once, as plain values. The values
//! serialize into the context of templates, so their field names are part of the catalog's
//! interface. Nothing here touches a network or a file.

pub mod access;
pub mod backup;
pub mod build;
pub mod compat;
pub mod connection;
pub mod dcs;
pub mod etcd;
pub mod facts;
pub mod guard;
pub mod hba;
mod index;
pub mod objects;
pub mod packages;
pub mod pg;
pub mod rto;
pub mod selector;
pub mod service;
pub mod settings;
pub mod ssh_args;
pub mod tuning;
pub mod undeclared;

pub use build::build;
pub use connection::{Connection, ConnectionOverrides};
pub use etcd::{Etcd, EtcdMember};
pub use facts::{Facts, Os};
pub use packages::Packages;
pub use pg::{
    Formation, Group, Instance, LocalPostgres, Mode, PatroniTags, PgRole, Standby, Vip, data_parent,
};
pub use rto::Rto;
pub use service::{Fallback, Server, Service, ServiceKind, Timings};

use crate::inventory::InvHost;
use crate::inventory::parameters::Typed;
use crate::names::{ClusterName, FormationName, GroupName, HostName, InstanceName};
use index::Index;
use ipnet::IpNet;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

/// What the whole inventory means.
#[derive(Clone, Debug, Serialize)]
pub struct Model {
    /// Pigsty's `admin_ip`: what `${admin_ip}` stands for.
    pub admin_ip: Option<IpAddr>,
    /// By name; [`Model::order`] keeps the order of the inventory.
    pub hosts: BTreeMap<HostName, Host>,
    /// All hosts in the order of the inventory.
    pub order: Vec<HostName>,
    /// The configuration store. `None` where no host is in the group `etcd`.
    pub etcd: Option<Etcd>,
    /// In the order in which their first host is written.
    pub formations: Vec<Formation>,
    /// Addresses that keepalived moves between hosts.
    pub node_vips: Vec<NodeVip>,
    #[serde(skip)]
    index: OnceLock<Index>,
}

/// One machine and what stands on it.
#[derive(Clone, Debug, Serialize)]
pub struct Host {
    pub name: HostName,
    /// Where the other machines reach it: the inventory's key if that is an address, otherwise
    /// `ansible_host`.
    pub address: IpAddr,
    /// Its short name (reference: `nodename`, else the identity of what stands on it).
    pub nodename: String,
    /// Whether the machine is to be called by [`Host::nodename`]. False where the name is only a
    /// stopgap or where `nodename_overwrite` is off.
    pub nodename_managed: bool,
    /// Groups of the inventory, outermost first, `all` included.
    pub groups: Vec<GroupName>,
    pub pg: Option<Instance>,
    pub etcd: Option<EtcdMember>,
    /// Whether HAProxy runs here: it is enabled and has something to listen for.
    pub haproxy: bool,
    /// How the operator's machine gets in. Not part of the template context.
    #[serde(skip)]
    pub connection: Connection,
    /// What HAProxy listens for here.
    pub services: Vec<Service>,
    pub facts: Facts,
    /// Below what the data of this host lies: PostgreSQL's (`pg_fs_main`) where it runs, else `node_data`. Room is
    /// measured on its file system.
    pub data_root: String,
    /// What the inventory says of it, merged, with places. Not part of the template context.
    #[serde(skip)]
    pub stated: Arc<InvHost>,
}

impl Host {
    /// Its parameters.
    pub fn typed(&self) -> Typed<'_> {
        Typed::new(&self.stated.vars)
    }
}

/// An address shared by hosts through keepalived (`vip_enabled`, `vip_address`, `vip_vrid`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeVip {
    pub address: IpAddr,
    /// The VRRP identity, 1 to 254, unique on the network.
    pub vrid: Option<u8>,
    pub hosts: Vec<HostName>,
}

impl Model {
    /// All hosts in the order of the inventory.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.order.iter().filter_map(|name| self.hosts.get(name))
    }

    /// All Patroni clusters, formation by formation.
    pub fn groups(&self) -> impl Iterator<Item = (&Formation, &Group)> {
        self.formations
            .iter()
            .flat_map(|formation| formation.groups.iter().map(move |group| (formation, group)))
    }

    /// All instances, formation by formation.
    pub fn instances(&self) -> impl Iterator<Item = &Instance> {
        self.groups().flat_map(|(_, group)| group.members.iter())
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::of(self))
    }

    fn group_at(&self, (formation, group): (usize, usize)) -> Option<(&Formation, &Group)> {
        let formation = self.formations.get(formation)?;
        Some((formation, formation.groups.get(group)?))
    }

    /// The instance of that name.
    pub fn instance(&self, name: &InstanceName) -> Option<&Instance> {
        let (formation, group, member) = self.index().instance(name)?;
        self.group_at((formation, group))?.1.members.get(member)
    }

    /// Whether a server of a service is a member's PgBouncer, and not its PostgreSQL.
    pub fn is_pooled(&self, server: &Server) -> bool {
        let instance = server.instance.as_ref();
        let instance = instance.and_then(|name| self.instance(name));
        instance.is_some_and(|instance| instance.port != server.port)
    }

    /// The formation of that name.
    pub fn formation(&self, name: &FormationName) -> Option<&Formation> {
        self.formations.get(self.index().formation(name)?)
    }

    /// The Patroni cluster of that name, with its formation.
    pub fn group(&self, cluster: &ClusterName) -> Option<(&Formation, &Group)> {
        self.group_at(self.index().group(cluster)?)
    }

    /// The Patroni cluster that has an instance on that host, with its formation.
    pub fn group_on(&self, host: &HostName) -> Option<(&Formation, &Group)> {
        self.group_at(self.index().group_on(host)?)
    }

    /// The addresses of keepalived that a host may hold.
    pub fn vips_of(&self, host: &HostName) -> impl Iterator<Item = &NodeVip> {
        let held = self.index().vips.get(host).into_iter().flatten();
        held.filter_map(|at| self.node_vips.get(*at))
    }

    /// Addresses of the hosts of the group `infra`.
    pub fn infra(&self) -> &[IpAddr] {
        &self.index().infra
    }

    /// Addresses of the hosts that carry HAProxy.
    pub fn proxies(&self) -> &BTreeSet<IpAddr> {
        &self.index().proxies
    }

    /// Those of them outside of some networks: the same for all hosts that name the same ones.
    pub fn proxies_outside(&self, networks: &[IpNet]) -> Vec<IpAddr> {
        let index = self.index();
        let mut known = index
            .outside
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(found) = known.get(networks) {
            return found.clone();
        }
        let outside = |ip: &&IpAddr| !networks.iter().any(|network| network.contains(*ip));
        let found: Vec<IpAddr> = index.proxies.iter().filter(outside).copied().collect();
        known.insert(networks.to_vec(), found.clone());
        found
    }

    /// Whether a name or an address, as it is written, is that of a host with an instance.
    pub fn has_instance_at(&self, written: &str) -> bool {
        self.index().databases.contains(written)
    }
}
