//! `group_vars/` and `host_vars/` beside the inventory.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::error::{LoadContext, LoadError};
use super::vars::{Layer, Vars};
use super::{shape, vault};
use crate::names::nearest;
use crate::secret::vault::is_sealed;
use crate::source::{Diagnostic, Node, SourceId, yaml};

/// Endings in the order in which Ansible looks for them; it takes the first that exists.
const ENDINGS: [&str; 4] = ["", ".yml", ".yaml", ".json"];

/// The variables that files give to one group or host.
pub(super) fn vars_of(
    context: &mut LoadContext,
    directory: &Path,
    name: &str,
    layer: &Layer,
) -> Result<Vars, LoadError> {
    let mut vars = Vars::default();
    if name.contains('/') || name.starts_with('.') {
        return Ok(vars);
    }
    let candidates = ENDINGS
        .iter()
        .map(|ending| directory.join(format!("{name}{ending}")));
    let mut found = candidates.filter(|path| path.exists());
    let Some(first) = found.next() else {
        return Ok(vars);
    };
    for ignored in found {
        context.report(shadowed(&first, &ignored));
    }
    for path in list(&first)? {
        vars.overlay(&file(context, &path, layer)?);
    }
    Ok(vars)
}

/// Files for groups or hosts that the inventory does not have: Ansible says nothing of them, and nothing of them acts.
pub(super) fn unread<'a>(
    directory: &Path,
    what: &str,
    known: impl Iterator<Item = &'a str>,
) -> Vec<Diagnostic> {
    let known: BTreeSet<&str> = known.collect();
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<PathBuf> = paths.filter(|path| is_vars_file(path)).collect();
    paths.sort();
    let told = paths.iter().filter_map(|path| {
        let name = path.file_name()?.to_str()?;
        let mut endings = ENDINGS.iter().filter_map(|end| name.strip_suffix(end));
        if endings.clone().any(|name| known.contains(name)) {
            return None;
        }
        let name = endings.next_back()?;
        let message = format!(
            "{} is not read: there is no {what} `{name}`",
            path.display()
        );
        let near = nearest(name, known.iter().copied());
        Some(match near {
            Some(near) => Diagnostic::warning("vars-file-unread", message)
                .help(format!("did you mean `{near}`?")),
            None => Diagnostic::note("vars-file-unread", message),
        })
    });
    told.collect()
}

fn shadowed(first: &Path, ignored: &Path) -> Diagnostic {
    let message = format!("{} is not read", ignored.display());
    let reason = format!(
        "{} comes first, as in Ansible; join the two",
        first.display()
    );
    Diagnostic::warning("vars-file-shadowed", message).help(reason)
}

/// A file itself, or all files of a directory and below, by name.
fn list(path: &Path) -> Result<Vec<PathBuf>, LoadError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let io = |source| LoadError::Io {
        path: path.to_owned(),
        source,
    };
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path).map_err(io)? {
        entries.push(entry.map_err(io)?.path());
    }
    entries.sort();
    let mut files = Vec::new();
    for entry in entries.into_iter().filter(|path| is_vars_file(path)) {
        files.extend(list(&entry)?);
    }
    Ok(files)
}

/// Hidden files and editors' copies are passed over, as in Ansible.
fn is_vars_file(path: &Path) -> bool {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let ending = path.extension().and_then(|ending| ending.to_str());
    let known = path.is_dir() || matches!(ending, None | Some("yml" | "yaml" | "json"));
    known && !name.starts_with('.') && !name.ends_with('~')
}

fn file(context: &mut LoadContext, path: &Path, layer: &Layer) -> Result<Vars, LoadError> {
    let name = path.display().to_string();
    let node = read(context, path)?;
    let vars = node.map(|node| shape::own_vars(context, &name, &node, layer));
    Ok(vars.unwrap_or_default())
}

/// Reads one YAML file; problems of its text go to the context.
pub(super) fn read(context: &mut LoadContext, path: &Path) -> Result<Option<Node>, LoadError> {
    let bytes = std::fs::read(path).map_err(|source| LoadError::Io {
        path: path.to_owned(),
        source,
    })?;
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            context.report(not_text(path, error.utf8_error().valid_up_to()));
            return Ok(None);
        }
    };
    let name = path.display().to_string();
    if is_sealed(&text) {
        let clear = vault::open_file(context, &name, &text);
        return Ok(clear.and_then(|id| parse(context, id)).map(vault::guard));
    }
    let id = context.sources.add(name, text);
    Ok(parse(context, id))
}

/// Reads a text, and opens what is encrypted in it.
pub(super) fn parse(context: &mut LoadContext, id: SourceId) -> Option<Node> {
    match yaml::parse(&context.sources, id) {
        Ok(node) => {
            let node = node.map(|node| vault::open_values(context, node));
            let edits = context.edits.iter();
            node.map(|node| edits.fold(node, |node, edit| edit.applied(node)))
        }
        Err(problems) => {
            context.diagnostics.extend(problems);
            None
        }
    }
}

fn not_text(path: &Path, at: usize) -> Diagnostic {
    let message = format!("{}: not UTF-8 text (byte {at})", path.display());
    Diagnostic::error("yaml-encoding", message).help("save the file as UTF-8")
}
