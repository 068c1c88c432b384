//! From parser events to nodes: anchors, merge keys and duplicate keys, with places.

use super::{Data, Diagnostic, Node, Source, SourceId, Span};
use granit_parser::{Event, Parser, ScalarStyle};
use std::collections::HashMap;

/// Nodes that aliases may add in all: enough for any inventory, too few for a bomb.
const ALIAS_BUDGET: usize = 1_000_000;

/// What is under construction.
enum Open {
    Seq {
        items: Vec<Node>,
        start: Span,
        anchor: usize,
        tag: Option<String>,
    },
    Map {
        entries: Vec<(Node, Node)>,
        key: Option<Node>,
        start: Span,
        anchor: usize,
        tag: Option<String>,
    },
}

/// Builds nodes out of events.
pub(super) struct Composer {
    source: SourceId,
    stack: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    spent: usize,
    documents: usize,
    root: Option<Node>,
    problems: Vec<Diagnostic>,
}

/// Reads the one document of a text.
pub(super) fn compose(source: SourceId, text: &Source) -> Result<Option<Node>, Vec<Diagnostic>> {
    let mut composer = Composer {
        source,
        stack: Vec::new(),
        anchors: HashMap::new(),
        spent: 0,
        documents: 0,
        root: None,
        problems: Vec::new(),
    };
    let body = text.text.strip_prefix('\u{feff}').unwrap_or(&text.text);
    let offset = text.text.len() - body.len();
    let options = granit_parser::options! { emit_comments: false };
    for event in Parser::new_from_str_with_options(body, options) {
        match event {
            Ok((event, span)) => {
                let range = span.byte_range().unwrap_or(0..0);
                let span = Span {
                    source,
                    start: range.start + offset,
                    end: range.end + offset,
                };
                if let Err(problem) = composer.event(event, span) {
                    composer.problems.push(*problem);
                    return Err(composer.problems);
                }
            }
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or_default() + offset;
                composer
                    .problems
                    .push(syntax(source, &text.text, at, &error.info()));
                return Err(composer.problems);
            }
        }
    }
    if composer.problems.is_empty() {
        Ok(composer.root)
    } else {
        Err(composer.problems)
    }
}

/// A syntax error, with the reason that people usually have for it.
fn syntax(source: SourceId, text: &str, at: usize, info: &str) -> Diagnostic {
    let at = at.min(text.len());
    let line_start = text
        .get(..at)
        .and_then(|t| t.rfind('\n'))
        .map_or(0, |n| n + 1);
    let line = text
        .get(line_start..)
        .and_then(|rest| rest.lines().next())
        .unwrap_or_default();
    let indent = &line[..line.len() - line.trim_start().len()];
    if let Some(tab) = indent.find('\t') {
        let span = Span {
            source,
            start: line_start + tab,
            end: line_start + tab + 1,
        };
        return Diagnostic::error("yaml-tab", "a tab is used for indentation")
            .at(span, "this is a tab")
            .help("YAML wants spaces; replace each tab by spaces");
    }
    Diagnostic::error("yaml-syntax", format!("this is not YAML: {info}")).at(
        Span {
            source,
            start: at,
            end: (at + 1).min(text.len()),
        },
        "the reader stopped here",
    )
}

type Problem = Box<Diagnostic>;

impl Composer {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        match event {
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd | Event::Anchor(..) => {
                Ok(())
            }
            Event::DocumentStart(..) => self.document(span),
            Event::UnresolvedAlias(name) => Err(unknown_alias(&name, span)),
            Event::Alias(id) => {
                let node = self.alias(id, span)?;
                self.finish(node, 0)
            }
            Event::Scalar(text, style, anchor, tag) => {
                let data = Data::Scalar {
                    text: text.into_owned(),
                    plain: style == ScalarStyle::Plain,
                };
                self.finish(
                    Node {
                        data,
                        span,
                        tag: tag.map(|t| t.original()),
                    },
                    anchor,
                )
            }
            Event::SequenceStart(_, anchor, tag) => {
                let tag = tag.map(|t| t.original());
                self.stack.push(Open::Seq {
                    items: Vec::new(),
                    start: span,
                    anchor,
                    tag,
                });
                Ok(())
            }
            Event::MappingStart(_, anchor, tag) => {
                let tag = tag.map(|t| t.original());
                self.stack.push(Open::Map {
                    entries: Vec::new(),
                    key: None,
                    start: span,
                    anchor,
                    tag,
                });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            // The enum is open: what a later version adds is presentation, not data.
            _ => Ok(()),
        }
    }

    fn document(&mut self, span: Span) -> Result<(), Problem> {
        self.documents += 1;
        if self.documents < 2 {
            return Ok(());
        }
        Err(Box::new(
            Diagnostic::error(
                "yaml-documents",
                "the file holds more than one YAML document",
            )
            .at(span, "the second starts here")
            .help("keep one document per file"),
        ))
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<Node, Problem> {
        let Some((node, size)) = self.anchors.get(&id) else {
            return Err(unknown_alias("", span));
        };
        self.spent += size;
        if self.spent > ALIAS_BUDGET {
            return Err(Box::new(
                Diagnostic::error(
                    "yaml-alias-bomb",
                    "aliases expand to more than a million values",
                )
                .at(span, "this alias is one too many"),
            ));
        }
        Ok(node.clone())
    }

    fn close(&mut self, end: Span) -> Result<(), Problem> {
        let Some(open) = self.stack.pop() else {
            return Ok(());
        };
        let (data, start, anchor, tag) = match open {
            Open::Seq {
                items,
                start,
                anchor,
                tag,
            } => (Data::Seq(items), start, anchor, tag),
            Open::Map {
                entries,
                start,
                anchor,
                tag,
                ..
            } => (Data::Map(self.merge(entries)), start, anchor, tag),
        };
        let span = Span {
            source: self.source,
            start: start.start,
            end: end.end.max(start.end),
        };
        self.finish(Node { data, span, tag }, anchor)
    }

    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), size(&node)));
        }
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Open::Seq { items, .. }) => items.push(node),
            Some(Open::Map { entries, key, .. }) => match key.take() {
                None => *key = Some(node),
                Some(name) => entries.push((name, node)),
            },
        }
        Ok(())
    }

    /// Applies merge keys (own keys win, then the first merged) and reports keys written twice.
    fn merge(&mut self, entries: Vec<(Node, Node)>) -> Vec<(Node, Node)> {
        let mut own: Vec<(Node, Node)> = Vec::with_capacity(entries.len());
        let mut merged = Vec::new();
        let mut seen = HashMap::<String, Span>::new();
        for (key, value) in entries {
            let Some(name) = key_name(&key) else {
                self.problems.push(bad_key(&key));
                continue;
            };
            if name == "<<" && matches!(key.data, Data::Scalar { plain: true, .. }) {
                merged.push(value);
            } else if let Some(first) = seen.insert(name.clone(), key.span) {
                self.problems.push(duplicate(&name, key.span, first));
            } else {
                own.push((key, value));
            }
        }
        for value in merged {
            self.merge_in(&mut own, value);
        }
        own
    }

    fn merge_in(&mut self, own: &mut Vec<(Node, Node)>, value: Node) {
        match value.data {
            Data::Map(entries) => {
                for (key, value) in entries {
                    if !own
                        .iter()
                        .any(|(known, _)| key_name(known) == key_name(&key))
                    {
                        own.push((key, value));
                    }
                }
            }
            Data::Seq(items) => items.into_iter().for_each(|item| self.merge_in(own, item)),
            Data::Scalar { .. } => self.problems.push(
                Diagnostic::error("yaml-merge", "`<<` takes a mapping or a list of mappings")
                    .at(value.span, "this is neither"),
            ),
        }
    }
}

fn key_name(key: &Node) -> Option<String> {
    match &key.data {
        Data::Scalar { text, .. } => Some(text.clone()),
        Data::Seq(_) | Data::Map(_) => None,
    }
}

fn bad_key(key: &Node) -> Diagnostic {
    let diagnostic = Diagnostic::error("yaml-key", "a key must be a word, not a mapping or a list")
        .at(key.span, "here");
    match &key.data {
        Data::Map(_) => diagnostic.help("put quotes around a template: \"{{ name }}\""),
        Data::Seq(_) | Data::Scalar { .. } => diagnostic,
    }
}

fn duplicate(name: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::error(
        "yaml-duplicate-key",
        format!("the key `{name}` is given twice"),
    )
    .at(span, "the second")
    .see(first, "the first")
    .help("Ansible would silently take the second; remove one of them")
}

fn unknown_alias(name: &str, span: Span) -> Problem {
    Box::new(
        Diagnostic::error(
            "yaml-alias",
            format!("there is no anchor `&{name}` before this alias"),
        )
        .at(span, "this alias"),
    )
}

fn size(node: &Node) -> usize {
    match &node.data {
        Data::Scalar { .. } => 1,
        Data::Seq(items) => 1 + items.iter().map(size).sum::<usize>(),
        Data::Map(entries) => {
            1 + entries
                .iter()
                .map(|(k, v)| size(k) + size(v))
                .sum::<usize>()
        }
    }
}
