//! Services that lead nowhere, or elsewhere than their name says.

use super::{LintRule, Placed, Scope, repeated};
use crate::inventory::InvHost;
use crate::model::Service;
use crate::model::build::place_of;
use crate::model::build::service_spec::{self, ServiceEntry};
use crate::source::Diagnostic;

pub(super) const RULES: &[LintRule] = &[without_check, duplicate_names, without_servers];

/// The entries that the inventory wrote, each once.
fn written<'a>(scope: &Scope<'a>) -> Vec<(&'a InvHost, ServiceEntry)> {
    let mut all: Vec<(&InvHost, ServiceEntry)> = Vec::new();
    for host in scope
        .inv
        .hosts
        .values()
        .filter(|host| host.vars.contains("pg_cluster"))
    {
        for list in ["pg_default_services", "pg_services"] {
            for entry in service_spec::entries(host, list)
                .into_iter()
                .filter(|e| !e.shipped)
            {
                if !all.iter().any(|(_, known)| known.span == entry.span) {
                    all.push((host, entry));
                }
            }
        }
    }
    all
}

/// Patroni's `/` means the leader: a service for standbys without a check serves the primary.
fn without_check(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let all = written(scope).into_iter();
    let found = all
        .filter(|(_, entry)| entry.text("check").is_none())
        .map(|(_, entry)| {
            Diagnostic::warning("service-without-check", format!("{entry} has no `check`"))
                .at(entry.span, "leads to the primary, whatever its name")
                .help("write `check: /primary`, `/replica`, `/read-only`, `/sync` or `/async`")
        });
    found.collect()
}

fn duplicate_names(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for host in scope.hosts() {
        let lists = ["pg_default_services", "pg_services", "haproxy_services"];
        let entries: Vec<_> = lists
            .iter()
            .flat_map(|l| service_spec::entries(host, l))
            .collect();
        for (first, second) in repeated(&entries, |entry| entry.text("name")) {
            let earlier = (!first.shipped).then_some(first.span);
            let problem =
                Diagnostic::error("duplicate-service", format!("{second} is there already"))
                    .at(second.span, format!("already in `{}`", first.list))
                    .see_if(earlier, "first here")
                    .help("give each service a name of its own");
            if first.span != second.span && !found.contains(&problem) {
                found.push(problem);
            }
        }
    }
    found
}

fn without_servers(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for (host, entry) in written(scope) {
        let Some(name) = entry.text("name") else {
            continue;
        };
        let suffix = format!("-{name}");
        let is_it = |service: &&Service| service.name.ends_with(&suffix);
        let services = scope.model.hosts.get(&host.name).map(|host| &host.services);
        let service = services.and_then(|services| services.iter().find(is_it));
        if service.is_some_and(|service| service.servers.is_empty()) {
            found.push(
                Diagnostic::warning("service-without-servers", format!("{entry} leads nowhere"))
                    .at(entry.span, "its selectors take no member")
                    .see(place_of(host, "pg_cluster"), "of this cluster")
                    .help("`selector: \"[]\"` takes all members; the check then decides"),
            );
        }
    }
    found
}
