//! `check`: everything that can be said without a network.

use super::explain;
use super::failure::{Failure, code, pretty, result, say};
use super::options::Options;
use super::project::{self, Project};
use super::session::Known;
use super::sinks;
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
        let project = Project::of(options, inventory, model, said)?;
        match rendered(&project)? {
            Ok(count) => {
                hosts = Some(count);
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
