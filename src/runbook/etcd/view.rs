//! What was seen of etcd: the cluster's own list beside the inventory's.

use super::Quorum;
use crate::model::{Etcd, EtcdMember};
use crate::names::HostName;
use crate::runbook::recover::{EtcdMemberSeen, Input};
use serde::Serialize;

/// etcd as seen.
#[derive(Clone, Copy, Debug)]
pub struct EtcdView<'a> {
    pub etcd: &'a Etcd,
    pub input: Input<'a>,
}

/// One member, known to the cluster, the inventory, or both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemberView {
    pub name: String,
    /// `None`: the inventory does not know it.
    pub host: Option<HostName>,
    /// Its id in the cluster, hexadecimal; `None`: the cluster does not count it.
    pub id: Option<String>,
    pub learner: bool,
    /// It has joined and taken its name.
    pub started: bool,
    /// It takes part in the majority at this moment.
    pub alive: bool,
    /// It answers, and is healthy in another cluster.
    pub stranger: bool,
    /// Its data directory has a member in it; unknown where the host does not answer.
    pub data: Option<bool>,
}

impl<'a> EtcdView<'a> {
    /// The view, where the inventory has etcd at all.
    pub fn of(input: Input<'a>) -> Option<Self> {
        let etcd = input.model.etcd.as_ref()?;
        Some(Self { etcd, input })
    }

    /// All members: those of the cluster first, then those that only the inventory knows.
    pub fn members(&self) -> Vec<MemberView> {
        let listed = self.listed();
        let mut members: Vec<MemberView> = listed.iter().map(|seen| self.counted(seen)).collect();
        for known in &self.etcd.members {
            if members
                .iter()
                .all(|member| member.host.as_ref() != Some(&known.host))
            {
                members.push(self.uncounted(known));
            }
        }
        members.sort_by(|a, b| a.name.cmp(&b.name));
        members
    }

    fn listed(&self) -> &[EtcdMemberSeen] {
        let seen = self.input.seen;
        let alive = seen.majority().and_then(|host| seen.get(host));
        alive.map_or(&[], |seen| seen.etcd.members.as_slice())
    }

    fn counted(&self, seen: &EtcdMemberSeen) -> MemberView {
        let known = self.etcd.at_peer(&seen.peer);
        let host = known.map(|known| known.host.clone());
        let name = match (seen.name.as_str(), known) {
            ("", Some(known)) => known.name.clone(),
            ("", None) => seen.peer.clone(),
            (name, _) => name.to_owned(),
        };
        MemberView {
            name,
            id: Some(seen.id.clone()),
            learner: seen.learner,
            started: seen.started,
            alive: host.as_ref().is_some_and(|host| self.alive(host)),
            stranger: host.as_ref().is_some_and(|host| self.stranger(host)),
            data: host.as_ref().and_then(|host| self.data(host)),
            host,
        }
    }

    fn uncounted(&self, known: &EtcdMember) -> MemberView {
        MemberView {
            name: known.name.clone(),
            id: None,
            learner: known.learner,
            // Without a majority nobody can tell who is counted: it passes for one that is.
            started: self.listed().is_empty(),
            alive: self.alive(&known.host),
            stranger: self.stranger(&known.host),
            data: self.data(&known.host),
            host: Some(known.host.clone()),
        }
    }

    fn alive(&self, host: &HostName) -> bool {
        self.input
            .seen
            .get(host)
            .is_some_and(|seen| seen.etcd.majority)
    }

    fn stranger(&self, host: &HostName) -> bool {
        let seen = self.input.seen.get(host);
        seen.is_some_and(|seen| seen.etcd.stranger)
    }

    fn data(&self, host: &HostName) -> Option<bool> {
        self.input.seen.get(host).map(|seen| seen.etcd.data)
    }

    /// The arithmetic: by the cluster's own list where it can be had, else by the inventory's.
    pub fn quorum(&self) -> Quorum {
        let members = self.members();
        let votes = |member: &&MemberView| {
            !member.learner && (member.id.is_some() || self.listed().is_empty())
        };
        Quorum {
            voters: members.iter().filter(votes).count(),
            alive: members
                .iter()
                .filter(votes)
                .filter(|member| member.alive)
                .count(),
        }
    }

    /// The member of a name, a host or an id.
    pub fn find(&self, word: &str) -> Option<MemberView> {
        self.members().into_iter().find(|member| {
            member.name == word
                || member.id.as_deref() == Some(word)
                || member
                    .host
                    .as_ref()
                    .is_some_and(|host| host.as_str() == word)
        })
    }

    pub(in crate::runbook) fn sentences(&self) -> Vec<String> {
        let members = self.members().into_iter().map(|member| member.to_string());
        std::iter::once(format!("etcd: {}", self.quorum()))
            .chain(members)
            .collect()
    }
}

impl MemberView {
    /// What it is to the cluster, in a few words.
    pub fn state(&self) -> &'static str {
        match (&self.id, self.learner, self.started, self.alive) {
            _ if self.stranger => "runs in another etcd cluster",
            (None, _, true, _) => "takes no part",
            (None, _, false, _) => "not a member",
            (_, _, false, _) => "added, never started",
            (_, true, _, _) => "learner",
            // Only hosts of the inventory are asked.
            _ if self.host.is_none() => "not asked",
            (_, _, _, true) => "alive",
            (_, _, _, false) => "dead",
        }
    }
}

impl std::fmt::Display for MemberView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let host = self
            .host
            .as_ref()
            .map_or("a host that the inventory does not know", HostName::as_str);
        write!(f, "{} on {host}: {}", self.name, self.state())?;
        match self.data {
            Some(false) => f.write_str(", no data"),
            None if self.host.is_some() => f.write_str(", its host does not answer"),
            Some(true) | None => Ok(()),
        }
    }
}
