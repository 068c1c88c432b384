//! Framed answers: lines that start with a nonce of this run divide the output of a program.

use std::collections::BTreeMap;

/// The nonce of a run. A host's ordinary output cannot know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame(String);

/// One line of output, read against the frame.
#[derive(Debug, PartialEq, Eq)]
pub enum FrameLine<'a> {
    /// A mark and its words.
    Mark(Vec<&'a str>),
    /// Anything else.
    Text(&'a str),
}

impl Frame {
    /// A frame with the given nonce (letters and digits).
    pub fn new(nonce: impl Into<String>) -> Self {
        Self(nonce.into())
    }

    /// Shell text that defines `mark`, which prints a mark with its arguments as words.
    pub fn define_mark(&self) -> String {
        format!("mark() {{ printf '\\n@@{} %s\\n' \"$*\"; }}\n", self.0)
    }

    /// A mark as it stands in the output.
    pub fn line(&self, words: &str) -> String {
        format!("@@{} {words}", self.0)
    }

    /// Reads one line.
    pub fn read<'a>(&self, line: &'a str) -> FrameLine<'a> {
        line.strip_prefix("@@")
            .and_then(|rest| rest.strip_prefix(self.0.as_str()))
            .map_or(FrameLine::Text(line), |rest| {
                FrameLine::Mark(rest.split_whitespace().collect())
            })
    }

    /// Divides a whole output by its marks. The key is all words of the mark, joined by spaces.
    pub fn sections(&self, output: &str) -> Sections {
        let mut sections = BTreeMap::<String, String>::new();
        let mut current: Option<String> = None;
        for line in output.lines() {
            match self.read(line) {
                FrameLine::Mark(words) => {
                    let name = words.join(" ");
                    sections.entry(name.clone()).or_default();
                    current = Some(name);
                }
                FrameLine::Text(text) => append(&mut sections, current.as_deref(), text),
            }
        }
        Sections(sections)
    }
}

fn append(sections: &mut BTreeMap<String, String>, current: Option<&str>, text: &str) {
    if let Some(section) = current.and_then(|name| sections.get_mut(name)) {
        section.push_str(text);
        section.push('\n');
    }
}

/// The text below each mark.
#[derive(Debug, Default)]
pub struct Sections(BTreeMap<String, String>);

impl Sections {
    /// The text below a mark, or nothing if the mark never came.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All marks that start with a word, with the rest of the mark and the text below it.
    pub fn starting_with<'a>(&'a self, word: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(name, text)| {
            let rest = name.strip_prefix(word)?.strip_prefix(' ')?;
            Some((rest, text.as_str()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divides_output_by_marks() {
        let frame = Frame::new("n0");
        let sections = frame.sections("motd\n@@n0 a\nx\n\n@@n1 a\n@@n0 b 1\n");
        assert_eq!(sections.get("a"), Some("x\n\n@@n1 a\n"));
        assert_eq!(sections.starting_with("b").collect::<Vec<_>>(), [("1", "")]);
    }
}
