//! `history` and `replay`.

use super::exit::{Failure, chain, code, result};
use super::options::Common;
use super::project::state_dir;
use clap::Args;

/// Which run.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// A run id from `history`
    run: String,
}

/// Lists runs.
pub fn history(common: &Common) -> Result<u8, Failure> {
    let dir = state_dir(&common.inventory_path()).join("runs");
    if !dir.is_dir() {
        return Ok(code::DONE);
    }
    let mut names = Vec::new();
    for entry in
        fs_err::read_dir(&dir).map_err(|error| Failure::new(code::INTERNAL, chain(&error)))?
    {
        let entry = entry.map_err(|error| Failure::new(code::INTERNAL, chain(&error)))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    result(
        &names
            .iter()
            .map(|name| format!("{name}\n"))
            .collect::<String>(),
    );
    Ok(code::DONE)
}

/// Shows a run again.
pub fn replay(common: &Common, args: &ReplayArgs) -> Result<u8, Failure> {
    let dir = state_dir(&common.inventory_path()).join("runs");
    let path = dir.join(format!("{}.ndjson", args.run));
    let text = fs_err::read_to_string(&path).map_err(|error| {
        Failure::new(code::INPUT, chain(&error)).hint("`citusctl history` lists runs")
    })?;
    result(&text);
    Ok(code::DONE)
}
