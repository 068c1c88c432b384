//! From parser events to nodes: anchors, aliases, merge keys, duplicate keys.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span as Scanned, Tag};

use super::{Data, Diagnostic, Node, SourceId, Span, explain};

/// Nodes that aliases of one document may add; beyond it the document is a bomb.
const ALIAS_BUDGET: usize = 1_000_000;

/// Reading cannot go on; the reason is among the problems.
struct Stop;

/// Reads the only document of a text.
pub(super) fn document(id: SourceId, text: &str) -> Result<Option<Node>, Vec<Diagnostic>> {
    let options = granit_parser::options! { emit_comments: false };
    let mut composer = Composer {
        events: Parser::new_from_str_with_options(text, options),
        id,
        text,
        anchors: HashMap::new(),
        budget: ALIAS_BUDGET,
        problems: Vec::new(),
        end: 0,
    };
    match composer.stream() {
        Ok(root) if composer.problems.is_empty() => Ok(root),
        Ok(_) | Err(Stop) => Err(composer.problems),
    }
}

struct Composer<'t, I> {
    events: I,
    id: SourceId,
    text: &'t str,
    /// Finished nodes by anchor, with their size.
    anchors: HashMap<usize, (Node, usize)>,
    budget: usize,
    problems: Vec<Diagnostic>,
    /// End of the last content that was read: where block collections end.
    end: usize,
}

impl<'t, I> Composer<'t, I>
where
    I: Iterator<Item = Result<(Event<'t>, Scanned), ScanError>>,
{
    fn stream(&mut self) -> Result<Option<Node>, Stop> {
        let mut root = None;
        while let Some((event, at)) = self.next()? {
            match event {
                Event::StreamStart | Event::DocumentEnd | Event::StreamEnd => {}
                Event::DocumentStart(..) if root.is_some() => {
                    return self.second_document(&at);
                }
                Event::DocumentStart(..) => {}
                other => root = Some(self.node(other, &at)?),
            }
        }
        Ok(root.filter(|node| !explain::is_blank(node, self.text)))
    }

    fn second_document(&mut self, at: &Scanned) -> Result<Option<Node>, Stop> {
        let span = self.span(at);
        self.stop(
            Diagnostic::error("yaml-documents", "more than one YAML document in a file")
                .at(span, "a second document starts here")
                .help("keep one document per file"),
        )
    }

    fn next(&mut self) -> Result<Option<(Event<'t>, Scanned)>, Stop> {
        match self.events.next() {
            None => Ok(None),
            Some(Ok(pair)) => Ok(Some(pair)),
            Some(Err(error)) => {
                let problem = explain::scan_error(self.id, self.text, &error);
                self.problems.push(problem);
                Err(Stop)
            }
        }
    }

    fn stop<T>(&mut self, problem: Diagnostic) -> Result<T, Stop> {
        self.problems.push(problem);
        Err(Stop)
    }

    fn span(&self, at: &Scanned) -> Span {
        let range = at.byte_range().unwrap_or(0..0);
        Span {
            source: self.id,
            start: range.start,
            end: range.end,
        }
    }

    fn node(&mut self, event: Event<'t>, at: &Scanned) -> Result<Node, Stop> {
        let span = self.span(at);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.end = self.end.max(span.end);
                let data = Data::Scalar {
                    text: text.into_owned(),
                    plain: style == ScalarStyle::Plain,
                };
                Ok(self.finish(data, span, anchor, tag.as_deref()))
            }
            Event::SequenceStart(_, anchor, tag) => {
                let items = self.sequence()?;
                let span = self.closed(span);
                Ok(self.finish(Data::Seq(items), span, anchor, tag.as_deref()))
            }
            Event::MappingStart(_, anchor, tag) => {
                let entries = self.mapping()?;
                let span = self.closed(span);
                Ok(self.finish(Data::Map(entries), span, anchor, tag.as_deref()))
            }
            Event::Alias(anchor) => self.alias(anchor, span),
            other => self.unexpected(&other, span),
        }
    }

    fn unexpected(&mut self, event: &Event<'t>, span: Span) -> Result<Node, Stop> {
        self.stop(
            Diagnostic::error(
                "yaml-syntax",
                format!("not valid YAML: unexpected {event:?}"),
            )
            .at(span, "here"),
        )
    }

    /// The span of a collection whose end event has just been read.
    fn closed(&self, start: Span) -> Span {
        Span {
            end: self.end.max(start.start),
            ..start
        }
    }

    fn finish(&mut self, data: Data, span: Span, anchor: usize, tag: Option<&Tag>) -> Node {
        let tag = tag.map(tag_name);
        let node = Node { data, span, tag };
        if anchor != 0 {
            let size = node.size();
            self.anchors.insert(anchor, (node.clone(), size));
        }
        node
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<Node, Stop> {
        self.end = self.end.max(span.end);
        let Some((_, size)) = self.anchors.get(&anchor) else {
            return self.stop(
                Diagnostic::error("yaml-alias", "an alias stands inside its own anchor")
                    .at(span, "this refers to what it is part of"),
            );
        };
        if *size > self.budget {
            return self.stop(
                Diagnostic::error("yaml-alias-budget", "aliases expand to too many values")
                    .at(span, format!("more than {ALIAS_BUDGET} values up to here"))
                    .help("write out the values, or put them into group variables"),
            );
        }
        self.budget -= size;
        let copy = self.anchors.get(&anchor).map(|(node, _)| node.clone());
        copy.ok_or(Stop)
    }

    fn sequence(&mut self) -> Result<Vec<Node>, Stop> {
        let mut items = Vec::new();
        loop {
            let Some((event, at)) = self.next()? else {
                return Ok(items);
            };
            if matches!(event, Event::SequenceEnd) {
                self.end = self.end.max(self.trimmed(&at));
                return Ok(items);
            }
            items.push(self.node(event, &at)?);
        }
    }

    fn mapping(&mut self) -> Result<Vec<(Node, Node)>, Stop> {
        let mut own: Vec<(Node, Node)> = Vec::new();
        let mut seen: HashMap<String, Span> = HashMap::new();
        let mut merges = Vec::new();
        while let Some((event, at)) = self.next()? {
            if matches!(event, Event::MappingEnd) {
                self.end = self.end.max(self.trimmed(&at));
                break;
            }
            let key = self.node(event, &at)?;
            let Some((event, at)) = self.next()? else {
                break;
            };
            let value = self.node(event, &at)?;
            if is_merge(&key) {
                merges.push((key, value));
            } else if self.accept_key(&key, &mut seen) {
                own.push((key, value));
            }
        }
        Ok(self.merged(merges, own))
    }

    /// The end of an end event: that of a closing bracket, or nothing for block collections,
    /// whose end event stands where the next thing starts.
    fn trimmed(&self, at: &Scanned) -> usize {
        let span = self.span(at);
        match self.text.get(span.start..span.end) {
            Some("}" | "]") => span.end,
            _ => 0,
        }
    }

    /// Whether a key is fit and new; otherwise says why not.
    fn accept_key(&mut self, key: &Node, seen: &mut HashMap<String, Span>) -> bool {
        let Some(name) = key.as_str() else {
            self.problems.push(explain::odd_key(key));
            return false;
        };
        if let Some(first) = seen.insert(name.to_owned(), key.span) {
            self.problems.push(
                Diagnostic::error("yaml-duplicate-key", format!("key `{name}` is given twice"))
                    .at(key.span, "given again here")
                    .see(first, "first given here")
                    .help("keep one of the two; YAML would silently take the last"),
            );
            return false;
        }
        true
    }

    /// Merged entries first, first merge wins; then own entries, which win over merged ones.
    fn merged(&mut self, merges: Vec<(Node, Node)>, own: Vec<(Node, Node)>) -> Vec<(Node, Node)> {
        if merges.is_empty() {
            return own;
        }
        let mut all = indexmap::IndexMap::new();
        for (key, value) in merges {
            let Some(maps) = merge_sources(value) else {
                self.problems.push(
                    Diagnostic::error("yaml-merge", "`<<` merges something that is no mapping")
                        .at(key.span, "expects a mapping or a list of mappings"),
                );
                continue;
            };
            for (key, value) in maps.into_iter().flatten() {
                let name = key.as_str().unwrap_or_default().to_owned();
                all.entry(name).or_insert((key, value));
            }
        }
        for (key, value) in own {
            let name = key.as_str().unwrap_or_default().to_owned();
            all.insert(name, (key, value));
        }
        all.into_values().collect()
    }
}

fn is_merge(key: &Node) -> bool {
    key.tag.is_none() && matches!(&key.data, Data::Scalar { text, plain: true } if text == "<<")
}

/// The mappings that a merge key names.
fn merge_sources(value: Node) -> Option<Vec<Vec<(Node, Node)>>> {
    match value.data {
        Data::Map(entries) => Some(vec![entries]),
        Data::Seq(items) => items.into_iter().map(map_entries).collect(),
        Data::Scalar { .. } => None,
    }
}

fn map_entries(node: Node) -> Option<Vec<(Node, Node)>> {
    match node.data {
        Data::Map(entries) => Some(entries),
        Data::Seq(_) | Data::Scalar { .. } => None,
    }
}

/// A tag as people write it: `!vault`, `!!str`.
fn tag_name(tag: &Tag) -> String {
    match tag.handle() {
        "tag:yaml.org,2002:" => format!("!!{}", tag.suffix()),
        handle => format!("{handle}{}", tag.suffix()),
    }
}
