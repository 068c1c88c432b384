//! What can be wrong with a template, with the place in it.

use minijinja::{Error, ErrorKind};
use std::error::Error as _;
use std::ops::Range;

/// A template that cannot be rendered.
#[derive(Debug, thiserror::Error)]
#[error("{name}{}: {message}", .line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct TemplateError {
    /// The template that failed: the one asked for, or one that it includes.
    pub name: Box<str>,
    /// From 1.
    pub line: Option<u32>,
    /// Bytes of the template's text that failed.
    pub range: Option<Range<usize>>,
    /// The whole text of the template that failed.
    pub text: Option<Box<str>>,
    /// The failing piece as it is written, for an undefined variable its name.
    pub expression: Option<Box<str>>,
    /// One sentence: lower case, no place.
    pub message: Box<str>,
    /// Whether a variable was not there (as against a broken template).
    pub undefined: bool,
}

impl TemplateError {
    pub(super) fn new(asked: &str, error: Error) -> Self {
        let error = innermost(&error);
        let text = error.template_source().map(Box::from);
        let expression = text.as_deref().zip(error.range()).and_then(piece);
        Self {
            name: error.name().unwrap_or(asked).into(),
            line: error.line().and_then(|line| u32::try_from(line).ok()),
            range: error.range(),
            message: message(error, expression.as_deref()).into(),
            undefined: error.kind() == ErrorKind::UndefinedError,
            text,
            expression,
        }
    }

    pub(super) fn from_expression(expression: &str, error: Error) -> Self {
        let mut made = Self::new("<expression>", error);
        made.name = format!("`{expression}`").into();
        made.line = None;
        made.text = Some(expression.into());
        made
    }

    /// What to do next.
    pub fn help(&self) -> Option<String> {
        self.undefined.then(|| {
            "set the variable in the inventory, or give the template a default: `{{ name | default('value') }}`"
                .to_owned()
        })
    }
}

/// An error inside an included template is the source of the outer one.
fn innermost(error: &Error) -> &Error {
    let inner = error.source().and_then(|e| e.downcast_ref::<Error>());
    match inner {
        Some(inner) if inner.name().is_some() => innermost(inner),
        Some(_) | None => error,
    }
}

fn piece((text, range): (&str, Range<usize>)) -> Option<Box<str>> {
    let piece = text.get(range)?.trim();
    (!piece.is_empty()).then(|| piece.into())
}

fn message(error: &Error, expression: Option<&str>) -> String {
    let what = match (error.kind(), expression) {
        (ErrorKind::UndefinedError, Some(expression)) => {
            return format!("`{expression}` is not defined");
        }
        (ErrorKind::TemplateNotFound, _) => return "there is no such template".to_owned(),
        (kind, _) => error
            .detail()
            .map_or_else(|| kind.to_string(), str::to_owned),
    };
    match error.source() {
        Some(cause) => format!("{what}: {cause}"),
        None => what,
    }
}
