//! The types of scalars, as PyYAML (YAML 1.1) and so Ansible read them.
//!
//! Left out on purpose: base-60 integers (`12:30`) and dates, which stay strings.

use serde_json::{Map, Number, Value};

use super::{Data, Node};

impl Node {
    /// The value as Ansible would see it. Numbers beyond 64 bits and non-finite ones stay text;
    /// values under a local tag (`!vault`, `!unsafe`) are their text.
    pub fn to_json(&self) -> Value {
        match &self.data {
            Data::Scalar { text, plain } => scalar(text, *plain, self.tag.as_deref()),
            Data::Seq(items) => Value::Array(items.iter().map(Node::to_json).collect()),
            Data::Map(entries) => Value::Object(object(entries)),
        }
    }

    /// What it is, with its article, for messages.
    pub fn kind(&self) -> &'static str {
        match &self.data {
            Data::Seq(_) => "a list",
            Data::Map(_) => "a mapping",
            Data::Scalar { .. } => kind_of(&self.to_json()),
        }
    }
}

fn object(entries: &[(Node, Node)]) -> Map<String, Value> {
    let pairs = entries.iter().map(|(key, value)| {
        let name = key.as_str().unwrap_or_default();
        (name.to_owned(), value.to_json())
    });
    pairs.collect()
}

/// What a JSON value is, with its article.
pub fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

fn scalar(text: &str, plain: bool, tag: Option<&str>) -> Value {
    match tag {
        None if plain => resolve(text),
        Some("!!int" | "!!float" | "!!bool" | "!!null") => resolve(text),
        _ => Value::String(text.to_owned()),
    }
}

/// The value of a plain scalar.
pub fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Value::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Value::Bool(false)
        }
        _ => {
            let number = integer(text).or_else(|| float(text));
            number.map_or_else(|| Value::String(text.to_owned()), Value::Number)
        }
    }
}

/// `[-+]?(0b[01_]+|0[0-7_]*|[1-9][0-9_]*|0x[0-9a-fA-F_]+)`
fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = signed(text);
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'b', _, ..] => (2, &digits[2..]),
        [b'0', b'x', _, ..] => (16, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        [b'0'..=b'9', ..] => (10, digits),
        _ => return None,
    };
    let fit = digits.chars().all(|c| c == '_' || c.is_digit(radix));
    let clean = digits.replace('_', "");
    if !fit || clean.is_empty() {
        return None;
    }
    let value = i128::from_str_radix(&clean, radix).ok()?;
    Number::from_i128(if negative { -value } else { value })
}

/// `[-+]?([0-9][0-9_]*)?\.[0-9_]*([eE][-+][0-9]+)?`, with a digit on one side of the point.
fn float(text: &str) -> Option<Number> {
    let (negative, body) = signed(text);
    let (mantissa, exponent) = match body.find(['e', 'E']) {
        Some(at) => (&body[..at], Some(&body[at + 1..])),
        None => (body, None),
    };
    let (whole, fraction) = mantissa.split_once('.')?;
    let digits = |part: &str| part.chars().all(|c| c == '_' || c.is_ascii_digit());
    let starts = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    let fit = digits(whole)
        && digits(fraction)
        && (starts(whole) || whole.is_empty() && starts(fraction));
    if !fit || !exponent.is_none_or(is_exponent) {
        return None;
    }
    let value: f64 = body.replace('_', "").parse().ok()?;
    Number::from_f64(if negative { -value } else { value })
}

fn is_exponent(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or_default();
    !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
}

fn signed(text: &str) -> (bool, &str) {
    match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    }
}
