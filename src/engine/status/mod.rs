//! The state of formations as the machines tell it: one program per host, one request to Patroni per group, one
//! to each HAProxy. It only looks.

mod address;
mod authority;
mod backup;
mod commit;
mod findings;
mod force;
mod group;
mod haproxy;
mod host;
mod nodes;
mod patroni;
mod ports;
mod powers;
mod quorum;
mod runtime;
mod service;
mod units;

pub use authority::AuthorityHere;
pub use haproxy::HaproxyAccess;

use super::Run;
use super::fleet::chain;
use super::look::futures_join;
use crate::event::status::StatusReport;
use crate::fact::{self, DeclaredObjects};
use crate::model::backup::Backups;
use crate::model::{Group, Instance};
use crate::names::{ClusterName, HostName};
use crate::secret::Secret;
use findings::Findings;
use haproxy::Servers;
use host::HostAnswers;
use patroni::ClusterView;
use std::collections::BTreeMap;

/// What `status` needs to know besides what the engine knows.
#[derive(Clone, Debug, Default)]
pub struct StatusAccess {
    /// The authority beside the inventory, by which Patroni is asked; `None`: it is asked without.
    pub authority: Option<AuthorityHere>,
    /// `etcd_root_password`: with authentication on, the list of members is root's.
    pub etcd_root: Option<Secret>,
    /// The statistics page of each host that runs HAProxy.
    pub haproxy: BTreeMap<HostName, HaproxyAccess>,
    /// Directories whose file systems must not be full, by host.
    pub data: BTreeMap<HostName, Vec<String>>,
    /// What the inventory declares for each group.
    pub declared: BTreeMap<ClusterName, DeclaredObjects>,
    /// What the inventory says of each group's backups.
    pub backups: BTreeMap<ClusterName, Backups>,
    /// `pg_data` of each host.
    pub pg_data: BTreeMap<HostName, String>,
    /// Bytes that a replica may be behind and still be promoted (`pg_rpo`), by cluster.
    pub lag_limits: BTreeMap<ClusterName, u64>,
}

/// All answers of one look. An error is a whole sentence.
#[derive(Debug, Default)]
struct StatusAnswers {
    hosts: BTreeMap<HostName, Result<HostAnswers, String>>,
    groups: BTreeMap<ClusterName, Result<ClusterView, String>>,
    haproxy: BTreeMap<HostName, Result<Servers, String>>,
    /// Members on whose port another Patroni answers.
    strangers: Vec<String>,
}

/// Looks at all connected hosts, and judges. Hosts that could not be reached are problems of the report; hosts
/// that were not selected are left out.
pub async fn status(run: &Run<'_>, access: &StatusAccess) -> StatusReport {
    let answers = gather(run, access).await;
    report(run, access, &answers)
}

async fn gather(run: &Run<'_>, access: &StatusAccess) -> StatusAnswers {
    let connected = run.fleet.hosts();
    let hosts = futures_join(
        connected
            .iter()
            .map(|host| async { (host.clone(), host::ask(run, access, host).await) }),
    );
    let groups = run
        .model
        .groups()
        .map(|(_, group)| group)
        .filter(|group| group.members.iter().any(|m| connected.contains(&m.host)));
    let groups = futures_join(
        groups.map(|group| async { (group.cluster.clone(), patroni::ask(run, group).await) }),
    );
    let proxies = connected.iter().filter_map(|host| {
        let known = run.model.hosts.get(host)?;
        Some((known, access.haproxy.get(host)?))
    });
    let proxies = futures_join(proxies.filter(|(host, _)| host.haproxy).map(
        |(host, access)| async { (host.name.clone(), haproxy::ask(run, host, access).await) },
    ));
    let members = run.model.instances();
    let members = members.filter(|member| connected.contains(&member.host));
    let strangers =
        futures_join(members.map(|member| crate::engine::patroni::stranger(run, member)));
    let (hosts, groups, proxies, strangers) = tokio::join!(hosts, groups, proxies, strangers);
    StatusAnswers {
        hosts: hosts.into_iter().collect(),
        groups: groups.into_iter().collect(),
        haproxy: proxies.into_iter().collect(),
        strangers: strangers.into_iter().flatten().collect(),
    }
}

/// What the servers of a group said; a host that was tried and gave no answer is one that is not known.
fn evidence(run: &Run<'_>, group: &Group, answers: &StatusAnswers) -> fact::Answers {
    let of = |member: &Instance| match answers.hosts.get(&member.host) {
        Some(Ok(seen)) => seen.postgres.clone(),
        Some(Err(why)) => Some(Err(why.clone())),
        None => {
            let error = run.fleet.unreachable().get(&member.host)?;
            Some(Err(chain(error)))
        }
    };
    let members = group.members.iter();
    members
        .filter_map(|member| Some((member.name.clone(), of(member)?)))
        .collect()
}

fn report(run: &Run<'_>, access: &StatusAccess, answers: &StatusAnswers) -> StatusReport {
    let mut said = Findings::default();
    said.unreachable(run);
    said.unanswered(answers);
    said.emergency(answers);
    said.problems.extend(answers.strangers.iter().cloned());
    said.logins(answers);
    said.restore(answers);
    said.prepared(answers);
    said.in_doubt(answers);
    let strangers = authority::judge(access, answers, &mut said);
    let mut report = StatusReport {
        formation: match run.model.formations.as_slice() {
            [only] => Some(only.name.clone()),
            _ => None,
        },
        etcd: quorum::judge(run, answers, &mut said),
        ..StatusReport::default()
    };
    let decides = quorum::decides(run, &report.etcd);
    for (_, group) in run.model.groups() {
        let copies = match group.members.iter().any(|m| strangers.contains(&m.host)) {
            // Patroni runs there, and it is not asked in a way that it answers.
            true => fact::Answers::default(),
            false => evidence(run, group, answers),
        };
        let Some(answer) = answers.groups.get(&group.cluster) else {
            // All of its hosts are gone, or none of them was selected.
            if group
                .members
                .iter()
                .any(|member| run.fleet.unreachable().contains_key(&member.host))
            {
                let gone = Err("none of its hosts does");
                report
                    .groups
                    .push(group::judge(group, gone, &copies, None, &mut said));
            }
            continue;
        };
        let limit = access.lag_limits.get(&group.cluster).copied();
        let view = answer.as_ref().map_err(String::as_str);
        report.paused |= view.is_ok_and(|view| view.paused);
        if let Ok(view) = view {
            let away = |host: &HostName| run.fleet.unreachable().contains_key(host);
            group::witnesses(group, view, decides, away, &mut said);
        }
        let mut judged = group::judge(group, view, &copies, limit, &mut said);
        let leader = view.ok().and_then(|view| view.leader());
        let leader = leader.map(|leader| leader.host(group));
        let backups = access.backups.get(&group.cluster);
        judged.backup = backup::judge(group, backups, leader.as_ref(), answers, &mut said);
        report.groups.push(judged);
        powers::judge(group, access, answers, &mut said);
        report.vips.extend(address::vip(group, answers, &mut said));
    }
    for vip in &run.model.node_vips {
        report
            .vips
            .extend(address::node_vip(vip, answers, &mut said));
    }
    report.nodes = nodes::judge(run, answers, &mut said);
    report.services = service::judge(run, answers, &mut said);
    report.certificates = findings::certificates(answers, &mut said);
    said.units(run, answers);
    said.runtime(run, answers);
    said.ports(run, access, answers);
    said.clocks(answers);
    said.disks(answers);
    let declared = |host: &HostName, name: &str| {
        let group = run.model.group_on(host).map(|(_, group)| &group.cluster);
        let declared = group.and_then(|cluster| access.declared.get(cluster));
        declared.is_some_and(|all| all.parameters.contains(name))
    };
    said.force(&declared, answers);
    report.healthy = said.problems.is_empty();
    report.problems = said.problems;
    report.warnings = said.warnings;
    report
}
