//! HAProxy's checks of the members that are back: `status` after a rejoin speaks of what serves by then.

use super::Input;
use crate::command::quote;
use crate::model::{Host, Service, ServiceKind};
use crate::names::HostName;
use crate::runbook::{Script, Step};
use std::collections::BTreeMap;

/// Waits until each service whose servers are all back has one that is up, on every host with HAProxy that answers.
pub(super) fn served(input: Input<'_>) -> Option<Step> {
    let hosts = input.model.hosts().filter(|host| host.haproxy);
    let here = hosts.filter(|host| input.seen.hosts.contains_key(&host.name));
    let scripts: BTreeMap<HostName, Script> = here
        .filter_map(|host| Some((host.name.clone(), script(input, host)?)))
        .collect();
    let title = "wait until HAProxy leads to the members that are back";
    let step = |scripts| Step::on_all(scripts, "serve", title).within(30);
    (!scripts.is_empty()).then(|| step(scripts).optional())
}

fn script(input: Input<'_>, host: &Host) -> Option<Script> {
    let services = host
        .services
        .iter()
        .filter(|service| is_back(input, service));
    let names: Vec<String> = services.map(|service| quote(&names(service))).collect();
    let check = quote(include_str!("scripts/serves.py"));
    (!names.is_empty())
        .then(|| Script::wait(format!("python3 -c {check} {} 2>&1", names.join(" "))))
}

/// The service, and the one that it falls back to.
fn names(service: &Service) -> String {
    match &service.fallback {
        Some(fallback) => format!("{}|{}", service.name, fallback.name),
        None => service.name.clone(),
    }
}

/// All its servers are members of hosts that answer, and there is one to lead and one to follow.
fn is_back(input: Input<'_>, service: &Service) -> bool {
    let known = |name| input.model.instance(name).map(|member| &member.host);
    let mut hosts = service
        .servers
        .iter()
        .map(|server| server.instance.as_ref().and_then(known));
    service.kind != ServiceKind::Custom
        && service.servers.len() > 1
        && hosts.all(|host| host.is_some_and(|host| input.seen.hosts.contains_key(host)))
}
