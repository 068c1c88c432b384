//! Patroni's verbs as runbooks: hand the lead over, restart, reload, remake a copy, switch automatic failover.
//!
//! All of them judge what `GET /cluster`, `/config` and `/patroni` said, and ask for it through Patroni, which has the
//! last word.

mod candidate;
mod citus;
mod failover;
mod gap;
mod others;
pub(in crate::runbook) mod proxies;
mod restart;
pub mod steps;
mod switchover;
mod target;
mod words;

pub use candidate::{best, unfit};
pub use failover::failover;
pub use gap::Gap;
pub use others::{is_diverged, pause, reinit, reload, resume, sources, unsound};
pub use proxies::{Proxies, hosts as proxy_hosts, watch};
pub use restart::{RestartScope, restart};
pub use switchover::switchover;
pub use target::{TargetError, group_named, group_of, member_named};
pub use words::states;

use crate::fact::{GroupSeen, MemberSeen};
use crate::model::{Formation, Group, Instance};
use crate::names::InstanceName;
use crate::runbook::Refusal;
use serde_json::Value;

/// Patroni's own default of `maximum_lag_on_failover` (bytes).
const LAG_LIMIT: i64 = 1 << 20;

/// A group and what was seen of it.
#[derive(Clone, Copy, Debug)]
pub struct GroupView<'a> {
    pub group: &'a Group,
    pub seen: &'a GroupSeen,
    /// Where Citus keeps its metadata, if the group is part of a Citus formation.
    pub citus: Option<CitusFormation<'a>>,
    /// Who is told of a new leader; `None`: nobody is.
    pub proxies: Option<Proxies<'a>>,
}

/// A Citus formation and who leads its coordinator.
#[derive(Clone, Copy, Debug)]
pub struct CitusFormation<'a> {
    pub formation: &'a Formation,
    /// `None`: it does not answer.
    pub leader: Option<&'a Instance>,
}

/// When a commit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// When the leader has it.
    Asynchronous,
    /// When a standby that Patroni named has it, too.
    Synchronous,
    /// When enough of the standbys have it.
    Quorum,
}

impl<'a> GroupView<'a> {
    /// A group by itself.
    pub fn of(group: &'a Group, seen: &'a GroupSeen) -> Self {
        Self {
            group,
            seen,
            citus: None,
            proxies: None,
        }
    }

    /// As the live configuration says, or else as the members' roles tell.
    pub fn commit(&self) -> Commit {
        let setting = self.seen.dynamic.as_ref();
        match setting.and_then(|config| config.get("synchronous_mode")) {
            Some(Value::Bool(true)) => Commit::Synchronous,
            Some(Value::String(word)) if word == "quorum" => Commit::Quorum,
            Some(Value::String(word)) if matches!(word.as_str(), "on" | "true") => {
                Commit::Synchronous
            }
            Some(_) => Commit::Asynchronous,
            None => self.commit_by_roles(),
        }
    }

    fn commit_by_roles(&self) -> Commit {
        let has = |role: &str| self.seen.members.iter().any(|member| member.role == role);
        match (has("quorum_standby"), has("sync_standby")) {
            (true, _) => Commit::Quorum,
            (false, true) => Commit::Synchronous,
            (false, false) => Commit::Asynchronous,
        }
    }

    /// How far behind a member may be and still take over (bytes).
    pub fn lag_limit(&self) -> i64 {
        let config = self.seen.dynamic.as_ref();
        let limit = config.and_then(|config| config.get("maximum_lag_on_failover")?.as_i64());
        limit.unwrap_or(LAG_LIMIT)
    }

    fn nofailover(&self, name: &InstanceName) -> bool {
        let known = self.group.members.iter().find(|known| known.name == *name);
        known.is_none_or(|known| known.tags.nofailover)
    }

    /// Members that neither lead nor follow, in words.
    fn down(&self) -> Vec<String> {
        let absent = self.group.members.iter().filter_map(|member| {
            let seen = self.seen.member(&member.name);
            match seen {
                None => Some(format!("{} is absent", member.name)),
                Some(seen) if !seen.is_up() => Some(format!("{} {}", seen.name, seen.plight())),
                Some(_) => None,
            }
        });
        absent.collect()
    }

    /// Whom to ask for what any member passes on: `wanted` itself, or one that answers from here.
    fn through(&self, wanted: &'a MemberSeen) -> &'a MemberSeen {
        let mut members = self.seen.members.iter();
        match wanted.answers {
            true => wanted,
            false => members.find(|member| member.answers).unwrap_or(wanted),
        }
    }

    /// Patroni goes on saying what it knew last when the leader's host is gone: the leader itself is the witness.
    fn answering(&self, leader: &MemberSeen, what: &str) -> Result<(), Refusal> {
        match leader.answers {
            true => Ok(()),
            false => Err(Refusal::new(
                format!(
                    "{} should lead, by what others know of it, and its own Patroni does not answer: {what}",
                    leader.name
                ),
                "`citusctl status` shows what is wrong; if its host is lost: `citusctl failover`, or `citusctl recover --survivor HOST` where etcd has no majority",
            )),
        }
    }

    /// The leader, or why nothing can be done without one.
    fn leader(&self) -> Result<&'a MemberSeen, Refusal> {
        self.seen.leader().ok_or_else(|| {
            Refusal::new(
                format!(
                    "{} has no leader: {}",
                    self.group.cluster,
                    words::states(self.seen)
                ),
                format!(
                    "if none comes by itself, `citusctl failover --group {} --to MEMBER`",
                    self.group.cluster
                ),
            )
        })
    }

    fn not_paused(&self, what: &str) -> Result<(), Refusal> {
        match self.seen.paused {
            false => Ok(()),
            true => Err(Refusal::new(
                format!(
                    "{}: automatic failover is switched off (paused), so {what}",
                    self.group.cluster
                ),
                format!("`citusctl resume --group {}` first", self.group.cluster),
            )),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
