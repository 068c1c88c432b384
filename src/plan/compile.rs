//! Model and catalog to wanted state: which stages, hosts and groups, and what each of them gets.

mod expand;
mod fields;

use super::{Desired, DesiredStage, GroupDesired};
use crate::catalog::{Catalog, HostSet, ResourceDecl, StageDecl};
use crate::model::{Group, Host, Model};
use crate::names::{HostName, RoleName};
use crate::resource::group::{GroupDeclared, GroupResource, PgAccess};
use crate::resource::{Declared, Resource};
use crate::source::{Diagnostic, Diagnostics};
use crate::template::{Context, Engine};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that compiling needs.
#[derive(Debug)]
pub struct Compiler<'a> {
    pub catalog: &'a Catalog,
    pub model: &'a Model,
    pub templates: &'a Engine,
    /// What the templates of each host see.
    pub contexts: &'a BTreeMap<HostName, Context>,
}

/// The catalog does not fit the model: an undefined variable, a wrong field, an unknown playbook.
#[derive(Debug, Default)]
pub struct CompileError {
    pub diagnostics: Diagnostics,
}

impl Compiler<'_> {
    /// The wanted state of a playbook on all hosts.
    pub fn compile(&self, playbook: &str) -> Result<Desired, CompileError> {
        let mut error = CompileError::default();
        let mut desired = Desired::default();
        let Some(playbook) = self.catalog.playbooks.get(playbook) else {
            let known: Vec<&str> = self.catalog.playbooks.keys().map(String::as_str).collect();
            error.diagnostics.push(
                Diagnostic::error(
                    "unknown-playbook",
                    format!("there is no playbook `{playbook}`"),
                )
                .help(format!("playbooks are {}", known.join(", "))),
            );
            return Err(error);
        };
        if playbook.removal().is_some() {
            let message = format!("`{}` takes hosts out and writes nothing", playbook.name);
            let help = format!(
                "`citusctl plan {} -l HOST` shows what it would do",
                playbook.name
            );
            error
                .diagnostics
                .push(Diagnostic::error("removal-playbook", message).help(help));
            return Err(error);
        }
        fields::check(self.catalog, &mut error.diagnostics);
        if error.diagnostics.has_errors() {
            return Err(error);
        }
        for stage in &playbook.stages {
            desired
                .stages
                .push(self.stage(stage, &mut error.diagnostics));
        }
        self.wanted(&mut desired, &mut error.diagnostics);
        if error.diagnostics.has_errors() {
            Err(error)
        } else {
            Ok(desired)
        }
    }

    fn stage(&self, stage: &StageDecl, problems: &mut Diagnostics) -> DesiredStage {
        let mut compiled = DesiredStage {
            name: stage.name.clone(),
            rollout: stage.rollout,
            gate: stage.gate,
            hosts: BTreeMap::new(),
            groups: BTreeMap::new(),
            sweeps: self.sweeps(stage),
        };
        if stage.hosts == HostSet::Groups {
            for (_, group) in self.model.groups() {
                if let Some(work) = self.group(stage, group, problems) {
                    compiled.groups.insert(group.cluster.clone(), work);
                }
            }
            return compiled;
        }
        for host in self.hosts(stage.hosts) {
            let resources = self.host(stage, host, problems);
            compiled.hosts.insert(host.name.clone(), resources);
        }
        if stage.hosts == HostSet::Haproxy {
            // One that is to carry HAProxy no more may still do so.
            for host in self.model.hosts() {
                compiled.hosts.entry(host.name.clone()).or_default();
            }
        }
        compiled
    }

    /// The roles of a stage, and the units that each of them may want.
    fn sweeps(&self, stage: &StageDecl) -> BTreeMap<RoleName, BTreeSet<String>> {
        let units = |name: &RoleName| {
            let role = self.catalog.roles.get(name);
            let declared = role.into_iter().flat_map(|role| &role.resources);
            let field = |unit: &'_ ResourceDecl, key: &str| {
                let found = unit.fields.iter().find(|(name, _)| *name == key);
                found.and_then(|(_, node)| node.as_str().map(str::to_owned))
            };
            let units = declared.filter(|declared| declared.kind == "unit");
            let swept = units.filter(|unit| field(unit, "stays").is_none());
            swept.filter_map(|unit| field(unit, "name")).collect()
        };
        let roles = stage
            .roles
            .iter()
            .map(|(name, _)| (name.clone(), units(name)));
        roles.collect()
    }

    /// The hosts of a set, in the inventory's order.
    fn hosts(&self, set: HostSet) -> Vec<&Host> {
        let bootstraps = |host: &Host| {
            self.model
                .group_on(&host.name)
                .is_some_and(|(_, group)| group.primary().is_some_and(|p| p.host == host.name))
        };
        let worker = |host: &Host| {
            self.model
                .group_on(&host.name)
                .is_some_and(|(_, group)| group.number.is_some_and(|number| number > 0))
        };
        let first_etcd = self
            .model
            .etcd
            .as_ref()
            .and_then(|etcd| etcd.members.first())
            .map(|member| &member.host);
        let wanted = |host: &&Host| match set {
            HostSet::All => true,
            HostSet::Etcd => host.etcd.is_some(),
            HostSet::EtcdFirst => first_etcd == Some(&host.name),
            HostSet::Pgsql => host.pg.is_some(),
            HostSet::BootstrapFirst => bootstraps(host) && !worker(host),
            HostSet::BootstrapWorkers => bootstraps(host) && worker(host),
            HostSet::Replicas => host.pg.is_some() && !bootstraps(host),
            HostSet::Haproxy => host.haproxy,
            HostSet::Groups => false,
        };
        self.model.hosts().filter(wanted).collect()
    }

    fn host(&self, stage: &StageDecl, host: &Host, problems: &mut Diagnostics) -> Vec<Declared> {
        let mut resources = Vec::new();
        let Some(context) = self.contexts.get(&host.name) else {
            return resources;
        };
        for (id, kind, fields, tags, decl) in self.expand(stage, context, problems) {
            match Resource::from_fields(&kind, fields) {
                Ok(resource) => resources.push(Declared { id, tags, resource }),
                Err(error) => problems.push(bad_fields(decl, &error.to_string())),
            }
        }
        resources
    }

    fn group(
        &self,
        stage: &StageDecl,
        group: &Group,
        problems: &mut Diagnostics,
    ) -> Option<GroupDesired> {
        let speaker = group.primary().or(group.members.first())?;
        let context = self.contexts.get(&speaker.host)?;
        let mut resources = Vec::new();
        for (id, kind, fields, tags, decl) in self.expand(stage, context, problems) {
            match GroupResource::from_fields(&kind, fields) {
                Ok(resource) => resources.push(GroupDeclared { id, tags, resource }),
                Err(error) => problems.push(bad_fields(decl, &error.to_string())),
            }
        }
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

    /// Every path that any playbook's resources own and every unit that they want, by host. Stages that were compiled
    /// already are not again.
    fn wanted(&self, desired: &mut Desired, problems: &mut Diagnostics) {
        let Some(site) = self.catalog.playbooks.get("site") else {
            return;
        };
        for stage in site.stages.iter().filter(|s| s.hosts != HostSet::Groups) {
            let done = desired.stages.iter().find(|done| done.name == stage.name);
            let hosts = match done {
                Some(done) => done.hosts.clone(),
                None => self.stage(stage, problems).hosts,
            };
            for (host, resources) in hosts {
                let paths = desired.owned.entry(host.clone()).or_default();
                paths.extend(resources.iter().flat_map(|r| r.resource.owns()));
                let units = desired.units.entry(host).or_default();
                units.extend(resources.iter().filter_map(unit_name));
            }
        }
    }
}

fn unit_name(declared: &Declared) -> Option<String> {
    if let Resource::Unit(unit) = &declared.resource {
        return Some(unit.name.clone());
    }
    None
}

fn bad_fields(decl: &ResourceDecl, error: &str) -> Diagnostic {
    Diagnostic::error("bad-resource", error).at(decl.span, "in this resource")
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
