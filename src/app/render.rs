//! `render`: every file of every host, offline.

use super::failure::{Failure, chain, code, result};
use super::options::Options;
use super::project::Project;
use super::session::Known;
use super::{failure::say, sinks};
use crate::names::HostName;
use crate::plan::{Desired, SelectError};
use crate::resource::Resource;
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
    let selection = project.selection(options)?;
    let known = Known::default();
    let input = project.context_input(&known, &ca);
    let compiler = project.compiler(&input, selection.hosts.as_ref());
    // A tag may leave a host with nothing.
    let counts = compiler.stream(playbook, |host, desired| match selection.apply(desired) {
        Ok(desired) => write_host(dir, host, &desired).map(Some),
        Err(SelectError::Nothing) => Ok(None),
    });
    let counts = counts.map_err(|error| project.uncompiled(error))?;
    let counts: Result<Vec<Option<usize>>, std::io::Error> = counts.into_iter().collect();
    let counts = counts.map_err(|error| Failure::new(code::INTERNAL, chain(&error)))?;
    if counts.iter().all(Option::is_none) {
        return Err(SelectError::Nothing.into());
    }
    let count: usize = counts.into_iter().flatten().sum();
    result(&format!("{count} files below {}\n", dir.display()))?;
    Ok(code::DONE)
}

/// Writes the files of a host; says how many.
fn write_host(dir: &Path, host: &HostName, desired: &Desired) -> std::io::Result<usize> {
    let dir = dir.join(host.as_str());
    let mut count = 0;
    let declared = desired.stages.iter().flat_map(|stage| stage.hosts.values());
    for declared in declared.flatten() {
        let Resource::File(file) = &*declared.resource else {
            continue;
        };
        write(&dir.join(file.path.trim_start_matches('/')), file)?;
        count += 1;
    }
    Ok(count)
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
