//! Where the lab keeps what it makes: `$CITUSCTL_LAB_DIR`, else `/var/lib/citusctl/lab`.

use super::error::{At, LabError};
use super::spec::Suite;
use std::path::{Path, PathBuf};

/// The lab's directory on this computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabDirs {
    root: PathBuf,
}

impl LabDirs {
    /// The directory that the environment names, or the usual one.
    ///
    /// # Errors
    /// A path that overlay mounts cannot express.
    pub fn from_env() -> Result<Self, LabError> {
        let root = std::env::var_os("CITUSCTL_LAB_DIR")
            .filter(|dir| !dir.is_empty())
            .map_or_else(|| PathBuf::from("/var/lib/citusctl/lab"), PathBuf::from);
        let root = std::path::absolute(&root).at(&root)?;
        Self::at(root)
    }

    /// A directory of the caller's choice.
    ///
    /// # Errors
    /// A path that overlay mounts cannot express.
    pub fn at(root: PathBuf) -> Result<Self, LabError> {
        if root.to_string_lossy().contains([':', ',', '\\']) {
            return Err(LabError::BadPath { path: root });
        }
        Ok(Self { root })
    }

    /// Finished images, one directory each.
    pub fn images(&self) -> PathBuf {
        self.root.join("images")
    }

    /// The package directory of a suite, offered to every host at `/srv/citusctl/debs`.
    pub fn debs(&self, suite: Suite) -> PathBuf {
        self.root.join("debs").join(suite.to_string())
    }

    /// All labs.
    pub fn labs(&self) -> PathBuf {
        self.root.join("labs")
    }

    /// One lab.
    pub fn lab(&self, name: &str) -> PathBuf {
        self.labs().join(name)
    }

    /// Makes the directories, closed to everyone but root: they hold keys.
    pub(super) fn create(&self) -> Result<(), LabError> {
        for dir in [
            self.root.clone(),
            self.images(),
            self.labs(),
            self.root.join("debs"),
        ] {
            make_private(&dir)?;
        }
        Ok(())
    }
}

/// Makes a directory and its parents; the directory itself is for its owner only.
pub(super) fn make_private(dir: &Path) -> Result<(), LabError> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(dir).at(dir)?;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700)).at(dir)
}

/// Removes a directory and all that is in it; that it is not there is no error.
pub(super) fn remove(dir: &Path) -> Result<(), LabError> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).at(dir),
        _ => Ok(()),
    }
}
