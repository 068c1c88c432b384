//! Types of parameters, and what is wrong with a value.

use std::net::IpAddr;

use serde_json::Value;

use super::{Form, form};
use crate::inventory::is_open;

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ParamKind {
    Bool,
    /// A whole number between two bounds, both included.
    Int(i64, i64),
    /// A whole number between two bounds, or one of these words.
    IntOr(i64, i64, &'static [&'static str]),
    Float(f64, f64),
    /// A text, and what it may hold where it goes to.
    Text(Form),
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
    /// A list of texts; numbers are texts too.
    Texts(Form),
    /// A text, or a list of texts.
    TextOrTexts(Form),
    /// A text, or a mapping of names to texts.
    TextOrMap(Form),
    /// A list of names, or of mappings with these fields.
    Names(&'static [Field]),
    /// A list of networks.
    Networks,
    /// A list of ports.
    Ports,
    /// A list of mappings with these fields.
    Records(&'static [Field]),
    /// A mapping with these fields.
    Record(&'static [Field]),
    /// A mapping: what its keys and its values may hold.
    Map(Form, Form),
    /// A mapping whose values are numbers, texts or lists of these, under names of parameters of PostgreSQL.
    PgSettings,
    /// Anything: for what is not acted on, and for values that a reader of their own judges whole.
    Any,
}

/// One field of a record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    pub name: &'static str,
    pub kind: ParamKind,
    pub required: bool,
}

impl ParamKind {
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
            Self::Text(form) => form.words().to_owned(),
            Self::Secret => "a text (a secret)".to_owned(),
            Self::Port => "a port from 1 to 65535".to_owned(),
            Self::Path => "an absolute path".to_owned(),
            Self::OneOf(words) => format!("one of {}", words.join(", ")),
            Self::Ip => "an IP address".to_owned(),
            Self::Cidr => "an address with a prefix length, as in 10.10.10.2/24".to_owned(),
            Self::Duration => "a duration, as in 24h".to_owned(),
            Self::Size => "a size, as in 64MiB".to_owned(),
            Self::Texts(Form::Prose | Form::Line) => "a list of texts".to_owned(),
            Self::Texts(form) => format!("a list; each is {}", form.words()),
            Self::TextOrTexts(form) => format!("{}, or a list of such", form.words()),
            Self::TextOrMap(form) => format!("{}, or a mapping to such", form.words()),
            Self::Names(_) => "a list of names or mappings".to_owned(),
            Self::Networks => "a list of networks, as in 10.0.0.0/8".to_owned(),
            Self::Ports => "a list of ports".to_owned(),
            Self::Records(_) => "a list of mappings".to_owned(),
            Self::Record(_) | Self::Map(..) | Self::PgSettings => "a mapping".to_owned(),
            Self::Any => "anything".to_owned(),
        }
    }

    /// What is wrong with a value, if anything; what is inside lists and mappings is judged by
    /// `check_vars`. Texts that hold a template are not judged: they are no values yet.
    pub fn mismatch(self, value: &Value) -> Option<String> {
        let text = value.as_str();
        if text.is_some_and(|text| text.contains("{{"))
            || (self.fits(value) && self.fault(value).is_none())
        {
            return None;
        }
        Some(match (self, self.fault(value)) {
            (Self::Secret, _) => "wants a text".to_owned(),
            (_, Some(why)) if self.fits(value) => format!("wants {}: {why}", self.words()),
            (_, _) => format!("wants {}, and this is {}", self.words(), found(value)),
        })
    }

    /// What a text holds that its place cannot.
    fn fault(self, value: &Value) -> Option<String> {
        let text = value.as_str()?;
        match self {
            Self::Text(form) | Self::TextOrTexts(form) | Self::TextOrMap(form) => form.fault(text),
            Self::Path => form::path_fault(text),
            Self::Bool
            | Self::Int(..)
            | Self::IntOr(..)
            | Self::Float(..)
            | Self::Secret
            | Self::Port
            | Self::OneOf(_)
            | Self::Ip
            | Self::Cidr
            | Self::Duration
            | Self::Size
            | Self::Texts(_)
            | Self::Names(_)
            | Self::Networks
            | Self::Ports
            | Self::Records(_)
            | Self::Record(_)
            | Self::Map(..)
            | Self::PgSettings
            | Self::Any => None,
        }
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
            Self::Text(_) | Self::Secret => !value.is_array() && !value.is_object(),
            Self::TextOrTexts(_) => !value.is_object(),
            Self::TextOrMap(_) => !value.is_array(),
            Self::Port => integer(value).is_some_and(|n| (1..=65535).contains(&n)),
            Self::Path => text.is_some_and(|text| text.starts_with('/')),
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
            Self::Texts(_) | Self::Names(_) | Self::Networks | Self::Ports | Self::Records(_) => {
                value.is_array()
            }
            Self::Record(_) | Self::Map(..) | Self::PgSettings => value.is_object(),
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
            Self::Text(_)
            | Self::Secret
            | Self::Path
            | Self::Ip
            | Self::Cidr
            | Self::Duration
            | Self::Size => raw.map(Value::from),
            Self::TextOrTexts(_) | Self::TextOrMap(_) => {
                match value.is_array() || value.is_object() {
                    true => None,
                    false => raw.map(Value::from),
                }
            }
            Self::Texts(_) | Self::Names(_) | Self::Networks | Self::Ports | Self::Records(_) => {
                None
            }
            Self::Record(_) | Self::Map(..) | Self::PgSettings | Self::Any => None,
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
        Value::String(text) => format!("the text `{}`", text.escape_debug()),
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
