//! What has to be seen before a run says that it is done: a gate of an early stage says nothing of what later ones did.

use super::{EngineError, Run, gate};
use crate::catalog::Gate;
use crate::names::{HostName, StageName};
use crate::plan::PlannedStage;
use crate::resource::group::Operation;
use std::collections::BTreeSet;

/// Hosts whose groups were changed, since they were judged last.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// Members were made, started or restarted: who leads may have changed, and Citus must know it.
    register: BTreeSet<HostName>,
    /// The configuration was written, or members were restarted: each must follow with it.
    follow: BTreeSet<HostName>,
    /// The last stage that did so.
    stage: Option<StageName>,
}

impl Ending {
    /// Notes what a stage has changed.
    pub(super) fn note(&mut self, planned: &PlannedStage) {
        let members = |wanted: fn(&Operation) -> bool| {
            let groups = planned.groups.values().filter(move |group| {
                let mut units = group.units.iter();
                units.any(|unit| unit.change.operations.iter().any(wanted))
            });
            groups.flat_map(|group| group.members.iter().cloned())
        };
        match planned.gate {
            Some(Gate::Leader | Gate::Streaming) => {
                self.register.extend(planned.hosts.keys().cloned());
            }
            // It was seen for these, before their groups were worked on.
            Some(Gate::Registered) => {
                let all = planned.groups.values().flat_map(|group| &group.members);
                for host in all.chain(planned.hosts.keys()) {
                    self.register.remove(host);
                }
            }
            Some(Gate::EtcdHealthy | Gate::Haproxy | Gate::Pgbouncer | Gate::Addresses) | None => {}
        }
        let restarts =
            |operation: &Operation| matches!(operation, Operation::RollingRestart { .. });
        let writes = |operation: &Operation| !matches!(operation, Operation::OnLeader(_));
        self.register.extend(members(restarts));
        self.follow.extend(members(writes));
        self.stage = Some(planned.name.clone());
    }

    /// Waits until all of it is seen. Hosts that failed are reported as such.
    pub(super) async fn seen(
        &self,
        run: &Run<'_>,
        failed: &BTreeSet<HostName>,
    ) -> Result<(), EngineError> {
        let Some(stage) = &self.stage else {
            return Ok(());
        };
        let citus = run
            .model
            .formations
            .iter()
            .any(crate::model::Formation::is_citus);
        let gates = [
            (Gate::Streaming, &self.follow, true),
            (Gate::Registered, &self.register, citus),
        ];
        for (kind, hosts, wanted) in gates {
            if wanted && !hosts.is_empty() {
                gate::pass(run, stage, kind, hosts, failed).await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Rollout;
    use crate::names::{ClusterName, ResourceId};
    use crate::plan::{GroupPlan, GroupUnit};
    use crate::resource::group::LeaderRestart;
    use crate::resource::group::PendingRestart;
    use crate::resource::group::PgAccess;
    use std::collections::BTreeMap;

    fn stage(gate: Gate, hosts: &[&str], restarts: &[&str]) -> PlannedStage {
        let change = PendingRestart::change(
            Vec::new(),
            Vec::new(),
            LeaderRestart::HandOver,
            String::new(),
        );
        let units = vec![GroupUnit {
            id: ResourceId::new("patroni/restart"),
            change,
        }];
        let group = GroupPlan {
            access: PgAccess::default(),
            members: restarts.iter().map(|host| HostName::new(*host)).collect(),
            units,
            unknown: Vec::new(),
        };
        PlannedStage {
            name: StageName::new("s"),
            rollout: Rollout::Together,
            gate: Some(gate),
            hosts: hosts
                .iter()
                .map(|host| (HostName::new(*host), Vec::new()))
                .collect(),
            groups: match restarts {
                [] => BTreeMap::new(),
                _ => BTreeMap::from([(ClusterName::new("c"), group)]),
            },
        }
    }

    fn names(hosts: &BTreeSet<HostName>) -> Vec<&str> {
        hosts.iter().map(HostName::as_str).collect()
    }

    #[test]
    fn a_member_that_was_made_is_registered_before_the_end() {
        let mut ending = Ending::default();
        ending.note(&stage(Gate::Haproxy, &["h"], &[]));
        assert!(ending.register.is_empty() && ending.follow.is_empty());
        ending.note(&stage(Gate::Streaming, &["a", "b"], &[]));
        assert_eq!(names(&ending.register), ["a", "b"]);
        assert!(ending.follow.is_empty());
    }

    #[test]
    fn what_a_gate_saw_is_not_asked_again_unless_a_restart_came_behind_it() {
        let mut ending = Ending::default();
        ending.note(&stage(Gate::Leader, &["a", "b"], &[]));
        ending.note(&stage(Gate::Registered, &["a"], &[]));
        assert_eq!(names(&ending.register), ["b"]);
        ending.note(&stage(Gate::Registered, &[], &["a", "c"]));
        assert_eq!(names(&ending.register), ["a", "b", "c"]);
        assert_eq!(names(&ending.follow), ["a", "c"]);
    }
}
