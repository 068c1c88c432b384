//! YAML out: block style, quoted so that every YAML 1.1 and 1.2 reader reads the same strings.

use std::fmt::Write as _;

use serde_json::Value;

use super::resolve::resolve;

/// A value as a YAML document that ends in a newline.
pub fn emit(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => mapping(&mut out, map, 0),
        Value::Array(items) if !items.is_empty() => sequence(&mut out, items, 0),
        other => {
            out.push_str(&leaf(other, 0));
            out.push('\n');
        }
    }
    out
}

fn mapping(out: &mut String, map: &serde_json::Map<String, Value>, indent: usize) {
    for (index, (key, value)) in map.iter().enumerate() {
        if index > 0 {
            pad(out, indent);
        }
        out.push_str(&key_text(key));
        out.push(':');
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                out.push('\n');
                pad(out, indent + 2);
                mapping(out, inner, indent + 2);
            }
            Value::Array(items) if !items.is_empty() => {
                out.push('\n');
                pad(out, indent + 2);
                sequence(out, items, indent + 2);
            }
            other => inline(out, other, indent),
        }
    }
}

fn sequence(out: &mut String, items: &[Value], indent: usize) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            pad(out, indent);
        }
        out.push('-');
        match item {
            Value::Object(inner) if !inner.is_empty() => {
                out.push(' ');
                mapping(out, inner, indent + 2);
            }
            Value::Array(inner) if !inner.is_empty() => {
                out.push(' ');
                sequence(out, inner, indent + 2);
            }
            other => inline(out, other, indent),
        }
    }
}

fn inline(out: &mut String, value: &Value, indent: usize) {
    out.push(' ');
    out.push_str(&leaf(value, indent + 2));
    out.push('\n');
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// A scalar or an empty collection, on one line unless it is text of several lines.
fn leaf(value: &Value, indent: usize) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number_text(number),
        Value::String(text) if is_block(text) && indent > 0 => block(text, indent),
        Value::String(text) => scalar(text),
        Value::Array(_) => "[]".to_owned(),
        Value::Object(_) => "{}".to_owned(),
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

/// Keys stay on one line.
fn key_text(key: &str) -> String {
    scalar(key)
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
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':');
    shape && matches!(resolve(text), Value::String(_)) && !is_read_otherwise(text)
}

/// Strings that some reader takes for a number, a date, a time of day or a boolean.
fn is_read_otherwise(text: &str) -> bool {
    let word = matches!(text, "y" | "Y" | "n" | "N" | "---" | "...");
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
