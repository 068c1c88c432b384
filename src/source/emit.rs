//! YAML out: block style, quoted so that every YAML 1.1 and 1.2 reader reads the same strings.

use std::fmt::Write as _;

use serde_json::Value;

use super::resolve::resolve;

/// Blanks a level when nobody asks for another number.
const STEP: usize = 2;

/// A value as a YAML document that ends in a newline.
pub fn emit(value: &Value) -> String {
    emit_indented(value, STEP)
}

/// The same with `step` blanks a level.
pub fn emit_indented(value: &Value, step: usize) -> String {
    let mut writer = Writer {
        out: String::new(),
        step: step.max(1),
    };
    if is_leaf(value) {
        writer.out = leaf(value, 0);
        writer.out.push('\n');
    } else {
        writer.collection(value, 0);
    }
    writer.out
}

/// A value on one line: JSON for collections, which is YAML too.
pub fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Number(number) => number_text(number),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

struct Writer {
    out: String,
    step: usize,
}

impl Writer {
    /// A collection that is not empty; its first line is indented already.
    fn collection(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(map) => {
                for (index, (key, item)) in map.iter().enumerate() {
                    self.pad(if index > 0 { indent } else { 0 });
                    self.out.push_str(&scalar(key));
                    self.out.push(':');
                    self.value(item, indent);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.pad(if index > 0 { indent } else { 0 });
                    self.out.push('-');
                    self.item(item, indent);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// What follows `key:`.
    fn value(&mut self, item: &Value, indent: usize) {
        if is_leaf(item) {
            return self.leaf(item, indent);
        }
        self.out.push('\n');
        self.pad(indent + self.step);
        self.collection(item, indent + self.step);
    }

    /// What follows `-`: collections start on the same line.
    fn item(&mut self, item: &Value, indent: usize) {
        if is_leaf(item) {
            return self.leaf(item, indent);
        }
        let step = self.step.max(2);
        self.pad(step - 1);
        self.collection(item, indent + step);
    }

    fn leaf(&mut self, value: &Value, indent: usize) {
        self.out.push(' ');
        self.out.push_str(&leaf(value, indent + self.step));
        self.out.push('\n');
    }

    fn pad(&mut self, indent: usize) {
        pad(&mut self.out, indent);
    }
}

fn is_leaf(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// A scalar or an empty collection, on one line unless it is text of several lines.
fn leaf(value: &Value, indent: usize) -> String {
    match value {
        Value::String(text) if is_block(text) && indent > 0 => block(text, indent),
        other => inline(other),
    }
}

/// Floats keep a point and a signed exponent, or YAML 1.1 would read strings.
fn number_text(number: &serde_json::Number) -> String {
    let text = number.to_string();
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return text;
    };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['-', '+']) {
        ""
    } else {
        "+"
    };
    format!("{mantissa}{point}e{sign}{exponent}")
}

/// A string on one line: plain where that is safe, else quoted.
pub fn scalar(text: &str) -> String {
    if text.chars().any(needs_escape) {
        return double_quoted(text);
    }
    if is_plain(text) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "''"))
}

fn needs_escape(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if needs_escape(c) => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Whether text of several lines survives as a literal block.
fn is_block(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let edges = body.starts_with([' ', '\n']) || body.ends_with('\n') || body.is_empty();
    let clean = body
        .lines()
        .all(|line| !line.ends_with(' ') && !line.chars().any(needs_escape));
    body.contains('\n') && !edges && clean && !body.contains('\r')
}

fn block(text: &str, indent: usize) -> String {
    let (head, body) = match text.strip_suffix('\n') {
        Some(body) => ("|", body),
        None => ("|-", text),
    };
    let mut out = head.to_owned();
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            pad(&mut out, indent);
            out.push_str(line);
        }
    }
    out
}

/// Whether a string needs no quotes in any YAML reader.
fn is_plain(text: &str) -> bool {
    let shape = !text.is_empty()
        && text.trim() == text
        && !text.starts_with([
            '-', '?', ':', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|',
        ])
        && !text.starts_with(['>', '\'', '"', '%', '@', '`', '=', '<', '~', '.'])
        && !text.contains([',', '[', ']', '{', '}']) // it may stand inside a flow collection
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':');
    shape && matches!(resolve(text), Value::String(_)) && !is_read_otherwise(text)
}

/// Booleans and such of one reader or another, in whatever case.
const WORDS: &[&str] = &[
    "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "---", "...",
];

/// Strings that some reader takes for a number, a date, a time of day or a boolean.
fn is_read_otherwise(text: &str) -> bool {
    let word = WORDS.iter().any(|word| word.eq_ignore_ascii_case(text));
    let number = text.parse::<f64>().is_ok() || text.replace('_', "").parse::<f64>().is_ok();
    let prefixed = ["0x", "0o", "0b", "+", "-"]
        .iter()
        .any(|start| text.starts_with(start));
    let sexagesimal = text.contains(':')
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || ":._".contains(c));
    let date = text.len() >= 8
        && text.as_bytes()[..4].iter().all(u8::is_ascii_digit)
        && text.as_bytes()[4] == b'-';
    word || number || prefixed || sexagesimal || date
}
