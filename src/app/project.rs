//! From files to a model and a catalog: the part of every verb that needs no network.

use super::failure::{Failure, chain, code};
use super::options::Options;
use super::session::Known;
use super::{sinks, vault};
use crate::catalog::{Assets, Catalog, TagError};
use crate::engine::status::AuthorityHere;
use crate::inventory::param;
use crate::inventory::parameters::{Typed, check_vars};
use crate::inventory::{self, Inventory};
use crate::lint;
use crate::model::{self, Model};
use crate::names::{self, HostName};
use crate::pki::{Ca, PkiError};
use crate::plan::context::ContextInput;
use crate::plan::{CompileError, Compiled, Compiler, Selection};
use crate::source::{Diagnostics, Severity};
use crate::template::Engine;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// An inventory that can be worked with.
#[derive(Debug)]
pub struct Project {
    pub inventory: Inventory,
    pub model: Model,
    pub catalog: Catalog,
    pub templates: Engine,
    /// Everything said so far; no errors among it.
    pub said: Diagnostics,
    /// Beside the inventory: keys, certificates, journals, cached traits.
    pub state_dir: PathBuf,
}

/// Where the state of an inventory lives.
pub fn state_dir(inventory: &Path) -> PathBuf {
    let stem = inventory.file_stem().unwrap_or_default();
    let parent = inventory
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    parent.join(".citusctl").join(stem)
}

/// Reads, merges, models and lints. All problems are collected.
pub fn diagnose(options: &Options) -> Result<(Inventory, Option<Model>, Diagnostics), Failure> {
    let loaded = inventory::load_with(&options.inventory, &options.extra, vault::keys(options)?)?;
    let mut said = loaded.warnings;
    said.extend(check_vars(&loaded.inventory));
    let (model, problems) = model::build(&loaded.inventory);
    said.extend(problems);
    if let Some(model) = &model {
        said.extend(lint::check(&loaded.inventory, model));
    }
    Ok((loaded.inventory, model, said))
}

/// The catalog with the user's overlay.
pub fn catalog(options: &Options) -> Result<(Catalog, Engine), Failure> {
    let mut assets = Assets::embedded();
    if let Some(dir) = &options.catalog {
        assets
            .overlay(dir)
            .map_err(|error| Failure::new(code::INPUT, chain(&error)))?;
    }
    let templates = assets.iter().filter(|(path, _)| !path.ends_with(".yml"));
    let templates = Engine::new(
        templates
            .map(|(path, asset)| (path.to_owned(), asset.text.clone()))
            .collect::<Vec<_>>(),
    );
    let catalog =
        Catalog::parse(assets).map_err(|error| Failure::of(&error.sources, &error.diagnostics))?;
    Ok((catalog, templates))
}

impl Project {
    /// Reads everything, and fails when there is any error.
    pub fn open(options: &Options) -> Result<Self, Failure> {
        let (inventory, model, said) = diagnose(options)?;
        let (Some(model), false) = (model, said.has_errors()) else {
            let text = sinks::of_inventory(&inventory, said.iter());
            return Err(Failure::new(code::INPUT, text));
        };
        Self::of(options, inventory, model, said)
    }

    /// Of what [`diagnose`] found to be without errors.
    pub fn of(
        options: &Options,
        inventory: Inventory,
        model: Model,
        said: Diagnostics,
    ) -> Result<Self, Failure> {
        let (catalog, templates) = catalog(options)?;
        let state_dir = state_dir(&inventory.path);
        Ok(Self {
            inventory,
            model,
            catalog,
            templates,
            said,
            state_dir,
        })
    }

    /// The same catalog and state for another inventory.
    pub fn with(
        &self,
        options: &Options,
        inventory: Inventory,
        model: Model,
    ) -> Result<Self, Failure> {
        Ok(Self {
            state_dir: self.state_dir.clone(),
            ..Self::of(options, inventory, model, Diagnostics::default())?
        })
    }

    /// Says warnings and worse, once, before anything is done; notes are for `check`.
    pub fn say_warnings(&self, options: &Options) {
        let loud: Vec<_> = self
            .said
            .iter()
            .filter(|said| said.severity > Severity::Note)
            .collect();
        if options.quiet || loud.is_empty() {
            return;
        }
        super::failure::say(
            match options.verbose {
                0 => sinks::in_short(&self.inventory, &loud),
                _ => sinks::of_inventory(&self.inventory, loud),
            }
            .trim_end(),
        );
    }

    /// What `-l`, `-t` and `--skip-tags` ask for.
    pub fn selection(&self, options: &Options) -> Result<Selection, Failure> {
        let hosts = match &options.limit {
            None => None,
            Some(pattern) => Some(
                inventory::select(&self.inventory, pattern)?
                    .into_iter()
                    .collect::<BTreeSet<_>>(),
            ),
        };
        let tags = |list: &[String]| {
            let tags = list.iter().map(|tag| names::Tag::new(tag.trim()));
            tags.map(|tag| self.catalog.check_tag(&tag).map(|()| tag))
                .collect::<Result<BTreeSet<_>, TagError>>()
        };
        Ok(Selection {
            tags: tags(&options.tags)?,
            skip: tags(&options.skip_tags)?,
            hosts,
        })
    }

    /// The hosts that `-l` names; all of them without it.
    pub fn chosen(&self, options: &Options) -> Result<BTreeSet<HostName>, Failure> {
        let every = || self.model.hosts.keys().cloned().collect();
        Ok(self.selection(options)?.hosts.unwrap_or_else(every))
    }

    /// The certificate authority, made when there is none and the inventory allows it.
    pub fn authority(&self, create: bool) -> Result<Ca, Failure> {
        let dir = self.state_dir.join("pki");
        let first = self.inventory.hosts.values().next();
        let typed = first.map(|host| Typed::new(&host.vars));
        let cn = ca_name(&self.inventory);
        let now = OffsetDateTime::now_utc();
        let allowed = typed.is_none_or(|typed| typed.get(param::CA_CREATE));
        let ca = match (create, Ca::open(&dir)) {
            (_, Ok(ca)) => Ok(ca),
            (true, Err(PkiError::Absent { .. })) if allowed => Ca::open_or_create(&dir, &cn, now),
            (false, Err(PkiError::Absent { .. })) => Ca::in_memory(&cn, now),
            (_, Err(error)) => Err(error),
        };
        ca.map_err(pki_failure)
    }

    /// The authority beside the inventory, as it is: nothing is made.
    pub fn authority_here(&self) -> AuthorityHere {
        let dir = self.state_dir.join("pki");
        AuthorityHere {
            pem: fs_err::read_to_string(dir.join("ca.crt")).ok(),
            dir: dir.display().to_string(),
        }
    }

    /// What to know where the authority is not beside the inventory, as on another control machine.
    pub fn without_authority(&self) -> Option<String> {
        let dir = self.state_dir.join("pki");
        let absent = matches!(Ca::open(&dir), Err(PkiError::Absent { .. }));
        absent.then(|| {
            format!(
                "There is no authority in {}: a recover does without, but `citusctl apply` wants the one that the hosts trust. Put its backup there; if its key is lost for good, `citusctl cert rotate-ca --key-lost` makes a new one, once the recover is closed.",
                dir.display()
            )
        })
    }

    /// The wanted state of a playbook by what is known of the hosts: unfiltered, but for `limit`, the only hosts that count.
    pub fn compile(
        &self,
        playbook: &str,
        known: &Known,
        ca: &Ca,
        limit: Option<&BTreeSet<HostName>>,
    ) -> Result<Compiled, Failure> {
        let input = self.context_input(known, ca);
        self.compiler(&input, limit)
            .compile(playbook)
            .map_err(|error| self.uncompiled(error))
    }

    /// What contexts are made of.
    pub fn context_input<'a>(&'a self, known: &'a Known, ca: &'a Ca) -> ContextInput<'a> {
        ContextInput {
            inventory: &self.inventory,
            model: &self.model,
            ca,
            now: OffsetDateTime::now_utc(),
            traits: &known.traits,
            patroni: &known.patroni,
        }
    }

    /// What compiles them.
    pub fn compiler<'a>(
        &'a self,
        input: &'a ContextInput<'a>,
        limit: Option<&'a BTreeSet<HostName>>,
    ) -> Compiler<'a> {
        Compiler {
            catalog: &self.catalog,
            templates: &self.templates,
            input,
            limit,
        }
    }

    /// Why there is no wanted state, with the places.
    pub fn uncompiled(&self, error: CompileError) -> Failure {
        match error {
            CompileError::Pki(error) => pki_failure(error),
            CompileError::Inventory(said) => {
                let text = sinks::of_inventory(&self.inventory, said.iter());
                Failure::new(code::INPUT, text)
            }
            CompileError::Catalog(said) => Failure::of(&self.catalog.sources, &said),
        }
    }
}

/// The name of the authority.
pub fn ca_name(inventory: &Inventory) -> String {
    let first = inventory.hosts.values().next();
    let name = first.map(|host| Typed::new(&host.vars).get(param::CA_CN));
    name.unwrap_or_else(|| "citusctl-ca".to_owned())
}

fn pki_failure(error: PkiError) -> Failure {
    let hints = error.hints();
    hints
        .into_iter()
        .fold(Failure::new(code::INPUT, chain(&error)), |failure, hint| {
            failure.hint(hint)
        })
}
