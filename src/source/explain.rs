//! What went wrong in a text that is not the YAML we read, in words a person can act on.

use granit_parser::{ErrorKind, ScanError};

use super::{Data, Diagnostic, Node, SourceId, Span};

/// A scanner error as a diagnostic.
pub(super) fn scan_error(id: SourceId, text: &str, error: &ScanError) -> Diagnostic {
    let at = error.marker().byte_offset().unwrap_or(text.len());
    let line = Line::of(text, at);
    let span = point(id, text, at);
    if let Some(tab) = tab_in_indent(text, &line, at, error.kind()) {
        return tab_error(id, tab);
    }
    if line.has_bare_template() {
        return template_error(span);
    }
    let reason = lower_first(error.kind().to_string().trim_end_matches('.'));
    let problem = Diagnostic::error("yaml-syntax", format!("not valid YAML: {reason}"));
    hint(problem.at(span, "reading stopped here"), text, error.kind())
}

fn hint(problem: Diagnostic, text: &str, kind: &ErrorKind) -> Diagnostic {
    if looks_like_ini(text) {
        return problem.help("this looks like an INI inventory; only YAML inventories are read: `ansible-inventory -i FILE --list --yaml` writes it as YAML");
    }
    match kind {
        ErrorKind::UnknownAnchor => {
            problem.help("define the anchor (`&name`) above the alias, or quote a leading `*`")
        }
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            problem.help("check the indentation, and quote values that hold `: `")
        }
        _ => problem,
    }
}

fn tab_error(id: SourceId, at: usize) -> Diagnostic {
    let span = Span {
        source: id,
        start: at,
        end: at + 1,
    };
    Diagnostic::error("yaml-tab", "a tab character indents a line")
        .at(span, "YAML allows only spaces here")
        .help("replace the tab by spaces")
}

fn template_error(span: Span) -> Diagnostic {
    Diagnostic::error(
        "yaml-template",
        "a value that starts with `{{` must be quoted",
    )
    .at(span, "YAML reads `{{` as two mappings")
    .help("write \"{{ name }}\" with the quotes")
}

/// A key that is a list or a mapping; `{{ x }}` without quotes is the usual reason.
pub(super) fn odd_key(key: &Node) -> Diagnostic {
    match &key.data {
        Data::Map(_) => template_error(key.span),
        Data::Seq(_) | Data::Scalar { .. } => {
            Diagnostic::error("yaml-key", "a key must be a plain name")
                .at(key.span, format!("this is {}", key.kind()))
        }
    }
}

/// Whether a document is nothing: an empty plain scalar with no text behind it.
pub(super) fn is_blank(node: &Node, text: &str) -> bool {
    let written = text.get(node.span.start..node.span.end).unwrap_or_default();
    node.tag.is_none()
        && matches!(&node.data, Data::Scalar { plain: true, .. })
        && written.trim().is_empty()
}

struct Line<'t> {
    start: usize,
    text: &'t str,
}

impl<'t> Line<'t> {
    fn of(text: &'t str, at: usize) -> Self {
        let at = floor(text, at);
        let start = text[..at].rfind('\n').map_or(0, |before| before + 1);
        let end = text[at..].find('\n').map_or(text.len(), |after| at + after);
        Self {
            start,
            text: &text[start..end],
        }
    }

    /// `key: {{ x }}` or `- {{ x }}` without quotes.
    fn has_bare_template(&self) -> bool {
        let value = self.text.trim_start();
        let value = value.strip_prefix("- ").unwrap_or(value).trim_start();
        value.starts_with("{{") || value.contains(": {{")
    }

    /// The place of a tab among the blanks that start the line.
    fn indenting_tab(&self) -> Option<usize> {
        let indent = self.text.len() - self.text.trim_start().len();
        self.text[..indent].find('\t').map(|at| self.start + at)
    }
}

fn tab_in_indent(text: &str, line: &Line<'_>, at: usize, kind: &ErrorKind) -> Option<usize> {
    if matches!(
        kind,
        ErrorKind::TabNotAllowed | ErrorKind::TabInBlockIndentation
    ) {
        let here = line.indenting_tab();
        return here.or_else(|| line.text.find('\t').map(|tab| line.start + tab));
    }
    let previous = (line.start > 0).then(|| Line::of(text, line.start - 1));
    let next = text[floor(text, at)..]
        .find('\n')
        .map(|end| Line::of(text, floor(text, at) + end + 1));
    let near = [Some(Line { ..*line }), previous, next];
    near.into_iter()
        .flatten()
        .find_map(|line| line.indenting_tab())
}

/// The nearest character boundary at or before a byte.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// One character at a byte, or nothing at the end of the text.
fn point(id: SourceId, text: &str, at: usize) -> Span {
    let start = floor(text, at);
    let width = text[start..].chars().next().map_or(0, char::len_utf8);
    Span {
        source: id,
        start,
        end: start + width,
    }
}

/// Whether the first line that says something is an INI section.
fn looks_like_ini(text: &str) -> bool {
    let mut lines = text
        .lines()
        .map(|line| line.split(" #").next().unwrap_or_default().trim());
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    first.is_some_and(|line| line.starts_with('[') && line.ends_with(']') && !line.contains(','))
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}
