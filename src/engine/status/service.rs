//! HAProxy: which servers each service has, and whether that is what the groups' state asks for.

use super::StatusAnswers;
use super::findings::Findings;
use super::haproxy::Servers;
use crate::engine::Run;
use crate::event::status::{ServerStatus, ServiceStatus};
use crate::model::service::Server;
use crate::model::{Model, Service, ServiceKind};
use crate::names::{ClusterName, HostName};
use std::collections::BTreeSet;

/// All services of all hosts that run HAProxy.
pub(super) fn judge(
    run: &Run<'_>,
    answers: &StatusAnswers,
    said: &mut Findings,
) -> Vec<ServiceStatus> {
    let mut all = Vec::new();
    for host in run.model.hosts().filter(|host| host.haproxy) {
        match answers.haproxy.get(&host.name) {
            None => {}
            Some(Err(why)) => said.problem(format!("HAProxy's statistics cannot be read: {why}")),
            Some(Ok(servers)) => {
                for service in &host.services {
                    let status = line(&host.name, service, servers);
                    said.problems.extend(by_hand(&host.name, service, servers));
                    said.problems
                        .extend(wrong(run.model, answers, service, &status));
                    all.push(status);
                }
            }
        }
    }
    all
}

fn line(host: &HostName, service: &Service, servers: &Servers) -> ServiceStatus {
    ServiceStatus {
        host: host.clone(),
        service: service.name.clone(),
        port: Some(service.port),
        servers: serving(service, servers),
    }
}

/// The servers of a service; of its fallback while none of them is up.
fn serving(service: &Service, servers: &Servers) -> Vec<ServerStatus> {
    let of = |name: &str| servers.get(name).cloned().unwrap_or_default();
    let first = of(&service.name);
    match &service.fallback {
        Some(fallback) if !first.iter().any(|server| server.up) => of(&fallback.name),
        Some(_) | None => first,
    }
}

/// What somebody told HAProxy at its socket: no file has it, and reloads keep it.
fn by_hand(host: &HostName, service: &Service, servers: &Servers) -> Vec<String> {
    let own = std::iter::once((&service.name, &service.servers));
    let others = service.fallback.iter().map(|it| (&it.name, &it.servers));
    let all = own.chain(others).flat_map(|(name, wanted)| {
        let seen = servers.get(name).map(Vec::as_slice).unwrap_or_default();
        seen.iter().filter_map(move |server| {
            let (what, back) = match server.state.split(' ').next() {
                Some("MAINT") => ("is in maintenance".to_owned(), "state ready".to_owned()),
                Some("DRAIN") => ("is being drained".to_owned(), "state ready".to_owned()),
                _ => another_weight(server, wanted)?,
            };
            Some(format!(
                "{host}: HAProxy: server {0} of {name} {what}, set by hand: `set server {name}/{0} {back}` on /run/haproxy/admin.sock takes it back, no reload does",
                server.name
            ))
        })
    });
    all.collect()
}

/// A weight that the file does not have.
fn another_weight(server: &ServerStatus, wanted: &[Server]) -> Option<(String, String)> {
    let known = wanted.iter().find(|known| known.name == server.name)?;
    let (is, declared) = (server.weight?, known.weight);
    let differs = known.options.is_none() && is != declared;
    differs.then(|| {
        (
            format!("has weight {is}, not {declared}"),
            format!("weight {declared}"),
        )
    })
}

/// What is wrong with a service, if anything. HAProxy follows a change of roles within a few checks.
fn wrong(
    model: &Model,
    answers: &StatusAnswers,
    service: &Service,
    status: &ServiceStatus,
) -> Option<String> {
    let place = format!("{}: service {}", status.host, status.service);
    if status.servers.is_empty() && !service.servers.is_empty() {
        return Some(format!("{place} is not known to HAProxy"));
    }
    let up: Vec<&ServerStatus> = status.servers.iter().filter(|server| server.up).collect();
    if !leads_only(service) {
        let wanted = service.kind != ServiceKind::Custom && serves(model, answers, service);
        return (up.is_empty() && wanted).then(|| format!("{place} has no server that is up"));
    }
    let wanted = leaders(model, service);
    (up.len() != wanted).then(|| {
        let names: Vec<&str> = up.iter().map(|server| server.name.as_str()).collect();
        let names = match names.is_empty() {
            true => String::new(),
            false => format!(" ({})", names.join(", ")),
        };
        format!("{place} leads to {} of {wanted} leaders{names}", up.len())
    })
}

fn leads_only(service: &Service) -> bool {
    matches!(
        check(service),
        "/primary" | "/read-write" | "/leader" | "/master"
    )
}

/// What Patroni is asked for, without its options.
fn check(service: &Service) -> &str {
    let path = service.check_path.as_deref().unwrap_or_default();
    path.split('?').next().unwrap_or_default()
}

/// How many leaders should be up. That of a standby cluster takes no writes, and answers to `/leader` alone.
fn leaders(model: &Model, service: &Service) -> usize {
    let follows = |cluster: &String| {
        let group = model.group(&ClusterName::new(cluster.clone()));
        group.is_some_and(|(_, group)| group.standby.is_some())
    };
    let clusters = clusters(model, service);
    let own = clusters.iter().filter(|cluster| !follows(cluster)).count();
    match check(service) {
        "/leader" => clusters.len(),
        _ => own,
    }
}

/// The groups behind a service: as many leaders should be up.
fn clusters(model: &Model, service: &Service) -> BTreeSet<String> {
    let instances = service.servers.iter().filter_map(|server| {
        let name = server.instance.as_ref()?;
        model.instance(name)
    });
    instances
        .map(|instance| instance.cluster.to_string())
        .collect()
}

/// Whether Patroni knows a standby behind the service that could serve.
fn serves(model: &Model, answers: &StatusAnswers, service: &Service) -> bool {
    let names: BTreeSet<&str> = service
        .servers
        .iter()
        .filter_map(|server| server.instance.as_ref().map(|name| name.as_str()))
        .collect();
    clusters(model, service).iter().any(|cluster| {
        let view = answers.groups.get(cluster.as_str());
        let members = view.and_then(|view| view.as_ref().ok());
        members.is_some_and(|view| {
            view.members.iter().any(|member| {
                names.contains(member.name.as_str())
                    && !member.leads()
                    && member.state == "streaming"
            })
        })
    })
}
