//! One host's part of a wanted state.

use super::Compiler;
use super::expand::{Declares, Expanded};
use super::memo::Memo;
use crate::catalog::{HostSet, Playbook, StageDecl};
use crate::model::{Group, Host};
use crate::names::{ClusterName, HostName, ResourceId};
use crate::plan::{Desired, GroupDesired};
use crate::resource::group::{GroupDeclared, GroupResource, PgAccess};
use crate::resource::{Declared, Resource, SpecError};
use crate::source::{Diagnostic, Diagnostics};
use crate::template::Context;
use std::collections::BTreeSet;

/// A host to be compiled.
#[derive(Debug)]
pub(super) struct HostTask<'a> {
    pub(super) host: &'a Host,
    /// Whether the host itself was asked for, or only its group.
    own: bool,
    /// The group that is compiled as this host sees it.
    group: Option<&'a Group>,
}

/// What is wanted of a host, and of the group that it speaks for, by the number of the stage.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) host: HostName,
    stages: Vec<(usize, Vec<Declared>)>,
    groups: Vec<(usize, ClusterName, GroupDesired)>,
    /// Paths and units that any playbook wants there.
    wanted: Option<(BTreeSet<String>, BTreeSet<String>)>,
}

/// What a worker remembers.
#[derive(Debug, Default)]
pub(super) struct Memos {
    hosts: Memo<Declared>,
    groups: Memo<GroupDeclared>,
}

/// Problems with the number of the stage in which each was met.
pub(super) type Problems = Vec<(usize, Diagnostic)>;

impl Part {
    /// Adds it to a wanted state that has the same stages.
    pub(super) fn join(self, desired: &mut Desired) {
        for (at, resources) in self.stages {
            if let Some(stage) = desired.stages.get_mut(at) {
                stage.hosts.insert(self.host.clone(), resources);
            }
        }
        for (at, cluster, group) in self.groups {
            if let Some(stage) = desired.stages.get_mut(at) {
                stage.groups.insert(cluster, group);
            }
        }
        if let Some((paths, units)) = self.wanted {
            desired.owned.insert(self.host.clone(), paths);
            desired.units.insert(self.host, units);
        }
    }

    fn want(&mut self, resources: &[Declared]) {
        let (paths, units) = self.wanted.get_or_insert_default();
        paths.extend(resources.iter().flat_map(|r| r.resource.owns()));
        units.extend(resources.iter().filter_map(unit_name));
    }
}

impl<'a> Compiler<'a> {
    /// The hosts that are asked for, and those that speak for groups that are, in the inventory's order.
    pub(super) fn tasks(&self) -> Vec<HostTask<'a>> {
        let asked = |host: &HostName| self.limit.is_none_or(|limit| limit.contains(host));
        let tasks = self.input.model.hosts().map(|host| HostTask {
            host,
            own: asked(&host.name),
            group: self.spoken_for(host).filter(|group| {
                let mut members = group.members.iter();
                members.any(|member| asked(&member.host))
            }),
        });
        tasks
            .filter(|task| task.own || task.group.is_some())
            .collect()
    }

    /// The group whose resources are made of this host's context.
    fn spoken_for(&self, host: &Host) -> Option<&'a Group> {
        let (_, group) = self.input.model.group_on(&host.name)?;
        let speaker = group.primary().or(group.members.first())?;
        (speaker.host == host.name).then_some(group)
    }

    /// Everything that a playbook wants of a host and of the group that it speaks for.
    pub(super) fn part(
        &self,
        playbook: &Playbook,
        task: &HostTask<'_>,
        context: &Context,
        memos: &mut Memos,
    ) -> (Part, Problems) {
        let mut part = Part {
            host: task.host.name.clone(),
            stages: Vec::new(),
            groups: Vec::new(),
            wanted: None,
        };
        let mut problems = Problems::new();
        for (at, stage) in playbook.stages.iter().enumerate() {
            let mut found = Diagnostics::default();
            if stage.hosts == HostSet::Groups {
                let group = task.group.and_then(|group| {
                    let work = self.group(stage, group, (context, memos), &mut found)?;
                    Some((at, group.cluster.clone(), work))
                });
                part.groups.extend(group);
            } else if task.own {
                let resources =
                    self.stage(stage, task.host, (context, &mut memos.hosts), &mut found);
                part.stages.extend(resources.map(|found| (at, found)));
            }
            problems.extend(found.into_iter().map(|problem| (at, problem)));
        }
        if task.own {
            let seen = (context, &mut memos.hosts);
            self.wanted(playbook, &mut part, (task.host, seen), &mut problems);
        }
        (part, problems)
    }

    /// Every path that any playbook's resources own and every unit that they want. Stages that were compiled already are
    /// not compiled again.
    fn wanted(
        &self,
        playbook: &Playbook,
        part: &mut Part,
        (host, (context, memo)): (&Host, (&Context, &mut Memo<Declared>)),
        problems: &mut Problems,
    ) {
        let Some(site) = self.catalog.playbooks.get("site") else {
            return;
        };
        let own = |stage: &&StageDecl| stage.hosts != HostSet::Groups;
        for stage in site.stages.iter().filter(own) {
            let done = playbook.stages.iter().position(|s| s.name == stage.name);
            let Some(at) = done else {
                let mut found = Diagnostics::default();
                if let Some(resources) = self.stage(stage, host, (context, memo), &mut found) {
                    part.want(&resources);
                }
                let last = playbook.stages.len();
                problems.extend(found.into_iter().map(|problem| (last, problem)));
                continue;
            };
            let known = part.stages.iter().position(|(number, _)| *number == at);
            if let Some(known) = known {
                let resources = std::mem::take(&mut part.stages[known].1);
                part.want(&resources);
                part.stages[known].1 = resources;
            }
        }
    }

    /// What a stage wants of a host, if it is one of its hosts.
    fn stage(
        &self,
        stage: &StageDecl,
        host: &Host,
        (context, memo): (&Context, &mut Memo<Declared>),
        problems: &mut Diagnostics,
    ) -> Option<Vec<Declared>> {
        match self.has(stage.hosts, host) {
            true => Some(self.expand(stage, context, memo, problems)),
            // One that is to carry HAProxy no more may still do so.
            false => (stage.hosts == HostSet::Haproxy).then(Vec::new),
        }
    }

    /// Whether a host is one of a set.
    fn has(&self, set: HostSet, host: &Host) -> bool {
        let model = self.input.model;
        let group = || model.group_on(&host.name).map(|(_, group)| group);
        let bootstraps = || {
            let primary = group().and_then(Group::primary);
            primary.is_some_and(|primary| primary.host == host.name)
        };
        let worker = || group().is_some_and(|group| group.number.is_some_and(|number| number > 0));
        let first_etcd = || {
            let first = model.etcd.as_ref().and_then(|etcd| etcd.members.first());
            first.is_some_and(|member| member.host == host.name)
        };
        match set {
            HostSet::All => true,
            HostSet::Etcd => host.etcd.is_some(),
            HostSet::EtcdFirst => first_etcd(),
            HostSet::Pgsql => host.pg.is_some(),
            HostSet::BootstrapFirst => bootstraps() && !worker(),
            HostSet::BootstrapWorkers => bootstraps() && worker(),
            HostSet::Replicas => host.pg.is_some() && !bootstraps(),
            HostSet::Haproxy => host.haproxy,
            HostSet::Groups => false,
        }
    }

    fn group(
        &self,
        stage: &StageDecl,
        group: &Group,
        (context, memos): (&Context, &mut Memos),
        problems: &mut Diagnostics,
    ) -> Option<GroupDesired> {
        let resources = self.expand(stage, context, &mut memos.groups, problems);
        let members = group
            .members
            .iter()
            .map(|member| (member.name.clone(), member.host.clone()))
            .collect();
        (!resources.is_empty()).then(|| GroupDesired {
            access: access(context),
            members,
            resources,
        })
    }
}

impl Declares for Declared {
    fn of(kind: &str, expanded: Expanded) -> Result<Self, SpecError> {
        Ok(Self {
            id: expanded.id,
            tags: expanded.tags,
            resource: Resource::from_fields(kind, expanded.fields)?.into(),
        })
    }

    fn id(&self) -> &ResourceId {
        &self.id
    }
}

impl Declares for GroupDeclared {
    fn of(kind: &str, expanded: Expanded) -> Result<Self, SpecError> {
        Ok(Self {
            id: expanded.id,
            tags: expanded.tags,
            resource: GroupResource::from_fields(kind, expanded.fields)?,
        })
    }

    fn id(&self) -> &ResourceId {
        &self.id
    }
}

fn unit_name(declared: &Declared) -> Option<String> {
    if let Resource::Unit(unit) = &*declared.resource {
        return Some(unit.name.clone());
    }
    None
}

fn access(context: &Context) -> PgAccess {
    let text = |name: &str| context.text(&["pg", name]).unwrap_or_default().to_owned();
    let port = context.number(&["pg", "port"]);
    let version = context.number(&["pg", "version"]);
    PgAccess {
        dbsu: context
            .text(&["pg", "users", "dbsu"])
            .unwrap_or("postgres")
            .to_owned(),
        socket_dir: text("socket_dir"),
        port: port.and_then(|p| u16::try_from(p).ok()).unwrap_or(5432),
        data_dir: text("data_dir"),
        bin_dir: text("bin_dir"),
        version: version
            .and_then(|v| u32::try_from(v).ok())
            .unwrap_or_default(),
        citus_db: (text("mode") == "citus").then(|| text("primary_db")),
    }
}
