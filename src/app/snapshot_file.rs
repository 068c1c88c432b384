//! The local file of a snapshot.

use super::failure::{Failure, code};
use std::path::Path;

/// A place that cannot be written to is said before anybody is asked for anything.
pub fn place(file: &Path) -> Result<(), Failure> {
    let directory = file.parent().filter(|dir| !dir.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    tempfile::tempfile_in(directory).map(drop).map_err(|error| {
        let why = error.kind();
        let text = format!("{}: cannot be written: {why}", file.display());
        Failure::new(code::INPUT, text).hint(format!(
            "see that {} is there, and yours",
            directory.display()
        ))
    })
}

/// Written beside its place, for its owner only, then given its name: a file of that name is whole.
pub fn save(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    use std::io::Write;
    let failed =
        |error: std::io::Error| Failure::new(code::INPUT, format!("{}: {error}", file.display()));
    let directory = file.parent().filter(|dir| !dir.as_os_str().is_empty());
    let mut new =
        tempfile::NamedTempFile::new_in(directory.unwrap_or(Path::new("."))).map_err(failed)?;
    new.write_all(bytes)
        .and_then(|()| new.as_file().sync_all())
        .map_err(failed)?;
    new.persist_noclobber(file)
        .map_err(|error| failed(error.error))?;
    Ok(())
}
