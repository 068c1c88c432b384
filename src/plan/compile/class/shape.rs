//! Which characters a text has, and how it reads; and values of the model without their words.

use crate::source::resolve;
use serde_json::Value;
use std::hash::{DefaultHasher, Hash};
use std::io::{Result, Write};

/// All that a template can tell of a text that it only prints: whether it is empty, which marks it has, whether it would be read as
/// another type than a text.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Shape {
    /// One bit for each character of ASCII that is no letter or digit.
    marks: u128,
    letters: [bool; 2],
    foreign: bool,
    first: Option<char>,
    last: Option<char>,
    reads: u8,
}

impl Shape {
    pub(super) fn of(text: &str) -> Self {
        let mark = |c: Option<char>| c.filter(|c| !c.is_ascii_alphanumeric());
        let mut shape = Self {
            marks: 0,
            letters: [false; 2],
            foreign: !text.is_ascii(),
            first: mark(text.chars().next()),
            last: mark(text.chars().next_back()),
            reads: reads(text),
        };
        for byte in text.bytes().filter(u8::is_ascii) {
            match byte {
                b'a'..=b'z' => shape.letters[0] = true,
                b'A'..=b'Z' => shape.letters[1] = true,
                b'0'..=b'9' => {}
                _ => shape.marks |= 1 << byte,
            }
        }
        shape
    }
}

/// What it would be, written plainly in YAML; an empty text is of a kind of its own.
fn reads(text: &str) -> u8 {
    match resolve(text) {
        _ if text.is_empty() => 0,
        Value::Null => 1,
        Value::Bool(_) => 2,
        Value::Number(_) => 3,
        Value::String(_) => 4,
        Value::Array(_) | Value::Object(_) => 5,
    }
}

/// Takes JSON, and hashes it with texts as shapes and numbers as zero or not: names of fields, counts, kinds, flags stay.
pub(super) struct Outline<'h> {
    hasher: &'h mut DefaultHasher,
    text: Option<Vec<u8>>,
    escaped: bool,
    /// A text that has ended: a key if a colon follows.
    ended: Option<Vec<u8>>,
    number: Option<bool>,
}

impl<'h> Outline<'h> {
    pub(super) fn new(hasher: &'h mut DefaultHasher) -> Self {
        Self {
            hasher,
            text: None,
            escaped: false,
            ended: None,
            number: None,
        }
    }

    fn take(&mut self, byte: u8) {
        match &mut self.text {
            Some(text) if self.escaped || byte != b'"' => {
                self.escaped = !self.escaped && byte == b'\\';
                text.push(byte);
            }
            Some(_) => self.ended = self.text.take(),
            None => self.outside(byte),
        }
    }

    fn outside(&mut self, byte: u8) {
        if let Some(text) = self.ended.take() {
            match byte {
                b':' => text.hash(self.hasher),
                _ => Shape::of(&String::from_utf8_lossy(&text)).hash(self.hasher),
            }
        }
        match byte {
            b'"' => self.text = Some(Vec::new()),
            b'0'..=b'9' | b'-' | b'+' | b'.' => {
                let zero = self.number.unwrap_or(true);
                self.number = Some(zero && !(b'1'..=b'9').contains(&byte));
            }
            _ => {
                self.number.take().hash(self.hasher);
                byte.hash(self.hasher);
            }
        }
    }
}

impl Write for Outline<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        bytes.iter().for_each(|byte| self.take(*byte));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
