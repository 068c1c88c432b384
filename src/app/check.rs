//! `check`: everything that can be said without a network.

use super::explain;
use super::failure::{Failure, code, pretty, result, say};
use super::options::Options;
use super::project::{self, Project};
use super::sinks;
use crate::plan::{Desired, Selection};
use crate::source::{Diagnostic, Diagnostics, Severity, Sources};
use crate::ui;
use std::collections::BTreeMap;

/// Says all that can be said without a network; with `explain_values` also where each value acts.
///
/// # Errors
/// Whatever is wrong with the inventory.
pub fn run(options: &Options, explain_values: bool) -> Result<u8, Failure> {
    match checked(options, explain_values) {
        Err(failure) if options.json && !failure.rows.is_empty() => {
            result(&pretty(&failure.rows)?)?;
            Err(Failure::new(failure.code, ""))
        }
        other => other,
    }
}

fn checked(options: &Options, explain_values: bool) -> Result<u8, Failure> {
    let (inventory, model, said) = project::diagnose(options)?;
    let masker = sinks::masker(&inventory);
    let mut rows = Vec::new();
    let shown = |found: &&Diagnostic| !options.quiet || found.severity == Severity::Error;
    let mut tell = |sources: &Sources, said: &Diagnostics| match options.json {
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
        let project = Project::of(options, inventory, model, said)?;
        match rendered(&project)? {
            Ok(desired) => {
                hosts = Some(desired.hosts().len());
                Selection::default().apply(desired)?;
                if explain_values {
                    return explain::run(options, &project);
                }
            }
            Err((sources, said)) => tell(sources, &said),
        }
    }
    if options.json {
        result(&pretty(&rows)?)?;
    }
    let hosts = hosts.ok_or_else(|| Failure::new(code::INPUT, ""))?;
    if !options.json && !options.quiet {
        result(&format!("{}: {hosts} hosts, no errors\n", path.display()))?;
    }
    Ok(code::DONE)
}

/// What the templates have to say, and in which texts it stands.
type TemplateDiagnostics<'p> = (&'p Sources, Diagnostics);

fn rendered(project: &Project) -> Result<Result<Desired, TemplateDiagnostics<'_>>, Failure> {
    let ca = project.authority(false)?;
    let contexts = project.seen_by_templates(&ca, &BTreeMap::new(), &BTreeMap::new())?;
    if contexts.diagnostics.has_errors() {
        return Ok(Err((&project.inventory.sources, contexts.diagnostics)));
    }
    let compiled = project.compiled("site", &contexts);
    Ok(compiled.map_err(|error| (&project.catalog.sources, error.diagnostics)))
}
