//! Reading an inventory and everything beside it.

use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;

use super::error::{LoadContext, LoadError, Loaded};
use super::lookup::Lookups;
use super::merge::{self, FileVars, Graph};
use super::shape::{self, RawGroup, RawInventory};
use super::vars::{Layer, Vars};
use super::vault::Keys;
use super::written::{Edit, Written};
use super::{InvGroup, InvHost, Inventory, extra, files, parameters, reference};
use crate::names::{GroupName, HostName};
use crate::source::{Diagnostic, Node};

/// Reads an inventory file, `group_vars/` and `host_vars/` beside it, and `-e` arguments.
///
/// # Errors
/// [`LoadError::Io`] when a file cannot be read; [`LoadError::Invalid`] with all problems found.
pub fn load(path: &Path, extra: &[String]) -> Result<Loaded, LoadError> {
    load_with(path, extra, Keys::default())
}

/// The same with passwords of ansible-vault.
///
/// # Errors
/// As [`load`].
pub fn load_with(path: &Path, extra: &[String], keys: Keys) -> Result<Loaded, LoadError> {
    let context = LoadContext {
        keys,
        ..LoadContext::default()
    };
    read(context, path, extra).map(|(loaded, _)| loaded)
}

/// The same with some values read as others, and every value as it was written.
///
/// # Errors
/// As [`load`].
pub fn load_edited(
    path: &Path,
    extra: &[String],
    keys: Keys,
    edits: Vec<Edit>,
) -> Result<(Loaded, Vec<Written>), LoadError> {
    let context = LoadContext {
        keys,
        edits,
        written: Some(Vec::new()),
        ..LoadContext::default()
    };
    read(context, path, extra)
}

fn read(
    mut context: LoadContext,
    path: &Path,
    extra: &[String],
) -> Result<(Loaded, Vec<Written>), LoadError> {
    let root = files::read(&mut context, path)?;
    let extra = extra::read(&mut context, extra)?;
    if root.is_none() && !context.diagnostics.has_errors() {
        context.report(empty(path));
    }
    let built = match root {
        Some(root) => build(&mut context, path, &root, &extra)?,
        None => None,
    };
    match built {
        Some((hosts, groups)) if !context.diagnostics.has_errors() => {
            let inventory = Inventory {
                sources: context.sources,
                path: path.to_owned(),
                hosts,
                groups,
            };
            let warnings = context.diagnostics;
            let loaded = Loaded {
                inventory,
                warnings,
            };
            Ok((loaded, context.written.unwrap_or_default()))
        }
        _ => Err(LoadError::Invalid {
            path: path.to_owned(),
            sources: Box::new(context.sources),
            diagnostics: context.diagnostics,
        }),
    }
}

type Built = (IndexMap<HostName, InvHost>, IndexMap<GroupName, InvGroup>);

fn build(
    context: &mut LoadContext,
    path: &Path,
    root: &Node,
    extra: &Vars,
) -> Result<Option<Built>, LoadError> {
    let raw = shape::read(context, root);
    let files = file_vars(context, path, &raw)?;
    check_tags(context, &raw, &files, extra);
    if raw.hosts.is_empty() && !context.diagnostics.has_errors() {
        context.report(no_hosts(root));
    }
    let graph = match Graph::new(&raw) {
        Ok(graph) => graph,
        Err(problem) => {
            context.report(*problem);
            return Ok(None);
        }
    };
    let mut looked = Lookups::beside(path);
    let built = assemble(&raw, &graph, &files, extra, &mut looked);
    context.diagnostics.extend(looked.problems);
    Ok(Some(built))
}

fn assemble(
    raw: &RawInventory,
    graph: &Graph<'_>,
    files: &FileVars,
    extra: &Vars,
    looked: &mut Lookups,
) -> Built {
    let groups_of = graph.groups_of_hosts();
    let mut members = graph.members(&groups_of);
    let hosts = raw.hosts.iter().map(|(name, host)| {
        let groups = groups_of.get(name).map_or(&[][..], Vec::as_slice);
        let merged = looked.resolve(merge::host_vars(raw, files, extra, name, groups));
        let host = InvHost {
            name: name.clone(),
            span: host.span,
            groups: groups.iter().map(|group| (*group).clone()).collect(),
            vars: Arc::new(reference::resolve(present(merged))),
        };
        (name.clone(), host)
    });
    let hosts = hosts.collect();
    let groups = raw.groups.iter().map(|(name, group)| {
        let hosts = members.remove(name).unwrap_or_default();
        (name.clone(), inv_group(name, group, hosts, files))
    });
    (hosts, groups.collect())
}

/// Values under older names stand under the present ones too, unless those are given.
fn present(mut vars: Vars) -> Vars {
    for (old, new) in parameters::renamed() {
        if let (Some(var), false) = (vars.get(old).cloned(), vars.contains(new)) {
            vars.insert(new, var);
        }
    }
    vars
}

fn inv_group(
    name: &GroupName,
    group: &RawGroup,
    hosts: Vec<HostName>,
    files: &FileVars,
) -> InvGroup {
    let mut vars = group.vars.clone();
    if let Some(filed) = files.groups.get(name) {
        vars.overlay(filed);
    }
    InvGroup {
        name: name.clone(),
        span: group.span,
        hosts,
        children: group.children.clone(),
        vars,
    }
}

fn file_vars(
    context: &mut LoadContext,
    path: &Path,
    raw: &RawInventory,
) -> Result<FileVars, LoadError> {
    let mut found = FileVars::default();
    let beside = path.parent().unwrap_or(Path::new(""));
    let (groups, hosts) = (beside.join("group_vars"), beside.join("host_vars"));
    if groups.is_dir() {
        for name in raw.groups.keys() {
            let layer = Layer::GroupFile(name.clone());
            let vars = files::vars_of(context, &groups, name.as_str(), &layer)?;
            found.groups.insert(name.clone(), vars);
        }
        let known = raw.groups.keys().map(|name| name.as_str());
        let unread = files::unread(&groups, "group", known);
        context.diagnostics.extend(unread);
    }
    if hosts.is_dir() {
        for name in raw.hosts.keys() {
            let vars = files::vars_of(context, &hosts, name.as_str(), &Layer::HostFile)?;
            found.hosts.insert(name.clone(), vars);
        }
        let known = raw.hosts.keys().map(|name| name.as_str());
        let unread = files::unread(&hosts, "host", known);
        context.diagnostics.extend(unread);
    }
    Ok(found)
}

fn empty(path: &Path) -> Diagnostic {
    Diagnostic::error(
        "inventory-empty",
        format!("{}: the inventory is empty", path.display()),
    )
    .help("an inventory starts with `all:` and names hosts in groups below `children:`")
}

fn no_hosts(root: &Node) -> Diagnostic {
    Diagnostic::error("inventory-no-hosts", "the inventory names no host")
        .at(root.span, "no group in here has `hosts`")
        .help("name hosts as `all: {children: {GROUP: {hosts: {10.10.10.11: {}}}}}`")
}

/// Tags that nobody knows. What is encrypted was opened or complained of when it was read.
fn check_tags(context: &mut LoadContext, raw: &RawInventory, files: &FileVars, extra: &Vars) {
    let inline = raw.groups.values().map(|group| &group.vars);
    let inline = inline.chain(raw.hosts.values().map(|host| &host.vars));
    let filed = files.groups.values().chain(files.hosts.values());
    let all = inline.chain(filed).chain([extra]);
    for (name, var) in all.flat_map(Vars::iter) {
        check_tag(context, name, &var.node);
    }
}

fn is_unknown(tag: &str) -> bool {
    let known = ["!unsafe", "!vault", "!vault-encrypted"];
    tag.starts_with('!') && !tag.starts_with("!!") && !known.contains(&tag)
}

fn check_tag(context: &mut LoadContext, name: &str, node: &Node) {
    match node.tag.as_deref() {
        Some(tag) if is_unknown(tag) && !node.is_secret() && !node.is_guarded() => {
            let problem =
                Diagnostic::error("yaml-tag", format!("`{name}`: tag `{tag}` is not known"));
            context.report(problem.at(node.span, "known are `!vault` and `!unsafe`"));
        }
        Some(_) | None => {}
    }
    let inner = node.items().unwrap_or_default().iter();
    let values = node
        .pairs()
        .unwrap_or_default()
        .iter()
        .map(|(_, value)| value);
    inner
        .chain(values)
        .for_each(|child| check_tag(context, name, child));
}
