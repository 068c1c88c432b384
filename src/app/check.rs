//! `check`: everything that can be said without a network.

use super::explain::{self, ExplainInput};
use super::failure::{Failure, code, pretty, result, say};
use super::options::Options;
use super::project::{self, Project};
use super::session::Known;
use super::sinks;
use crate::inventory::Inventory;
use crate::plan::{CompileError, SelectError};
use crate::source::{Diagnostic, Diagnostics, Severity, Sources};
use crate::ui;

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
        let mut project = Project::of(options, inventory, model, said)?;
        let mut explained = explain_values;
        match rendered(&project)? {
            Ok(count) => hosts = Some(count),
            Err((sources, found)) => {
                tell(sources, &found);
                // Errors of a catalog are not about values.
                explained &= std::ptr::eq(sources, &project.inventory.sources);
                project.said.extend(found);
            }
        }
        if explained {
            return explain::run(options, &ExplainInput::of(&project));
        }
    } else if explain_values {
        return explain_refused(options, &inventory, &said);
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

/// What is refused, and where the rest would act.
fn explain_refused(
    options: &Options,
    inventory: &Inventory,
    said: &Diagnostics,
) -> Result<u8, Failure> {
    let (catalog, templates) = project::catalog(options)?;
    explain::run(
        options,
        &ExplainInput {
            inventory,
            said,
            catalog: &catalog,
            templates: &templates,
        },
    )
}

/// What the templates have to say, and in which texts it stands.
type TemplateDiagnostics<'p> = (&'p Sources, Diagnostics);

/// How many hosts there are. All files are rendered, once for hosts that differ only in who they are, and none is kept.
fn rendered(project: &Project) -> Result<Result<usize, TemplateDiagnostics<'_>>, Failure> {
    // Nobody reads the certificates, so they are only described.
    let ca = project.authority(false)?.describing();
    let known = Known::default();
    let input = project.context_input(&known, &ca);
    let compiler = project.compiler(&input, None);
    match compiler.prove("site") {
        Ok(0) => Err(SelectError::Nothing.into()),
        Ok(hosts) => Ok(Ok(hosts)),
        Err(CompileError::Inventory(said)) => Ok(Err((&project.inventory.sources, said))),
        Err(CompileError::Catalog(said)) => Ok(Err((&project.catalog.sources, said))),
        Err(error @ CompileError::Pki(_)) => Err(project.uncompiled(error)),
    }
}
