//! YAML out: block style that YAML 1.1 readers (PyYAML, Go's yaml) read back as the same values.

use serde_json::Value;
use std::fmt::Write;

/// Emits a value as block YAML, `step` spaces a level, ending in a newline.
pub fn emit(value: &Value, step: usize) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => block(value, 0, step, &mut out),
        Value::Array(items) if !items.is_empty() => block(value, 0, step, &mut out),
        _ => {
            out.push_str(&inline(value));
            out.push('\n');
        }
    }
    out
}

fn block(value: &Value, indent: usize, step: usize, out: &mut String) {
    match value {
        Value::Object(map) => {
            for (key, item) in map {
                pad(indent, out);
                out.push_str(&scalar(key));
                out.push(':');
                child(item, indent, step, out);
            }
        }
        Value::Array(items) => {
            for item in items {
                pad(indent, out);
                out.push('-');
                element(item, indent, step, out);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What follows `key:`.
fn child(item: &Value, indent: usize, step: usize, out: &mut String) {
    if is_leaf(item) {
        out.push(' ');
        out.push_str(&inline(item));
        out.push('\n');
    } else {
        out.push('\n');
        block(item, indent + step, step, out);
    }
}

/// What follows `-`: a mapping starts on the same line.
fn element(item: &Value, indent: usize, step: usize, out: &mut String) {
    if is_leaf(item) {
        child(item, indent, step, out);
        return;
    }
    let mut inner = String::new();
    let deeper = indent + step.max(2);
    block(item, deeper, step, &mut inner);
    for _ in 1..step.max(2) {
        out.push(' ');
    }
    out.push_str(inner.trim_start_matches(' '));
}

fn is_leaf(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

fn pad(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// A value on one line: JSON for collections, which is YAML too.
pub fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// A string, quoted when a reader could take it for something else.
pub fn scalar(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    if text.chars().any(|c| c.is_control() || !is_printable(c)) {
        return double_quoted(text);
    }
    format!("'{}'", text.replace('\'', "''"))
}

fn is_printable(c: char) -> bool {
    !matches!(
        c,
        '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    )
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
            c if c.is_control() || !is_printable(c) => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Only words that no YAML 1.1 resolver and no indicator rule can touch stay bare.
fn is_plain(text: &str) -> bool {
    let Some(first) = text.chars().next() else {
        return false;
    };
    (first.is_ascii_alphabetic() || first == '/' || first == '_')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/_-.+@,%()= ".contains(c))
        && !text.ends_with(' ')
        && !is_word_with_a_meaning(text)
}

fn is_word_with_a_meaning(text: &str) -> bool {
    const WORDS: [&str; 10] = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan",
    ];
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn quotes_what_would_be_read_as_something_else() {
        for text in [
            "yes", "on", "0644", "12:30", "1e3", "a: b", "a #b", "", " x", "x ", "-", "~", "*a",
        ] {
            assert_eq!(scalar(text), format!("'{text}'"), "{text}");
        }
        assert_eq!(scalar("it's: 'x' #y"), "'it''s: ''x'' #y'");
        assert_eq!(scalar("a\nb\u{1}"), "\"a\\nb\\u0001\"");
        assert_eq!(scalar("/pg/data"), "/pg/data");
    }

    #[test]
    fn nests_lists_and_mappings() {
        let value =
            json!({"a": [1, {"b": "x", "c": [true, null]}], "d": {}, "e": {"f": [[1, 2], []]}});
        assert_eq!(
            emit(&value, 2),
            "a:\n  - 1\n  - b: x\n    c:\n      - true\n      - null\nd: {}\ne:\n  f:\n    - - 1\n      - 2\n    - []\n"
        );
    }
}
