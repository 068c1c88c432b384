//! Types of parameters, and what is wrong with a value.

use serde_json::Value;
use std::net::IpAddr;

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Bool,
    /// A whole number between two bounds, both included.
    Int(i64, i64),
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
    Dict,
    Any,
}

/// The name of a JSON type in words.
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

impl Kind {
    /// The type in words.
    pub fn words(self) -> String {
        match self {
            Self::Bool => "true or false".to_owned(),
            Self::Int(i64::MIN, i64::MAX) => "a whole number".to_owned(),
            Self::Int(min, i64::MAX) => format!("a whole number of at least {min}"),
            Self::Int(min, max) => format!("a whole number from {min} to {max}"),
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
            Self::Dict => "a mapping".to_owned(),
            Self::Any => "anything".to_owned(),
        }
    }

    /// What is wrong with a value, if anything. Texts that hold a template or a placeholder are not judged.
    pub fn mismatch(self, value: &Value) -> Option<String> {
        let text = value.as_str();
        if text.is_some_and(|text| text.contains("{{") || text.contains("${")) {
            return None;
        }
        let fits = match self {
            Self::Bool => {
                value.is_boolean()
                    || text.is_some_and(|t| {
                        matches!(t, "yes" | "no" | "on" | "off" | "true" | "false")
                    })
            }
            Self::Int(min, max) => integer(value).is_some_and(|n| (min..=max).contains(&n)),
            Self::Float(min, max) => float(value).is_some_and(|n| (min..=max).contains(&n)),
            Self::Text | Self::Secret => !value.is_array() && !value.is_object(),
            Self::Port => integer(value).is_some_and(|n| (1..=65535).contains(&n)),
            Self::Path => text.is_some_and(|t| t.starts_with('/') && !t.contains(['\n', '\0'])),
            Self::OneOf(words) => words.contains(&plain(value).as_str()),
            Self::Ip => text.is_some_and(|t| t.parse::<IpAddr>().is_ok()),
            Self::Cidr => text.is_some_and(is_cidr),
            Self::Duration | Self::Size => {
                value.is_number()
                    || text.is_some_and(|t| t.starts_with(|c: char| c.is_ascii_digit()))
            }
            Self::List => value.is_array(),
            Self::Dict => value.is_object(),
            Self::Any => true,
        };
        (!fits).then(|| format!("wants {}, and this is {}", self.words(), found(value)))
    }
}

fn is_cidr(text: &str) -> bool {
    text.parse::<ipnet::IpNet>().is_ok() || text.parse::<IpAddr>().is_ok()
}

/// A whole number, also when `-e` made it a text.
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

/// A scalar as people wrote it. `off` and `on` come back from YAML as booleans.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "on".to_owned(),
        Value::Bool(false) => "off".to_owned(),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}
