//! Certificates that are kept beside the inventory: which there are, and one taken away so that a new one is made.

use super::PkiError;
use super::inspect::{Inspected, inspect};
use super::store;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Where the pairs are, below the authority's directory.
const HOSTS: &str = "hosts";

/// A certificate that is kept.
#[derive(Clone, Debug)]
pub struct KeptCertificate {
    pub name: String,
    pub pem: String,
    pub facts: Inspected,
}

/// All certificates in the authority's directory, by name.
///
/// # Errors
/// A directory or a certificate that cannot be read.
pub fn kept(dir: &Path) -> Result<Vec<KeptCertificate>, PkiError> {
    let mut names = names(&dir.join(HOSTS))?;
    names.sort();
    let mut all = Vec::new();
    for name in names {
        let path = dir.join(HOSTS).join(&name).join("crt");
        let Some(pem) = store::read(&path)? else {
            continue;
        };
        let facts = inspect(&path.display().to_string(), &pem)?;
        all.push(KeptCertificate { name, pem, facts });
    }
    Ok(all)
}

fn names(dir: &Path) -> Result<Vec<String>, PkiError> {
    let io = |source| PkiError::Io {
        path: dir.to_owned(),
        source,
    };
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io(error)),
    };
    entries
        .map(|entry| {
            Ok(entry
                .map_err(io)?
                .file_name()
                .to_string_lossy()
                .into_owned())
        })
        .collect()
}

/// Moves a pair to `aside` (below the authority's directory), so that whoever needs it makes a new one.
///
/// # Errors
/// Files that cannot be moved.
pub fn retire(dir: &Path, name: &str, aside: &str) -> Result<(), PkiError> {
    store::make_dir(&dir.join(aside))?;
    rename(&dir.join(HOSTS).join(name), &dir.join(aside).join(name))
}

/// Brings a pair back that was moved to `aside`; what took its place is gone.
///
/// # Errors
/// Files that cannot be moved.
pub fn bring_back(dir: &Path, name: &str, aside: &str) -> Result<(), PkiError> {
    let (old, place) = (dir.join(aside).join(name), dir.join(HOSTS).join(name));
    match std::fs::remove_dir_all(&place) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(PkiError::Io {
            path: place,
            source,
        }),
        Ok(()) | Err(_) => rename(&old, &place),
    }
}

fn rename(from: &Path, to: &PathBuf) -> Result<(), PkiError> {
    std::fs::rename(from, to).map_err(|source| PkiError::Io {
        path: from.to_owned(),
        source,
    })
}
