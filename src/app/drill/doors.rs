//! Where a drill's writer knocks.

use super::scenario::Scenario;
use crate::app::project::Project;
use crate::engine::drill::ListenAddress;
use crate::model::{Group, Service};
use crate::names::InstanceName;

/// The group whose services a drill's writer uses. Applications of a Citus formation write through the coordinator; where
/// most hosts of a group are lost, the group itself is written to.
pub fn entry<'a>(project: &'a Project, group: &'a Group, scenario: Scenario) -> &'a Group {
    let formation = project.model.group(&group.cluster);
    let coordinator = formation.and_then(|(formation, _)| formation.coordinator());
    match scenario {
        Scenario::ThreeLoseTwo => group,
        _ if group.number.is_none() => group,
        _ => coordinator.unwrap_or(group),
    }
}

/// Services of HAProxy that lead to the group's leader, those of hosts outside of the group first: they survive it.
pub fn doors(project: &Project, group: &Group) -> Vec<ListenAddress> {
    let mut doors = Vec::new();
    for host in project.model.hosts().filter(|host| host.haproxy) {
        let own = group.members.iter().any(|member| member.host == host.name);
        let found = host.services.iter().find(|service| leads(service, group));
        doors.extend(found.map(|service| {
            let door = ListenAddress {
                address: host.address.to_string(),
                port: service.port,
            };
            (own, door)
        }));
    }
    doors.sort_by_key(|(own, _)| *own);
    doors.into_iter().map(|(_, door)| door).collect()
}

/// The address that follows the group's leader, at PostgreSQL's own port.
pub fn shared(group: &Group) -> Option<ListenAddress> {
    let (vip, member) = (group.vip.as_ref()?, group.members.first()?);
    Some(ListenAddress {
        address: vip.address.to_string(),
        port: member.port,
    })
}

fn leads(service: &Service, group: &Group) -> bool {
    let path = service.check_path.as_deref().unwrap_or_default();
    let primary = matches!(
        path.split('?').next(),
        Some("/primary" | "/read-write" | "/leader")
    );
    let ours = |name: &InstanceName| group.members.iter().any(|member| member.name == *name);
    let all = service
        .servers
        .iter()
        .all(|server| server.instance.as_ref().is_some_and(ours));
    primary && all && !service.servers.is_empty()
}
