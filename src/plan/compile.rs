//! Model and catalog to wanted state: conditions decided, loops unrolled, templates rendered.

use super::{Desired, DesiredStage, GroupDesired};
use crate::catalog::{Catalog, HostSet, ResourceDecl, StageDecl};
use crate::model::{Group, Host, Model};
use crate::names::{HostName, ResourceId, RoleName, Tag};
use crate::resource::group::{GroupDeclared, GroupResource, PgAccess};
use crate::resource::{Declared, Resource};
use crate::source::{Data, Diagnostic, Diagnostics, Node};
use crate::template::{Engine, TemplateError};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that compiling needs.
#[derive(Debug)]
pub struct Compiler<'a> {
    pub catalog: &'a Catalog,
    pub model: &'a Model,
    pub templates: &'a Engine,
    /// What the templates of each host see.
    pub contexts: &'a BTreeMap<HostName, Value>,
}

/// The catalog does not fit the model: an undefined variable, a wrong field, an unknown playbook.
#[derive(Debug, Default)]
pub struct CompileError {
    pub diagnostics: Diagnostics,
}

type Problem = Box<Diagnostic>;

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
                Err(error) => problems.push(bad_fields(decl, &host.name, &error.to_string())),
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
                Err(error) => problems.push(bad_fields(decl, &speaker.host, &error.to_string())),
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

    /// All resources of a stage's roles for one context.
    fn expand<'c>(
        &'c self,
        stage: &StageDecl,
        context: &Value,
        problems: &mut Diagnostics,
    ) -> Vec<Expanded<'c>> {
        let mut all = Vec::new();
        let mut seen = BTreeSet::new();
        for (name, _) in &stage.roles {
            let Some(role) = self.catalog.roles.get(name) else {
                continue;
            };
            for decl in &role.resources {
                match self.declaration(name, decl, context) {
                    Ok(found) => all.extend(found),
                    Err(problem) => problems.push(*problem),
                }
            }
        }
        for (id, _, _, _, decl) in &all {
            if !seen.insert(id.clone()) {
                problems.push(
                    Diagnostic::error(
                        "duplicate-resource",
                        format!("two resources are called `{id}`"),
                    )
                    .at(decl.span, "the second"),
                );
            }
        }
        all
    }

    fn declaration<'c>(
        &self,
        role: &RoleName,
        decl: &'c ResourceDecl,
        context: &Value,
    ) -> Result<Vec<Expanded<'c>>, Problem> {
        let mut expanded = Vec::new();
        for context in self.each(decl, context)? {
            if let Some((expression, span)) = &decl.when {
                let value = self
                    .templates
                    .evaluate(expression, &context)
                    .map_err(|e| self.located(e, *span))?;
                if !truthy(&value) {
                    continue;
                }
            }
            let fields = self.fields(role, decl, &context)?;
            let local = self.text(&decl.id, decl, &context)?;
            let mut tags: BTreeSet<Tag> = decl.tags.iter().map(Tag::new).collect();
            tags.insert(Tag::new(role.as_str()));
            expanded.push((
                ResourceId::new(format!("{role}/{local}")),
                decl.kind.clone(),
                fields,
                tags,
                decl,
            ));
        }
        Ok(expanded)
    }

    /// One context for each turn of the loop, or the context itself.
    fn each(&self, decl: &ResourceDecl, context: &Value) -> Result<Vec<Value>, Problem> {
        let Some((expression, name, span)) = &decl.each else {
            return Ok(vec![context.clone()]);
        };
        let items = self
            .templates
            .evaluate(expression, context)
            .map_err(|e| self.located(e, *span))?;
        let Value::Array(items) = items else {
            return Err(Box::new(
                Diagnostic::error("bad-loop", format!("`{expression}` is not a list"))
                    .at(*span, "here"),
            ));
        };
        let with = |item: Value| {
            let mut context = context.clone();
            if let Value::Object(map) = &mut context {
                map.insert(name.clone(), item);
            }
            context
        };
        Ok(items.into_iter().map(with).collect())
    }

    fn fields(
        &self,
        role: &RoleName,
        decl: &ResourceDecl,
        context: &Value,
    ) -> Result<Value, Problem> {
        let mut fields = Map::new();
        for (key, node) in &decl.fields {
            let value = self.value(node, decl, context)?;
            if key == "template" {
                let rendered =
                    self.template(role, value.as_str().unwrap_or_default(), decl, context)?;
                let field = match decl.kind.as_str() {
                    "command" => "run",
                    "unit" => "first",
                    _ => "content",
                };
                fields.insert(field.to_owned(), Value::from(rendered));
            } else {
                fields.insert(key.clone(), value);
            }
        }
        Ok(Value::Object(fields))
    }

    fn template(
        &self,
        role: &RoleName,
        name: &str,
        decl: &ResourceDecl,
        context: &Value,
    ) -> Result<String, Problem> {
        let own = format!("roles/{role}/templates/{name}");
        let path = if self.catalog.assets.get(&own).is_some() {
            own
        } else {
            format!("templates/{name}")
        };
        let rendered = self
            .templates
            .render(&path, context)
            .map_err(|e| self.located(e, decl.span))?;
        Ok(rendered.text)
    }

    /// Renders a field. A text that is one expression as a whole keeps the expression's type.
    fn value(&self, node: &Node, decl: &ResourceDecl, context: &Value) -> Result<Value, Problem> {
        match &node.data {
            Data::Seq(items) => {
                let items: Result<Vec<Value>, Problem> = items
                    .iter()
                    .map(|item| self.value(item, decl, context))
                    .collect();
                Ok(Value::Array(items?))
            }
            Data::Map(entries) => {
                let mut map = Map::new();
                for (key, value) in entries {
                    map.insert(
                        key.as_str().unwrap_or_default().to_owned(),
                        self.value(value, decl, context)?,
                    );
                }
                Ok(Value::Object(map))
            }
            Data::Scalar { text, .. } if text.contains("{{") || text.contains("{%") => {
                match lone_expression(text) {
                    Some(expression) => self
                        .templates
                        .evaluate(expression, context)
                        .map(unmark)
                        .map_err(|e| self.located(e, node.span)),
                    None => self.text(text, decl, context).map(Value::from),
                }
            }
            Data::Scalar { .. } => Ok(node.to_json()),
        }
    }

    fn text(&self, text: &str, decl: &ResourceDecl, context: &Value) -> Result<String, Problem> {
        if !text.contains("{{") && !text.contains("{%") {
            return Ok(text.to_owned());
        }
        let rendered = self.templates.render_text("role.yml", text, context);
        rendered
            .map(|rendered| rendered.text)
            .map_err(|e| self.located(e, decl.span))
    }

    fn located(&self, error: TemplateError, span: crate::source::Span) -> Problem {
        let mut diagnostic =
            Diagnostic::error("template", error.to_string()).at(span, "needed here");
        if let Some(help) = error.help() {
            diagnostic = diagnostic.help(help);
        }
        Box::new(diagnostic)
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

type Expanded<'c> = (ResourceId, String, Value, BTreeSet<Tag>, &'c ResourceDecl);

fn bad_fields(decl: &ResourceDecl, host: &HostName, error: &str) -> Diagnostic {
    Diagnostic::error("bad-resource", format!("{host}: {error}")).at(decl.span, "in this resource")
}

fn lone_expression(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!inner.contains("{{") && !inner.contains("{%")).then(|| inner.trim())
}

/// A secret that an expression yields, as its text.
fn unmark(value: Value) -> Value {
    match value.get(crate::template::SECRET_MARK) {
        Some(text) => text.clone(),
        None => value,
    }
}

fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

fn access(context: &Value) -> PgAccess {
    let pg = context.get("pg");
    let text = |key: &str| {
        pg.and_then(|pg| pg.get(key))
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let dbsu = pg
        .and_then(|pg| pg.pointer("/users/dbsu"))
        .and_then(Value::as_str)
        .unwrap_or("postgres");
    PgAccess {
        dbsu: dbsu.to_owned(),
        socket_dir: text("socket_dir"),
        port: pg
            .and_then(|pg| pg.get("port"))
            .and_then(Value::as_u64)
            .and_then(|p| u16::try_from(p).ok())
            .unwrap_or(5432),
        data_dir: text("data_dir"),
        bin_dir: text("bin_dir"),
        citus_db: (text("mode") == "citus").then(|| text("primary_db")),
    }
}
