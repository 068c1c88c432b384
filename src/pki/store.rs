//! Files of the authority: private directories, whole and atomic writes.

use super::PkiError;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

/// Mode of private keys.
pub(super) const PRIVATE: u32 = 0o600;
/// Mode of certificates.
pub(super) const PUBLIC: u32 = 0o644;

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> PkiError {
    let path = path.to_owned();
    move |source| PkiError::Io { path, source }
}

/// Makes a directory and its parents, 0700.
pub(super) fn make_dir(dir: &Path) -> Result<(), PkiError> {
    let mut builder = std::fs::DirBuilder::new();
    builder
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(io(dir))
}

/// The text of a file, `None` if there is no such file.
pub(super) fn read(path: &Path) -> Result<Option<String>, PkiError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io(path)(error)),
    }
}

/// Writes a file whole: a reader sees the old text or the new one.
pub(super) fn write(path: &Path, text: &str, mode: u32) -> Result<(), PkiError> {
    let file = temporary(path, text, mode)?;
    file.persist(path).map_err(|e| io(path)(e.error))?;
    Ok(())
}

/// As [`write`], but an existing file stays as it is. Says whether ours was taken.
pub(super) fn write_new(path: &Path, text: &str, mode: u32) -> Result<bool, PkiError> {
    let file = temporary(path, text, mode)?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(e) if e.error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(io(path)(e.error)),
    }
}

fn temporary(path: &Path, text: &str, mode: u32) -> Result<tempfile::NamedTempFile, PkiError> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".new-")
        .permissions(std::fs::Permissions::from_mode(mode))
        .tempfile_in(dir)
        .map_err(io(dir))?;
    // The mask of the process may have narrowed the mode asked for.
    let permissions = std::fs::Permissions::from_mode(mode);
    file.as_file()
        .set_permissions(permissions)
        .map_err(io(path))?;
    file.write_all(text.as_bytes()).map_err(io(path))?;
    file.as_file().sync_all().map_err(io(path))?;
    Ok(file)
}
