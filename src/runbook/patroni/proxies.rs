//! HAProxy learns of a planned change of the lead at once: by its own checks it would take seconds.

use crate::command::given;
use crate::fact::MemberSeen;
use crate::model::{Group, Host, Instance, Model, Service};
use crate::names::{ClusterName, HostName, InstanceName};
use crate::runbook::{Script, Step};
use serde_json::{Value, json};
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

/// Before the request, on each host with HAProxy: new connections to the leader wait, and a watcher asks the next leader
/// ten times a second, tells HAProxy the moment it leads, and lets them in. They wait 15 s at most, and 5 s if the old
/// leader goes on; systemd lets them in if the watcher is killed. HAProxy's own next checks judge by themselves again.
pub fn watch(
    group: &Group,
    proxies: Proxies<'_>,
    from: &MemberSeen,
    to: &MemberSeen,
) -> Option<Step> {
    let url = |seen: &MemberSeen| {
        let mut members = group.members.iter();
        members
            .find(|member| member.name == seen.name)
            .map(primary_url)
    };
    let (next, last) = (url(to)?, url(from)?);
    let told = [(&to.name, "up"), (&from.name, "down")];
    let scripts: BTreeMap<HostName, Script> = hosts(proxies.model, &group.members)
        .filter(|host| proxies.reachable.contains(&host.name))
        .map(|host| {
            let services = that_follow(host, &to.name);
            let orders = json!({
                "next": next,
                "last": last,
                "tell": tell(&services, &told),
                "frontends": frontends(&services),
            });
            (host.name.clone(), script(&group.cluster, &orders))
        })
        .collect();
    let title = format!(
        "let new connections wait in HAProxy until {} leads",
        to.name
    );
    (!scripts.is_empty()).then(|| Step::on_all(scripts, "haproxy", title).optional())
}

/// What answers 200 once a member leads and takes writes.
fn primary_url(member: &Instance) -> String {
    format!("{}/primary", member.patroni_url())
}

/// The services of a host that follow the lead to this member.
fn that_follow<'a>(host: &'a Host, name: &InstanceName) -> Vec<&'a Service> {
    let services = host.services.iter();
    services.filter(|service| leads_to(service, name)).collect()
}

/// `BACKEND/SERVER` and its health, for the servers of these members.
fn tell(services: &[&Service], told: &[(&InstanceName, &str)]) -> Vec<(String, String)> {
    let of = |service: &&Service| {
        let order = |(name, health): &(&InstanceName, &str)| {
            let server = server(service, name)?;
            Some((format!("{}/{server}", service.name), (*health).to_owned()))
        };
        told.iter().filter_map(order).collect::<Vec<_>>()
    };
    services.iter().flat_map(of).collect()
}

/// After a loss: a watcher on a host tells HAProxy of a new leader the moment it takes writes; nothing waits meanwhile.
pub(in crate::runbook) fn announce(host: &Host, group: &Group, to: &Instance) -> Option<Script> {
    let tell = tell(&that_follow(host, &to.name), &[(&to.name, "up")]);
    let url = primary_url(to);
    let orders = json!({ "next": url, "last": url, "tell": tell, "frontends": {} });
    (!tell.is_empty()).then(|| script(&group.cluster, &orders))
}

fn frontends(services: &[&Service]) -> BTreeMap<String, u32> {
    let limit = |service: &&Service| (service.name.clone(), service.maxconn);
    services.iter().map(limit).collect()
}

/// The watcher runs before anything is held. A run may hand over the lead of several groups.
fn script(cluster: &ClusterName, orders: &Value) -> Script {
    // With the run's id, which the shell knows.
    let name = format!("watch-$RUN-{cluster}");
    let values = [
        ("WATCH_CODE", include_str!("watch.py")),
        ("WATCH_ORDERS", &orders.to_string()),
    ];
    let act = given(&values, include_str!("scripts/watch.sh"));
    let act = format!("WATCH_NAME=\"{name}\"\n{act}");
    Script::new(act, format!("[ -e \"/run/citusctl/{name}\" ]"))
}
