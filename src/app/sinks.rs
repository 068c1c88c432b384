//! Where events and diagnostics go: chosen once from the options.

use super::failure::{Failure, chain, code};
use super::options::Options;
use super::project::Project;
use crate::event::{Emitter, Journal, Moment, Sink};
use crate::inventory::Inventory;
use crate::inventory::parameters::{Typed, names_of, secrets_in};
use crate::names::RunId;
use crate::secret::Masker;
use crate::source::{Diagnostic, Sources};
use crate::ui::{self, term};

/// The emitter of a run with all its sinks: NDJSON or bars or lines, and the journal.
pub fn emitter(
    options: &Options,
    project: &Project,
    id: &RunId,
    masker: Masker,
    journal: bool,
) -> Result<Emitter, Failure> {
    let mut sinks: Vec<Box<dyn Sink>> = Vec::new();
    if options.json && journal {
        sinks.push(Box::new(ui::Ndjson(term::pipe())));
    } else if !options.quiet {
        sinks.push(screen(options));
    }
    if journal {
        let journal = Journal::create(&project.state_dir.join("runs"), id);
        sinks.push(Box::new(
            journal.map_err(|error| Failure::new(code::INTERNAL, chain(&error)))?,
        ));
    }
    Ok(Emitter::new(
        id.clone(),
        Box::new(Moment::now),
        masker,
        sinks,
    ))
}

/// Bars on a terminal; lines elsewhere, and where output of hosts would run through the bars.
fn screen(options: &Options) -> Box<dyn Sink> {
    if term::can_ask() && options.verbose < 2 {
        Box::new(ui::Bars::new(options.verbose, term::is_coloured()))
    } else {
        Box::new(ui::Lines::new(term::stderr(), options.verbose))
    }
}

/// All secrets of an inventory, for texts that show its lines.
pub fn masker(inventory: &Inventory) -> Masker {
    let mut masker = Masker::among(names_of(inventory));
    for host in inventory.hosts.values() {
        Typed::new(&host.vars)
            .secrets()
            .into_iter()
            .for_each(|secret| masker.add(secret));
    }
    // Also what no host sees: its lines may be shown all the same.
    let groups = inventory
        .groups
        .values()
        .flat_map(|group| group.vars.iter());
    for secret in groups.flat_map(|(name, var)| secrets_in(name, &var.node)) {
        masker.add(secret);
    }
    masker
}

/// Diagnostics of an inventory for people, secrets masked.
pub fn of_inventory<'a>(
    inventory: &Inventory,
    all: impl IntoIterator<Item = &'a Diagnostic>,
) -> String {
    ui::diagnostics(&inventory.sources, all, &masker(inventory))
}

/// The same, a line each, for verbs that are about something else.
pub fn in_short(inventory: &Inventory, all: &[&Diagnostic]) -> String {
    let masker = masker(inventory);
    let lines: String = all
        .iter()
        .map(|said| masker.mask(&ui::in_short(&inventory.sources, said)) + "\n")
        .collect();
    format!("{lines}`citusctl check` shows them with their lines\n")
}

/// Diagnostics of texts that hold no secrets, or that could not be read far enough to know them.
pub fn diagnostics<'a>(sources: &Sources, all: impl IntoIterator<Item = &'a Diagnostic>) -> String {
    ui::diagnostics(sources, all, &Masker::default())
}
