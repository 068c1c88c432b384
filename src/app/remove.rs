//! Removal: `apply pgsql-rm`, `apply etcd-rm`, `apply node-rm`, and `plan` of them. One consent for what is done on the
//! hosts that leave and for what the others must forget.

use super::apply::{outcome, outcome_of};
use super::failure::{Failure, code, refused, result};
use super::options::Options;
use super::project::Project;
use super::recover::look;
use super::rest::Rest;
use super::runbook::{Approval, afterwards, close, consent, show};
use super::session::Session;
use super::sinks;
use crate::catalog::Removal;
use crate::engine::{self, Run};
use crate::event::Outcome;
use crate::inventory::param;
use crate::model::{Host, Model};
use crate::names::{HostName, RoleName};
use crate::plan::{Desired, Going, deployed, outline};
use crate::runbook::recover::Input;
use crate::runbook::remove::{self, Left, Questions, RemovalCase};
use crate::runbook::{Runbook, host_functions};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What one look may take on a host.
const LOOK: Duration = Duration::from_secs(30);

/// What is asked for.
#[derive(Debug)]
pub struct Removing {
    playbook: String,
    what: Removal,
    roles: Vec<RoleName>,
    hosts: BTreeSet<HostName>,
}

impl Removing {
    /// The removal that a playbook's name stands for; `None`: it builds.
    ///
    /// # Errors
    /// Options that mean nothing here, hosts that have nothing of the kind, a safeguard.
    pub fn of(
        options: &Options,
        project: &Project,
        playbook: &str,
    ) -> Result<Option<Self>, Failure> {
        let found = project.catalog.playbooks.get(playbook);
        let Some((what, roles)) = found.and_then(|playbook| playbook.removal()) else {
            return Ok(None);
        };
        if !options.tags.is_empty() || !options.skip_tags.is_empty() {
            let failure = Failure::new(
                code::USAGE,
                format!("`{playbook}` takes no tags: half a removal leaves a wreck"),
            );
            return Err(failure.hint("say which hosts with `-l`"));
        }
        let hosts = hosts(options, project, what)?;
        let problems =
            remove::safeguarded((&project.model, &project.inventory.sources), &hosts, what);
        if !problems.is_empty() {
            let text = sinks::of_inventory(&project.inventory, problems.iter());
            return Err(Failure::new(code::REFUSED, text.trim_end()));
        }
        Ok(Some(Self {
            playbook: playbook.to_owned(),
            what,
            roles,
            hosts,
        }))
    }
}

impl Removing {
    /// Whether a role leaves a host with this, be it there or not: what was begun is finished.
    fn takes(&self, host: &HostName, role: &str) -> bool {
        let kind = match self.what {
            Removal::Pgsql => role == "pgsql",
            Removal::Etcd => role == "etcd",
            Removal::Node => true,
        };
        kind && self.hosts.contains(host)
    }
}

fn hosts(
    options: &Options,
    project: &Project,
    what: Removal,
) -> Result<BTreeSet<HostName>, Failure> {
    let (has, word): (fn(&Host) -> bool, &str) = match what {
        Removal::Pgsql => (|host| host.pg.is_some(), "a member of a PostgreSQL cluster"),
        Removal::Etcd => (|host| host.etcd.is_some(), "a member of etcd"),
        Removal::Node => (|_| true, "known"),
    };
    let model = &project.model;
    if what == Removal::Pgsql && options.limit.is_none() && model.formations.len() > 1 {
        let names: Vec<&str> = model
            .formations
            .iter()
            .map(|formation| formation.name.as_str())
            .collect();
        let failure = Failure::new(
            code::USAGE,
            format!("which of {} is to go is not said", names.join(", ")),
        );
        return Err(failure.hint("name it: `-l FORMATION`, `-l CLUSTER` or `-l HOST`"));
    }
    let chosen = project.selection(options)?.hosts;
    let wanted = |name: &HostName| chosen.as_ref().is_none_or(|chosen| chosen.contains(name));
    let hosts = model.hosts().filter(|host| wanted(&host.name) && has(host));
    let hosts: BTreeSet<HostName> = hosts.map(|host| host.name.clone()).collect();
    match hosts.is_empty() {
        false => Ok(hosts),
        true => Err(Failure::new(
            code::INPUT,
            format!("none of these hosts is {word}; nothing was changed"),
        )
        .hint("`citusctl inventory --graph` shows groups and hosts")),
    }
}

/// Looks, plans, shows, asks, carries out. With `pending`, a plan that is not empty ends with that exit code.
pub async fn run(
    options: &Options,
    project: &Project,
    removing: &Removing,
    args: &Approval,
    pending: bool,
) -> Result<u8, Failure> {
    let all = project.model.hosts.keys().cloned().collect();
    let session = Session::reach(options, project, &removing.playbook, all).await?;
    let ended = {
        let run = session.run()?;
        decide(options, args, &session, &run, removing).await
    };
    let quiet = |outcome| match outcome {
        Outcome::Pending if !pending => Outcome::Done,
        other => other,
    };
    close(&session, ended.map(quiet)).await
}

async fn decide(
    options: &Options,
    args: &Approval,
    session: &Session<'_>,
    run: &Run<'_>,
    removing: &Removing,
) -> Result<Outcome, (Outcome, Failure)> {
    let stopped = |failure: Failure| (outcome_of(failure.code), failure);
    let (book, rest) = planned(session, run, removing).await.map_err(stopped)?;
    session.emitter.pause();
    display(options, args, session, &book, rest.as_ref()).map_err(stopped)?;
    let empty = book.steps.is_empty() && rest.as_ref().is_none_or(|rest| rest.plan.is_empty());
    if empty && !options.json {
        result("No changes. Nothing of it is left.\n").map_err(stopped)?;
    }
    if empty {
        return Ok(session.outcome());
    }
    if args.dry_run {
        return Ok(Outcome::Pending);
    }
    consent(options, args, &book).map_err(stopped)?;
    let failed = |error| (outcome(&error), Failure::from(error));
    engine::carry_out(run, &book).await.map_err(failed)?;
    if let Some(rest) = &rest {
        rest.carry_out(options, run).await.map_err(failed)?;
    }
    afterwards(options, session, &book);
    Ok(session.outcome())
}

fn display(
    options: &Options,
    args: &Approval,
    session: &Session<'_>,
    book: &Runbook,
    rest: Option<&Rest>,
) -> Result<(), Failure> {
    show(options, args, book, &session.masker)?;
    let Some(rest) = rest.filter(|rest| !rest.plan.is_empty()) else {
        return Ok(());
    };
    if !options.json {
        result("\nand then, on the hosts that stay\n")?;
        result(&crate::ui::plan_view(
            &outline(&rest.plan, &rest.masker),
            options.verbose > 0,
        ))?;
    }
    Ok(())
}

async fn planned(
    session: &Session<'_>,
    run: &Run<'_>,
    removing: &Removing,
) -> Result<(Runbook, Option<Rest>), Failure> {
    let project = session.project;
    let full = session.wanted_by(project)?.0;
    let left = survey(session, run, removing, &full).await;
    let has = |host: &HostName, role: &str| removing.takes(host, role) || made(&left, host, role);
    let now = match deployed(&project.inventory, &project.model, has) {
        Some((inventory, model)) => Some(project.with(session.options, inventory, model)?),
        None => None,
    };
    let before = match &now {
        Some(now) => session.wanted_by(now)?.0,
        None => full,
    };
    let now = now.as_ref().unwrap_or(project);
    let rest = Rest::of(session, now, &before, &removing.hosts, removing.what)?;
    let going = |host: &HostName| {
        let after = rest.as_ref().map(|rest| &rest.whole);
        (
            host.clone(),
            Going::of(&before, after, &removing.roles, host),
        )
    };
    let going: BTreeMap<HostName, Going> = removing.hosts.iter().map(going).collect();
    let seen = look(session, run).await;
    let groups: Vec<_> = now.model.groups().map(|(_, group)| group).collect();
    let groups = engine::groups(run, &groups).await;
    let case = RemovalCase {
        input: Input {
            model: &now.model,
            sources: &now.inventory.sources,
            seen: &seen,
            run: &session.id,
        },
        hosts: &removing.hosts,
        left: &left,
        groups: &groups,
        going: &going,
    };
    let book = match removing.what {
        Removal::Pgsql => remove::remove_pgsql(&case),
        Removal::Etcd => remove::remove_etcd(&case),
        Removal::Node => remove::remove_node(&case),
    }?;
    let rest = match rest {
        None => None,
        Some(rest) => Some(rest.compared(run).await?),
    };
    if let Some(refusals) = rest
        .as_ref()
        .map(|rest| &rest.plan.refusals)
        .filter(|all| !all.is_empty())
    {
        return Err(refused(code::REFUSED, refusals));
    }
    Ok((book, rest))
}

/// Whether a role has ever written something on a host; one that does not tell counts as if.
fn made(left: &BTreeMap<HostName, Left>, host: &HostName, role: &str) -> bool {
    let of_role = |line: &String| line.split_once('/').is_some_and(|(found, _)| found == role);
    left.get(host)
        .is_none_or(|left| left.manifest.iter().any(of_role))
}

async fn survey(
    session: &Session<'_>,
    run: &Run<'_>,
    removing: &Removing,
    full: &Desired,
) -> BTreeMap<HostName, Left> {
    let project = session.project;
    let reachable = project
        .model
        .hosts()
        .filter(|host| session.fleet.get(&host.name).is_some());
    let programs = reachable.map(|host| {
        let functions = host_functions(&project.model, host);
        let going = Going::of(full, None, &removing.roles, &host.name);
        let questions = questions(project, removing.what, host, going);
        (
            host.name.clone(),
            remove::survey_program(&run.frame, &functions, &questions),
        )
    });
    let programs: BTreeMap<_, _> = programs.collect();
    let answers = engine::survey(run, &programs, LOOK).await.into_iter();
    let read = |(host, answer): (HostName, Result<String, String>)| {
        Some((host, remove::read_left(&run.frame, &answer.ok()?)?))
    };
    answers.filter_map(read).collect()
}

fn questions(project: &Project, what: Removal, host: &Host, going: Going) -> Questions {
    let model = &project.model;
    let directories = match what {
        Removal::Pgsql => vec![remove::home(model, host), remove::backup_dir(model, host)],
        Removal::Etcd => vec![Some(host.typed().get(param::ETCD_DATA))],
        Removal::Node => vec![Some("/etc/citusctl".to_owned())],
    };
    Questions {
        units: going.units,
        packages: going.packages,
        directories: directories.into_iter().flatten().collect(),
        citus: citus(&project.model, host),
        keys: if host.etcd.is_some() {
            keys(&project.model, what)
        } else {
            Vec::new()
        },
    }
}

fn citus(model: &Model, host: &Host) -> Option<String> {
    let (formation, group) = model.group_on(&host.name)?;
    (formation.is_citus() && group.is_coordinator()).then(|| formation.primary_db.clone())
}

fn keys(model: &Model, what: Removal) -> Vec<String> {
    match what {
        Removal::Pgsql => {
            let formations = model.formations.iter();
            formations
                .map(|formation| format!("{}/{}/", formation.namespace, formation.name))
                .collect()
        }
        // Whatever lives in it.
        Removal::Etcd => vec![String::new()],
        Removal::Node => Vec::new(),
    }
}
