//! Which host's HAProxy listens for what, and which servers stand behind it.

use super::check::{check, roles};
use super::custom::custom_service;
use super::hosts::address;
use super::place_of;
use super::service_spec::{Spec, entries, read};
use crate::inventory::param;
use crate::inventory::parameters::Key;
use crate::inventory::parameters::Typed;
use crate::inventory::{InvHost, Inventory};
use crate::model::{
    Fallback, Formation, Group, Instance, Model, Rto, Server, Service, ServiceKind, Timings,
};
use crate::names::{GroupName, HostName};
use crate::source::{Diagnostic, Diagnostics};
use std::collections::BTreeMap;

/// Fills [`crate::model::Host::services`] of all hosts.
pub(super) fn attach(inv: &Inventory, model: &mut Model, problems: &mut Diagnostics) {
    let mut services: BTreeMap<HostName, Vec<Service>> = BTreeMap::new();
    for (formation, group) in model.groups() {
        for (host, service) in of_group(inv, formation, group, problems) {
            services.entry(host).or_default().push(service);
        }
    }
    for host in inv.hosts.values() {
        let custom = entries(host, "haproxy_services");
        let custom = custom
            .iter()
            .filter_map(|entry| custom_service(entry, problems))
            .map(|service| Service {
                bind: service
                    .bind
                    .into_iter()
                    .map(|bind| anywhere(bind, host))
                    .collect(),
                ..service
            });
        services
            .entry(host.name.clone())
            .or_default()
            .extend(custom);
    }
    for (name, services) in services {
        let (Some(host), Some(written)) = (model.hosts.get_mut(&name), inv.hosts.get(&name)) else {
            continue;
        };
        host.haproxy =
            Typed::new(&written.vars).get(param::HAPROXY_ENABLED) && !services.is_empty();
        host.services = if host.haproxy { services } else { Vec::new() };
    }
}

/// The services that a group brings, each with the host that it is for.
fn of_group(
    inv: &Inventory,
    formation: &Formation,
    group: &Group,
    problems: &mut Diagnostics,
) -> Vec<(HostName, Service)> {
    let mut all = Vec::new();
    for member in &group.members {
        let Some(host) = inv.hosts.get(&member.host) else {
            continue;
        };
        if provider(host).is_none() {
            let own = cluster_services(inv, group, host, problems);
            all.extend(
                own.into_iter()
                    .map(|service| (member.host.clone(), service)),
            );
        }
        let shared = formation_services(formation, host, group);
        all.extend(
            shared
                .into_iter()
                .map(|service| (member.host.clone(), service)),
        );
    }
    all.extend(provided(inv, group, problems));
    all
}

/// The dedicated HAProxy group that a host's cluster is served by.
fn provider(host: &InvHost) -> Option<GroupName> {
    let name = Typed::new(&host.vars).get(param::PG_SERVICE_PROVIDER);
    (!name.is_empty()).then(|| GroupName::new(name))
}

/// The cluster's services on the hosts of its `pg_service_provider`.
fn provided(
    inv: &Inventory,
    group: &Group,
    problems: &mut Diagnostics,
) -> Vec<(HostName, Service)> {
    let first = group
        .members
        .first()
        .and_then(|member| inv.hosts.get(&member.host));
    let Some((host, name)) = first.and_then(|host| Some((host, provider(host)?))) else {
        return Vec::new();
    };
    let Some(providers) = inv.groups.get(&name) else {
        let message = format!("`pg_service_provider: {name}` names no group of the inventory");
        problems.push(
            Diagnostic::error("unknown-provider", message)
                .at(place_of(host, "pg_service_provider"), "no such group")
                .help("add the group, or leave the value empty to serve from the members"),
        );
        return Vec::new();
    };
    let services = cluster_services(inv, group, host, problems);
    let on = |provider: &HostName| {
        services
            .iter()
            .map(|s| (provider.clone(), s.clone()))
            .collect()
    };
    providers
        .hosts
        .iter()
        .flat_map(|host| -> Vec<_> { on(host) })
        .collect()
}

fn cluster_services(
    inv: &Inventory,
    group: &Group,
    host: &InvHost,
    problems: &mut Diagnostics,
) -> Vec<Service> {
    let mut services = Vec::new();
    for spec in read(host) {
        match spec {
            Ok(spec) => services.push(cluster_service(inv, group, host, &spec, problems)),
            Err(problem) => problems.push(problem),
        }
    }
    services
}

fn cluster_service(
    inv: &Inventory,
    group: &Group,
    host: &InvHost,
    spec: &Spec,
    problems: &mut Diagnostics,
) -> Service {
    let check = check(spec, &Typed::new(&host.vars));
    let servers = group.members.iter().filter_map(|member| {
        let vars = inv.hosts.get(&member.host)?;
        let backup = chosen(spec, vars, member)?;
        let port = destination(vars, member, spec, problems);
        let server = server(member, port, backup && check.fallback.is_none());
        Some(match picks_one(&check.path) {
            true => unweighted(server),
            false => server,
        })
    });
    let servers: Vec<Server> = servers.collect();
    let name = format!("{}-{}", group.cluster, spec.name);
    Service {
        fallback: check.fallback.map(|check_path| Fallback {
            name: format!("{name}-fallback"),
            check_path,
            servers: servers.clone(),
        }),
        name,
        bind: vec![anywhere(bind(&spec.ip, host, group), host)],
        check_method: match (&check.expect, roles(&check.path)) {
            (None, []) => "OPTIONS",
            (Some(_), _) | (None, [..]) => "GET",
        },
        check_roles: roles(&check.path),
        check_path: Some(check.path),
        check_expect: check.expect,
        balance: spec.balance.clone(),
        maxconn: spec.maxconn,
        default_server: spec.options.clone(),
        servers,
        ..skeleton(ServiceKind::Cluster, spec.port, host, &group.rto)
    }
}

/// A service with everything that all of Patroni's services have in common.
fn skeleton(kind: ServiceKind, port: u16, host: &InvHost, rto: &Rto) -> Service {
    Service {
        name: String::new(),
        kind,
        port,
        bind: vec![anywhere("*".into(), host)],
        mode: "tcp".into(),
        check_path: Some("/primary".into()),
        check_port: Some(Typed::new(&host.vars).get(param::PATRONI_PORT)),
        check_ssl: Typed::new(&host.vars).get(param::PATRONI_SSL_ENABLED),
        check_method: "GET",
        check_expect: None,
        check_roles: roles("/primary"),
        balance: "roundrobin".into(),
        maxconn: 5000,
        timings: timings(rto),
        default_server: None,
        options: Vec::new(),
        servers: Vec::new(),
        fallback: None,
    }
}

fn timings(rto: &Rto) -> Timings {
    Timings {
        inter: rto.inter.clone(),
        fastinter: rto.fastinter.clone(),
        downinter: rto.downinter.clone(),
        rise: rto.rise,
        fall: rto.fall,
    }
}

fn server(member: &Instance, port: u16, backup: bool) -> Server {
    Server {
        name: member.name.as_str().to_owned(),
        instance: Some(member.name.clone()),
        address: member.address.to_string(),
        port,
        check_port: Some(member.patroni_port),
        weight: member.weight,
        backup,
        options: None,
    }
}

/// Whether a check lets one member of a group through: who leads it. `pg_weight: 0` on that one would leave nobody.
fn picks_one(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let leader = [
        "/",
        "/primary",
        "/master",
        "/leader",
        "/read-write",
        "/standby-leader",
        "/standby_leader",
    ];
    leader.contains(&path)
}

/// HAProxy's usual weight: there is nothing to weigh.
fn unweighted(server: Server) -> Server {
    Server {
        weight: 100,
        ..server
    }
}

/// Whether a member stands behind a service, and if so, whether as a backup.
///
/// The shipped `offline` service names its backups by `pg_role`, which says who bootstrapped and not who leads:
/// every member that may be a replica is one, and the check decides.
fn chosen(spec: &Spec, member: &InvHost, instance: &Instance) -> Option<bool> {
    let typed = Typed::new(&member.vars);
    let variable = |name: &str| match member.vars.get(name) {
        Some(var) => var.node.to_json(),
        None => typed.json(name),
    };
    let backup = spec
        .backup
        .as_ref()
        .is_some_and(|backup| backup.takes(&variable));
    let selected = spec.selector.takes(&variable);
    if spec.shipped && spec.name == "offline" {
        let spare = !selected && instance.role.is_candidate();
        return (selected || spare).then_some(spare);
    }
    (backup || selected).then_some(backup)
}

/// The port that a service leads to on a member.
fn destination(host: &InvHost, member: &Instance, spec: &Spec, problems: &mut Diagnostics) -> u16 {
    let typed = Typed::new(&host.vars);
    let dest = match spec.dest.as_str() {
        "default" => typed.get(param::PG_DEFAULT_SERVICE_DEST),
        other => other.to_owned(),
    };
    match dest.as_str() {
        "postgres" => member.port,
        "pgbouncer" if typed.get(param::PGBOUNCER_ENABLED) => typed.get(param::PGBOUNCER_PORT),
        "pgbouncer" => {
            problems.push(no_pgbouncer());
            member.port
        }
        number => number.parse().unwrap_or_else(|_| {
            problems.push(unknown_dest(spec, number));
            member.port
        }),
    }
}

fn no_pgbouncer() -> Diagnostic {
    let message = "`pgbouncer_enabled` is off: services go to PostgreSQL directly";
    Diagnostic::note("pgbouncer-off", message)
        .help("`pg_default_service_dest: postgres` says so in the inventory")
}

fn unknown_dest(spec: &Spec, dest: &str) -> Diagnostic {
    let message = format!(
        "service `{}` leads to `{dest}`, which is nowhere",
        spec.name
    );
    Diagnostic::error("bad-service", message)
        .at(spec.span, "its `dest`")
        .help("`dest` is `default`, `postgres`, `pgbouncer` or a port")
}

/// `*` is IPv4 alone for HAProxy: a host that is reached over IPv6 listens on `::`, which takes both.
pub(super) fn anywhere(bind: String, host: &InvHost) -> String {
    let v6 = address(host).is_some_and(|address| address.is_ipv6());
    if bind == "*" && v6 {
        "::".to_owned()
    } else {
        bind
    }
}

/// The address to bind, with Pigsty's placeholders of `pg_listen` filled in.
fn bind(ip: &str, host: &InvHost, group: &Group) -> String {
    let own = group.members.iter().find(|member| member.host == host.name);
    match ip {
        "${ip}" => own.map_or_else(|| "*".into(), |member| member.address.to_string()),
        "${vip}" => group
            .vip
            .as_ref()
            .map_or_else(|| "*".into(), |vip| vip.address.to_string()),
        "${lo}" => "127.0.0.1".into(),
        other => other.to_owned(),
    }
}

/// On every host of a formation: the coordinator's leader, and the leaders of all workers.
fn formation_services(formation: &Formation, host: &InvHost, group: &Group) -> Vec<Service> {
    let Some(coordinator) = formation.coordinator().filter(|_| formation.is_citus()) else {
        return Vec::new();
    };
    let service = |kind, name: &str, port: Key<u16>, members: Vec<&Instance>| Service {
        name: format!("{}-{name}", formation.name),
        servers: members
            .into_iter()
            .map(|member| unweighted(server(member, member.port, false)))
            .collect(),
        ..skeleton(kind, Typed::new(&host.vars).get(port), host, &group.rto)
    };
    let leaders: Vec<&Instance> = coordinator.members.iter().collect();
    let workers: Vec<&Instance> = formation
        .workers()
        .flat_map(|group| &group.members)
        .collect();
    let any = if workers.is_empty() {
        leaders.clone()
    } else {
        workers
    };
    vec![
        service(
            ServiceKind::Coordinator,
            "rw",
            param::CITUS_COORDINATOR_PORT,
            leaders,
        ),
        service(ServiceKind::Any, "any", param::CITUS_ANY_NODE_PORT, any),
    ]
}
