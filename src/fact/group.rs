//! What was seen of a PostgreSQL group as a whole: Patroni's view of it, and what its live leader says.

use super::following::{Answers, Verdict, following, leading};
use crate::names::{HostName, InstanceName};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One look at a group.
#[derive(Clone, Debug, Default)]
pub struct GroupSeen {
    /// As Patroni's `GET /cluster` lists them; empty when no member answered.
    pub members: Vec<MemberSeen>,
    /// Whether automatic failover is switched off (Patroni's maintenance mode).
    pub paused: bool,
    /// The dynamic configuration as the leader last saw it (`patroni.dynamic.json`).
    pub dynamic: Option<Value>,
    /// Names of parameters that only a restart changes (`pg_settings.context = 'postmaster'`).
    pub restart_parameters: BTreeSet<String>,
    /// What the live leader answered to the scripts of this group's resources, by name.
    pub answers: BTreeMap<String, String>,
    /// Whether its hosts are about to get packages, which may bring extensions that the leader does not know yet.
    pub installing: bool,
}

/// A member as Patroni sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberSeen {
    pub name: InstanceName,
    pub host: HostName,
    /// `leader`, `replica`, `sync_standby`, `quorum_standby`, `standby_leader`.
    pub role: String,
    /// `running`, `streaming`, `starting`, `stopped`, ...
    pub state: String,
    pub timeline: Option<i64>,
    /// Bytes behind the leader.
    pub lag: Option<i64>,
    pub pending_restart: bool,
    /// Whether its own Patroni answered; false where nobody asked it.
    pub answers: bool,
    /// When its PostgreSQL was started, in its own words; only where the member itself was asked.
    pub started: Option<String>,
    /// How far its log reaches (bytes); only where the member itself was asked.
    pub position: Option<i64>,
    /// What its PostgreSQL and its leader's say; `None` where nobody asked them, and Patroni's words are all there is.
    pub verdict: Option<Verdict>,
}

impl MemberSeen {
    /// Whether it leads, or follows and receives.
    pub fn is_up(&self) -> bool {
        let sound = || self.verdict.as_ref().is_none_or(Verdict::sound);
        (self.is_leader() && self.runs() && sound()) || self.is_streaming()
    }

    /// Whether it counts for synchronous or quorum commit.
    pub fn is_synchronous(&self) -> bool {
        matches!(self.role.as_str(), "sync_standby" | "quorum_standby")
    }

    /// Adds what the member's own `GET /patroni` says.
    pub fn learn(&mut self, own: &Value) {
        self.answers = own.get("patroni").is_some() || own.get("state").is_some();
        let started = own.get("postmaster_start_time").and_then(Value::as_str);
        self.started = started.map(str::to_owned);
        let places = [
            "/xlog/location",
            "/xlog/received_location",
            "/xlog/replayed_location",
        ];
        let found = places.iter().filter_map(|at| own.pointer(at)?.as_i64());
        self.position = found.max();
    }

    /// Whether this member leads the group.
    pub fn is_leader(&self) -> bool {
        matches!(
            self.role.as_str(),
            "leader" | "master" | "primary" | "standby_leader"
        )
    }

    /// A leader that runs. The one of a standby cluster follows a server elsewhere, and Patroni 3.1 and later say so.
    fn runs(&self) -> bool {
        let abroad = self.role == "standby_leader";
        self.state == "running" || abroad && self.state == "streaming"
    }

    /// Whether this member follows and receives: by the evidence of the servers where they were asked, else by Patroni's words.
    pub fn is_streaming(&self) -> bool {
        match &self.verdict {
            _ if self.is_leader() => false,
            Some(verdict) => verdict.sound() && self.seems_to_stream(),
            None => self.seems_to_stream(),
        }
    }

    /// Patroni 3.0 says `running` of whoever has been started, and knows no `streaming`: PostgreSQL has to be asked.
    fn seems_to_stream(&self) -> bool {
        matches!(self.state.as_str(), "streaming" | "running")
    }

    /// How it is, in words that go on after its name.
    pub fn plight(&self) -> String {
        let ill = self.verdict.as_ref().and_then(|it| it.ills.first());
        match ill {
            Some(ill) if self.seems_to_stream() || self.is_leader() => ill.words().to_owned(),
            Some(_) | None => format!("is {}", self.state),
        }
    }
}

impl GroupSeen {
    /// The member that leads, if one does.
    pub fn leader(&self) -> Option<&MemberSeen> {
        self.members
            .iter()
            .find(|member| member.is_leader() && member.runs())
    }

    /// Judges all members by what their servers said. Members nobody asked about keep Patroni's words alone.
    pub fn judge(&mut self, answers: &Answers) {
        let leader = self.leader().map(|leader| leader.name.clone());
        for member in &mut self.members {
            member.verdict = answers
                .get(&member.name)
                .map(|own| match member.is_leader() {
                    true => leading(own, member.role == "standby_leader"),
                    false => following(&member.name, leader.as_ref(), answers),
                });
        }
    }

    /// Members that must be restarted before they run with the wanted configuration.
    pub fn pending(&self) -> impl Iterator<Item = &MemberSeen> {
        self.members.iter().filter(|member| member.pending_restart)
    }

    /// The member of that name.
    pub fn member(&self, name: &InstanceName) -> Option<&MemberSeen> {
        self.members.iter().find(|member| member.name == *name)
    }

    /// Reads the answer of `GET /cluster`; what only others can tell is left out.
    pub fn from_cluster(answer: &Value, hosts: &BTreeMap<InstanceName, HostName>) -> Self {
        Self {
            members: Self::members_from(answer, hosts),
            paused: answer.get("pause").and_then(Value::as_bool) == Some(true),
            ..Self::default()
        }
    }

    /// Reads the members of `GET /cluster`. `hosts` tells on which host a member lives.
    pub fn members_from(
        answer: &Value,
        hosts: &BTreeMap<InstanceName, HostName>,
    ) -> Vec<MemberSeen> {
        let members = answer.get("members").and_then(Value::as_array);
        members
            .into_iter()
            .flatten()
            .filter_map(|member| read_member(member, hosts))
            .collect()
    }
}

fn read_member(member: &Value, hosts: &BTreeMap<InstanceName, HostName>) -> Option<MemberSeen> {
    let text = |key: &str| {
        member
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let name = InstanceName::new(text("name"));
    Some(MemberSeen {
        host: hosts.get(&name)?.clone(),
        role: text("role"),
        state: text("state"),
        timeline: member.get("timeline").and_then(Value::as_i64),
        lag: member.get("lag").and_then(Value::as_i64),
        pending_restart: member
            .get("pending_restart")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        answers: false,
        started: None,
        position: None,
        verdict: None,
        name,
    })
}
