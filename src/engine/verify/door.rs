//! Ways in that are tried: HAProxy's services, PgBouncer of each member, addresses that follow a leader or HAProxy.

use super::client::{Client, Login};
use super::{Check, words};
use crate::engine::Run;
use crate::event::status::{GroupStatus, MemberStatus, ServiceStatus, StatusReport};
use crate::model::{Group, Host, Instance, Model, Service, ServiceKind};
use crate::names::{FormationName, HostName};
use std::collections::BTreeMap;
use std::time::Instant;

/// One address and port that clients use.
#[derive(Clone, Debug)]
pub(super) struct Door<'a> {
    /// The host that it is reached from.
    pub host: &'a HostName,
    pub name: String,
    pub address: String,
    pub port: u16,
    /// What `pg_is_in_recovery()` must say, if anything.
    pub recovery: Option<bool>,
    /// It leads to the coordinator, wherever that is.
    pub coordinator: bool,
    /// Whoever may answer, by address.
    pub servers: BTreeMap<String, String>,
    /// A pooler may answer, who talks to PostgreSQL beside it without an address.
    pub pooled: bool,
    pub login: &'a Login,
    pub formation: &'a FormationName,
}

impl Door<'_> {
    pub(super) fn writes(&self) -> bool {
        self.recovery == Some(false)
    }

    pub(super) async fn connect(&self, run: &Run<'_>) -> Result<Client, String> {
        self.connect_as(run, self.login).await
    }

    /// Goes in as somebody else, to the same database.
    pub(super) async fn connect_as(&self, run: &Run<'_>, login: &Login) -> Result<Client, String> {
        let via = run.fleet.get(self.host);
        let via = via.ok_or_else(|| format!("{} is not connected", self.host))?;
        let login = Login {
            database: self.login.database.clone(),
            ..login.clone()
        };
        Client::connect(via.as_ref(), &self.address, self.port, &login)
            .await
            .map_err(|error| words(&error))
    }

    pub(super) fn check(&self, started: Instant, outcome: Result<String, String>) -> Check {
        Check {
            host: self.host.clone(),
            service: self.name.clone(),
            port: self.port,
            ok: outcome.is_ok(),
            detail: outcome.unwrap_or_else(|why| why),
            millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// All ways in that have somebody behind them: `status` has judged the others.
pub(super) fn doors<'a>(
    run: &Run<'a>,
    status: &StatusReport,
    logins: &'a BTreeMap<FormationName, Login>,
) -> Vec<Door<'a>> {
    let model = run.model;
    let mut doors: Vec<Door<'a>> = Vec::new();
    for host in model.hosts() {
        let open = host.services.iter().filter(|s| is_open(status, host, s));
        doors.extend(open.filter_map(|s| service(status, model, logins, host, s)));
    }
    for (formation, group) in model.groups() {
        let live = status.groups.iter().find(|g| g.cluster == group.cluster);
        if let (Some(live), Some(login)) = (live, logins.get_key_value(&formation.name)) {
            let mut own = poolers(group, live, login);
            own.extend(group_address(group, live, login));
            // Whom PgBouncer does not know need not try it.
            own.retain(|door| !door.pooled || login.1.pooled);
            doors.extend(own);
        }
    }
    doors.extend(shared_addresses(model, &doors));
    doors.retain(|door| run.fleet.get(door.host).is_some());
    doors
}

fn is_open(status: &StatusReport, host: &Host, service: &Service) -> bool {
    let line = |line: &&ServiceStatus| line.host == host.name && line.service == service.name;
    let found = status.services.iter().find(line);
    found.is_some_and(|line| line.servers.iter().any(|server| server.up))
}

fn service<'a>(
    status: &StatusReport,
    model: &'a Model,
    logins: &'a BTreeMap<FormationName, Login>,
    host: &'a Host,
    service: &Service,
) -> Option<Door<'a>> {
    let mut named = service.servers.iter().filter_map(|s| s.instance.as_ref());
    let instance = model.instance(named.next()?)?;
    let (formation, login) = logins.get_key_value(&instance.formation)?;
    if service.kind == ServiceKind::Custom {
        return None;
    }
    Some(Door {
        host: &host.name,
        name: service.name.clone(),
        address: host.address.to_string(),
        port: service.port,
        recovery: recovery(service).filter(|_| !falls_back(model, status, service)),
        coordinator: service.kind == ServiceKind::Coordinator,
        servers: service
            .servers
            .iter()
            .map(|server| (server.address.clone(), server.name.clone()))
            .collect(),
        pooled: service.servers.iter().any(|server| model.is_pooled(server)),
        login,
        formation,
    })
}

/// Whether a service for standbys leads to the leader as it is meant to: it may, and Patroni, which names a leader for the
/// group of each server, knows no standby behind it.
fn falls_back(model: &Model, status: &StatusReport, service: &Service) -> bool {
    let may = service.fallback.is_some() || service.servers.iter().any(|server| server.backup);
    let mut behind = service.servers.iter().filter_map(|s| s.instance.as_ref());
    may && behind.all(|name| {
        let cluster = model.instance(name).map(|instance| &instance.cluster);
        let mut groups = status.groups.iter();
        let group = groups.find(|group| Some(&group.cluster) == cluster);
        group.is_some_and(|group| {
            let leads = |member: &MemberStatus| member.role == "leader";
            let standby = |member: &MemberStatus| member.name == *name && !leads(member);
            group.members.iter().any(leads) && !group.members.iter().any(standby)
        })
    })
}

/// What a service's health check demands of `pg_is_in_recovery()`, if anything.
fn recovery(service: &Service) -> Option<bool> {
    let path = service.check_path.as_deref().unwrap_or_default();
    match path.split('?').next().unwrap_or_default() {
        "/primary" | "/read-write" | "/leader" | "/master" => Some(false),
        "/replica" => Some(true),
        _ => service.check_expect.as_ref().map(|_| true),
    }
}

type Who<'a> = (&'a FormationName, &'a Login);

/// PgBouncer of every member that Patroni names: it leads to that member, whatever its role is now.
fn poolers<'a>(group: &'a Group, live: &GroupStatus, who: Who<'a>) -> Vec<Door<'a>> {
    let found = group.members.iter().filter_map(|member| {
        let port = member.pgbouncer_port?;
        let seen = live.members.iter().find(|seen| seen.name == member.name)?;
        Some(at_member(
            group,
            member,
            (port, true),
            seen.role != "leader",
            who,
        ))
    });
    found.collect()
}

/// The address of the leader: PostgreSQL behind it, and PgBouncer.
fn group_address<'a>(group: &'a Group, live: &GroupStatus, who: Who<'a>) -> Vec<Door<'a>> {
    let Some(vip) = &group.vip else {
        return Vec::new();
    };
    let leads = |member: &&Instance| {
        let mut seen = live.members.iter();
        seen.any(|seen| seen.name == member.name && seen.role == "leader")
    };
    let Some(leader) = group.members.iter().find(leads) else {
        return Vec::new();
    };
    let ports = [
        Some((leader.port, false)),
        leader.pgbouncer_port.map(|port| (port, true)),
    ];
    let address = vip.address.to_string();
    let at = |port| Door {
        name: format!("{}-vip", group.cluster),
        servers: [(address.clone(), leader.name.to_string())].into(),
        address: address.clone(),
        ..at_member(group, leader, port, false, who)
    };
    ports.into_iter().flatten().map(at).collect()
}

fn at_member<'a>(
    group: &Group,
    member: &'a Instance,
    (port, pooled): (u16, bool),
    standby: bool,
    (formation, login): Who<'a>,
) -> Door<'a> {
    let address = member.address.to_string();
    Door {
        host: &member.host,
        name: format!("{}-pgbouncer", group.cluster),
        address: address.clone(),
        port,
        recovery: Some(standby),
        coordinator: group.number == Some(0),
        servers: [(address, member.name.to_string())].into(),
        pooled,
        login,
        formation,
    }
}

/// Every service of HAProxy once more, through the address that moves between its hosts.
fn shared_addresses<'a>(model: &'a Model, services: &[Door<'a>]) -> Vec<Door<'a>> {
    let mut doors = Vec::new();
    for vip in &model.node_vips {
        let first = vip.hosts.first();
        let own = services.iter().filter(|door| {
            Some(door.host) == first
                && model.hosts.get(door.host).is_some_and(|host| {
                    host.address.to_string() == door.address
                        && host
                            .services
                            .iter()
                            .any(|service| service.name == door.name)
                })
        });
        doors.extend(own.map(|door| Door {
            name: format!("{} at {}", door.name, vip.address),
            address: vip.address.to_string(),
            ..door.clone()
        }));
    }
    doors
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Patroni names: each member with its role.
    fn status(group: &Group, roles: &[&str]) -> StatusReport {
        let members = group
            .members
            .iter()
            .zip(roles)
            .map(|(member, role)| MemberStatus {
                name: member.name.clone(),
                host: member.host.clone(),
                role: (*role).to_owned(),
                state: "running".to_owned(),
                timeline: None,
                lag: None,
                replay_lag: None,
                sound: Some(true),
                pending_restart: false,
                tags: BTreeMap::new(),
            });
        let group = GroupStatus {
            number: None,
            cluster: group.cluster.clone(),
            backup: None,
            members: members.collect(),
        };
        StatusReport {
            groups: vec![group],
            ..StatusReport::default()
        }
    }

    #[test]
    fn a_service_for_standbys_leads_to_the_leader_only_where_patroni_names_it_and_no_standby() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/inventory/ha-trio.yml");
        let loaded = crate::inventory::load(path.as_ref(), &[]).expect("an inventory");
        let model = crate::model::build(&loaded.inventory).0.expect("a model");
        let (_, group) = model.groups().next().expect("a group");
        let mut services = model.hosts().flat_map(|host| &host.services);
        let replicas = services.find(|service| service.name.contains("replica"));
        let service = replicas.expect("a service for standbys");
        let judged = |roles: &[&str]| falls_back(&model, &status(group, roles), service);
        assert!(judged(&["leader"]));
        assert!(!judged(&["leader", "replica"]));
        assert!(!judged(&["replica"]));
        assert!(!judged(&[]));
        assert!(!falls_back(&model, &StatusReport::default(), service));
    }
}
