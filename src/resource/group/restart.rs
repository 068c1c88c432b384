//! Members that still run with an older configuration than the one they have.

use super::{GroupChange, GroupKind, GroupVerdict, Operation, PgAccess};
use crate::fact::{GroupSeen, Probe};
use crate::names::words::count;
use crate::names::{HostName, InstanceName};
use crate::resource::{Action, Impact};
use serde::Deserialize;

/// `pending_restart: {}`: no member waits for a restart.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingRestart {}

/// How a group's leader is restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaderRestart {
    /// It has no other member.
    Alone,
    /// A limit is lowered, so no standby can run with it before the leader does.
    InPlace,
    HandOver,
}

impl LeaderRestart {
    /// How that of a group is restarted.
    pub fn of(seen: &GroupSeen, lowered: bool) -> Self {
        match seen.members.len() {
            0 | 1 => Self::Alone,
            _ if lowered => Self::InPlace,
            _ => Self::HandOver,
        }
    }
}

impl PendingRestart {
    /// The change that restarts the members on these hosts for a stated cause. `waiting`: as in [`Operation::RollingRestart`].
    pub fn change(
        hosts: Vec<HostName>,
        waiting: Vec<InstanceName>,
        leader: LeaderRestart,
        cause: String,
    ) -> GroupChange {
        let on = count(hosts.len(), "member");
        let (how, impact) = match leader {
            LeaderRestart::Alone => (
                "(single member: a short outage)".to_owned(),
                Impact::Restart,
            ),
            LeaderRestart::InPlace => (
                format!("on {on}, the leader where it is: a short outage"),
                Impact::Restart,
            ),
            LeaderRestart::HandOver => (
                format!("on {on}, replicas first, switchover before the leader"),
                Impact::Failover,
            ),
        };
        let summary = format!("restart PostgreSQL {how}");
        GroupChange {
            action: Action::Restart,
            summary,
            impact,
            cause: Some(cause),
            details: Vec::new(),
            operations: vec![Operation::RollingRestart { hosts, waiting }],
        }
    }
}

impl GroupKind for PendingRestart {
    fn probes(&self, _: &PgAccess) -> Vec<Probe> {
        Vec::new()
    }

    fn diff(&self, _: &PgAccess, seen: &GroupSeen) -> GroupVerdict {
        let pending: Vec<&str> = seen.pending().map(|member| member.name.as_str()).collect();
        if pending.is_empty() {
            return GroupVerdict::Same("no member waits for a restart".to_owned());
        }
        let cause = format!("{} run with an older configuration", pending.join(", "));
        let hosts = seen.pending().map(|member| member.host.clone()).collect();
        let leader = LeaderRestart::of(seen, false);
        let change = Self::change(hosts, seen.untold.clone(), leader, cause);
        GroupVerdict::Differs(Box::new(change))
    }
}
