//! `check`: everything that can be said without a network.

use super::exit::{Failure, code, pretty, result, say};
use super::explain;
use super::options::Common;
use super::project::{self, Project};
use super::sinks;
use crate::plan::{Desired, Selection};
use crate::source::{Diagnostic, Diagnostics, Severity, Sources};
use crate::ui;
use clap::Args;
use std::collections::BTreeMap;

/// How far.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Name for each value of the inventory where it acts, or why it has no effect; exit 3 when any is left over
    #[arg(long)]
    explain_values: bool,
}

/// Runs it.
pub fn run(common: &Common, args: &CheckArgs) -> Result<u8, Failure> {
    match checked(common, args) {
        Err(failure) if common.json() && !failure.rows.is_empty() => {
            result(&pretty(&failure.rows)?)?;
            Err(Failure::new(failure.code, ""))
        }
        other => other,
    }
}

fn checked(common: &Common, args: &CheckArgs) -> Result<u8, Failure> {
    let (inventory, model, said) = project::diagnose(common)?;
    let masker = sinks::masker(&inventory);
    let mut rows = Vec::new();
    let shown = |found: &&Diagnostic| !common.quiet || found.severity == Severity::Error;
    let mut tell = |sources: &Sources, said: &Diagnostics| match common.json() {
        true => rows.extend(ui::diagnostic_rows(sources, said.iter(), &masker)),
        false => {
            let text = ui::diagnostics(sources, said.iter().filter(shown), &masker);
            if !text.is_empty() {
                say(text.trim_end());
            }
        }
    };
    tell(&inventory.sources, &said);
    let path = inventory.path.clone();
    let mut hosts = None;
    if let (Some(model), false) = (model, said.has_errors()) {
        let project = Project::of(common, inventory, model, said)?;
        match rendered(&project)? {
            Ok(desired) => {
                hosts = Some(desired.hosts().len());
                Selection::default().apply(desired)?;
                if args.explain_values {
                    return explain::run(common, &project);
                }
            }
            Err((sources, said)) => tell(sources, &said),
        }
    }
    if common.json() {
        result(&pretty(&rows)?)?;
    }
    let hosts = hosts.ok_or_else(|| Failure::new(code::INPUT, ""))?;
    if !common.json() && !common.quiet {
        result(&format!("{}: {hosts} hosts, no errors\n", path.display()))?;
    }
    Ok(code::DONE)
}

/// What the templates have to say, and in which texts it stands.
type Said<'p> = (&'p Sources, Diagnostics);

fn rendered(project: &Project) -> Result<Result<Desired, Said<'_>>, Failure> {
    let ca = project.authority(false)?;
    let contexts = project.seen_by_templates(&ca, &BTreeMap::new(), &BTreeMap::new())?;
    if contexts.diagnostics.has_errors() {
        return Ok(Err((&project.inventory.sources, contexts.diagnostics)));
    }
    let compiled = project.compiled("site", &contexts);
    Ok(compiled.map_err(|error| (&project.catalog.sources, error.diagnostics)))
}
