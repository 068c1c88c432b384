//! Where the extension `citus` comes from: a layer on top of the image.

use super::dirs::{make_private, remove};
use super::error::{At, LabError};
use super::spec::{CitusSource, Suite};
use super::tool;
use std::path::{Path, PathBuf};

const CONTROL: &str = include_str!("standin/citus.control");
const SQL: &str = include_str!("standin/citus--0.1-standin.sql");

/// The layer to put on top, if any. `place` is where one is made that has to be made.
pub(super) fn layer(
    citus: &CitusSource,
    suite: Suite,
    place: &Path,
    baked: &[PathBuf],
) -> Result<Option<PathBuf>, LabError> {
    match citus {
        CitusSource::None => Ok(None),
        CitusSource::StandIn => stand_in(suite, place, baked).map(Some),
        CitusSource::Files(path) => files(path, place).map(Some),
    }
}

fn files(path: &Path, place: &Path) -> Result<PathBuf, LabError> {
    let bad = |problem: &str| LabError::BadCitus {
        path: path.to_owned(),
        problem: problem.to_owned(),
    };
    let path = std::fs::canonicalize(path).at(path)?;
    if path.join("usr").is_dir() {
        return Ok(path);
    }
    let mut packages = Vec::new();
    for entry in std::fs::read_dir(&path).at(&path)? {
        let file = entry.at(&path)?.path();
        if file.extension().is_some_and(|ext| ext == "deb") {
            packages.push(file);
        }
    }
    if packages.is_empty() {
        return Err(bad("holds neither a file tree (`usr/...`) nor .deb files"));
    }
    remove(place)?;
    make_layer(place)?;
    for package in packages {
        tool::run(
            "dpkg-deb",
            &["-x".as_ref(), package.as_os_str(), place.as_os_str()],
        )?;
    }
    Ok(place.to_owned())
}

/// Catalog tables and functions in SQL, and under the library's name a copy of a module that has nothing to run
/// when it is preloaded.
fn stand_in(suite: Suite, place: &Path, baked: &[PathBuf]) -> Result<PathBuf, LabError> {
    let version = suite.postgresql();
    let library = format!("usr/lib/postgresql/{version}/lib/tablefunc.so");
    let found = baked
        .iter()
        .map(|layer| layer.join(&library))
        .find(|path| path.is_file());
    let found = found.ok_or_else(|| LabError::BadCitus {
        path: PathBuf::from(&library),
        problem: "is not in the baked image, so the stand-in has no library to copy".to_owned(),
    })?;
    remove(place)?;
    make_layer(place)?;
    let extension = place.join(format!("usr/share/postgresql/{version}/extension"));
    let lib = place.join(format!("usr/lib/postgresql/{version}/lib"));
    std::fs::create_dir_all(&extension).at(&extension)?;
    std::fs::create_dir_all(&lib).at(&lib)?;
    std::fs::write(extension.join("citus.control"), CONTROL).at(&extension)?;
    std::fs::write(extension.join("citus--0.1-standin.sql"), SQL).at(&extension)?;
    std::fs::copy(&found, lib.join("citus.so")).at(&lib)?;
    Ok(place.to_owned())
}

/// A layer becomes part of a root that everybody reads, whatever its parents are.
fn make_layer(place: &Path) -> Result<(), LabError> {
    use std::os::unix::fs::PermissionsExt;
    make_private(place)?;
    std::fs::set_permissions(place, std::fs::Permissions::from_mode(0o755)).at(place)
}
