//! Name servers and repositories of hosts.

use super::{LintRule, Scope, once, text};
use crate::inventory::InvHost;
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::model::build::place_of;
use crate::source::Diagnostic;
use serde_json::Value;
use std::net::IpAddr;

pub(super) const RULES: &[LintRule] = &[
    no_name_server,
    bad_name_server,
    no_repository,
    limited_admin,
];

fn items(host: &InvHost, name: &str) -> Vec<Value> {
    let list = Typed::new(&host.vars).json(name);
    list.as_array().cloned().unwrap_or_default()
}

/// A host whose resolver asks nobody finds no name.
fn no_name_server(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let found = scope.hosts().filter_map(|host| {
        let overwritten = text(host, "node_dns_method") == "overwrite";
        if !overwritten || !items(host, "node_dns_servers").is_empty() {
            return None;
        }
        let message = "`node_dns_method: overwrite` would leave no name server";
        Some(
            Diagnostic::error("no-name-server", message)
                .at(
                    place_of(host, "node_dns_method"),
                    "and there are no `node_dns_servers`",
                )
                .help("name at least one in `node_dns_servers`, or write `add` or `none`"),
        )
    });
    once(found)
}

/// Whoever may call `systemctl` as root may start a unit of their own with it.
fn limited_admin(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let found = scope.hosts().filter_map(|host| {
        let typed = Typed::new(&host.vars);
        if text(host, "node_admin_sudo") != "limit" || !typed.get(param::NODE_ADMIN_ENABLED) {
            return None;
        }
        let user = text(host, "node_admin_username");
        let message = format!("`node_admin_sudo: limit` limits nothing: `{user}` can become root by it");
        Some(
            Diagnostic::warning("admin-sudo-limit", message)
                .at(
                    place_of(host, "node_admin_sudo"),
                    "`systemctl` and `journalctl` as root run any program as root",
                )
                .help("write `none` where this user must not be root, `all` where it may with its password"),
        )
    });
    once(found)
}

fn bad_name_server(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let bad = |item: &Value| {
        let server = item.as_str().unwrap_or_default();
        let address = server.parse::<IpAddr>().is_ok() || server.contains("${");
        (!address).then(|| server.to_owned())
    };
    let found = scope.hosts().filter_map(|host| {
        let server = items(host, "node_dns_servers").iter().find_map(bad)?;
        let message = format!("`{server}` is no address of a name server");
        Some(
            Diagnostic::error("bad-name-server", message)
                .at(place_of(host, "node_dns_servers"), "an address is needed")
                .help("the resolver takes addresses alone, as `10.0.0.2`"),
        )
    });
    once(found)
}

/// A module that no entry of `repo_upstream` is of: Pigsty has such entries of its own, here there are none.
fn no_repository(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let found = scope.hosts().filter_map(|host| {
        let upstream = items(host, "repo_upstream");
        let has = |module: &str| upstream.iter().any(|entry| entry["module"] == module);
        let modules = text(host, "node_repo_modules");
        let mut modules = modules.split(',').map(str::trim);
        let module = modules.find(|module| !module.is_empty() && !has(module))?;
        let message = format!("nothing in `repo_upstream` is of module `{module}`");
        Some(
            Diagnostic::note("no-repository", message)
                .at(place_of(host, "node_repo_modules"), "nothing is added for it")
                .help("name its repositories in `repo_upstream` or in `node_repos`; those that hosts have stay"),
        )
    });
    once(found)
}
