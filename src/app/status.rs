//! `status`: the formation at a glance.

use super::failure::{Failure, code, compact, pretty, result, written};
use super::options::Options;
use super::project::Project;
use super::session::{Deed, Session};
use crate::engine::Run;
use crate::engine::status::{HaproxyAccess, StatusAccess, status};
use crate::event::Outcome;
use crate::event::status::StatusReport;
use crate::fact::DeclaredObjects;
use crate::inventory::InvHost;
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::model::Group;
use crate::model::backup::{self, Backups};
use crate::model::objects::{self, Scene};
use crate::names::HostName;
use crate::ui::status_view::view;
use crate::ui::term;
use std::collections::BTreeSet;
use std::time::Duration;
use time::OffsetDateTime;

const PAUSE: Duration = Duration::from_secs(2);

/// The formation at a glance, once or until Ctrl-C.
///
/// # Errors
/// Whatever stood in the way of asking.
pub async fn run(options: &Options, watched: bool) -> Result<u8, Failure> {
    let mut options = options.clone();
    // Progress and the redrawn picture would fight for the screen; the report says who is unreachable.
    options.quiet |= watched;
    let project = Project::open(&options)?;
    let session = Session::connect(&options, &project, "site", "status", Deed::Looks).await?;
    let access = access(&project);
    let run = session.run()?;
    let report = match watched {
        true => watch(&options, &run, &access).await?,
        false => Some(status(&run, &access).await),
    };
    drop(run);
    session.finish(Outcome::Done).await;
    if let (Some(report), false) = (&report, watched) {
        result(&once(&options, report)?)?;
    }
    Ok(match report {
        Some(report) if report.healthy => code::DONE,
        Some(_) => code::INTERNAL,
        None => code::DECLINED,
    })
}

/// Draws until Ctrl-C; the last report decides the exit code, if there was one.
async fn watch(
    options: &Options,
    run: &Run<'_>,
    access: &StatusAccess,
) -> Result<Option<StatusReport>, Failure> {
    if !options.json && term::is_drawn() {
        written(term::clear())?;
    }
    let mut last = None;
    loop {
        let report = tokio::select! {
            report = status(run, access) => report,
            () = run.cancel.reached(1) => return Ok(last),
        };
        draw(options, &report)?;
        last = Some(report);
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = run.cancel.reached(1) => return Ok(last),
        }
    }
}

fn once(options: &Options, report: &StatusReport) -> Result<String, Failure> {
    match options.json {
        true => pretty(report),
        false => Ok(view(report)),
    }
}

/// One picture of many: a terminal is drawn over, JSON comes one report a line.
fn draw(options: &Options, report: &StatusReport) -> Result<(), Failure> {
    if options.json {
        return result(&compact(report)?);
    }
    let text = view(report);
    match term::is_drawn() {
        true => written(term::redraw(&text)),
        false => result(&format!("{text}\n")),
    }
}

/// The credentials that the inventory gives.
pub fn access(project: &Project) -> StatusAccess {
    let mut access = StatusAccess {
        authority: Some(project.authority_here()),
        ..StatusAccess::default()
    };
    let hosts = &project.inventory.hosts;
    for (name, host) in hosts {
        let typed = Typed::new(&host.vars);
        if let Some(haproxy) = haproxy(&typed) {
            access.haproxy.insert(name.clone(), haproxy);
        }
        access
            .pg_data
            .insert(name.clone(), typed.get(param::PG_DATA));
        access
            .data
            .insert(name.clone(), data(project, name, &typed));
    }
    let typed = |host: &HostName| hosts.get(host).map(|host| Typed::new(&host.vars));
    let etcd = project.model.etcd.as_ref();
    let member = etcd.and_then(|etcd| etcd.members.first());
    access.etcd_root = member
        .and_then(|member| typed(&member.host))
        .map(|typed| typed.get(param::ETCD_ROOT_PASSWORD))
        .filter(|password| !password.is_empty());
    for (_, group) in project.model.groups() {
        access
            .backups
            .insert(group.cluster.clone(), backups_of(project, group));
        let vars = group.members.first().and_then(|m| typed(&m.host));
        let limit = vars.and_then(|vars| u64::try_from(vars.get(param::PG_RPO)).ok());
        let first = group.members.first().and_then(|m| hosts.get(&m.host));
        if let Some(host) = first {
            access
                .declared
                .insert(group.cluster.clone(), declared(host));
        }
        if let Some(limit) = limit {
            access.lag_limits.insert(group.cluster.clone(), limit);
        }
    }
    access
}

/// What the inventory says of a group's backups; what is wrong with it was said when it was read.
fn backups_of(project: &Project, group: &Group) -> Backups {
    let found = backup::of_group(&project.model, group);
    found.unwrap_or(Backups::Unnamed)
}

/// What the inventory declares for the group of a host. `pg_pwd_enc: md5` is a declaration, too.
fn declared(host: &InvHost) -> DeclaredObjects {
    let (roles, databases) = objects::provided(&Scene::new(host, OffsetDateTime::now_utc()));
    let typed = Typed::new(&host.vars);
    let parameters = typed.get(param::PG_PARAMETERS);
    let names = parameters
        .as_object()
        .into_iter()
        .flat_map(|all| all.keys());
    let mut parameters: BTreeSet<String> = names.map(|name| name.to_ascii_lowercase()).collect();
    if typed.get(param::PG_PWD_ENC) == "md5" {
        parameters.insert("password_encryption".to_owned());
    }
    DeclaredObjects {
        roles,
        databases,
        parameters,
    }
}

/// The directories of PostgreSQL, its log and etcd, as far as the host has them.
fn data(project: &Project, host: &HostName, typed: &Typed<'_>) -> Vec<String> {
    let Some(host) = project.model.hosts.get(host) else {
        return Vec::new();
    };
    let pg = typed.get(param::PG_DATA);
    let of_pg = host
        .pg
        .iter()
        .flat_map(|_| [pg.clone(), format!("{pg}/pg_wal/")]);
    let of_etcd = host.etcd.iter().map(|_| typed.get(param::ETCD_DATA));
    of_pg.chain(of_etcd).collect()
}

fn haproxy(typed: &Typed<'_>) -> Option<HaproxyAccess> {
    Some(HaproxyAccess {
        port: typed.get(param::HAPROXY_EXPORTER_PORT),
        user: typed.get(param::HAPROXY_ADMIN_USERNAME),
        password: typed.get(param::HAPROXY_ADMIN_PASSWORD),
    })
}
