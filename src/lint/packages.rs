//! What hosts could not install, and programs that Pigsty installs and citusctl does not.

use super::{LintRule, Scope, list, once, written};
use crate::inventory::InvHost;
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::model::backup::{self, Backups};
use crate::model::build::place_of;
use crate::model::packages::Misfit;
use crate::model::{Host, Packages};
use crate::source::Diagnostic;
use std::collections::HashSet;

pub(super) const RULES: &[LintRule] = &[bad_packages, missing_programs, missing_files];

/// Parameters with names of packages, and which are about extensions.
const LISTS: [(&str, bool); 4] = [
    ("node_default_packages", false),
    ("node_packages", false),
    ("pg_packages", false),
    ("pg_extensions", true),
];

/// Where Pigsty puts its programs, and what is there here too.
const PROGRAMS: &str = "/pg/bin/";
const OURS: [&str; 2] = ["patroni-callback", "promotion-guard"];

fn texts(host: &InvHost, name: &str) -> Vec<String> {
    let value = Typed::new(&host.vars).json(name);
    let items = value.as_array().into_iter().flatten();
    items
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

/// Names that no repository can have, before a run stops at them half-way.
fn bad_packages(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut met = HashSet::new();
    let mut found = Vec::new();
    for host in scope.model.hosts() {
        let lists = LISTS
            .iter()
            .filter(|(name, _)| host.pg.is_some() || !name.starts_with("pg_"));
        for (name, extension) in lists {
            // Hosts that have a list from one place, and read it in the same way, have the same packages.
            let from = |name: &str| written(&host.stated, name);
            let version = host.typed().get(param::PG_VERSION);
            if met.insert((
                *name,
                from(name),
                from("package_map"),
                host.facts.os,
                version,
            )) {
                found.extend(bad_in(host, name, *extension));
            }
        }
    }
    once(found)
}

fn bad_in(known: &Host, name: &str, extension: bool) -> Vec<Diagnostic> {
    let host = &*known.stated;
    let typed = known.typed();
    let version = typed.get(param::PG_VERSION);
    let packages = Packages::of(&typed, known.facts.os, version);
    let packages = match name.starts_with("node_") {
        true => packages.of_hosts(),
        false => packages,
    };
    let bad: Vec<(String, Misfit)> = texts(host, name)
        .iter()
        .flat_map(|text| packages.misfits(text, extension))
        .collect();
    let of = |why: Misfit| {
        list(
            bad.iter()
                .filter(|(_, is)| *is == why)
                .map(|(word, _)| word),
        )
    };
    let said = [
        (
            of(Misfit::List),
            "names lists of Pigsty's that are not known here",
            "say in `package_map` what it stands for, or name the packages or extensions themselves",
        ),
        (
            of(Misfit::Name),
            "has what is no name of a Debian package",
            "patterns and names of RPM packages do not fit: write an extension's name, as `citus`, or the package's",
        ),
    ];
    let told = said.into_iter().filter(|(words, _, _)| !words.is_empty());
    told.map(|(words, what, help)| {
        Diagnostic::error("bad-package", format!("`{name}` {what}: {words}"))
            .at(place_of(host, name), "cannot be installed")
            .help(help)
    })
    .collect()
}

/// Jobs that would fail every night, and nobody would know that there is no backup.
fn missing_programs(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let hosts = scope.hosts();
    once(hosts.flat_map(|host| {
        ["pg_crontab", "node_crontab"].into_iter().filter_map(|name| {
            let lines = texts(host, name);
            let program = lines.iter().find_map(|line| foreign(line))?;
            if program == "/pg/bin/pg-backup" && makes_backups(scope, host) {
                return None;
            }
            let message = format!("`{name}` calls `{program}`, which citusctl does not install");
            Some(
                Diagnostic::warning("missing-program", message)
                    .at(place_of(host, name), "a program of Pigsty's")
                    .help("put it there yourself or take the line out; `/pg/bin/pg-backup` is there where `pgbackrest_repo` names a repository (docs/backup.md)"),
            )
        })
    }))
}

/// Whether the host has `pg-backup`.
fn makes_backups(scope: &Scope<'_>, host: &InvHost) -> bool {
    let member = scope.model.hosts.get(&host.name);
    let member = member.is_some_and(|host| host.pg.is_some());
    let found = backup::backups(&Typed::new(&host.vars), &str::to_owned);
    member && matches!(found, Ok(Backups::To(_)))
}

/// Where Pigsty puts its authority's certificate on every host.
const TRUST: &str = "/etc/pki/ca.crt";

/// A service whose file names what is not on the host keeps HAProxy from starting at all.
fn missing_files(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let served = |host: &&InvHost| {
        scope
            .model
            .hosts
            .get(&host.name)
            .is_some_and(|host| host.haproxy)
    };
    let hosts = scope.hosts().filter(served);
    once(hosts.filter_map(|host| {
        let services = Typed::new(&host.vars).get(param::HAPROXY_SERVICES).to_string();
        services.contains(TRUST).then(|| {
            let message = format!("`haproxy_services` names `{TRUST}`, which citusctl does not install");
            Diagnostic::warning("missing-file", message)
                .at(place_of(host, "haproxy_services"), "HAProxy does not start without it")
                .help("put it there, or write `/etc/haproxy/ca.crt`, the authority beside the inventory")
        })
    }))
}

/// A program of Pigsty's in a line.
fn foreign(line: &str) -> Option<String> {
    let rest = &line[line.find(PROGRAMS)?..];
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let name = rest[PROGRAMS.len()..end].trim_end_matches([';', '"', '\'', ')']);
    (!name.is_empty() && !OURS.contains(&name)).then(|| format!("{PROGRAMS}{name}"))
}

#[cfg(test)]
mod tests {
    use super::foreign;

    #[test]
    fn finds_programs_that_are_not_here() {
        let found = |line: &str| foreign(line);
        assert_eq!(
            found("00 01 * * * /pg/bin/pg-backup full"),
            Some("/pg/bin/pg-backup".to_owned())
        );
        assert_eq!(
            found("@daily sh -c '/pg/bin/x'"),
            Some("/pg/bin/x".to_owned())
        );
        assert_eq!(found("@daily /pg/bin/patroni-callback"), None);
        assert_eq!(found("@daily vacuumdb -aqz"), None);
    }
}
