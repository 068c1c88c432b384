//! Who listens where: two listeners on one port of one host cannot both start.

use super::{LintRule, Scope};
use crate::inventory::InvHost;
use crate::inventory::param;
use crate::inventory::parameters::Key;
use crate::inventory::parameters::Typed;
use crate::model::build::{place_of, service_spec};
use crate::model::{Host, Service, ServiceKind};
use crate::source::{Diagnostic, Span};
use indexmap::{IndexMap, IndexSet};

pub(super) const RULES: &[LintRule] = &[collisions, reserved];

/// One listener of one host.
struct PlannedListener {
    port: u16,
    what: String,
    /// Where the port was written; `None` is a default.
    span: Option<Span>,
    /// The addresses it binds; `*` is all.
    bind: String,
}

fn collisions(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut found: IndexMap<[Option<Span>; 2], Diagnostic> = IndexMap::new();
    for host in scope.model.hosts() {
        let Some(written) = scope.host(&host.name) else {
            continue;
        };
        let all = listeners(scope, host, written);
        for (at, second) in all.iter().enumerate() {
            let Some(first) = all[..at].iter().find(|first| collide(first, second)) else {
                continue;
            };
            let spans = [first.span, second.span];
            // What stands in a group's variables is the same mistake on each of its hosts.
            found
                .entry(spans)
                .or_insert_with(|| collision(host, written, first, second));
        }
    }
    found.into_values().collect()
}

fn collide(first: &PlannedListener, second: &PlannedListener) -> bool {
    let apart = first.bind != second.bind && first.bind != "*" && second.bind != "*";
    first.port == second.port && !apart
}

fn collision(
    host: &Host,
    at: &InvHost,
    first: &PlannedListener,
    second: &PlannedListener,
) -> Diagnostic {
    let message = format!(
        "port {} of `{}` is wanted by {} and by {}",
        second.port, host.name, first.what, second.what
    );
    let problem = Diagnostic::error("port-collision", message);
    let problem = match (first.span, second.span) {
        (Some(one), Some(two)) => problem
            .at(two, second.what.clone())
            .see(one, first.what.clone()),
        (Some(one), None) => problem.at(one, first.what.clone()),
        (None, Some(two)) => problem.at(two, second.what.clone()),
        (None, None) => problem.at(at.span, "on this host"),
    };
    problem.help("give one of them another port")
}

fn listeners(scope: &Scope<'_>, host: &Host, written: &InvHost) -> Vec<PlannedListener> {
    let mut all = vec![ssh(host, written)];
    let typed = Typed::new(&written.vars);
    let mut add = |key: Key<u16>, what: &str| {
        all.push(PlannedListener {
            port: typed.get(key),
            what: what.to_owned(),
            span: typed.span(key),
            bind: "*".into(),
        });
    };
    if host.etcd.is_some() {
        add(param::ETCD_PORT, "etcd (`etcd_port`)");
        add(param::ETCD_PEER_PORT, "etcd's peers (`etcd_peer_port`)");
    }
    if host.pg.is_some() {
        add(param::PG_PORT, "PostgreSQL (`pg_port`)");
        add(param::PATRONI_PORT, "Patroni (`patroni_port`)");
        if typed.get(param::PGBOUNCER_ENABLED) {
            add(param::PGBOUNCER_PORT, "PgBouncer (`pgbouncer_port`)");
        }
    }
    if host.haproxy {
        add(
            param::HAPROXY_EXPORTER_PORT,
            "HAProxy's statistics (`haproxy_exporter_port`)",
        );
    }
    all.extend(
        host.services
            .iter()
            .map(|service| listener(scope, written, service)),
    );
    all
}

fn ssh(host: &Host, written: &InvHost) -> PlannedListener {
    PlannedListener {
        port: host.connection.port.unwrap_or(22),
        what: "sshd".into(),
        span: Typed::new(&written.vars).span(param::ANSIBLE_PORT),
        bind: "*".into(),
    }
}

fn listener(scope: &Scope<'_>, host: &InvHost, service: &Service) -> PlannedListener {
    PlannedListener {
        port: service.port,
        what: format!("service `{}`", service.name),
        span: service_place(scope, host, service),
        bind: service.bind.first().cloned().unwrap_or_else(|| "*".into()),
    }
}

/// Where a service was written.
fn service_place(scope: &Scope<'_>, host: &InvHost, service: &Service) -> Option<Span> {
    match service.kind {
        ServiceKind::Coordinator => Typed::new(&host.vars).span(param::CITUS_COORDINATOR_PORT),
        ServiceKind::Any => Typed::new(&host.vars).span(param::CITUS_ANY_NODE_PORT),
        ServiceKind::Custom => entry(host, &["haproxy_services"], &service.name),
        ServiceKind::Cluster => {
            let behind = service
                .servers
                .iter()
                .find_map(|server| server.instance.as_ref());
            let instance = behind.and_then(|name| scope.model.instance(name));
            // A dedicated HAProxy's host carries services that other hosts' variables declare.
            let own = host.vars.contains("pg_cluster").then_some(host);
            let member = instance.and_then(|instance| scope.host(&instance.host));
            let name = instance.map_or(service.name.as_str(), |instance| {
                let prefix = format!("{}-", instance.cluster);
                service.name.strip_prefix(&prefix).unwrap_or(&service.name)
            });
            let host = own.or(member).unwrap_or(host);
            entry(host, &["pg_services", "pg_default_services"], name)
        }
    }
}

fn entry(host: &InvHost, lists: &[&'static str], name: &str) -> Option<Span> {
    let mut entries = lists
        .iter()
        .flat_map(|list| service_spec::entries(host, list));
    let found = entries.find(|entry| entry.text("name").as_deref() == Some(name))?;
    (!found.shipped).then_some(found.span)
}

/// Ports below 1024 are root's, and HAProxy does not stay root.
fn reserved(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut found: IndexSet<Diagnostic> = IndexSet::new();
    for host in scope.model.hosts() {
        let Some(written) = scope.host(&host.name).filter(|_| host.pg.is_some()) else {
            continue;
        };
        let typed = Typed::new(&written.vars);
        for name in ["pg_port", "patroni_port", "pgbouncer_port"] {
            if !(1..1024).contains(&typed.int(name)) {
                continue;
            }
            let problem = Diagnostic::error("privileged-port", format!("`{name}` is below 1024"))
                .at(place_of(written, name), "only root may listen there")
                .help("PostgreSQL and Patroni run as an ordinary user: take a port from 1024 on");
            found.insert(problem);
        }
    }
    found.into_iter().collect()
}
