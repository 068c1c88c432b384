//! `-e`: `k=v` pairs, a YAML or JSON mapping, or `@FILE`.

use std::path::Path;
use std::sync::Arc;

use super::error::{LoadContext, LoadError};
use super::vars::{Layer, Var, Vars};
use super::{files, shape};
use crate::source::{Diagnostic, Node, SourceId, Span};

/// The variables of all `-e` arguments, the last one winning.
pub(super) fn read(context: &mut LoadContext, arguments: &[String]) -> Result<Vars, LoadError> {
    let mut vars = Vars::default();
    for argument in arguments {
        vars.overlay(&one(context, argument)?);
    }
    Ok(vars)
}

fn one(context: &mut LoadContext, argument: &str) -> Result<Vars, LoadError> {
    let trimmed = argument.trim_start();
    if let Some(path) = trimmed.strip_prefix('@') {
        let node = files::read(context, Path::new(path))?;
        return Ok(from_node(context, &format!("`-e @{path}`"), node));
    }
    let id = context.sources.add("-e", argument);
    if !trimmed.starts_with(['{', '[']) {
        let mut vars = pairs(context, id, argument);
        context.wrote(&vars);
        context
            .edits
            .iter()
            .for_each(|edit| edit.apply_to(&mut vars));
        return Ok(vars);
    }
    let node = files::parse(context, id);
    Ok(from_node(context, "`-e`", node))
}

fn from_node(context: &mut LoadContext, what: &str, node: Option<Node>) -> Vars {
    let vars = node.map(|node| shape::own_vars(context, what, &node, &Layer::Extra));
    vars.unwrap_or_default()
}

/// `a=1 b='two words'`: values are strings, as in Ansible.
fn pairs(context: &mut LoadContext, id: SourceId, argument: &str) -> Vars {
    let mut vars = Vars::default();
    for word in words(argument) {
        let span = Span {
            source: id,
            start: word.start,
            end: word.end,
        };
        match word.text.split_once('=') {
            _ if word.open => context.report(malformed(span, argument, "a quote is not closed")),
            Some((name, value)) if is_name(name) => vars.insert(name, variable(name, value, span)),
            Some(_) => context.report(malformed(span, argument, "this is no variable name")),
            None => context.report(malformed(span, argument, "a `=` is missing")),
        }
    }
    vars
}

fn variable(name: &str, value: &str, word: Span) -> Var {
    let start = (word.start + name.len() + 1).min(word.end);
    Var {
        node: Arc::new(Node::string(value, Span { start, ..word })),
        key: word,
        layer: Layer::Extra,
    }
}

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    let first = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    first && chars.all(|c| c.is_alphanumeric() || c == '_')
}

fn malformed(span: Span, argument: &str, reason: &str) -> Diagnostic {
    Diagnostic::error("extra-vars", format!("cannot read `-e {argument}`"))
        .at(span, reason)
        .help("write `-e name=value`, `-e '{name: [1, 2]}'` or `-e @file.yml`")
}

/// A word of a line, unquoted as a shell does it.
#[derive(Default)]
struct Word {
    text: String,
    start: usize,
    end: usize,
    /// Its quote is not closed.
    open: bool,
}

fn words(line: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut current: Option<Word> = None;
    let mut quote = None;
    let mut chars = line.char_indices();
    while let Some((at, c)) = chars.next() {
        if quote.is_none() && c.is_whitespace() {
            words.extend(current.take());
            continue;
        }
        let word = current.get_or_insert_with(|| Word {
            start: at,
            ..Word::default()
        });
        word.end = at + c.len_utf8();
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None | Some('"'), '\\') => {
                let (at, next) = chars.next().unwrap_or((at, c));
                word.end = at + next.len_utf8();
                word.text.push(next);
            }
            (_, c) => word.text.push(c),
        }
    }
    words.extend(current.map(|word| Word {
        open: quote.is_some(),
        ..word
    }));
    words
}
