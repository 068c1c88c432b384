//! Roles, playbooks and templates as data: parsed, with their places, before any host is thought of.
//!
//! The embedded files are overlaid by the user's directory, whole file by path; nothing is merged inside a file.

mod foreign;
mod layer;
mod playbook;
mod role;
mod tags;

pub use foreign::all as foreign_tags;
pub use layer::{Asset, Assets, Origin};
pub use playbook::{Gate, HostSet, Playbook, Removal, Rollout, StageDecl};
pub use role::{ResourceDecl, Role};
pub use tags::{Meaning, TagError};

use crate::names::RoleName;
use crate::source::{Diagnostic, Diagnostics, Sources};
use std::collections::BTreeMap;

/// Everything that can be rolled out.
#[derive(Debug)]
pub struct Catalog {
    pub assets: Assets,
    pub roles: BTreeMap<RoleName, Role>,
    pub playbooks: BTreeMap<String, Playbook>,
    pub sources: Sources,
}

/// Roles or playbooks that cannot be read, with the texts that the places refer to.
#[derive(Debug)]
pub struct CatalogError {
    pub sources: Sources,
    pub diagnostics: Diagnostics,
}

impl Catalog {
    /// Parses all roles and playbooks of the given files.
    pub fn parse(assets: Assets) -> Result<Self, Box<CatalogError>> {
        let mut catalog = Self {
            assets,
            roles: BTreeMap::new(),
            playbooks: BTreeMap::new(),
            sources: Sources::default(),
        };
        let mut problems = Diagnostics::default();
        catalog.parse_roles(&mut problems);
        catalog.parse_playbooks(&mut problems);
        catalog.check_references(&mut problems);
        if problems.has_errors() {
            return Err(Box::new(CatalogError {
                sources: catalog.sources,
                diagnostics: problems,
            }));
        }
        Ok(catalog)
    }

    fn parse_roles(&mut self, problems: &mut Diagnostics) {
        for (path, asset) in self.assets.below("roles/") {
            let Some(name) = path
                .strip_prefix("roles/")
                .and_then(|p| p.strip_suffix("/role.yml"))
            else {
                continue;
            };
            match role::parse(&mut self.sources, path, name, &asset.text) {
                Ok(role) => drop(self.roles.insert(RoleName::new(name), role)),
                Err(found) => problems.extend(found),
            }
        }
    }

    fn parse_playbooks(&mut self, problems: &mut Diagnostics) {
        for (path, asset) in self.assets.below("playbooks/") {
            let Some(name) = path
                .strip_prefix("playbooks/")
                .and_then(|p| p.strip_suffix(".yml"))
            else {
                continue;
            };
            match playbook::parse(&mut self.sources, path, name, &asset.text) {
                Ok(playbook) => drop(self.playbooks.insert(name.to_owned(), playbook)),
                Err(found) => problems.extend(found),
            }
        }
    }

    fn check_references(&self, problems: &mut Diagnostics) {
        for stage in self
            .playbooks
            .values()
            .flat_map(|playbook| &playbook.stages)
        {
            for (role, span) in &stage.roles {
                if !self.roles.contains_key(role) {
                    let known: Vec<&str> = self.roles.keys().map(RoleName::as_str).collect();
                    problems.push(
                        Diagnostic::error("unknown-role", format!("there is no role `{role}`"))
                            .at(*span, "named here")
                            .help(format!("roles are {}", known.join(", "))),
                    );
                }
            }
        }
    }
}
