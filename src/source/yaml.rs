//! The one YAML reader for everything a user writes: inventory, roles, playbooks.
//!
//! Scalars keep their text, because only their reader knows whether `1.10` is a version or a number; where
//! nobody knows better they are read as PyYAML, and so Ansible, reads them (YAML 1.1).

use super::{Diagnostic, SourceId, Sources, Span, compose, resolve};
use serde_json::{Map, Value};

/// A YAML value with its place, its tag, and scalars as they were written.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub data: Data,
    pub span: Span,
    /// A tag that was written out, as in `!vault`.
    pub tag: Option<String>,
}

/// What a node holds. Scalars keep their text; their type is decided by who reads them.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// `plain` is false for quoted and block scalars, which are always strings.
    Scalar {
        text: String,
        plain: bool,
    },
    Seq(Vec<Node>),
    /// In the order written; merge keys are applied already.
    Map(Vec<(Node, Node)>),
}

/// Reads the one document of a source; `None` when it is empty.
pub fn parse(sources: &Sources, id: SourceId) -> Result<Option<Node>, Vec<Diagnostic>> {
    compose::compose(id, sources.get(id))
}

/// Adds a text to the sources and reads it.
pub fn parse_text(
    sources: &mut Sources,
    name: &str,
    text: &str,
) -> Result<Option<Node>, Vec<Diagnostic>> {
    let id = sources.add(name, text);
    parse(sources, id)
}

impl Node {
    /// As JSON, scalars typed as YAML 1.1 types them.
    pub fn to_json(&self) -> Value {
        match &self.data {
            Data::Scalar { text, plain: true } if self.tag.is_none() => resolve::plain(text),
            Data::Scalar { text, .. } => Value::from(text.as_str()),
            Data::Seq(items) => items.iter().map(Self::to_json).collect(),
            Data::Map(entries) => {
                let entries = entries
                    .iter()
                    .map(|(k, v)| (k.as_str().unwrap_or_default().to_owned(), v.to_json()));
                Value::Object(entries.collect::<Map<_, _>>())
            }
        }
    }

    /// The text of a scalar, whatever its type.
    pub fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar { text, .. } => Some(text),
            Data::Seq(_) | Data::Map(_) => None,
        }
    }

    /// The value below a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries()?
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value)
    }

    /// The entries of a mapping.
    pub fn entries(&self) -> Option<impl Iterator<Item = (&str, &Node)>> {
        match &self.data {
            Data::Map(entries) => Some(
                entries
                    .iter()
                    .map(|(k, v)| (k.as_str().unwrap_or_default(), v)),
            ),
            Data::Scalar { .. } | Data::Seq(_) => None,
        }
    }

    /// The items of a list.
    pub fn items(&self) -> Option<&[Node]> {
        match &self.data {
            Data::Seq(items) => Some(items),
            Data::Scalar { .. } | Data::Map(_) => None,
        }
    }

    /// What it is, in words.
    pub fn kind(&self) -> &'static str {
        match &self.data {
            Data::Seq(_) => "a list",
            Data::Map(_) => "a mapping",
            Data::Scalar { .. } => match self.to_json() {
                Value::Null => "null",
                Value::Bool(_) => "a boolean",
                Value::Number(_) => "a number",
                Value::String(_) | Value::Array(_) | Value::Object(_) => "a string",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(text: &str) -> Value {
        let mut sources = Sources::default();
        parse_text(&mut sources, "t.yml", text)
            .expect("parses")
            .expect("a document")
            .to_json()
    }

    fn codes(text: &str) -> Vec<(&'static str, String)> {
        let mut sources = Sources::default();
        let problems = parse_text(&mut sources, "t.yml", text).expect_err("has problems");
        problems
            .iter()
            .map(|p| (p.code, sources.place(p.labels[0].span).to_string()))
            .collect()
    }

    #[test]
    fn reads_scalars_as_ansible_does() {
        assert_eq!(
            read(
                "{a: yes, b: 'yes', c: 0644, d: 1_000, e: 1.5, f: ~, g: off, h: y, i: 08, j: 12:30, k: 1e3}"
            ),
            json!({"a": true, "b": "yes", "c": 420, "d": 1000, "e": 1.5, "f": null, "g": false, "h": "y",
                "i": "08", "j": "12:30", "k": "1e3"})
        );
    }

    #[test]
    fn own_keys_win_over_merged_ones() {
        let text = "base: &b {x: 1, y: 2}\nother: &o {y: 3, z: 4}\nuse:\n  <<: [*b, *o]\n  x: 9\n";
        assert_eq!(read(text)["use"], json!({"x": 9, "y": 2, "z": 4}));
    }

    #[test]
    fn reports_duplicate_keys_with_their_place() {
        assert_eq!(
            codes("a: 1\nb: 2\na: 3\n"),
            [("yaml-duplicate-key", "t.yml:3:1".to_owned())]
        );
    }

    #[test]
    fn reports_tabs_as_tabs() {
        assert_eq!(
            codes("a:\n\tb: 1\n"),
            [("yaml-tab", "t.yml:2:1".to_owned())]
        );
    }

    #[test]
    fn stops_at_alias_bombs() {
        let mut text = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for n in 1..9 {
            let aliases = vec![format!("*a{}", n - 1); 10].join(",");
            text.push_str(&format!("a{n}: &a{n} [{aliases}]\n"));
        }
        assert_eq!(codes(&text)[0].0, "yaml-alias-bomb");
    }

    #[test]
    fn an_unquoted_template_is_explained() {
        assert_eq!(codes("a: {{ b }}\n")[0].0, "yaml-key");
    }
}
