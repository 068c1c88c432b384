//! Patroni's `GET /cluster` in full: members with their tags and places, and whether failover is switched off.

use crate::engine::fleet::chain;
use crate::engine::{Patroni, Run};
use crate::fact::{Homes, taken};
use crate::model::Group;
use crate::model::undeclared::undeclared;
use crate::names::{HostName, InstanceName};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// One look at a group.
#[derive(Clone, Debug)]
pub(super) struct ClusterView {
    pub members: Vec<PatroniMember>,
    pub paused: bool,
    /// How many synchronous standbys its configuration wants, and whether writes stop without one; an error is why it is
    /// not known.
    pub synchronous: Result<Synchronous, String>,
    /// The leader goes on by the word of the other members, since etcd does not answer (`failsafe_mode`).
    pub failsafe: bool,
    /// The last timeline that the group has come to, by etcd; asked where nobody leads.
    pub reached: Option<i64>,
    /// What its dynamic configuration has that nobody declared, as sentences.
    pub undeclared: Vec<String>,
}

/// What the dynamic configuration says of synchronous commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Synchronous {
    /// Zero: commits wait for nobody.
    pub wanted: u64,
    pub strict: bool,
}

impl Default for ClusterView {
    fn default() -> Self {
        Self {
            members: Vec::new(),
            paused: false,
            synchronous: Ok(Synchronous::default()),
            failsafe: false,
            reached: None,
            undeclared: Vec::new(),
        }
    }
}

/// A member as Patroni lists it.
#[derive(Clone, Debug, Default)]
pub(super) struct PatroniMember {
    pub name: String,
    pub role: String,
    pub state: String,
    /// `host:port` of its PostgreSQL.
    pub place: Option<String>,
    /// The host part of `place`.
    pub address: String,
    pub timeline: Option<u64>,
    /// Bytes.
    pub lag: Option<u64>,
    pub pending_restart: bool,
    pub tags: BTreeMap<String, String>,
    /// Another host that runs under its name.
    pub elsewhere: Option<IpAddr>,
}

impl PatroniMember {
    pub(super) fn leads(&self) -> bool {
        matches!(
            self.role.as_str(),
            "leader" | "master" | "primary" | "standby_leader"
        )
    }

    /// Whether a leader runs. That of a standby cluster follows a server elsewhere, and later Patronis say so.
    pub(super) fn runs(&self) -> bool {
        let abroad = self.role == "standby_leader";
        self.state == "running" || abroad && self.state == "streaming"
    }

    /// On which host of the inventory it lives; where the inventory does not know it, its address.
    pub(super) fn host(&self, group: &Group) -> HostName {
        let name = InstanceName::new(self.name.clone());
        let known = group.members.iter().find(|member| member.name == name);
        known.map_or_else(
            || HostName::new(self.address.clone()),
            |member| member.host.clone(),
        )
    }
}

impl ClusterView {
    /// Notes whose name another host has taken.
    fn place(&mut self, homes: &Homes) {
        for member in &mut self.members {
            let name = InstanceName::new(member.name.clone());
            member.elsewhere = homes.elsewhere(&name, &member.address);
            if let Some(address) = member.elsewhere {
                member.state = taken(address);
            }
        }
    }

    pub(super) fn leader(&self) -> Option<&PatroniMember> {
        self.members
            .iter()
            .find(|member| member.leads() && member.runs())
    }
}

/// Asks the members of a group in turn, until one answers.
pub(super) async fn ask(run: &Run<'_>, group: &Group) -> Result<ClusterView, String> {
    let mut why = format!("{}: none of its hosts is connected", group.cluster);
    for member in &group.members {
        if run.fleet.get(&member.host).is_none() {
            continue;
        }
        let Some(patroni) = Patroni::of(run, member) else {
            continue;
        };
        match patroni.get("/cluster").await {
            Ok(answer) if answer.get("members").is_some() => {
                let mut view = read(&answer);
                view.place(&Homes::of(group));
                view.synchronous = match patroni.get("/config").await {
                    Ok(config) => {
                        view.undeclared = config.as_object().map(undeclared).unwrap_or_default();
                        synchronous(&config)
                    }
                    Err(error) => Err(chain(&error)),
                };
                view.failsafe = failsafe(run, group, &view).await;
                if view.leader().is_none() {
                    view.reached = patroni.reached().await;
                }
                return Ok(view);
            }
            Ok(_) => why = format!("{}: Patroni does not know its cluster", member.name),
            Err(error) => why = chain(&error),
        }
    }
    Err(why)
}

fn read(answer: &Value) -> ClusterView {
    let members = answer.get("members").and_then(Value::as_array);
    ClusterView {
        members: members.into_iter().flatten().map(member).collect(),
        paused: flag(answer, "pause"),
        ..ClusterView::default()
    }
}

/// Whether the leader says that it goes on without etcd.
async fn failsafe(run: &Run<'_>, group: &Group, view: &ClusterView) -> bool {
    let leader = view.members.iter().find(|member| member.leads());
    let known = leader.and_then(|leader| {
        let mut members = group.members.iter();
        members.find(|member| member.name.as_str() == leader.name)
    });
    match known.and_then(|member| Patroni::of(run, member)) {
        Some(patroni) => {
            let said = patroni.get("/patroni").await;
            said.is_ok_and(|own| flag(&own, "failsafe_mode_is_active"))
        }
        None => false,
    }
}

/// `synchronous_mode` in all of its spellings.
fn synchronous(config: &Value) -> Result<Synchronous, String> {
    if config.get("ttl").is_none() && config.get("postgresql").is_none() {
        return Err("its answer to `/config` is none".to_owned());
    }
    let on = |key: &str| match config.get(key) {
        Some(Value::Bool(on)) => *on,
        Some(Value::String(word)) => !matches!(word.as_str(), "off" | "false" | "no" | "0" | ""),
        Some(_) | None => false,
    };
    let count = config.get("synchronous_node_count").and_then(Value::as_u64);
    Ok(Synchronous {
        wanted: match on("synchronous_mode") {
            true => count.unwrap_or(1).max(1),
            false => 0,
        },
        strict: on("synchronous_mode_strict"),
    })
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

fn member(value: &Value) -> PatroniMember {
    let text = |key: &str| {
        let text = value.get(key).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let port = value.get("port").and_then(Value::as_u64);
    let address = text("host");
    PatroniMember {
        name: text("name"),
        role: text("role"),
        state: text("state"),
        place: port.map(|port| format!("{address}:{port}")),
        timeline: value.get("timeline").and_then(Value::as_u64),
        lag: value.get("lag").and_then(Value::as_u64),
        pending_restart: flag(value, "pending_restart"),
        tags: tags(value),
        elsewhere: None,
        address,
    }
}

fn tags(value: &Value) -> BTreeMap<String, String> {
    let tags = value.get("tags").and_then(Value::as_object);
    let word = |value: &Value| match value.as_str() {
        Some(text) => text.to_owned(),
        None => value.to_string(),
    };
    tags.into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), word(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_what_commits_wait_for() {
        let of = |config| synchronous(&config).expect("known");
        assert_eq!(of(json!({"ttl": 30})).wanted, 0);
        assert_eq!(of(json!({"ttl": 30, "synchronous_mode": false})).wanted, 0);
        assert_eq!(of(json!({"ttl": 30, "synchronous_mode": true})).wanted, 1);
        let quorum = json!({"ttl": 30, "synchronous_mode": "quorum", "synchronous_node_count": 2, "synchronous_mode_strict": true});
        assert_eq!(
            of(quorum),
            Synchronous {
                wanted: 2,
                strict: true
            }
        );
        assert!(synchronous(&Value::Null).is_err());
    }

    #[test]
    fn reads_a_paused_cluster() {
        let view = read(&json!({
            "members": [
                {"name": "a-1", "role": "leader", "state": "running", "host": "10.0.0.1", "port": 5432, "timeline": 3},
                {"name": "a-2", "role": "replica", "state": "streaming", "host": "10.0.0.2", "port": 5432,
                 "timeline": 3, "lag": "unknown", "pending_restart": true, "tags": {"nofailover": true}}
            ],
            "pause": true
        }));
        assert!(view.paused);
        assert_eq!(view.leader().map(|l| l.name.as_str()), Some("a-1"));
        assert_eq!(view.members[0].place.as_deref(), Some("10.0.0.1:5432"));
        assert_eq!(
            (view.members[1].lag, view.members[1].pending_restart),
            (None, true)
        );
        assert_eq!(view.members[1].tags["nofailover"], "true");
    }
}
