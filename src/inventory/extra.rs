//! `-e KEY=VALUE`, `-e @FILE`, `-e '{json or yaml}'`.

use super::{Layer, LoadError, Vars};
use crate::source::{Data, Diagnostic, Diagnostics, Node, Sources, Span, yaml};
use std::path::Path;
use std::sync::Arc;

/// Reads all `-e` arguments; later ones win.
pub(super) fn read(
    args: &[String],
    sources: &mut Sources,
    problems: &mut Diagnostics,
) -> Result<Vars, LoadError> {
    let mut vars = Vars::default();
    for arg in args {
        let trimmed = arg.trim();
        if let Some(path) = trimmed.strip_prefix('@') {
            let io = |source| LoadError::Io {
                path: path.into(),
                source,
            };
            let text = std::fs::read_to_string(Path::new(path)).map_err(io)?;
            document(path, &text, &mut vars, sources, problems);
        } else if trimmed.starts_with('{') {
            document("-e", trimmed, &mut vars, sources, problems);
        } else {
            pairs(trimmed, &mut vars, sources, problems);
        }
    }
    Ok(vars)
}

fn document(
    name: &str,
    text: &str,
    vars: &mut Vars,
    sources: &mut Sources,
    problems: &mut Diagnostics,
) {
    match yaml::parse_text(sources, name, text) {
        Ok(Some(node)) if node.entries().is_some() => vars.overlay(&Vars::of(&node, &Layer::Extra)),
        Ok(Some(node)) => problems.push(
            Diagnostic::error("bad-extra", "`-e` must be a mapping")
                .at(node.span, format!("this is {}", node.kind())),
        ),
        Ok(None) => {}
        Err(found) => problems.extend(found),
    }
}

/// `a=1 b='two words'`: values are texts, whatever they look like, but are read as plain YAML scalars.
fn pairs(arg: &str, vars: &mut Vars, sources: &mut Sources, problems: &mut Diagnostics) {
    let source = sources.add("-e", arg);
    let mut at = 0;
    for word in words(arg) {
        let start = arg
            .get(at..)
            .and_then(|rest| rest.find(&word.raw))
            .map_or(at, |found| at + found);
        at = start + word.raw.len();
        let span = Span {
            source,
            start,
            end: at,
        };
        let Some((name, value)) = word.text.split_once('=') else {
            problems.push(
                Diagnostic::error("bad-extra", format!("`{}` is not KEY=VALUE", word.text))
                    .at(span, "here")
                    .help("write `-e key=value`, `-e @file.yml` or `-e '{key: value}'`"),
            );
            continue;
        };
        let data = Data::Scalar {
            text: value.to_owned(),
            plain: !word.quoted,
        };
        vars.set(
            name,
            Arc::new(Node {
                data,
                span,
                tag: None,
            }),
            Layer::Extra,
        );
    }
}

struct Word {
    raw: String,
    text: String,
    quoted: bool,
}

/// Splits at spaces outside of quotes, as a shell would.
fn words(arg: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut word = Word {
        raw: String::new(),
        text: String::new(),
        quoted: false,
    };
    let mut quote: Option<char> = None;
    for c in arg.chars() {
        match (quote, c) {
            (None, ' ') if word.raw.is_empty() => {}
            (None, ' ') => words.push(std::mem::replace(
                &mut word,
                Word {
                    raw: String::new(),
                    text: String::new(),
                    quoted: false,
                },
            )),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.quoted = true;
                word.raw.push(c);
            }
            (Some(open), c) if open == c => {
                quote = None;
                word.raw.push(c);
            }
            (_, c) => {
                word.raw.push(c);
                word.text.push(c);
            }
        }
    }
    if !word.raw.is_empty() {
        words.push(word);
    }
    words
}
