//! Patroni's verbs, group aware: `switchover`, `failover`, `restart`, `reload`, `reinit`, `pause`, `resume`.

use super::failure::{Failure, code};
use super::options::Options;
use super::project::Project;
use super::runbook::{self, Approval};
use super::session::Session;
use super::why;
use crate::engine;
use crate::fact::GroupSeen;
use crate::model::{Formation, Group, Model};
use crate::names::{ClusterName, HostName, InstanceName};
use crate::runbook::patroni::{
    self, CitusFormation, GroupView, Proxies, RestartScope, TargetError,
};
use crate::runbook::{Refusal, Runbook};
use std::collections::{BTreeMap, BTreeSet};

/// A group, and a member to become its leader.
#[derive(Debug)]
pub struct HandOver {
    pub group: Option<String>,
    pub to: Option<String>,
    pub approval: Approval,
}

/// Whom to restart.
#[derive(Debug)]
pub struct Restart {
    pub member: Option<String>,
    pub group: Option<String>,
    /// Only members with a pending restart.
    pub pending: bool,
    pub approval: Approval,
}

impl From<TargetError> for Failure {
    fn from(error: TargetError) -> Self {
        let failure = Self::new(code::USAGE, error.to_string());
        match error {
            TargetError::Several(_) | TargetError::Ambiguous { .. } => {
                failure.hint("name one: `--group NUMBER` or `--group CLUSTER`")
            }
            TargetError::NoGroup { .. }
            | TargetError::NoMember { .. }
            | TargetError::Elsewhere { .. }
            | TargetError::NoGroups => failure.hint("`citusctl status` lists groups and members"),
        }
    }
}

/// Moves the lead of a group to a standby.
///
/// # Errors
/// Whatever stood in the way.
pub async fn switchover(options: &Options, args: &HandOver) -> Result<u8, Failure> {
    let project = Project::open(options)?;
    let (group, to) = target(&project, args.group.as_deref(), args.to.as_deref())?;
    let plan = |views: &[GroupView<'_>]| patroni::switchover(one(views)?, to.as_ref());
    let verb = PatroniVerb {
        tells_proxies: true,
        ..PatroniVerb::named("switchover")
    };
    act(options, &project, verb, &args.approval, &[group], plan).await
}

/// Promotes a standby where nobody leads.
///
/// # Errors
/// Whatever stood in the way.
pub async fn failover(options: &Options, args: &HandOver) -> Result<u8, Failure> {
    let project = Project::open(options)?;
    let (group, to) = target(&project, args.group.as_deref(), args.to.as_deref())?;
    let plan = |views: &[GroupView<'_>]| patroni::failover(one(views)?, to.as_ref());
    act(
        options,
        &project,
        PatroniVerb::named("failover"),
        &args.approval,
        &[group],
        plan,
    )
    .await
}

/// Restarts PostgreSQL.
///
/// # Errors
/// Whatever stood in the way.
pub async fn restart(options: &Options, args: &Restart) -> Result<u8, Failure> {
    let project = Project::open(options)?;
    let (group, member) = target(&project, args.group.as_deref(), args.member.as_deref())?;
    let scope = RestartScope {
        member,
        pending: args.pending,
    };
    let plan = |views: &[GroupView<'_>]| patroni::restart(one(views)?, &scope);
    let verb = PatroniVerb {
        tells_proxies: true,
        tries: Some(scope.member.as_ref()),
        ..PatroniVerb::named("restart")
    };
    act(options, &project, verb, &args.approval, &[group], plan).await
}

/// Clones a replica again from its leader.
///
/// # Errors
/// Whatever stood in the way.
pub async fn reinit(options: &Options, member: &str, approval: &Approval) -> Result<u8, Failure> {
    let project = Project::open(options)?;
    let member = patroni::member_named(&project.model, member)?;
    let (_, group) = project
        .model
        .group(&member.cluster)
        .ok_or(TargetError::NoGroups)?;
    let plan = |views: &[GroupView<'_>]| patroni::reinit(one(views)?, &member.name);
    act(
        options,
        &project,
        PatroniVerb::named("reinit"),
        approval,
        &[group],
        plan,
    )
    .await
}

/// Reloads configurations.
///
/// # Errors
/// Whatever stood in the way.
pub async fn reload(
    options: &Options,
    group: Option<&str>,
    approval: &Approval,
) -> Result<u8, Failure> {
    let project = Project::open(options)?;
    let (groups, subject) = groups(&project.model, group)?;
    let plan = |views: &[GroupView<'_>]| Ok(patroni::reload(views, &subject));
    act(
        options,
        &project,
        PatroniVerb::named("reload"),
        approval,
        &groups,
        plan,
    )
    .await
}

/// A verb of a whole group, or of all.
async fn on_groups(
    options: &Options,
    group: Option<&str>,
    approval: &Approval,
    verb: &'static str,
    plan: fn(&[GroupView<'_>], &str) -> Result<Runbook, Refusal>,
) -> Result<u8, Failure> {
    let project = Project::open(options)?;
    let (groups, subject) = groups(&project.model, group)?;
    let plan = |views: &[GroupView<'_>]| plan(views, &subject);
    let verb = PatroniVerb::named(verb);
    act(options, &project, verb, approval, &groups, plan).await
}

/// Switches automatic failover off.
///
/// # Errors
/// Whatever stood in the way.
pub async fn pause(
    options: &Options,
    group: Option<&str>,
    approval: &Approval,
) -> Result<u8, Failure> {
    on_groups(options, group, approval, "pause", patroni::pause).await
}

/// Switches it on again.
///
/// # Errors
/// Whatever stood in the way.
pub async fn resume(
    options: &Options,
    group: Option<&str>,
    approval: &Approval,
) -> Result<u8, Failure> {
    on_groups(options, group, approval, "resume", patroni::resume).await
}

fn target<'a>(
    project: &'a Project,
    group: Option<&str>,
    member: Option<&str>,
) -> Result<(&'a Group, Option<InstanceName>), Failure> {
    Ok(patroni::group_of(&project.model, group, member)?)
}

/// The named group or all of them, and what the operator would type for them.
fn groups<'a>(model: &'a Model, name: Option<&str>) -> Result<(Vec<&'a Group>, String), Failure> {
    if name.is_some() {
        let group = patroni::group_named(model, name)?;
        return Ok((vec![group], group.cluster.to_string()));
    }
    let all: Vec<&Group> = model.groups().map(|(_, group)| group).collect();
    let subject = model
        .formations
        .iter()
        .map(|formation| formation.name.as_str());
    let subject = subject.collect::<Vec<_>>().join(",");
    match all.is_empty() {
        true => Err(TargetError::NoGroups.into()),
        false => Ok((all, subject)),
    }
}

fn one<'a, 'b>(views: &'a [GroupView<'b>]) -> Result<&'a GroupView<'b>, Refusal> {
    views
        .first()
        .ok_or_else(|| Refusal::new("no group was looked at", "name one with `--group`"))
}

/// What is done, and whether HAProxy is told of it.
struct PatroniVerb<'a> {
    name: &'static str,
    tells_proxies: bool,
    /// Whether configurations are tried first: of one member, or of all.
    tries: Option<Option<&'a InstanceName>>,
}

impl PatroniVerb<'_> {
    fn named(name: &'static str) -> Self {
        Self {
            name,
            tells_proxies: false,
            tries: None,
        }
    }
}

/// Looks at the groups and at the coordinator beside them, plans, shows, asks, carries out.
async fn act(
    options: &Options,
    project: &Project,
    verb: PatroniVerb<'_>,
    args: &Approval,
    groups: &[&Group],
    plan: impl Fn(&[GroupView<'_>]) -> Result<Runbook, Refusal>,
) -> Result<u8, Failure> {
    let looked = with_coordinators(&project.model, groups);
    let model = &project.model;
    let proxies = groups.iter().filter(|_| verb.tells_proxies);
    let proxies = proxies.flat_map(|group| patroni::proxy_hosts(model, &group.members));
    let mut hosts = hosts(&looked);
    hosts.extend(etcd_hosts(model));
    hosts.extend(proxies.map(|host| host.name.clone()));
    let session = Session::reach_for(options, project, verb.name, hosts, args.dry_run).await?;
    let run = session.run()?;
    let seen = engine::groups(&run, &looked).await;
    let reachable = session.fleet.hosts();
    let proxies = Proxies {
        model,
        reachable: &reachable,
    };
    let told = |view| GroupView {
        proxies: verb.tells_proxies.then_some(proxies),
        ..view
    };
    let planned = match why::stands(&session, &run, groups, (verb.name, verb.tries)).await {
        Ok(()) => views(model, groups, &seen),
        Err(refusal) => Err(refusal.into()),
    };
    let planned = planned.and_then(|views| {
        let views: Vec<GroupView<'_>> = views.into_iter().map(told).collect();
        Ok(plan(&views)?)
    });
    let planned = why::explained(&run, groups, planned).await;
    runbook::run(options, args, &session, &run, planned).await
}

fn etcd_hosts(model: &Model) -> impl Iterator<Item = HostName> {
    let members = model.etcd.iter().flat_map(|etcd| &etcd.members);
    members.map(|member| member.host.clone())
}

fn with_coordinators<'a>(model: &'a Model, groups: &[&'a Group]) -> Vec<&'a Group> {
    let mut all = groups.to_vec();
    for coordinator in groups
        .iter()
        .filter_map(|group| citus(model, group)?.coordinator())
    {
        if all.iter().all(|known| known.cluster != coordinator.cluster) {
            all.push(coordinator);
        }
    }
    all
}

/// The Citus formation of a group.
fn citus<'a>(model: &'a Model, group: &Group) -> Option<&'a Formation> {
    let (formation, _) = model.group(&group.cluster)?;
    formation.is_citus().then_some(formation)
}

/// All members of the groups.
fn hosts(groups: &[&Group]) -> BTreeSet<HostName> {
    let members = groups.iter().flat_map(|group| &group.members);
    members.map(|member| member.host.clone()).collect()
}

type Looks = BTreeMap<ClusterName, Result<GroupSeen, String>>;

fn views<'a>(
    model: &'a Model,
    groups: &[&'a Group],
    seen: &'a Looks,
) -> Result<Vec<GroupView<'a>>, Failure> {
    let of = |group: &&'a Group| match seen.get(&group.cluster) {
        Some(Ok(found)) => Ok(GroupView {
            citus: coordinator(model, group, seen),
            ..GroupView::of(group, found)
        }),
        Some(Err(why)) => Err(silent(group, why)),
        None => Err(silent(group, "it was not asked")),
    };
    groups.iter().map(of).collect()
}

fn coordinator<'a>(model: &'a Model, group: &Group, seen: &'a Looks) -> Option<CitusFormation<'a>> {
    let formation = citus(model, group)?;
    let found = seen.get(&formation.coordinator()?.cluster);
    let leader = found.and_then(|found| found.as_ref().ok()?.leader());
    let leader = leader.filter(|leader| leader.answers);
    Some(CitusFormation {
        formation,
        leader: leader.and_then(|leader| model.instance(&leader.name)),
    })
}

fn silent(group: &Group, why: &str) -> Failure {
    let text = format!("{}: no member of Patroni answers: {why}", group.cluster);
    Failure::new(code::FAILED, text).hint("`citusctl status` shows what runs")
}
