//! What roles and playbooks are read with: only known keys, values of the right shape, each problem at its place.

use super::layer::{Asset, Origin};
use crate::names::nearest;
use crate::source::{Diagnostic, Node, SourceId, Sources};

/// Adds the text of a file under the name that its owner knows it by: the user's path, or `<embedded>/...`.
pub(super) fn add(sources: &mut Sources, path: &str, asset: &Asset) -> SourceId {
    let name = match &asset.origin {
        Origin::Embedded => format!("<embedded>/{path}"),
        Origin::Path(own) => own.display().to_string(),
    };
    sources.add(name, asset.text.as_str())
}

/// An error for each key of a mapping that is not one of `keys`, with the nearest of them.
pub(super) fn unknown_keys(
    node: &Node,
    code: &'static str,
    what: &str,
    keys: &[&str],
) -> Vec<Diagnostic> {
    let unknown = |(key, _): &(Node, Node)| {
        let name = key.as_str().unwrap_or_default();
        let known = keys.contains(&name);
        (!known).then(|| unknown_key(key, code, what, keys))
    };
    node.pairs()
        .unwrap_or_default()
        .iter()
        .filter_map(unknown)
        .collect()
}

/// One key that is not known.
pub(crate) fn unknown_key(key: &Node, code: &'static str, what: &str, keys: &[&str]) -> Diagnostic {
    let name = key.as_str().unwrap_or_default();
    let problem = Diagnostic::error(code, format!("{what} has no key `{name}`"));
    let problem = problem.at(key.span, "unknown key");
    match nearest(name, keys.iter().copied()) {
        Some(meant) => problem.help(format!("did you mean `{meant}`?")),
        None => problem.help(format!("its keys are {}", keys.join(", "))),
    }
}

/// A list under a key, or an error that says what is there instead. A key that is not there is an empty list.
pub(super) fn list<'a>(
    node: &'a Node,
    code: &'static str,
    key: &str,
) -> Result<&'a [Node], Box<Diagnostic>> {
    let Some(found) = node.get(key) else {
        return Ok(&[]);
    };
    found
        .items()
        .ok_or_else(|| wrong(found, code, key, "a list"))
}

/// A list of texts under a key.
pub(super) fn texts<'a>(
    node: &'a Node,
    code: &'static str,
    key: &str,
) -> Result<Vec<(&'a str, &'a Node)>, Box<Diagnostic>> {
    let items = list(node, code, key)?.iter();
    items
        .map(|item| {
            let text = item.as_str().map(|text| (text, item));
            text.ok_or_else(|| wrong(item, code, key, "a list of names"))
        })
        .collect()
}

/// A text under a key, if it is there.
pub(super) fn text<'a>(
    node: &'a Node,
    code: &'static str,
    key: &str,
) -> Result<Option<(&'a str, &'a Node)>, Box<Diagnostic>> {
    let Some(found) = node.get(key) else {
        return Ok(None);
    };
    let text = found.as_str().map(|text| Some((text, found)));
    text.ok_or_else(|| wrong(found, code, key, "a text"))
}

fn wrong(found: &Node, code: &'static str, key: &str, wanted: &str) -> Box<Diagnostic> {
    let message = format!("`{key}` must be {wanted}, not {}", found.kind());
    Box::new(Diagnostic::error(code, message).at(found.span, "here"))
}
