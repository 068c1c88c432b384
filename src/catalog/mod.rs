//! Roles, playbooks and templates as data: parsed, with their places, before any host is thought of.
//!
//! The embedded files are overlaid by the user's directory, whole file by path; nothing is merged inside a file.

mod foreign;
mod layer;
mod playbook;
mod read;
mod role;
mod tags;

pub use foreign::all as foreign_tags;
pub use layer::{Asset, Assets, Origin};
pub use playbook::{Gate, HostSet, Playbook, Removal, Rollout, StageDecl};
pub(crate) use read::unknown_key;
pub use role::{CatalogRole, ResourceDecl};
pub use tags::{Meaning, TagError};

use crate::names::{RoleName, nearest};
use crate::source::{Diagnostic, Diagnostics, Sources};
use std::collections::BTreeMap;

/// Everything that can be rolled out.
#[derive(Debug)]
pub struct Catalog {
    pub assets: Assets,
    pub roles: BTreeMap<RoleName, CatalogRole>,
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
        catalog.check_files(&mut problems);
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

    /// A file of the user's that nothing reads is one whose name or place is wrong.
    fn check_files(&self, problems: &mut Diagnostics) {
        for (path, asset) in self.assets.iter() {
            let Origin::Path(own) = &asset.origin else {
                continue;
            };
            if !layer::is_read(path) {
                let message = format!(
                    "{}: no role, playbook or template has this place",
                    own.display()
                );
                problems.push(Diagnostic::error("unread-file", message).help(
                    "files are `roles/ROLE/role.yml`, `roles/ROLE/templates/...`, `playbooks/NAME.yml` and `templates/...`",
                ));
            }
        }
    }

    fn parse_roles(&mut self, problems: &mut Diagnostics) {
        for (path, asset) in self.assets.below("roles/") {
            let Some(name) = path
                .strip_prefix("roles/")
                .and_then(|p| p.strip_suffix("/role.yml"))
            else {
                continue;
            };
            match role::parse(&mut self.sources, path, name, asset) {
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
            match playbook::parse(&mut self.sources, path, name, asset) {
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
                // One that is there and could not be read has its own error.
                let unread = || self.assets.get(&format!("roles/{role}/role.yml")).is_some();
                if !self.roles.contains_key(role) && !unread() {
                    let known: Vec<&str> = self.roles.keys().map(RoleName::as_str).collect();
                    let meant = nearest(role.as_str(), known.iter().copied());
                    let help = match meant {
                        Some(meant) => format!("did you mean `{meant}`?"),
                        None => format!("roles are {}", known.join(", ")),
                    };
                    let message = format!("there is no role `{role}`");
                    let problem = Diagnostic::error("unknown-role", message);
                    problems.push(problem.at(*span, "named here").help(help));
                }
            }
        }
    }
}
