//! The files of the catalog: embedded ones, overlaid by a directory of the user's.

use include_dir::{Dir, include_dir};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

static ROLES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/roles");
static PLAYBOOKS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/playbooks");
static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// Directories that the user's directory may overlay.
const ROOTS: [&str; 3] = ["roles", "playbooks", "templates"];

/// Where a file comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Embedded,
    Path(PathBuf),
}

/// One file.
#[derive(Clone, Debug)]
pub struct Asset {
    pub text: String,
    pub origin: Origin,
}

/// All files by path, as in `roles/haproxy/templates/haproxy.cfg.j2`.
#[derive(Clone, Debug, Default)]
pub struct Assets(BTreeMap<String, Asset>);

impl Assets {
    /// The embedded files alone.
    pub fn embedded() -> Self {
        let mut assets = Self::default();
        for (root, dir) in [
            ("roles", &ROLES),
            ("playbooks", &PLAYBOOKS),
            ("templates", &TEMPLATES),
        ] {
            assets.embed(root, dir);
        }
        assets
    }

    fn embed(&mut self, root: &str, dir: &Dir<'_>) {
        for file in dir.files() {
            let path = format!("{root}/{}", file.path().to_string_lossy());
            let text = String::from_utf8_lossy(file.contents()).into_owned();
            self.0.insert(
                path,
                Asset {
                    text,
                    origin: Origin::Embedded,
                },
            );
        }
        for below in dir.dirs() {
            self.embed(root, below);
        }
    }

    /// Overlays the files of a directory that has `roles/`, `playbooks/` or `templates/`.
    pub fn overlay(&mut self, dir: &Path) -> std::io::Result<()> {
        for root in ROOTS {
            let path = dir.join(root);
            if path.is_dir() {
                self.overlay_below(root, &path)?;
            }
        }
        Ok(())
    }

    fn overlay_below(&mut self, prefix: &str, dir: &Path) -> std::io::Result<()> {
        for entry in fs_err::read_dir(dir)? {
            let path = entry?.path();
            let name = format!(
                "{prefix}/{}",
                path.file_name().unwrap_or_default().to_string_lossy()
            );
            if path.is_dir() {
                self.overlay_below(&name, &path)?;
            } else {
                let text = fs_err::read_to_string(&path)?;
                self.0.insert(
                    name,
                    Asset {
                        text,
                        origin: Origin::Path(path),
                    },
                );
            }
        }
        Ok(())
    }

    /// Whether all files are the embedded ones.
    pub fn are_shipped(&self) -> bool {
        self.0
            .values()
            .all(|asset| asset.origin == Origin::Embedded)
    }

    /// All files whose path starts with a prefix.
    pub fn below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Asset)> {
        self.iter()
            .filter(move |(path, _)| path.starts_with(prefix))
    }

    /// All files.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Asset)> {
        self.0.iter().map(|(path, asset)| (path.as_str(), asset))
    }

    /// Puts a file in the place of another.
    #[cfg(test)]
    pub fn put(&mut self, path: &str, asset: Asset) {
        self.0.insert(path.to_owned(), asset);
    }

    /// One file.
    pub fn get(&self, path: &str) -> Option<&Asset> {
        self.0.get(path)
    }
}

/// Whether a path is one that roles, playbooks and templates are looked for under. Notes (`README...`) and hidden files
/// may lie beside them.
pub(super) fn is_read(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let name = parts.last().copied().unwrap_or_default();
    let note = name.starts_with("README") || name.starts_with('.');
    note || match parts.as_slice() {
        ["templates", ..] | ["roles", _, "templates", ..] | ["roles", _, "role.yml"] => true,
        ["playbooks", name] => name.ends_with(".yml"),
        _ => false,
    }
}
