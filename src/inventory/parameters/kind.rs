//! Types of parameters, and what is wrong with a value.

use std::net::IpAddr;

use serde_json::Value;

use crate::inventory::is_open;

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Bool,
    /// A whole number between two bounds, both included.
    Int(i64, i64),
    /// A whole number between two bounds, or one of these words.
    IntOr(i64, i64, &'static [&'static str]),
    Float(f64, f64),
    Text,
    /// A text that is masked wherever it would be shown.
    Secret,
    Port,
    Path,
    OneOf(&'static [&'static str]),
    Ip,
    /// An address, with or without a prefix length.
    Cidr,
    /// As in `24h`, `7300d`, `500ms`, or a number.
    Duration,
    /// As in `64MiB`, or a number of bytes.
    Size,
    List,
    /// A list of texts; numbers are texts too.
    Texts,
    /// A list of networks.
    Networks,
    /// A list of ports.
    Ports,
    /// A list of mappings with these fields.
    Records(&'static [Field]),
    /// A mapping with these fields.
    Record(&'static [Field]),
    Dict,
    Any,
}

/// One field of a record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
}

impl Kind {
    /// The type in words.
    pub fn words(self) -> String {
        match self {
            Self::Bool => "true or false".to_owned(),
            Self::Int(i64::MIN, i64::MAX) => "a whole number".to_owned(),
            Self::Int(min, i64::MAX) => format!("a whole number of at least {min}"),
            Self::Int(min, max) => format!("a whole number from {min} to {max}"),
            Self::IntOr(min, max, words) => {
                format!("{} or a whole number from {min} to {max}", words.join(", "))
            }
            Self::Float(min, max) => format!("a number from {min} to {max}"),
            Self::Text => "a text".to_owned(),
            Self::Secret => "a text (a secret)".to_owned(),
            Self::Port => "a port from 1 to 65535".to_owned(),
            Self::Path => "an absolute path".to_owned(),
            Self::OneOf(words) => format!("one of {}", words.join(", ")),
            Self::Ip => "an IP address".to_owned(),
            Self::Cidr => "an address with a prefix length, as in 10.10.10.2/24".to_owned(),
            Self::Duration => "a duration, as in 24h".to_owned(),
            Self::Size => "a size, as in 64MiB".to_owned(),
            Self::List => "a list".to_owned(),
            Self::Texts => "a list of texts".to_owned(),
            Self::Networks => "a list of networks, as in 10.0.0.0/8".to_owned(),
            Self::Ports => "a list of ports".to_owned(),
            Self::Records(_) => "a list of mappings".to_owned(),
            Self::Record(_) | Self::Dict => "a mapping".to_owned(),
            Self::Any => "anything".to_owned(),
        }
    }

    /// What is wrong with a value, if anything; what is inside lists and mappings is judged by
    /// `check_vars`. Texts that hold a template or a placeholder are not judged.
    pub fn mismatch(self, value: &Value) -> Option<String> {
        if value.as_str().is_some_and(is_open) || self.fits(value) {
            return None;
        }
        Some(match self {
            Self::Secret => "wants a text".to_owned(),
            _ => format!("wants {}, and this is {}", self.words(), found(value)),
        })
    }

    fn fits(self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            Self::Bool => boolean(value).is_some(),
            Self::Int(min, max) => integer(value).is_some_and(|n| (min..=max).contains(&n)),
            Self::IntOr(min, max, words) => {
                Self::Int(min, max).fits(value) || Self::OneOf(words).fits(value)
            }
            Self::Float(min, max) => float(value).is_some_and(|n| (min..=max).contains(&n)),
            Self::Text | Self::Secret => !value.is_array() && !value.is_object(),
            Self::Port => integer(value).is_some_and(|n| (1..=65535).contains(&n)),
            Self::Path => text.is_some_and(|t| t.starts_with('/') && !t.contains(['\n', '\0'])),
            Self::OneOf(words) => word(value, words).is_some(),
            Self::Ip => text.is_some_and(|t| t.parse::<IpAddr>().is_ok()),
            Self::Cidr => text.is_some_and(is_cidr),
            Self::Duration => measure(
                value,
                &["us", "ms", "s", "sec", "m", "min", "h", "d", "w", "y"],
            ),
            Self::Size => measure(
                value,
                &[
                    "b", "k", "kb", "kib", "m", "mb", "mib", "g", "gb", "gib", "t", "tb", "tib",
                ],
            ),
            Self::List | Self::Texts | Self::Networks | Self::Ports | Self::Records(_) => {
                value.is_array()
            }
            Self::Record(_) | Self::Dict => value.is_object(),
            Self::Any => true,
        }
    }

    /// The value in the type of the parameter, where it fits: `"15"` as 15 and `yes` as true.
    /// `raw` is the text that was written: texts keep it, so that `1.10` stays `1.10`.
    pub(super) fn coerce(self, value: Value, raw: Option<&str>) -> Value {
        if value.as_str().is_some_and(is_open) {
            return value;
        }
        let coerced = match self {
            Self::Bool => boolean(&value).map(Value::from),
            Self::Int(..) | Self::Port => integer(&value).map(Value::from),
            Self::IntOr(_, _, words) => integer(&value)
                .map(Value::from)
                .or_else(|| word(&value, words).map(Value::from)),
            Self::Float(..) => float(&value).map(Value::from),
            Self::OneOf(words) => word(&value, words).map(Value::from),
            Self::Text
            | Self::Secret
            | Self::Path
            | Self::Ip
            | Self::Cidr
            | Self::Duration
            | Self::Size => raw.map(Value::from),
            Self::List | Self::Texts | Self::Networks | Self::Ports | Self::Records(_) => None,
            Self::Record(_) | Self::Dict | Self::Any => None,
        };
        coerced.unwrap_or(value)
    }
}

/// The value in words.
fn found(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => format!("the boolean {value}"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text `{text}`"),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

/// One of the words; `on` and `off` come back from YAML as booleans.
fn word(value: &Value, words: &[&'static str]) -> Option<&'static str> {
    let aliases: &[&str] = match value {
        Value::String(text) => &[text.as_str()],
        Value::Bool(true) => &["on", "true", "yes"],
        Value::Bool(false) => &["off", "false", "no", "none"],
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => &[],
    };
    aliases
        .iter()
        .find_map(|alias| words.iter().find(|word| *word == alias).copied())
}

fn is_cidr(text: &str) -> bool {
    text.parse::<ipnet::IpNet>().is_ok() || text.parse::<IpAddr>().is_ok()
}

/// A number, or one with a unit; case and a blank before the unit do not matter.
fn measure(value: &Value, units: &[&str]) -> bool {
    let Some(text) = value.as_str() else {
        return value.as_f64().is_some_and(|number| number >= 0.0);
    };
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim().to_ascii_lowercase();
    number.parse::<f64>().is_ok() && (unit.is_empty() || units.contains(&unit.as_str()))
}

/// True or false, also as a text (`-e`) or as 1 and 0, as Ansible's `bool` filter reads it.
pub fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "yes" | "on" | "true" | "1" => Some(true),
            "no" | "off" | "false" | "0" => Some(false),
            _ => None,
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A whole number, also when `-e` or quotes made it a text.
pub(super) fn integer(value: &Value) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_str()?.trim().parse().ok())
}

/// A number, also when it is a text.
pub(super) fn float(value: &Value) -> Option<f64> {
    value
        .as_f64()
        .or_else(|| value.as_str()?.trim().parse().ok())
}
