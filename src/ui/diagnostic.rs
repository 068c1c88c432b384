//! Diagnostics as rustc shows them, and as JSON.

use super::term;
use crate::names::printable::{in_place, one_line, printable};
use crate::names::words::count;
use crate::secret::Masker;
use crate::source::{Diagnostic, Severity, Sources, Span};
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// All diagnostics with their source lines, and a line that counts them. Secrets in those lines are masked.
pub fn diagnostics<'a>(
    sources: &Sources,
    all: impl IntoIterator<Item = &'a Diagnostic>,
    masker: &Masker,
) -> String {
    let mut text = String::new();
    let mut counts = BTreeMap::<Severity, usize>::new();
    for diagnostic in all {
        *counts.entry(diagnostic.severity).or_default() += 1;
        text.push_str(&masker.mask(&one(sources, diagnostic)));
        text.push_str("\n\n");
    }
    let words = [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Note, "note"),
    ];
    let counted: Vec<String> = words
        .iter()
        .filter_map(|(severity, noun)| Some(count(*counts.get(severity)?, noun)))
        .collect();
    if !counted.is_empty() {
        text.push_str(&format!("{}\n", counted.join(", ")));
    }
    text
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// What and where, in one line.
pub fn in_short(sources: &Sources, diagnostic: &Diagnostic) -> String {
    let severity = word(diagnostic.severity);
    let labels = &diagnostic.labels;
    let primary = labels.iter().find(|label| label.primary);
    let place = primary.or(labels.first()).map(|label| {
        let place = sources.place(label.span);
        format!(" ({}:{}:{})", place.name, place.line, place.column)
    });
    format!(
        "{severity}[{}]: {}{}",
        diagnostic.code,
        diagnostic.message,
        place.unwrap_or_default()
    )
}

fn one(sources: &Sources, diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level
        .primary_title(printable(&diagnostic.message))
        .id(diagnostic.code);
    let mut group = Group::with_title(title);
    for (source, labels) in by_source(diagnostic) {
        let file = sources.get(source);
        if file.hidden {
            for (span, text, _) in labels {
                group = hidden(group, sources, span, text);
            }
            continue;
        }
        let snippet = Snippet::source(in_place(&file.text))
            .path(one_line(&file.name))
            .line_start(1)
            .fold(true);
        group = group.element(
            snippet.annotations(
                labels
                    .into_iter()
                    .map(|(span, text, primary)| annotation(&file.text, span, text, primary)),
            ),
        );
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(printable(help)));
    }
    term::adopt(&Renderer::styled().render(&[group]))
}

/// A place in a text whose lines are not shown.
fn hidden<'a>(group: Group<'a>, sources: &'a Sources, span: Span, label: &'a str) -> Group<'a> {
    let place = sources.place(span);
    let origin = Origin::path(one_line(&sources.get(span.source).name))
        .line(place.line)
        .char_column(place.column);
    group
        .element(origin)
        .element(Level::NOTE.message(printable(label)))
}

type Labels<'a> = Vec<(Span, &'a str, bool)>;

fn by_source(diagnostic: &Diagnostic) -> BTreeMap<crate::source::SourceId, Labels<'_>> {
    let mut grouped = BTreeMap::<_, Labels<'_>>::new();
    for label in &diagnostic.labels {
        grouped.entry(label.span.source).or_default().push((
            label.span,
            &label.text,
            label.primary,
        ));
    }
    grouped
}

/// A place; one of several lines is shown by its first.
fn annotation<'a>(text: &str, span: Span, label: &'a str, primary: bool) -> Annotation<'a> {
    let start = span.start.min(text.len());
    let line_end = text
        .get(start..)
        .and_then(|rest| rest.find('\n'))
        .map_or(text.len(), |at| start + at);
    let end = span.end.clamp(start, line_end);
    let kind = if primary {
        AnnotationKind::Primary
    } else {
        AnnotationKind::Context
    };
    kind.span(start..end).label(printable(label))
}

/// The same for programs: a mapping for each.
pub fn diagnostic_rows<'a>(
    sources: &Sources,
    all: impl IntoIterator<Item = &'a Diagnostic>,
    masker: &Masker,
) -> Vec<Value> {
    all.into_iter()
        .map(|diagnostic| row(sources, diagnostic, masker))
        .collect()
}

fn row(sources: &Sources, diagnostic: &Diagnostic, masker: &Masker) -> Value {
    let severity = word(diagnostic.severity);
    let places: Vec<Value> = diagnostic
        .labels
        .iter()
        .map(|label| {
            let place = sources.place(label.span);
            json!({ "file": place.name, "line": place.line, "column": place.column, "text": masker.mask(&label.text), "primary": label.primary })
        })
        .collect();
    let help: Vec<String> = diagnostic
        .help
        .iter()
        .map(|help| masker.mask(help))
        .collect();
    json!({ "severity": severity, "code": diagnostic.code, "message": masker.mask(&diagnostic.message), "places": places, "help": help })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn shows_the_line_and_hides_the_secret() {
        let mut sources = Sources::default();
        let source = sources.add("inv.yml", "a: 1\npg_dbsu_password: hunter22\n");
        let diagnostic = Diagnostic::warning("x", "look")
            .at(
                Span {
                    source,
                    start: 5,
                    end: 21,
                },
                "here",
            )
            .help("mend it");
        let mut masker = Masker::default();
        masker.add(Secret::new("hunter22"));
        let text = term::plain(&diagnostics(&sources, [&diagnostic], &masker));
        assert_eq!(
            text,
            "warning[x]: look\n --> inv.yml:2:1\n  |\n2 | pg_dbsu_password: ********\n  | ^^^^^^^^^^^^^^^^ here\n  |\n  = help: mend it\n\n1 warning\n"
        );
    }
}
