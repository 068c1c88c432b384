//! Versions that do not go together, by the table of `model::compat`.

use super::{LintRule, Placed, Scope, list, text};
use crate::inventory::InvHost;
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::model::build::place_of;
use crate::model::compat::{Compat, Distribution, version};
use crate::model::{Facts, Formation};
use crate::source::{Diagnostic, Span};
use semver::Version;

pub(super) const RULES: &[LintRule] = &[postgresql, citus, patroni, patroni_traps, archive];

/// Each formation with the host that speaks for it.
fn formations<'a>(scope: &Scope<'a>) -> impl Iterator<Item = (&'a Formation, &'a InvHost)> {
    let host = |formation: &'a Formation| scope.formation_hosts(formation).into_iter().next();
    let pairs: Vec<_> = scope
        .model
        .formations
        .iter()
        .filter_map(|f| Some((f, host(f)?)))
        .collect();
    pairs.into_iter()
}

fn postgresql(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let table = Compat::shipped();
    let unknown = formations(scope).filter(|(f, _)| !table.postgresql.contains(&f.version));
    let found = unknown.map(|(formation, host)| {
        let message = format!(
            "`{}`: PostgreSQL {} is not supported",
            formation.name, formation.version
        );
        Diagnostic::error("unsupported-postgresql", message)
            .at(place_of(host, "pg_version"), "not in the table of versions")
            .help(format!("use one of {}", list(&table.postgresql)))
    });
    found.collect()
}

fn citus(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let table = Compat::shipped();
    let all = formations(scope).filter(|(f, _)| f.is_citus());
    let known = all.filter(|(f, _)| table.postgresql.contains(&f.version));
    known
        .filter_map(|(formation, host)| citus_of(&table, formation, host))
        .collect()
}

fn citus_of(table: &Compat, formation: &Formation, host: &InvHost) -> Option<Diagnostic> {
    let wanted = text(host, "citus_version");
    let postgresql = formation.version;
    let fitting = list(table.citus_for(postgresql));
    if wanted.is_empty() {
        return None;
    }
    let Some(row) = table.citus(&wanted) else {
        let known = list(table.citus.iter().map(|row| &row.version));
        let message = format!("Citus {wanted} is not in the table of versions");
        return Some(
            Diagnostic::warning("unknown-citus", message)
                .at(place_of(host, "citus_version"), "nothing is known about it")
                .help(format!(
                    "known are {known}; with PostgreSQL {postgresql}: {fitting}"
                )),
        );
    };
    if row.postgresql.contains(&postgresql) {
        return None;
    }
    let message = format!("Citus {wanted} does not run on PostgreSQL {postgresql}");
    Some(
        Diagnostic::error("unsupported-citus", message)
            .at(
                place_of(host, "citus_version"),
                format!("made for {}", list(&row.postgresql)),
            )
            .see(
                place_of(host, "pg_version"),
                format!("PostgreSQL {postgresql}"),
            )
            .help(format!("for PostgreSQL {postgresql} take Citus {fitting}")),
    )
}

/// The Patroni of a host: the one asked for, else what its distribution is known to carry.
fn patroni_of(scope: &Scope<'_>, host: &InvHost, table: &Compat) -> Option<(Version, Span)> {
    let written = version(&text(host, "patroni_version"));
    if let Some(version) = written.filter(|_| host.vars.contains("patroni_version")) {
        return Some((version, place_of(host, "patroni_version")));
    }
    let (distribution, place) = archive_of(scope, host, table)?;
    Some((distribution.patroni.clone(), place))
}

/// What a host's own archive carries, where its system is known and nothing else is offered to it.
fn archive_of<'t>(
    scope: &Scope<'_>,
    host: &InvHost,
    table: &'t Compat,
) -> Option<(&'t Distribution, Span)> {
    let facts: &Facts = &scope.model.hosts.get(&host.name)?.facts;
    let typed = Typed::new(&host.vars);
    let repos = typed.get(param::NODE_REPOS);
    let others = repos.as_array().is_some_and(|repos| !repos.is_empty())
        || !text(host, "node_debs_dir").is_empty();
    let distribution = table.distributions.get(&facts.os)?;
    (facts.stated && !others).then(|| (distribution, place_of(host, "node_facts")))
}

fn patroni(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let table = Compat::shipped();
    let mut found = Vec::new();
    for (formation, host) in formations(scope) {
        let Some((version, place)) = patroni_of(scope, host, &table) else {
            continue;
        };
        let needed = table
            .patroni_for(formation.version)
            .unwrap_or(&table.patroni.minimum);
        if version >= *needed {
            continue;
        }
        let message = match version < table.patroni.minimum {
            true => format!("Patroni {version} is too old: it knows no Citus and no failsafe mode"),
            false => format!(
                "Patroni {version} does not know PostgreSQL {}",
                formation.version
            ),
        };
        found.push(
            Diagnostic::error("unsupported-patroni", message)
                .at(place, format!("Patroni {version}"))
                .see_if(
                    Typed::new(&host.vars).span(param::PG_VERSION),
                    "the PostgreSQL it is to run",
                )
                .help(format!(
                    "take {needed} or newer; {} is advised",
                    table.patroni.recommended
                )),
        );
    }
    found
}

fn patroni_traps(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let table = Compat::shipped();
    let mut found: Vec<Diagnostic> = Vec::new();
    for (formation, host) in formations(scope) {
        let Some((version, place)) = patroni_of(scope, host, &table) else {
            continue;
        };
        let traps: Vec<_> = table.traps(&version, formation.is_citus()).collect();
        if traps.is_empty() || version < table.patroni.minimum {
            continue;
        }
        let message = format!("Patroni {version} has known faults");
        let problem = traps.iter().fold(
            Diagnostic::warning("patroni-traps", message).at(place, format!("Patroni {version}")),
            |problem, trap| problem.help(format!("before {}: {}", trap.before, trap.reason)),
        );
        if !found.contains(&problem) {
            found.push(problem);
        }
    }
    found
}

/// The distribution's own archive has exactly one PostgreSQL.
fn archive(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let table = Compat::shipped();
    let found = formations(scope).filter_map(|(formation, host)| {
        let (archive, place) = archive_of(scope, host, &table)?;
        if archive.postgresql == formation.version {
            return None;
        }
        let os = scope.model.hosts.get(&host.name)?.facts.os;
        let message = format!("{os} itself carries PostgreSQL {}", archive.postgresql);
        Some(
            Diagnostic::warning("not-in-archive", message)
                .at(
                    place_of(host, "pg_version"),
                    format!("PostgreSQL {}", formation.version),
                )
                .see(place, format!("{os}"))
                .help(format!(
                    "name a repository that has it in `node_repos`, or take `-e pg_version={}`",
                    archive.postgresql
                )),
        )
    });
    found.collect()
}
