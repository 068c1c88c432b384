//! `{{ lookup('env', 'NAME') }}` and `{{ lookup('file', 'path') }}` as whole values.
//!
//! Only what a host really uses is looked up: a value that a stronger layer replaces is not.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use regex::Regex;

use super::vars::{Var, Vars};
use crate::source::{Data, Diagnostic, Node, Span};

/// What was looked up for the hosts of an inventory.
pub(super) struct Lookups {
    /// Relative paths start here.
    directory: PathBuf,
    found: HashMap<Span, Option<Node>>,
    /// Unset variables and files that cannot be read, each once.
    pub(super) problems: Vec<Diagnostic>,
}

/// What is looked up.
enum LookupKind<'t> {
    Env(&'t str),
    File(&'t str),
}

impl Lookups {
    /// For an inventory file, beside which relative paths are looked for.
    pub(super) fn beside(inventory: &Path) -> Self {
        Self {
            directory: inventory.parent().unwrap_or(Path::new("")).to_owned(),
            found: HashMap::new(),
            problems: Vec::new(),
        }
    }

    /// Variables with everything looked up.
    pub(super) fn resolve(&mut self, mut vars: Vars) -> Vars {
        let open = vars.iter().filter(|(_, var)| holds_lookup(&var.node));
        let open: Vec<(String, Var)> = open.map(|(n, var)| (n.to_owned(), var.clone())).collect();
        for (name, var) in open {
            let node = Arc::new(self.node(&var.node));
            vars.insert(name, Var { node, ..var });
        }
        vars
    }

    fn node(&mut self, old: &Node) -> Node {
        let data = match &old.data {
            Data::Scalar { .. } => return self.scalar(old),
            Data::Seq(items) => Data::Seq(items.iter().map(|item| self.node(item)).collect()),
            Data::Map(entries) => {
                let new = entries
                    .iter()
                    .map(|(key, value)| (key.clone(), self.node(value)));
                Data::Map(new.collect())
            }
        };
        Node {
            data,
            ..old.clone()
        }
    }

    fn scalar(&mut self, old: &Node) -> Node {
        let Some(lookup) = lookup_of(old) else {
            return old.clone();
        };
        if !self.found.contains_key(&old.span) {
            let found = self.value(&lookup, old.span);
            let node = found.map(|text| Node::guarded(text, old.span));
            self.found.insert(old.span, node);
        }
        let found = self.found.get(&old.span).cloned().flatten();
        found.unwrap_or_else(|| Node::string(String::new(), old.span))
    }

    fn value(&mut self, lookup: &LookupKind<'_>, span: Span) -> Option<String> {
        let found = match lookup {
            LookupKind::Env(name) => variable(name),
            LookupKind::File(path) => file(&self.directory.join(home(path))),
        };
        let told = |problem: Diagnostic| self.problems.push(problem.at(span, "looked up here"));
        found.map_err(told).ok()
    }
}

fn holds_lookup(node: &Node) -> bool {
    let items = node.items().unwrap_or_default().iter();
    let pairs = node.pairs().unwrap_or_default().iter();
    lookup_of(node).is_some() || items.chain(pairs.map(|(_, v)| v)).any(holds_lookup)
}

/// The call, in either quotes, with or without the collection's name.
static CALL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let name = r#"(?:ansible\.builtin\.)?(env|file)"#;
    let call = format!(
        r#"^\s*\{{\{{\s*lookup\(\s*(?:'{name}'|"{name}")\s*,\s*(?:'([^']*)'|"([^"]*)")\s*\)\s*\}}\}}\s*$"#
    );
    Regex::new(&call).ok()
});

fn lookup_of(node: &Node) -> Option<LookupKind<'_>> {
    let text = node.as_str().filter(|text| text.contains("lookup("))?;
    if node.is_secret() || node.tag.as_deref() == Some("!unsafe") {
        return None;
    }
    let found = CALL.as_ref()?.captures(text)?;
    let kind = found.get(1).or_else(|| found.get(2))?.as_str();
    let what = found.get(3).or_else(|| found.get(4))?.as_str();
    match kind {
        "env" => Some(LookupKind::Env(what)),
        _ => Some(LookupKind::File(what)),
    }
}

fn variable(name: &str) -> Result<String, Diagnostic> {
    std::env::var(name).map_err(|error| {
        let reason = match error {
            std::env::VarError::NotPresent => "is not set",
            std::env::VarError::NotUnicode(_) => "is not UTF-8 text",
        };
        Diagnostic::error(
            "lookup-env",
            format!("environment variable `{name}` {reason}"),
        )
        .help(format!(
            "set it (`export {name}=...`), or give the value with `-e`"
        ))
    })
}

/// Content of a file, without the line ends at its end, as Ansible takes it.
fn file(path: &Path) -> Result<String, Diagnostic> {
    let read = fs_err::read_to_string(path);
    let text = read.map_err(|error| {
        Diagnostic::error("lookup-file", format!("cannot be looked up: {error}"))
            .help("relative paths start in the directory of the inventory file")
    })?;
    Ok(text.trim_end().to_owned())
}

/// `~/` is the home directory.
fn home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    }
}
