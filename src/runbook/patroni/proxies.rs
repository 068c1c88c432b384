//! HAProxy learns of a planned change of the lead at once: by its own checks it would take seconds.

use super::View;
use crate::command::quote;
use crate::fact::MemberSeen;
use crate::model::{Host, Instance, Model, Service};
use crate::names::{HostName, InstanceName};
use crate::runbook::{Script, Step};
use std::collections::{BTreeMap, BTreeSet};

/// The hosts with HAProxy that are connected.
#[derive(Clone, Copy, Debug)]
pub struct Proxies<'a> {
    pub model: &'a Model,
    pub reachable: &'a BTreeSet<HostName>,
}

/// Every host with a service that leads to the leader of one of these members.
pub fn hosts<'a>(model: &'a Model, members: &'a [Instance]) -> impl Iterator<Item = &'a Host> {
    let serves = |host: &&Host| {
        let names = || members.iter().map(|member| &member.name);
        names().any(|name| host.services.iter().any(|service| leads_to(service, name)))
    };
    model.hosts().filter(|host| host.haproxy).filter(serves)
}

/// Whether only a leader passes the check of a service, and this member may be one.
fn leads_to(service: &Service, name: &InstanceName) -> bool {
    let path = service.check_path.as_deref().unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let leader = matches!(path, "/primary" | "/read-write" | "/leader" | "/master");
    leader && server(service, name).is_some()
}

fn server<'a>(service: &'a Service, name: &InstanceName) -> Option<&'a str> {
    let mut servers = service.servers.iter();
    let found = servers.find(|server| server.instance.as_ref() == Some(name))?;
    Some(&found.name)
}

/// Before the request: a watcher on each host that asks the next leader ten times a second, tells HAProxy the moment it
/// leads, and ends. HAProxy's own next checks judge by themselves again.
pub(super) fn watch(view: &View<'_>, from: &MemberSeen, to: &MemberSeen) -> Option<Step> {
    let proxies = view.proxies?;
    let next = view
        .group
        .members
        .iter()
        .find(|member| member.name == to.name)?;
    let scheme = if next.patroni_ssl { "https" } else { "http" };
    let api = std::net::SocketAddr::new(next.address, next.patroni_port);
    let scripts: BTreeMap<HostName, Script> = hosts(proxies.model, &view.group.members)
        .filter(|host| proxies.reachable.contains(&host.name))
        .map(|host| {
            let services = host
                .services
                .iter()
                .filter(|service| leads_to(service, &to.name));
            let orders = services.flat_map(|service| {
                let order = |name: &InstanceName, health: &str| {
                    Some(format!(
                        "{}/{}={health}",
                        service.name,
                        server(service, name)?
                    ))
                };
                [order(&to.name, "up"), order(&from.name, "down")]
                    .into_iter()
                    .flatten()
            });
            let orders: Vec<String> = orders.map(|order| quote(&order)).collect();
            let script = script(&format!("{scheme}://{api}/leader"), &orders.join(" "));
            (host.name.clone(), script)
        })
        .collect();
    let title = format!("let HAProxy learn at once that {} leads", to.name);
    (!scripts.is_empty()).then(|| Step::on_all(scripts, "haproxy", title).optional())
}

fn script(url: &str, orders: &str) -> Script {
    let code = quote(include_str!("watch.py"));
    let act = format!(
        "mkdir -p /run/citusctl\n: >\"/run/citusctl/watch-$RUN\"\n\
         ! command -v python3 >/dev/null || setsid python3 -c {code} {} {orders} </dev/null >/dev/null 2>&1 &",
        quote(url)
    );
    Script::new(act, "[ -e \"/run/citusctl/watch-$RUN\" ]")
}
