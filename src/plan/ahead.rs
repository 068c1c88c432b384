//! What earlier stages of a plan are going to do, for those that are compared after them.

use super::{Desired, GroupDesired, Unit};
use crate::fact::{GroupSeen, Observed};
use crate::names::{HostName, ResourceId};
use crate::resource::{Declared, Resource};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// What the stages compared so far are going to do.
#[derive(Default)]
pub(super) struct Ahead {
    /// Files that differ on a host. Whoever was started with one, and is stamped with what is wanted, may have read since
    /// what is there now: its stamp counts for nothing.
    pub(super) stale: BTreeMap<HostName, BTreeSet<ResourceId>>,
    /// Hosts that get packages, so that what can be made there is not known yet.
    installing: BTreeSet<HostName>,
}

impl Ahead {
    /// Notes what is going to happen on a host.
    pub(super) fn note(&mut self, host: &HostName, resources: &[Declared], units: &[Unit]) {
        let mut packages = resources
            .iter()
            .filter(|declared| matches!(*declared.resource, Resource::Package(_)));
        if packages.any(|declared| units.iter().any(|unit| unit.id == declared.id)) {
            self.installing.insert(host.clone());
        }
    }

    /// What was seen of a group, with what is going to happen on its hosts, and what its servers run with.
    pub(super) fn seen<'a>(
        &self,
        desired: &Desired,
        group: &GroupDesired,
        (seen, hosts): (&'a GroupSeen, &BTreeMap<HostName, Observed>),
    ) -> Cow<'a, GroupSeen> {
        let mut seen = Cow::Borrowed(seen);
        // Patroni says so only when it has read its file, at the end of a loop.
        for (name, host) in &group.members {
            let waits = hosts
                .get(host)
                .is_some_and(|observed| waits(desired, host, observed));
            let at = seen.members.iter().position(|member| member.name == *name);
            if let Some(at) = at.filter(|_| waits) {
                let seen = seen.to_mut();
                seen.members[at].pending_restart = true;
                seen.untold.push(name.clone());
            }
        }
        if group
            .members
            .values()
            .any(|host| self.installing.contains(host))
        {
            seen.to_mut().installing = true;
        }
        seen
    }
}

/// Whether the server of a host runs with values that only a restart changes.
fn waits(desired: &Desired, host: &HostName, observed: &Observed) -> bool {
    let stages = desired.stages.iter();
    let mut declared = stages.filter_map(|stage| stage.hosts.get(host)).flatten();
    declared.any(|declared| match &*declared.resource {
        Resource::PgInForce(server) => server.waits(observed),
        _ => false,
    })
}
