//! What may not leave, and what is done for what may.

mod others;
mod pgsql;

use super::*;
use crate::catalog::Removal;
use crate::fact::MemberSeen;
use crate::inventory::Inventory;
use crate::model::Model;
use crate::names::{RoleName, RunId};
use crate::runbook::Refusal;
use crate::runbook::recover::{EtcdMemberSeen, HostSeen, Surveyed};

/// An inventory with everything up, as far as a planner sees.
struct World {
    inventory: Inventory,
    model: Model,
    seen: Surveyed,
    left: BTreeMap<HostName, Left>,
    groups: BTreeMap<ClusterName, Result<GroupSeen, String>>,
    run: RunId,
}

const ROLES: [&str; 5] = ["vip", "haproxy", "pgbouncer", "patroni", "pgsql"];
const UNITS: [&str; 3] = ["haproxy.service", "pgbouncer.service", "patroni.service"];

impl World {
    fn new(name: &str, extra: &[&str]) -> Self {
        let path = format!("{}/inventory/{name}.yml", env!("CARGO_MANIFEST_DIR"));
        let extra: Vec<String> = extra.iter().map(|text| (*text).to_owned()).collect();
        let inventory = crate::inventory::load(path.as_ref(), &extra)
            .unwrap()
            .inventory;
        let model = crate::model::build(&inventory).0.unwrap();
        let groups = model
            .groups()
            .map(|(_, group)| (group.cluster.clone(), Ok(seen(group))));
        Self {
            groups: groups.collect(),
            seen: Surveyed {
                hosts: model
                    .hosts()
                    .map(|host| (host.name.clone(), host_seen(&model, host)))
                    .collect(),
                unreachable: BTreeMap::new(),
            },
            left: model
                .hosts()
                .map(|host| (host.name.clone(), left(&model, host)))
                .collect(),
            run: RunId::new("r1"),
            inventory,
            model,
        }
    }

    fn left(&mut self, host: &str) -> &mut Left {
        self.left.get_mut(host).unwrap()
    }

    fn plan(&self, hosts: &[&str], what: Removal) -> Result<Runbook, Refusal> {
        let hosts: BTreeSet<HostName> = hosts.iter().map(|host| HostName::new(*host)).collect();
        let going = |host: &HostName| {
            let (roles, units): (Vec<_>, Vec<_>) = match what {
                Removal::Pgsql => (ROLES.to_vec(), UNITS.to_vec()),
                Removal::Etcd => (vec!["etcd"], vec!["etcd.service"]),
                Removal::Node => (vec!["haproxy", "node"], vec!["haproxy.service"]),
            };
            let going = Going {
                roles: roles.into_iter().map(RoleName::new).collect(),
                units: units.into_iter().map(str::to_owned).collect(),
                ..Going::default()
            };
            (host.clone(), going)
        };
        let going = hosts.iter().map(going).collect();
        let case = RemovalCase {
            input: Input {
                sources: &self.inventory.sources,
                model: &self.model,
                seen: &self.seen,
                run: &self.run,
            },
            hosts: &hosts,
            left: &self.left,
            groups: &self.groups,
            going: &going,
        };
        match what {
            Removal::Pgsql => remove_pgsql(&case),
            Removal::Etcd => remove_etcd(&case),
            Removal::Node => remove_node(&case),
        }
    }

    fn steps(&self, hosts: &[&str], what: Removal) -> Vec<&'static str> {
        let book = self.plan(hosts, what).unwrap();
        book.steps.iter().map(|step| step.id).collect()
    }

    fn refused(&self, hosts: &[&str], what: Removal) -> (String, String) {
        let refusal = self.plan(hosts, what).unwrap_err();
        (refusal.reason, refusal.hint)
    }
}

fn seen(group: &crate::model::Group) -> GroupSeen {
    let members = group
        .members
        .iter()
        .enumerate()
        .map(|(index, member)| MemberSeen {
            name: member.name.clone(),
            host: member.host.clone(),
            role: if index == 0 { "leader" } else { "replica" }.to_owned(),
            elsewhere: None,
            state: if index == 0 { "running" } else { "streaming" }.to_owned(),
            timeline: Some(1),
            lag: None,
            pending_restart: false,
            answers: false,
            started: None,
            position: None,
            verdict: None,
        });
    GroupSeen {
        members: members.collect(),
        dynamic: Some(serde_json::json!({"ttl": 30, "synchronous_mode": false})),
        ..GroupSeen::default()
    }
}

fn host_seen(model: &Model, host: &crate::model::Host) -> HostSeen {
    let mut seen = HostSeen::default();
    if host.etcd.is_some() {
        seen.etcd.majority = true;
        seen.etcd.data = true;
        let etcd = model.etcd.as_ref().unwrap();
        let member = |member: &crate::model::EtcdMember| EtcdMemberSeen {
            id: format!("id{}", member.seq),
            started: true,
            name: member.name.clone(),
            peer: format!("https://{}:{}", member.address, etcd.peer_port),
            learner: false,
        };
        seen.etcd.members = etcd.members.iter().map(member).collect();
    }
    if host.pg.is_some() {
        seen.units.insert("patroni".to_owned(), "active".to_owned());
    }
    seen
}

fn left(model: &Model, host: &crate::model::Host) -> Left {
    let lines = [
        "pgsql/pg /pg",
        "pgsql/key /pg/cert/server.key",
        "etcd/conf /etc/etcd/etcd.conf.yml",
        "node/limits /etc/l",
    ];
    let keys = model.groups().flat_map(|(_, group)| {
        let members = group
            .members
            .iter()
            .map(|member| format!("{}members/{}", group.dcs_prefix, member.name));
        members
            .chain([format!("{}initialize", group.dcs_prefix)])
            .collect::<Vec<_>>()
    });
    let slots = model
        .instances()
        .map(|member| member.name.as_str().replace('-', "_"));
    let nodes = model.groups().map(|(_, group)| NodeRow {
        group: group.number.unwrap_or_default(),
        host: group.members[0].address.to_string(),
        port: 5432,
    });
    let directories = [
        home(model, host),
        backup_dir(model, host),
        Some("/data/etcd".to_owned()),
        Some("/etc/citusctl".to_owned()),
    ];
    Left {
        manifest: lines.map(str::to_owned).to_vec(),
        units: UNITS
            .iter()
            .chain(&["etcd.service"])
            .map(|unit| ((*unit).to_owned(), true))
            .collect(),
        directories: directories.into_iter().flatten().collect(),
        running: host.pg.is_some(),
        slots: host.pg.as_ref().map(|_| slots.collect()),
        nodes: Some(nodes.collect()),
        placed: Some(BTreeMap::new()),
        keys: host.etcd.as_ref().map(|_| keys.collect()),
        users: model
            .formations
            .iter()
            .map(|formation| formation.name.to_string())
            .collect(),
        ..Left::default()
    }
}

const TRIO: [&str; 3] = ["10.10.10.11", "10.10.10.12", "10.10.10.13"];
