//! `render`: every file of every host, offline.

use super::failure::{Failure, chain, code, result};
use super::options::Options;
use super::project::Project;
use super::{failure::say, sinks};
use crate::resource::Resource;
use std::collections::BTreeMap;
use std::path::Path;

/// Writes every file of every host of a playbook below `dir`.
///
/// # Errors
/// Whatever is wrong with the inventory, or the directory.
pub fn run(options: &Options, playbook: &str, dir: &Path) -> Result<u8, Failure> {
    let project = Project::open(options)?;
    if !options.quiet && project.said.iter().next().is_some() {
        let said = sinks::of_inventory(&project.inventory, project.said.iter());
        say(said.trim_end());
    }
    let ca = project.authority(false)?;
    let contexts = project.contexts(&ca, &BTreeMap::new(), &BTreeMap::new())?;
    let desired = project
        .selection(options)?
        .apply(project.compile(playbook, &contexts)?)?;
    let mut count = 0;
    for (host, resources) in desired.stages.iter().flat_map(|stage| &stage.hosts) {
        for declared in resources {
            let Resource::File(file) = &declared.resource else {
                continue;
            };
            let path = dir
                .join(host.as_str())
                .join(file.path.trim_start_matches('/'));
            write(&path, file).map_err(|error| Failure::new(code::INTERNAL, chain(&error)))?;
            count += 1;
        }
    }
    result(&format!("{count} files below {}\n", dir.display()))?;
    Ok(code::DONE)
}

/// Files that hold secrets are readable by their owner alone, whatever mode they have on the host.
fn write(path: &Path, file: &crate::resource::File) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    if let Some(parent) = path.parent() {
        fs_err::create_dir_all(parent)?;
    }
    if path.exists() {
        fs_err::remove_file(path)?;
    }
    let mut out = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    out.write_all(file.content.as_bytes())
}
