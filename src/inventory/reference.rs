//! `{{ name }}` in values: plain references to other variables of the same host.
//!
//! A value that is nothing but a reference takes the other value with its type; in other texts
//! the reference is replaced by text. Anything more (filters, expressions) stays as written, and
//! `parameters::check_vars` says so where a parameter needs the value.

use std::sync::Arc;

use super::vars::Vars;
use crate::source::{Data, Node};

/// The variables with all references replaced that can be.
pub(super) fn resolve(mut vars: Vars) -> Vars {
    let mut replaced = Vec::new();
    for (name, var) in vars.iter() {
        if let Some(node) = node(&vars, &var.node, &mut vec![name]) {
            let var = super::Var {
                node: Arc::new(node),
                ..var.clone()
            };
            replaced.push((name.to_owned(), var));
        }
    }
    for (name, var) in replaced {
        vars.insert(name, var);
    }
    vars
}

/// The node with references replaced, `path` being the names on the way; `None` when there is nothing to replace.
fn node<'v>(vars: &'v Vars, old: &'v Node, path: &mut Vec<&'v str>) -> Option<Node> {
    // A secret is taken as it is, braces and all.
    if old.tag.as_deref() == Some("!unsafe") || old.is_secret() {
        return None;
    }
    let data = match &old.data {
        Data::Scalar { text, .. } => return scalar(vars, old, text, path),
        Data::Seq(items) => {
            let new: Vec<Option<Node>> = items.iter().map(|item| node(vars, item, path)).collect();
            new.iter().any(Option::is_some).then(|| {
                let both = new.into_iter().zip(items);
                Data::Seq(
                    both.map(|(new, old)| new.unwrap_or_else(|| old.clone()))
                        .collect(),
                )
            })
        }
        Data::Map(entries) => {
            let new: Vec<Option<Node>> = entries.iter().map(|(_, v)| node(vars, v, path)).collect();
            new.iter().any(Option::is_some).then(|| {
                let both = new.into_iter().zip(entries);
                let both =
                    both.map(|(new, (k, old))| (k.clone(), new.unwrap_or_else(|| old.clone())));
                Data::Map(both.collect())
            })
        }
    };
    data.map(|data| Node {
        data,
        ..old.clone()
    })
}

fn scalar<'v>(
    vars: &'v Vars,
    old: &'v Node,
    text: &'v str,
    path: &mut Vec<&'v str>,
) -> Option<Node> {
    if !text.contains("{{") {
        return None;
    }
    let whole = text
        .strip_prefix("{{")
        .and_then(|rest| rest.strip_suffix("}}"));
    if let Some(target) = whole.and_then(|name| value(vars, name, path)) {
        // The value is the other's; its place stays here, where it was written.
        return Some(Node {
            span: old.span,
            ..target
        });
    }
    let (replaced, kept) = replace(vars, text, path);
    let make = match kept {
        Secrecy::Open => Node::string,
        Secrecy::Guarded => Node::guarded,
        Secrecy::Secret => Node::secret,
    };
    (replaced != text).then(|| make(replaced, old.span))
}

/// How much of a text is a secret: as much as the most secret of its parts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Secrecy {
    Open,
    Guarded,
    Secret,
}

impl Secrecy {
    fn of(node: &Node) -> Self {
        match () {
            () if node.is_secret() => Self::Secret,
            () if node.is_guarded() => Self::Guarded,
            () => Self::Open,
        }
    }
}

/// The value that a reference names, with its own references replaced; none in a circle.
fn value<'v>(vars: &'v Vars, name: &'v str, path: &mut Vec<&'v str>) -> Option<Node> {
    let name = name.trim();
    let target = &vars.get(name)?.node;
    if path.contains(&name) {
        return None;
    }
    path.push(name);
    let inner = node(vars, target, path);
    path.pop();
    Some(inner.unwrap_or_else(|| target.as_ref().clone()))
}

fn replace<'v>(vars: &'v Vars, text: &'v str, path: &mut Vec<&'v str>) -> (String, Secrecy) {
    let mut out = String::with_capacity(text.len());
    let mut kept = Secrecy::Open;
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let Some(length) = rest[start..].find("}}") else {
            break;
        };
        let end = start + length + 2;
        out.push_str(&rest[..start]);
        let target = value(vars, &rest[start + 2..end - 2], path);
        kept = kept.max(target.as_ref().map_or(Secrecy::Open, Secrecy::of));
        match target.as_ref().and_then(Node::as_str) {
            Some(text) => out.push_str(text),
            None => out.push_str(&rest[start..end]),
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    (out, kept)
}
