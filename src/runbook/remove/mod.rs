//! Removal of members, groups and whole formations: `pgsql-rm`, `etcd-rm`, `node-rm`. What may not leave is refused; what
//! leaves is stopped, taken out of etcd and of Citus's metadata, and put aside.

mod citus;
mod etcd;
mod host;
mod keys;
mod members;
mod node;
mod pgsql;
mod refuse;
mod safeguard;
mod survey;
#[cfg(test)]
mod tests;

pub use etcd::remove_etcd;
pub use node::remove_node;
pub use pgsql::{backup_dir, home, remove_pgsql};
pub use safeguard::safeguarded;
pub use survey::{Left, NodeRow, Questions, read_left, survey_program};

use super::recover::Input;
use super::{Consent, Runbook};
use crate::fact::{GroupSeen, MemberSeen};
use crate::inventory::parameters::Typed;
use crate::model::{Group, Host};
use crate::names::{ClusterName, HostName};
use crate::plan::Going;
use std::collections::{BTreeMap, BTreeSet};

/// What a removal goes by.
#[derive(Clone, Copy, Debug)]
pub struct RemovalCase<'a> {
    pub input: Input<'a>,
    /// The hosts that leave.
    pub hosts: &'a BTreeSet<HostName>,
    /// What all hosts that answer said, those that stay as well.
    pub left: &'a BTreeMap<HostName, Left>,
    /// Patroni's groups; an error is why nobody told of one.
    pub groups: &'a BTreeMap<ClusterName, Result<GroupSeen, String>>,
    /// What of ours leaves each host.
    pub going: &'a BTreeMap<HostName, Going>,
}

/// What becomes of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataFate {
    /// Renamed, with the run's id, beside its place.
    Aside,
    Delete,
    /// Stays where it is.
    Leave,
}

impl<'a> RemovalCase<'a> {
    fn typed(&self, host: &HostName) -> Option<Typed<'a>> {
        self.input.model.hosts.get(host).map(Host::typed)
    }

    /// Who leads a group, by Patroni's word.
    fn leader(&self, group: &Group) -> Option<&'a MemberSeen> {
        self.groups.get(&group.cluster)?.as_ref().ok()?.leader()
    }

    /// What the inventory says of data. One host that says nothing is enough to put all aside; it is deleted only where
    /// all say so.
    fn data(&self, parameter: &str) -> DataFate {
        let said = |host: &HostName| {
            let known = self.input.model.hosts.get(host)?;
            let written = known.stated.vars.contains(parameter);
            written.then(|| known.typed().bool(parameter))
        };
        let said: BTreeSet<Option<bool>> = self.hosts.iter().map(said).collect();
        match (said.len(), said.first()) {
            (1, Some(Some(true))) => DataFate::Delete,
            (1, Some(Some(false))) => DataFate::Leave,
            _ => DataFate::Aside,
        }
    }

    fn keeps_data(&self) -> bool {
        self.data("pg_rm_data") == DataFate::Leave
    }

    /// Hosts that leave and do not answer.
    fn silent(&self) -> Vec<&'a HostName> {
        self.hosts
            .iter()
            .filter(|host| !self.left.contains_key(*host))
            .collect()
    }

    fn book(&self, name: &'static str, aim: String, subject: String) -> Runbook {
        let silent = self.silent().into_iter().map(|host| {
            format!("{host} does not answer: nothing is done on it. Keep it off; before it is used again, run this again or wipe it.")
        });
        Runbook {
            name,
            aim,
            subject,
            seen: Vec::new(),
            risks: silent.collect(),
            consent: Consent::Yes,
            steps: Vec::new(),
            afterwards: Vec::new(),
            prelude: super::recover::preludes(self.input),
        }
    }

    /// The hosts that leave, as words.
    fn names(&self) -> String {
        let names: Vec<&str> = self.hosts.iter().map(HostName::as_str).collect();
        names.join(", ")
    }
}
