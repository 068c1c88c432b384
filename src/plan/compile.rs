//! Model and catalog to wanted state: which stages, hosts and groups, and what each of them gets.

mod class;
mod expand;
mod fields;
mod memo;
mod part;

use super::context::{ContextInput, ContextNotes, Contexts};
use super::{Desired, DesiredStage};
use crate::catalog::{Catalog, Playbook, ResourceDecl, StageDecl};
use crate::names::{HostName, RoleName};
use crate::pki::PkiError;
use crate::secret::Masker;
use crate::source::{Diagnostic, Diagnostics};
use crate::template::Engine;
use crate::workers;
use part::{HostTask, Memos, Part};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that compiling needs.
#[derive(Debug)]
pub struct Compiler<'a> {
    pub catalog: &'a Catalog,
    pub templates: &'a Engine,
    /// What the templates of each host see is made of this.
    pub input: &'a ContextInput<'a>,
    /// The only hosts that are compiled, with the groups that have members among them. `None`: all.
    pub limit: Option<&'a BTreeSet<HostName>>,
}

/// A wanted state, and what was said and learned on the way to it.
#[derive(Debug)]
pub struct Compiled {
    pub desired: Desired,
    /// All secrets of the inventory and of the wanted state.
    pub masker: Masker,
    /// Certificates that were made or made again, and why.
    pub issued: Vec<String>,
}

/// The catalog does not fit the model: an undefined variable, a wrong field, an unknown playbook; or the inventory names
/// what is not there.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// Places are those of the inventory.
    #[error("the inventory does not fit the catalog")]
    Inventory(Diagnostics),
    /// Places are those of the catalog.
    #[error("the catalog does not fit the inventory")]
    Catalog(Diagnostics),
}

impl Compiler<'_> {
    /// The wanted state of a playbook.
    ///
    /// # Errors
    /// See [`CompileError`].
    pub fn compile(&self, playbook: &str) -> Result<Compiled, CompileError> {
        let contexts = Contexts::new(self.input);
        let parts = self.every(&contexts, playbook, |part, told| (part, told))?;
        let mut desired = self.outline(self.playbook(playbook)?);
        let mut masker = contexts.masker();
        let mut issued = Vec::new();
        for (part, told) in parts {
            part.join(&mut desired);
            told.secrets
                .into_iter()
                .for_each(|secret| masker.add(secret));
            issued.extend(told.issued);
        }
        Ok(Compiled {
            desired,
            masker,
            issued,
        })
    }

    /// Compiles host by host, on all cores, and hands each one's wanted state to `take`; nothing else is kept of it.
    ///
    /// # Errors
    /// See [`CompileError`]. `take` may have seen other hosts by then.
    pub fn stream<T: Send>(
        &self,
        playbook: &str,
        take: impl Fn(&HostName, Desired) -> T + Sync,
    ) -> Result<Vec<T>, CompileError> {
        let contexts = Contexts::new(self.input);
        let outline = self.outline(self.playbook(playbook)?);
        self.every(&contexts, playbook, |part, _| {
            let host = part.host.clone();
            let mut desired = outline.clone();
            part.join(&mut desired);
            take(&host, desired)
        })
    }

    /// Proves that a playbook compiles for all hosts, and says how many there are. Of hosts that differ only in who they are one
    /// is compiled; when anything is wrong with that, each of them is, so that all of it is said.
    ///
    /// # Errors
    /// See [`CompileError`].
    pub fn prove(&self, playbook: &str) -> Result<usize, CompileError> {
        let contexts = Contexts::new(self.input);
        let tasks = self.tasks();
        let hosts = tasks.len();
        // What another catalog makes of a name is not known.
        if self.catalog.assets.are_shipped() {
            let chosen = class::representatives(&contexts, self.tasks());
            if self
                .of_tasks(&contexts, playbook, &chosen, |_, _| ())
                .is_ok()
            {
                return Ok(hosts);
            }
        }
        self.of_tasks(&contexts, playbook, &tasks, |_, _| ())?;
        Ok(hosts)
    }

    fn every<T: Send>(
        &self,
        contexts: &Contexts<'_>,
        playbook: &str,
        take: impl Fn(Part, ContextNotes) -> T + Sync,
    ) -> Result<Vec<T>, CompileError> {
        self.of_tasks(contexts, playbook, &self.tasks(), take)
    }

    fn of_tasks<T: Send>(
        &self,
        contexts: &Contexts<'_>,
        playbook: &str,
        tasks: &[HostTask<'_>],
        take: impl Fn(Part, ContextNotes) -> T + Sync,
    ) -> Result<Vec<T>, CompileError> {
        let playbook = self.playbook(playbook)?;
        let done = workers::each(tasks, |memos: &mut Memos, task| {
            let (context, mut told) = contexts.of(task.host)?;
            let said = std::mem::take(&mut told.diagnostics);
            let (part, problems) = self.part(playbook, task, &context, memos);
            Ok::<_, PkiError>((take(part, told), said, problems))
        });
        let (mut taken, mut said) = (Vec::new(), Diagnostics::default());
        let mut problems = Vec::new();
        for one in done {
            let (result, own, found) = one?;
            taken.push(result);
            said.extend(own);
            problems.extend(found);
        }
        if said.has_errors() {
            return Err(CompileError::Inventory(said));
        }
        // As they are met stage by stage.
        problems.sort_by_key(|(stage, _)| *stage);
        let mut found = Diagnostics::default();
        found.extend(problems.into_iter().map(|(_, problem)| problem));
        match found.has_errors() {
            true => Err(CompileError::Catalog(found)),
            false => Ok(taken),
        }
    }

    /// A playbook that writes something.
    fn playbook(&self, name: &str) -> Result<&Playbook, CompileError> {
        let mut problems = Diagnostics::default();
        let Some(playbook) = self.catalog.playbooks.get(name) else {
            let known: Vec<&str> = self.catalog.playbooks.keys().map(String::as_str).collect();
            problems.push(
                Diagnostic::error("unknown-playbook", format!("there is no playbook `{name}`"))
                    .help(format!("playbooks are {}", known.join(", "))),
            );
            return Err(CompileError::Catalog(problems));
        };
        if playbook.removal().is_some() {
            let message = format!("`{}` takes hosts out and writes nothing", playbook.name);
            let help = format!(
                "`citusctl plan {} -l HOST` shows what it would do",
                playbook.name
            );
            problems.push(Diagnostic::error("removal-playbook", message).help(help));
            return Err(CompileError::Catalog(problems));
        }
        fields::check(self.catalog, &mut problems);
        match problems.has_errors() {
            true => Err(CompileError::Catalog(problems)),
            false => Ok(playbook),
        }
    }

    /// The stages without their hosts.
    fn outline(&self, playbook: &Playbook) -> Desired {
        let stage = |stage: &StageDecl| DesiredStage {
            name: stage.name.clone(),
            rollout: stage.rollout,
            gate: stage.gate,
            hosts: BTreeMap::new(),
            groups: BTreeMap::new(),
            sweeps: self.sweeps(stage),
        };
        Desired {
            stages: playbook.stages.iter().map(stage).collect(),
            ..Desired::default()
        }
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
}
