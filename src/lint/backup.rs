//! Backups that could not be made, or not be restored.

use super::{LintRule, Scope, list, once};
use crate::inventory::InvHost;
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::model::Group;
use crate::model::backup::{self, Backups, Repository};
use crate::model::build::place_of;
use crate::source::Diagnostic;

pub(super) const RULES: &[LintRule] = &[repositories, unused, schedules, published];

/// Published in Pigsty's configuration.
const PUBLISHED: [&str; 2] = ["pgBackRest", "S3User.Backup"];

/// A host of each group and what it says of backups.
fn groups<'a>(
    scope: &'a Scope<'_>,
) -> impl Iterator<
    Item = (
        &'a Group,
        &'a InvHost,
        Result<Backups, backup::RepositoryFault>,
    ),
> {
    scope.model.groups().filter_map(move |(_, group)| {
        let host = scope.host(&group.members.first()?.host)?;
        let found = backup::of_group(scope.model, group);
        Some((group, host, found))
    })
}

fn named<'a>(scope: &'a Scope<'_>) -> impl Iterator<Item = (&'a Group, &'a InvHost, Repository)> {
    groups(scope).filter_map(|(group, host, found)| match found {
        Ok(Backups::To(repository)) => Some((group, host, repository)),
        Ok(Backups::Off | Backups::Unnamed) | Err(_) => None,
    })
}

fn repositories(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let fault = |host: &InvHost, fault: backup::RepositoryFault| {
        Diagnostic::error("bad-repository", fault.words)
            .at(place_of(host, "pgbackrest_repo"), "here")
            .help(fault.help)
    };
    let none = |group: &Group, host: &InvHost| {
        let message = format!(
            "`{}` keeps no backups: `pgbackrest_repo` names no repository, and WAL is discarded",
            group.cluster
        );
        Diagnostic::warning("no-backup", message)
            .at(place_of(host, "pg_cluster"), "nothing of it can be restored")
            .help("name a repository (docs/backup.md), or decide against it with `pgbackrest_enabled: false`")
    };
    once(
        groups(scope).filter_map(|(group, host, found)| match found {
            Err(words) => Some(fault(host, words)),
            Ok(Backups::Off) => None,
            Ok(Backups::Unnamed) => Some(none(group, host)),
            Ok(Backups::To(repository)) => {
                let found = backup::misfit(scope.model, group, &repository);
                found.map(|words| fault(host, words))
            }
        }),
    )
}

/// Repositories beside the one that `pgbackrest_method` names.
fn unused(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let found = named(scope).filter_map(|(_, host, repository)| {
        let var = host.vars.get("pgbackrest_repo")?;
        let pairs = var.node.pairs()?.iter();
        let others = pairs.filter_map(|(key, value)| Some((key.as_str()?, value.span)));
        let others: Vec<_> = others
            .filter(|(name, _)| *name != repository.name)
            .collect();
        let message = format!(
            "repositories without effect: {} (`pgbackrest_method` is `{}`)",
            list(others.iter().map(|(name, _)| name)),
            repository.name
        );
        let problem = Diagnostic::note("unused-repository", message);
        let (_, first) = others.first()?;
        let problem = problem.at(*first, "not used");
        let rest = others.iter().skip(1);
        Some(rest.fold(problem, |problem, (_, span)| problem.see(*span, "not used")))
    });
    once(found)
}

/// A repository into which nobody ever makes a backup keeps WAL for ever.
fn schedules(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let idle = named(scope).filter(|(_, host, _)| {
        let lines = Typed::new(&host.vars).get(param::PG_CRONTAB).to_string();
        !lines.contains("pg-backup")
    });
    once(idle.map(|(group, host, _)| {
        Diagnostic::warning("no-backup-schedule", format!("`{}` has a repository and no job that makes backups", group.cluster))
            .at(place_of(host, "pgbackrest_repo"), "only the first backup is made")
            .help("say, for example, `pg_crontab: ['0 1 * * * /pg/bin/pg-backup full']`: it acts on the leader alone")
    }))
}

fn published(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let known = named(scope).filter(|(_, _, repository)| {
        let values = repository.options.iter().map(|(_, value)| value.as_str());
        values.into_iter().any(|value| PUBLISHED.contains(&value))
    });
    once(known.map(|(_, host, repository)| {
        let message = format!(
            "repository `{}` has a published passphrase or key",
            repository.name
        );
        Diagnostic::warning("default-password", message)
            .at(place_of(host, "pgbackrest_repo"), "everybody knows it")
            .help("set your own before the first backup: a passphrase cannot be changed later")
    }))
}
