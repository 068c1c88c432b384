//! An inventory compiled: what is wanted of hosts and groups, and how the hosts are reached.

use crate::catalog::Catalog;
use crate::inventory::Inventory;
use crate::model::{self, Model};
use crate::pki::Ca;
use crate::plan::context::ContextInput;
use crate::plan::{CompileError, Compiler, Desired};
use crate::source::{Diagnostic, Diagnostics, Severity};
use crate::template::Engine;
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// What an inventory comes to.
#[derive(Debug)]
pub struct Picture {
    pub(super) model: Model,
    pub(super) desired: Desired,
}

/// An inventory that comes to nothing, and why in a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

impl Refused {
    /// The first error of several.
    pub fn of(said: &Diagnostics) -> Self {
        let is_error = |said: &&Diagnostic| said.severity == Severity::Error;
        let first = said.iter().find(is_error).or(said.iter().next());
        Self(first.map_or_else(String::new, |said| said.message.clone()))
    }
}

impl Picture {
    /// Compiles an inventory. `ca` makes descriptions instead of certificates ([`Ca::outlined`]), which are the same each time.
    ///
    /// # Errors
    /// What the model, the certificates or the templates refuse.
    pub fn of(
        inventory: &Inventory,
        catalog: &Catalog,
        templates: &Engine,
        ca: &Ca,
        now: OffsetDateTime,
    ) -> Result<Self, Refused> {
        let (model, said) = model::build(inventory);
        // A model with errors lacks what they are about: rules, services, whole members.
        let model = model.filter(|_| !said.has_errors());
        let model = model.ok_or_else(|| Refused::of(&said))?;
        let input = ContextInput {
            inventory,
            model: &model,
            ca,
            now,
            traits: &BTreeMap::new(),
            patroni: &BTreeMap::new(),
        };
        let compiler = Compiler {
            catalog,
            templates,
            input: &input,
            limit: None,
        };
        let desired = match compiler.compile("site") {
            Ok(compiled) => compiled.desired,
            Err(CompileError::Pki(error)) => return Err(Refused(error.to_string())),
            Err(CompileError::Inventory(said) | CompileError::Catalog(said)) => {
                return Err(Refused::of(&said));
            }
        };
        Ok(Self { model, desired })
    }
}
