//! `render`: every file of every host, offline.

use super::exit::{Failure, chain, code, result};
use super::options::Common;
use super::project::Project;
use super::{exit::say, sinks};
use crate::resource::Resource;
use clap::Args;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where to.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// Target directory; files are written to DIR/HOST/PATH
    #[arg(short, long, value_name = "DIR", default_value = "rendered")]
    dir: PathBuf,
    /// Playbook to render
    #[arg(default_value = "site")]
    playbook: String,
}

/// Runs it.
pub fn run(common: &Common, args: &RenderArgs) -> Result<u8, Failure> {
    let project = Project::open(common)?;
    if !common.quiet && project.said.iter().next().is_some() {
        let said = sinks::of_inventory(&project.inventory, project.said.iter());
        say(said.trim_end());
    }
    let ca = project.authority(false)?;
    let contexts = project.contexts(&ca, &BTreeMap::new(), &BTreeMap::new())?;
    let desired = project
        .selection(common)?
        .apply(project.compile(&args.playbook, &contexts)?)?;
    let mut count = 0;
    for (host, resources) in desired.stages.iter().flat_map(|stage| &stage.hosts) {
        for declared in resources {
            let Resource::File(file) = &declared.resource else {
                continue;
            };
            let path = args
                .dir
                .join(host.as_str())
                .join(file.path.trim_start_matches('/'));
            write(&path, file).map_err(|error| Failure::new(code::INTERNAL, chain(&error)))?;
            count += 1;
        }
    }
    result(&format!("{count} files below {}\n", args.dir.display()))?;
    Ok(code::DONE)
}

/// Files that hold secrets are readable by their owner alone, whatever mode they have on the host.
fn write(path: &std::path::Path, file: &crate::resource::File) -> std::io::Result<()> {
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
