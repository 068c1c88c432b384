//! What was seen of a PostgreSQL group as a whole: Patroni's view of it, and what its live leader says.

use super::following::{Answers, MemberVerdict, following, leading};
use crate::model::Group;
use crate::names::{HostName, InstanceName};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

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
    /// Members whose servers run with values that only a restart changes, whether Patroni has read its file or not.
    pub untold: Vec<InstanceName>,
    /// Members that Patroni has and the inventory does not name, with where they run. They may lead.
    pub unnamed: Vec<String>,
    /// The last timeline that the group has come to, by etcd; asked where nobody leads.
    pub reached: Option<i64>,
    /// Hosts on whose port of Patroni another one answers, and what it is instead. It was not believed.
    pub strangers: BTreeMap<HostName, String>,
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
    /// Another host that runs under its name.
    pub elsewhere: Option<IpAddr>,
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
    pub verdict: Option<MemberVerdict>,
}

impl MemberSeen {
    /// Whether it leads, or follows and receives.
    pub fn is_up(&self) -> bool {
        let sound = || self.verdict.as_ref().is_none_or(MemberVerdict::sound);
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
    pub fn seems_to_stream(&self) -> bool {
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

    /// Judges all members by what their servers said. Members nobody asked about keep Patroni's words alone. `away` is no
    /// witness for others.
    pub fn judge(&mut self, answers: &Answers, away: Option<&InstanceName>) {
        let mut witnesses = answers.clone();
        if let Some(away) = away {
            witnesses.remove(away);
        }
        let leader = self.leader().map(|leader| leader.name.clone());
        for member in &mut self.members {
            member.verdict = answers
                .get(&member.name)
                .map(|own| match member.is_leader() {
                    true => leading(own, member.role == "standby_leader"),
                    false => following(&member.name, leader.as_ref(), &witnesses),
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
    pub fn from_cluster(answer: &Value, homes: &Homes) -> Self {
        Self {
            members: Self::members_from(answer, homes),
            unnamed: homes.unnamed(answer),
            paused: answer.get("pause").and_then(Value::as_bool) == Some(true),
            ..Self::default()
        }
    }

    /// Reads the members of `GET /cluster`.
    pub fn members_from(answer: &Value, homes: &Homes) -> Vec<MemberSeen> {
        let members = answer.get("members").and_then(Value::as_array);
        members
            .into_iter()
            .flatten()
            .filter_map(|member| read_member(member, homes))
            .collect()
    }
}

/// On which host each member lives by the inventory, and at which address its PostgreSQL is reached.
#[derive(Clone, Debug, Default)]
pub struct Homes(BTreeMap<InstanceName, (HostName, IpAddr)>);

impl Homes {
    /// Those of a group.
    pub fn of(group: &Group) -> Self {
        let homes = group.members.iter().map(|member| {
            let home = (member.host.clone(), member.address);
            (member.name.clone(), home)
        });
        Self(homes.collect())
    }

    /// Members of `GET /cluster` that are in none of these.
    pub fn unnamed(&self, answer: &Value) -> Vec<String> {
        let members = answer.get("members").and_then(Value::as_array);
        let text = |member: &Value, key: &str| {
            let text = member.get(key).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let others = members.into_iter().flatten().filter_map(|member| {
            let name = text(member, "name");
            let known = self.0.contains_key(&InstanceName::new(name.clone()));
            (!known).then(|| format!("{name} on {}", text(member, "host")))
        });
        others.collect()
    }

    /// The address at which somebody else runs under a member's name, where Patroni says one. `said` is what it has for `host`.
    pub fn elsewhere(&self, name: &InstanceName, said: &str) -> Option<IpAddr> {
        let said: IpAddr = said.trim_matches(['[', ']']).parse().ok()?;
        let (_, home) = self.0.get(name)?;
        (*home != said).then_some(said)
    }
}

/// The state of a member whose name another host has taken: of the member's own host nothing is known then.
pub fn taken(address: IpAddr) -> String {
    format!("on {address}, not on its host")
}

fn read_member(member: &Value, homes: &Homes) -> Option<MemberSeen> {
    let text = |key: &str| {
        member
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let name = InstanceName::new(text("name"));
    let (host, _) = homes.0.get(&name)?;
    let elsewhere = homes.elsewhere(&name, &text("host"));
    Some(MemberSeen {
        host: host.clone(),
        role: text("role"),
        state: elsewhere.map_or_else(|| text("state"), taken),
        elsewhere,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{PostgresSeen, Receiver, Sender, Timeline};
    use serde_json::json;

    fn homes<const N: usize>(names: [&str; N]) -> Homes {
        let address = IpAddr::from([10, 0, 0, 1]);
        Homes(
            names
                .map(|name| (InstanceName::new(name), (HostName::new(name), address)))
                .into(),
        )
    }

    /// A leader, a standby that it sends to, and one whose replication login is refused: `GET /cluster` of each version.
    fn judged(states: [&str; 2]) -> GroupSeen {
        let homes = homes(["a-1", "a-2", "a-3"]);
        let members = json!({"members": [
            {"name": "a-1", "role": "leader", "state": "running", "timeline": 1},
            {"name": "a-2", "role": "replica", "state": states[0], "timeline": 1, "lag": 0},
            {"name": "a-3", "role": "replica", "state": states[1], "timeline": 1, "lag": 0},
        ]});
        let mut seen = GroupSeen::from_cluster(&members, &homes);
        let known = |standbys| PostgresSeen {
            system: "7".to_owned(),
            timeline: Timeline::Known(1),
            standbys,
            ..PostgresSeen::default()
        };
        let sender = Sender {
            name: "a-2".to_owned(),
            state: Some("streaming".to_owned()),
            ..Sender::default()
        };
        let receiver = Receiver {
            status: "streaming".to_owned(),
            ..Receiver::default()
        };
        let follows = PostgresSeen {
            recovery: true,
            receiver: Some(receiver),
            ..known(Vec::new())
        };
        let refused = PostgresSeen {
            receiver: None,
            ..follows.clone()
        };
        let answers = [
            ("a-1", known(vec![sender])),
            ("a-2", follows),
            ("a-3", refused),
        ];
        let answers = answers.map(|(name, seen)| (InstanceName::new(name), Ok(seen)));
        seen.judge(&answers.into(), None);
        seen
    }

    #[test]
    fn running_is_not_streaming_on_any_version_of_patroni() {
        // Patroni 3.0 says `running` of both, 3.1 and later `streaming` of who streams, as long as it looks so.
        for states in [
            ["running", "running"],
            ["streaming", "running"],
            ["streaming", "streaming"],
        ] {
            let seen = judged(states);
            assert!(seen.members[0].is_up() && seen.members[1].is_streaming());
            assert!(!seen.members[2].is_streaming() && !seen.members[2].is_up());
            assert!(seen.members[2].plight().contains("no WAL receiver"));
        }
        let late = judged(["starting", "running"]);
        assert!(!late.members[1].is_streaming());
        assert_eq!(late.members[1].plight(), "is starting");
    }

    #[test]
    fn a_standby_leader_leads_on_any_version_of_patroni() {
        for state in ["running", "streaming"] {
            let members =
                json!({"members": [{"name": "a-1", "role": "standby_leader", "state": state}]});
            let seen = GroupSeen::from_cluster(&members, &homes(["a-1"]));
            assert!(seen.leader().is_some());
        }
    }

    #[test]
    fn who_runs_at_another_address_is_not_the_member() {
        let member = |host: &str| json!({"members": [{"name": "a-1", "role": "leader", "state": "running", "host": host}]});
        let seen = |host: &str| GroupSeen::from_cluster(&member(host), &homes(["a-1"]));
        assert!(seen("10.0.0.1").leader().is_some());
        let stranger = GroupSeen::from_cluster(&member("10.0.0.4"), &homes(["a-2"]));
        assert_eq!(stranger.unnamed, ["a-1 on 10.0.0.4"]);
        let other = seen("10.0.0.9");
        assert!(other.leader().is_none() && !other.members[0].is_up());
        assert_eq!(other.members[0].plight(), "is on 10.0.0.9, not on its host");
        let six = seen("[fd00::9]");
        assert_eq!(six.members[0].plight(), "is on fd00::9, not on its host");
    }
}
