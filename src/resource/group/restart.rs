//! Members that still run with an older configuration than the one they have.

use super::{GroupChange, GroupKind, GroupVerdict, Operation, PgAccess};
use crate::fact::{GroupSeen, Probe};
use crate::resource::{Action, Impact};
use serde::Deserialize;

/// `pending_restart: {}`: no member waits for a restart.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingRestart {}

impl PendingRestart {
    /// The change that restarts a group for a stated cause.
    pub fn change(members: usize, single: bool, cause: String) -> GroupChange {
        let (summary, impact) = if single {
            (
                "restart PostgreSQL (single member: a short outage)".to_owned(),
                Impact::Restart,
            )
        } else {
            (
                format!(
                    "restart PostgreSQL on {members} members, replicas first, switchover before the leader"
                ),
                Impact::Failover,
            )
        };
        GroupChange {
            action: Action::Restart,
            summary,
            impact,
            cause: Some(cause),
            details: Vec::new(),
            operations: vec![Operation::RollingRestart],
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
        GroupVerdict::Differs(Box::new(Self::change(
            pending.len(),
            seen.members.len() == 1,
            cause,
        )))
    }
}
