//! What should be, stage by stage and host by host.

use crate::catalog::{Gate, Rollout};
use crate::fact::Probe;
use crate::names::{ClusterName, HostName, InstanceName, RoleName, StageName};
use crate::resource::Declared;
use crate::resource::group::{GroupDeclared, PgAccess};
use std::collections::{BTreeMap, BTreeSet};

/// The whole wanted state.
#[derive(Clone, Debug, Default)]
pub struct Desired {
    pub stages: Vec<DesiredStage>,
    /// Every path that the catalog wants on a host, whatever was selected: what else the host's manifest names
    /// has left the inventory.
    pub owned: BTreeMap<HostName, BTreeSet<String>>,
    /// Every unit that the catalog wants on a host, likewise.
    pub units: BTreeMap<HostName, BTreeSet<String>>,
}

/// The wanted state of one stage.
#[derive(Clone, Debug)]
pub struct DesiredStage {
    pub name: StageName,
    pub rollout: Rollout,
    pub gate: Option<Gate>,
    /// A host with nothing may have something to lose: what a role made there that is wanted no more.
    pub hosts: BTreeMap<HostName, Vec<Declared>>,
    pub groups: BTreeMap<ClusterName, GroupDesired>,
    /// Roles whose leftovers go, with the units that they know.
    pub sweeps: BTreeMap<RoleName, BTreeSet<String>>,
}

/// The wanted state of a group.
#[derive(Clone, Debug)]
pub struct GroupDesired {
    pub access: PgAccess,
    pub members: BTreeMap<InstanceName, HostName>,
    pub resources: Vec<GroupDeclared>,
}

impl Desired {
    /// Everything to look at on a host, each question once.
    pub fn probes(&self, host: &HostName) -> Vec<Probe> {
        let mut probes = BTreeSet::new();
        for stage in &self.stages {
            for declared in stage.hosts.get(host).into_iter().flatten() {
                probes.extend(declared.resource.probes());
            }
            for group in stage.groups.values().filter(|group| group.has(host)) {
                let asked = group
                    .resources
                    .iter()
                    .flat_map(|r| r.resource.inner().probes(&group.access));
                probes.extend(asked);
            }
        }
        probes.into_iter().collect()
    }

    /// Hosts that any stage has work for, or is told about.
    pub fn hosts(&self) -> BTreeSet<HostName> {
        let mut hosts = BTreeSet::new();
        for stage in &self.stages {
            hosts.extend(stage.hosts.keys().cloned());
            hosts.extend(
                stage
                    .groups
                    .values()
                    .flat_map(|group| group.members.values().cloned()),
            );
        }
        hosts
    }

    /// All groups that any stage has work for, each with the resources of all stages.
    pub fn groups(&self) -> BTreeMap<ClusterName, GroupDesired> {
        let mut all: BTreeMap<ClusterName, GroupDesired> = BTreeMap::new();
        for (name, group) in self.stages.iter().flat_map(|stage| &stage.groups) {
            match all.get_mut(name) {
                Some(known) => known.resources.extend(group.resources.iter().cloned()),
                None => drop(all.insert(name.clone(), group.clone())),
            }
        }
        all
    }
}

impl GroupDesired {
    /// Whether a member of the group lives on a host.
    pub fn has(&self, host: &HostName) -> bool {
        self.members.values().any(|member| member == host)
    }
}
