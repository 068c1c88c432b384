//! What may not leave, and why.

use super::RemovalCase;
use crate::fact::{GroupSeen, MemberSeen};
use crate::inventory::param;
use crate::model::{Formation, Group, Instance};
use crate::runbook::Refusal;
use crate::runbook::recover::MARKER_PATH;
use serde_json::Value;

/// What a group loses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Nothing,
    Members,
    Whole,
}

impl<'a> RemovalCase<'a> {
    pub(super) fn leaves(&self, member: &Instance) -> bool {
        self.hosts.contains(&member.host)
    }

    pub(super) fn part(&self, group: &Group) -> Part {
        let count = group
            .members
            .iter()
            .filter(|member| self.leaves(member))
            .count();
        match count {
            0 => Part::Nothing,
            all if all == group.members.len() => Part::Whole,
            _ => Part::Members,
        }
    }

    /// A formation that leaves as a whole.
    pub(super) fn ends(&self, formation: &Formation) -> bool {
        formation
            .groups
            .iter()
            .all(|group| self.part(group) == Part::Whole)
    }

    /// A recover that is open comes first.
    pub(super) fn no_recover(&self) -> Result<(), Refusal> {
        match self.input.seen.markers().first() {
            None => Ok(()),
            Some(marker) => Err(Refusal::new(
                format!(
                    "{} has an open recover ({MARKER_PATH}): {}",
                    marker.survivor,
                    marker.sentence()
                ),
                "close it first: `citusctl recover rejoin`, `rebuild` or `undo`",
            )),
        }
    }

    pub(super) fn seen(&self, group: &Group) -> Result<&'a GroupSeen, Refusal> {
        let words = |why: &str| {
            Refusal::new(
                format!("{}: nobody tells who leads: {why}", group.cluster),
                "`citusctl status` shows what is wrong; a group can leave as a whole without a leader",
            )
        };
        match self.groups.get(&group.cluster) {
            Some(Ok(seen)) => Ok(seen),
            Some(Err(why)) => Err(words(why)),
            None => Err(words("it was not asked")),
        }
    }

    /// Members leave, others stay: never the leader, and nobody whom another one follows.
    pub(super) fn may_leave(&self, group: &Group) -> Result<(), Refusal> {
        let seen = self.seen(group)?;
        let Some(leader) = seen.leader() else {
            return Err(Refusal::new(
                format!(
                    "{}: nobody leads now, so it cannot be told whose copy is the last",
                    group.cluster
                ),
                "`citusctl status` shows what is wrong; wait for a leader, or `citusctl failover`",
            ));
        };
        let leads = group
            .members
            .iter()
            .find(|member| member.name == leader.name);
        if let Some(member) = leads.filter(|member| self.leaves(member)) {
            return Err(Refusal::new(
                format!(
                    "{} on {} leads {} now, and others stay",
                    member.name, member.host, group.cluster
                ),
                format!(
                    "hand the lead over first: `citusctl switchover --group {}`",
                    group.cluster
                ),
            ));
        }
        self.no_followers(group)?;
        self.commits_go_on(group, seen, leader)
    }

    /// In a strict synchronous mode commits wait for a standby: the last one that counts does not leave.
    fn commits_go_on(
        &self,
        group: &Group,
        seen: &GroupSeen,
        leader: &MemberSeen,
    ) -> Result<(), Refusal> {
        let counts = |member: &&Instance| {
            !self.leaves(member) && member.name != leader.name && !member.tags.nosync
        };
        if group.members.iter().any(|member| counts(&member)) {
            return Ok(());
        }
        let on = |config: &Value, key: &str| match config.get(key) {
            Some(Value::Bool(on)) => *on,
            Some(Value::String(word)) => !matches!(word.as_str(), "off" | "false" | "no"),
            Some(_) | None => false,
        };
        match &seen.dynamic {
            None => Err(Refusal::new(
                format!(
                    "{}: no standby would be left, and whether its commits wait for one is not known: Patroni does not show its configuration",
                    group.cluster
                ),
                "`citusctl status` shows what is wrong",
            )),
            Some(config)
                if on(config, "synchronous_mode") && on(config, "synchronous_mode_strict") =>
            {
                Err(Refusal::new(
                    format!(
                        "{}: writes would stop: commits wait for a synchronous standby (synchronous_mode_strict), and none would be left beside {}",
                        group.cluster, leader.name
                    ),
                    "add another standby first, or give up the strict mode: `pg_synchronous_mode` and `pg_conf` say it (docs/operations.md); apply that, then remove",
                ))
            }
            Some(_) => Ok(()),
        }
    }

    fn no_followers(&self, group: &Group) -> Result<(), Refusal> {
        let stays = group.members.iter().filter(|member| !self.leaves(member));
        for member in stays {
            let upstream = group
                .members
                .iter()
                .find(|other| member.upstream.as_ref() == Some(&other.name));
            if let Some(upstream) = upstream.filter(|upstream| self.leaves(upstream)) {
                let place = self
                    .typed(&member.host)
                    .and_then(|typed| typed.span(param::PG_UPSTREAM));
                let place = place.map(|span| format!(" ({})", self.input.sources.place(span)));
                return Err(Refusal::new(
                    format!(
                        "{} replicates from {}, which leaves{}",
                        member.name,
                        upstream.name,
                        place.unwrap_or_default()
                    ),
                    "give it another `pg_upstream`, or none, and apply that first",
                ));
            }
        }
        Ok(())
    }

    /// The coordinator leaves only with everything.
    pub(super) fn not_without_coordinator(&self, formation: &Formation) -> Result<(), Refusal> {
        let coordinator = formation.coordinator().filter(|_| formation.is_citus());
        let whole = coordinator.filter(|group| self.part(group) == Part::Whole);
        match whole.filter(|_| !self.ends(formation)) {
            None => Ok(()),
            Some(group) => Err(Refusal::new(
                format!(
                    "{} is the coordinator of {}: it leaves only with the whole formation",
                    group.cluster, formation.name
                ),
                format!(
                    "to remove all of it: `citusctl apply pgsql-rm -l {0} --confirm {0}`",
                    formation.name
                ),
            )),
        }
    }
}
