//! Patroni's `GET /cluster` in full: members with their tags and places, and whether failover is switched off.

use crate::engine::fleet::chain;
use crate::engine::{Patroni, Run};
use crate::model::Group;
use crate::names::{HostName, InstanceName};
use serde_json::Value;
use std::collections::BTreeMap;

/// One look at a group.
#[derive(Clone, Debug, Default)]
pub(super) struct ClusterView {
    pub members: Vec<MemberView>,
    pub paused: bool,
}

/// A member as Patroni lists it.
#[derive(Clone, Debug, Default)]
pub(super) struct MemberView {
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
}

impl MemberView {
    pub(super) fn leads(&self) -> bool {
        matches!(
            self.role.as_str(),
            "leader" | "master" | "primary" | "standby_leader"
        )
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
    pub(super) fn leader(&self) -> Option<&MemberView> {
        self.members
            .iter()
            .find(|member| member.leads() && member.state == "running")
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
            Ok(answer) if answer.get("members").is_some() => return Ok(read(&answer)),
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
    }
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

fn member(value: &Value) -> MemberView {
    let text = |key: &str| {
        let text = value.get(key).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let port = value.get("port").and_then(Value::as_u64);
    let address = text("host");
    MemberView {
        name: text("name"),
        role: text("role"),
        state: text("state"),
        place: port.map(|port| format!("{address}:{port}")),
        timeline: value.get("timeline").and_then(Value::as_u64),
        lag: value.get("lag").and_then(Value::as_u64),
        pending_restart: flag(value, "pending_restart"),
        tags: tags(value),
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
