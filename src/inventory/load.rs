//! Reading an inventory and what lies beside it.

use super::merge::{Files, file_vars, merge};
use super::{Inventory, Layer, Vars, extra, tree};
use crate::names::{GroupName, HostName};
use crate::source::{Diagnostics, Sources, yaml};
use std::path::{Path, PathBuf};

/// A readable inventory, and what should be said about it all the same.
#[derive(Debug)]
pub struct Loaded {
    pub inventory: Inventory,
    pub warnings: Diagnostics,
}

/// An inventory that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("reading inventory {}: {source}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// Problems with places in the sources.
    #[error("the inventory cannot be used")]
    Bad {
        sources: Box<Sources>,
        diagnostics: Diagnostics,
    },
}

/// Reads an inventory file, `group_vars/` and `host_vars/` beside it, and `-e` arguments.
pub fn load(path: &Path, extra_args: &[String]) -> Result<Loaded, LoadError> {
    let io = |source| LoadError::Io {
        path: path.to_owned(),
        source,
    };
    let text = std::fs::read_to_string(path).map_err(io)?;
    let mut sources = Sources::default();
    let mut problems = Diagnostics::default();
    let bad = |sources: Sources, diagnostics| LoadError::Bad {
        sources: Box::new(sources),
        diagnostics,
    };
    let root = match yaml::parse_text(&mut sources, &path.display().to_string(), &text) {
        Ok(Some(root)) => root,
        Ok(None) => {
            let id = sources.add(path.display().to_string(), "");
            let span = crate::source::Span {
                source: id,
                start: 0,
                end: 0,
            };
            problems.push(
                crate::source::Diagnostic::error("empty-inventory", "the inventory is empty")
                    .at(span, "nothing here")
                    .help("`citusctl init` writes one to start with"),
            );
            return Err(bad(sources, problems));
        }
        Err(found) => {
            problems.extend(found);
            return Err(bad(sources, problems));
        }
    };
    let tree = tree::read(&root, &mut problems);
    let files = read_files(path, &mut sources, &mut problems)?;
    let extra = extra::read(extra_args, &mut sources, &mut problems)?;
    let (hosts, groups) = merge(&tree, &files, &extra, &mut problems);
    if problems.has_errors() {
        return Err(bad(sources, problems));
    }
    let inventory = Inventory {
        sources,
        path: path.to_owned(),
        hosts,
        groups,
    };
    Ok(Loaded {
        inventory,
        warnings: problems,
    })
}

fn read_files(
    path: &Path,
    sources: &mut Sources,
    problems: &mut Diagnostics,
) -> Result<Files, LoadError> {
    let beside = path.parent().unwrap_or(Path::new(""));
    let mut files = Files::default();
    for (name, file) in variable_files(&beside.join("group_vars"))? {
        let group = GroupName::new(name);
        let vars = read_file(&file, &Layer::GroupFile(group.clone()), sources, problems)?;
        files.groups.entry(group).or_default().overlay(&vars);
    }
    for (name, file) in variable_files(&beside.join("host_vars"))? {
        let vars = read_file(&file, &Layer::HostFile, sources, problems)?;
        files
            .hosts
            .entry(HostName::new(name))
            .or_default()
            .overlay(&vars);
    }
    Ok(files)
}

fn read_file(
    path: &Path,
    layer: &Layer,
    sources: &mut Sources,
    problems: &mut Diagnostics,
) -> Result<Vars, LoadError> {
    let text = std::fs::read_to_string(path).map_err(|source| LoadError::Io {
        path: path.to_owned(),
        source,
    })?;
    match yaml::parse_text(sources, &path.display().to_string(), &text) {
        Ok(node) => Ok(file_vars(node.as_ref(), layer, problems)),
        Err(found) => {
            problems.extend(found);
            Ok(Vars::default())
        }
    }
}

/// `NAME`, `NAME.yml`, `NAME.yaml` and all files of the directory `NAME/`, sorted.
fn variable_files(dir: &Path) -> Result<Vec<(String, PathBuf)>, LoadError> {
    let mut found = Vec::new();
    if !dir.is_dir() {
        return Ok(found);
    }
    for path in sorted(dir)? {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            found.extend(
                sorted(&path)?
                    .into_iter()
                    .filter(|p| p.is_file())
                    .map(|p| (name.clone(), p)),
            );
        } else {
            let stem = name
                .strip_suffix(".yml")
                .or_else(|| name.strip_suffix(".yaml"))
                .unwrap_or(&name);
            found.push((stem.to_owned(), path));
        }
    }
    Ok(found)
}

fn sorted(dir: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let io = |source| LoadError::Io {
        path: dir.to_owned(),
        source,
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(io)? {
        paths.push(entry.map_err(io)?.path());
    }
    paths.retain(|path| {
        !path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .starts_with('.')
    });
    paths.sort();
    Ok(paths)
}
