//! `check`: everything that can be said without a network.

use super::exit::{Failure, code, result};
use super::options::Common;
use super::{project, sinks};
use crate::plan::Selection;
use std::collections::BTreeMap;

/// Runs it.
pub fn run(common: &Common) -> Result<u8, Failure> {
    let (inventory, model, said) = project::diagnose(common)?;
    let failed = said.has_errors() || model.is_none();
    if common.json() {
        result(&crate::ui::diagnostics_json(
            &inventory.sources,
            said.iter(),
            &sinks::masker(&inventory),
        ));
    } else {
        super::exit::say(sinks::of_inventory(&inventory, said.iter()).trim_end());
    }
    if failed {
        return Err(Failure::new(code::INPUT, ""));
    }
    let project = project::Project::open(common)?;
    let ca = project.authority(false)?;
    let contexts = project.contexts(&ca, &BTreeMap::new(), &BTreeMap::new())?;
    let desired = project.compile("site", &contexts)?;
    let hosts = desired.hosts().len();
    Selection::default().apply(desired)?;
    if !common.json() && !common.quiet {
        result(&format!(
            "{}: {hosts} hosts, no errors\n",
            inventory.path.display()
        ));
    }
    Ok(code::DONE)
}
