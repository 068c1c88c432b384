//! Where two pictures of an inventory differ.

use super::Picture;
use crate::model::Connection;
use crate::names::{ClusterName, HostName, ResourceId};
use crate::plan::Desired;
use crate::resource::Resource;
use crate::resource::group::GroupResource;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// A place where a value acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where {
    /// A file of a host, and its first line that differs; none where the whole file comes or goes with the value.
    File {
        host: HostName,
        path: String,
        line: Option<usize>,
    },
    /// Another resource of a host: a package, an account, a unit.
    Resource { host: HostName, id: ResourceId },
    /// A resource of a group: a role, a database. Of Patroni's dynamic configuration the key in the DCS.
    Group {
        cluster: ClusterName,
        id: ResourceId,
        key: Option<String>,
    },
    /// The way into a host.
    Connection { host: HostName, what: &'static str },
    /// What a run goes by, on no host.
    Run(&'static str),
    /// Nothing is compiled without it, and why.
    Needed(String),
}

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { host, path, line } => match line {
                Some(line) => write!(f, "{host}:{path}:{line}"),
                None => write!(f, "{host}:{path}"),
            },
            Self::Resource { host, id } => write!(f, "{host}: {}", id.as_str()),
            Self::Group { cluster, id, key } => match key {
                Some(key) => write!(f, "{cluster}: DCS key `{key}`"),
                None => write!(f, "{cluster}: {}", id.as_str()),
            },
            Self::Connection { host, what } => write!(f, "{host}: connection, {what}"),
            Self::Run(what) => f.write_str(what),
            Self::Needed(why) => write!(f, "refused without it: {why}"),
        }
    }
}

/// Everything that differs: files first, then other resources, groups, ways in.
pub(super) fn differing(base: &Picture, other: &Picture) -> Vec<Where> {
    let mut found = of_hosts(&base.desired, &other.desired);
    found.sort_by_key(|place| !matches!(place, Where::File { line: Some(_), .. }));
    found.extend(of_groups(&base.desired, &other.desired));
    for (name, host) in &base.model.hosts {
        if let Some(changed) = other.model.hosts.get(name) {
            let ways = ways(&host.connection, &changed.connection);
            found.extend(ways.map(|what| Where::Connection {
                host: name.clone(),
                what,
            }));
        }
    }
    let mut unique: Vec<Where> = Vec::new();
    found.into_iter().for_each(|place| {
        if !unique.contains(&place) {
            unique.push(place);
        }
    });
    unique
}

type OfHosts<'a> = BTreeMap<(&'a HostName, &'a ResourceId), &'a Resource>;

fn host_resources(desired: &Desired) -> OfHosts<'_> {
    let hosts = desired.stages.iter().flat_map(|stage| &stage.hosts);
    let all = hosts.flat_map(|(host, list)| list.iter().map(move |one| (host, one)));
    all.map(|(host, one)| ((host, &one.id), &*one.resource))
        .collect()
}

fn of_hosts(base: &Desired, other: &Desired) -> Vec<Where> {
    let (base, other) = (host_resources(base), host_resources(other));
    let gone = base
        .iter()
        .filter_map(|(key, resource)| match other.get(key) {
            Some(changed) if changed == resource => None,
            changed => Some(host_place(key.0, key.1, resource, changed.copied())),
        });
    let come = other.iter().filter(|(key, _)| !base.contains_key(key));
    let come = come.map(|(key, resource)| host_place(key.0, key.1, resource, None));
    gone.chain(come).collect()
}

fn host_place(host: &HostName, id: &ResourceId, now: &Resource, then: Option<&Resource>) -> Where {
    let host = host.clone();
    match (now, then) {
        (Resource::File(now), Some(Resource::File(then))) if now.content != then.content => {
            let line = Some(first_line(&now.content, &then.content));
            let path = now.path.clone();
            Where::File { host, path, line }
        }
        (Resource::File(now), None) => Where::File {
            host,
            path: now.path.clone(),
            line: None,
        },
        _ => Where::Resource {
            host,
            id: id.clone(),
        },
    }
}

/// The first line of `now` that `then` has not at that place, from 1.
fn first_line(now: &str, then: &str) -> usize {
    let same = now
        .lines()
        .zip(then.lines())
        .take_while(|(now, then)| now == then);
    (same.count() + 1).min(now.lines().count().max(1))
}

fn of_groups(base: &Desired, other: &Desired) -> Vec<Where> {
    let mut found = Vec::new();
    let (base, other) = (base.groups(), other.groups());
    for (cluster, group) in &base {
        let changed = other.get(cluster);
        for now in &group.resources {
            let then = changed.and_then(|group| group.resources.iter().find(|r| r.id == now.id));
            if then.is_some_and(|then| then.resource == now.resource) {
                continue;
            }
            found.push(Where::Group {
                cluster: cluster.clone(),
                id: now.id.clone(),
                key: then.and_then(|then| dcs_key(&now.resource, &then.resource)),
            });
        }
        let come = changed.into_iter().flat_map(|group| &group.resources);
        let come = come.filter(|then| !group.resources.iter().any(|now| now.id == then.id));
        found.extend(come.map(|then| Where::Group {
            cluster: cluster.clone(),
            id: then.id.clone(),
            key: None,
        }));
    }
    found
}

fn dcs_key(now: &GroupResource, then: &GroupResource) -> Option<String> {
    match (now, then) {
        (GroupResource::DynamicConfig(now), GroupResource::DynamicConfig(then)) => {
            first_key(&now.config, &then.config).map(|keys| keys.join("."))
        }
        _ => None,
    }
}

/// The way to the first part that differs.
fn first_key(now: &Value, then: &Value) -> Option<Vec<String>> {
    let (Value::Object(now), Value::Object(then)) = (now, then) else {
        return (now != then).then(Vec::new);
    };
    now.keys().chain(then.keys()).find_map(|key| {
        let both = (now.get(key), then.get(key));
        let mut below = match both {
            (Some(now), Some(then)) => first_key(now, then)?,
            _ => Vec::new(),
        };
        below.insert(0, key.clone());
        Some(below)
    })
}

fn ways(now: &Connection, then: &Connection) -> impl Iterator<Item = &'static str> + use<> {
    [
        (now.host != then.host, "address"),
        (now.port != then.port, "port"),
        (now.user != then.user, "user"),
        (now.key_file != then.key_file, "key file"),
        (now.password != then.password, "password"),
        (now.r#become != then.r#become, "sudo"),
        (
            now.become_password != then.become_password,
            "password of sudo",
        ),
        (now.local != then.local, "no SSH"),
        (now.ssh != then.ssh, "arguments of ssh"),
        (
            now.host_key_checking != then.host_key_checking,
            "whether the host key is checked",
        ),
        (now.host_key != then.host_key, "host key"),
    ]
    .into_iter()
    .filter_map(|(differs, what)| differs.then_some(what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_line_that_differs() {
        assert_eq!(first_line("a\nb\nc\n", "a\nx\nc\n"), 2);
        assert_eq!(first_line("a\n", "a\nb\n"), 1);
        assert_eq!(first_line("a\nb\n", "a\n"), 2);
    }

    #[test]
    fn the_first_key_that_differs() {
        let (now, then) = (
            json!({"a": 1, "b": {"c": 2}}),
            json!({"a": 1, "b": {"c": 3}}),
        );
        assert_eq!(first_key(&now, &then), Some(vec!["b".into(), "c".into()]));
        assert_eq!(first_key(&now, &now), None);
        assert_eq!(first_key(&now, &json!({"a": 1})), Some(vec!["b".into()]));
    }
}
