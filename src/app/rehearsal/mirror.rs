//! The inventory for the lab: the same files under another directory, so that the lab's state and authority are its own.

use crate::app::failure::{Failure, chain, code};
use crate::app::project::Project;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// Makes it below the inventory's state; gives the inventory's path there.
pub(super) fn make(project: &Project, lab: &str) -> Result<PathBuf, Failure> {
    let failed = |error: std::io::Error| Failure::new(code::INTERNAL, chain(&error));
    linked(project, lab).map_err(failed)
}

fn linked(project: &Project, lab: &str) -> std::io::Result<PathBuf> {
    let inventory = std::path::absolute(&project.inventory.path)?;
    let home = inventory.parent().unwrap_or(Path::new("/"));
    let dir = std::path::absolute(&project.state_dir)?
        .join("labs")
        .join(lab);
    remove(&dir)?;
    fs_err::create_dir_all(&dir)?;
    fs_err::set_permissions(&dir, std::fs::Permissions::from_mode(0o700))?;
    for entry in fs_err::read_dir(home)? {
        let name = entry?.file_name();
        // What belongs to other inventories and other programs stays where it is.
        if !name.to_string_lossy().starts_with('.') {
            symlink(home.join(&name), dir.join(&name))?;
        }
    }
    let link = dir.join(inventory.file_name().unwrap_or_default());
    if !link.exists() {
        symlink(&inventory, &link)?;
    }
    Ok(link)
}

/// Removes it: links, and the lab's own state.
pub(super) fn remove(dir: &Path) -> std::io::Result<()> {
    match fs_err::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
