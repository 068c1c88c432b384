//! Other values to put in the place of one.

use super::known;
use super::leaves::ValueLeaf;
use crate::inventory::parameters::{ParamKind, boolean};
use crate::source::Data;

/// What to read instead, the nearest first, nothing at all last.
pub(super) fn of(leaf: &ValueLeaf) -> Vec<Option<Data>> {
    let mut texts = match leaf.node.as_str() {
        Some(_) if leaf.node.kind() == "null" => Vec::new(),
        Some(text) => others(leaf.kind, text, &leaf.node.to_json()),
        None => Vec::new(),
    };
    texts.extend(known::further(&leaf.name));
    texts.dedup();
    let other = |text: String| {
        let plain = !is_text(leaf.kind) && !leaf.node.to_json().is_string();
        Some(Data::Scalar { text, plain })
    };
    texts.into_iter().map(other).chain([None]).collect()
}

fn is_text(kind: ParamKind) -> bool {
    matches!(
        kind,
        ParamKind::Text(_)
            | ParamKind::Secret
            | ParamKind::TextOrTexts(_)
            | ParamKind::TextOrMap(_)
    )
}

fn others(kind: ParamKind, text: &str, value: &serde_json::Value) -> Vec<String> {
    match kind {
        ParamKind::Bool => flipped(value),
        ParamKind::Int(min, max) => whole(text, min, max),
        ParamKind::Port => whole(text, 1, 65535),
        ParamKind::IntOr(min, max, words) => {
            let mut found = whole(text, min, max);
            found.extend(words.iter().map(|word| (*word).to_owned()));
            found.retain(|other| other != text);
            found
        }
        ParamKind::Float(min, max) => {
            let now = text.parse().unwrap_or(min.max(0.0));
            let near = [now + 0.25, now - 0.25, now * 2.0, now / 2.0];
            let fit = near
                .into_iter()
                .filter(|n| *n >= min && *n <= max && *n != now);
            fit.map(|n| n.to_string()).collect()
        }
        ParamKind::OneOf(words) => {
            let now = text.to_ascii_lowercase();
            let words = words.iter().filter(|word| **word != now);
            words.map(|word| (*word).to_owned()).collect()
        }
        ParamKind::Path => vec![format!("{}-x", text.trim_end_matches('/'))],
        ParamKind::Ip | ParamKind::Cidr => counted(text, |n| if n > 9 { n - 1 } else { n + 1 }),
        ParamKind::Duration | ParamKind::Size => first_number(text),
        ParamKind::Text(_)
        | ParamKind::Secret
        | ParamKind::TextOrTexts(_)
        | ParamKind::TextOrMap(_) => words(text),
        ParamKind::Texts(_)
        | ParamKind::Names(_)
        | ParamKind::Networks
        | ParamKind::Ports
        | ParamKind::Records(_)
        | ParamKind::Record(_)
        | ParamKind::Map(..)
        | ParamKind::PgSettings
        | ParamKind::Any => match value {
            serde_json::Value::Bool(_) => flipped(value),
            serde_json::Value::Number(_) => whole(text, i64::MIN, i64::MAX),
            _ => words(text),
        },
    }
}

fn flipped(value: &serde_json::Value) -> Vec<String> {
    let other = |now: bool| if now { "false" } else { "true" }.to_owned();
    boolean(value).map(other).into_iter().collect()
}

fn whole(text: &str, min: i64, max: i64) -> Vec<String> {
    let now: i64 = text.trim().parse().unwrap_or(min.max(1));
    let near = [
        now.saturating_add(1),
        now.saturating_sub(1),
        now.saturating_mul(2),
        now / 2,
        now.saturating_add(1000),
        0,
    ];
    let fit = near
        .into_iter()
        .filter(|n| *n >= min && *n <= max && *n != now);
    fit.map(|n| n.to_string()).collect()
}

/// A text with its last number changed.
fn counted(text: &str, change: fn(u64) -> u64) -> Vec<String> {
    let (address, prefix) = text.split_once('/').unwrap_or((text, ""));
    let start = address
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| at + 1);
    let (head, number) = address.split_at(start);
    let slash = if prefix.is_empty() { "" } else { "/" };
    let other = number
        .parse()
        .map(|n| format!("{head}{}{slash}{prefix}", change(n)));
    let mut found: Vec<String> = other.into_iter().collect();
    if let Ok(bits) = prefix.parse::<u8>() {
        found.push(format!("{address}/{}", bits.saturating_sub(1)));
    }
    found
}

/// A measure with its number changed.
fn first_number(text: &str) -> Vec<String> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: Option<u64> = number.parse().ok();
    let other = |n: u64| vec![format!("{}{unit}", n + 1), format!("{}{unit}", n * 2)];
    number.map(other).unwrap_or_default()
}

/// A text that is a number, a switch or a word.
fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if text.parse::<i64>().is_ok() {
        found.extend(whole(text, 0, i64::MAX));
    }
    found.extend(match text {
        "on" | "off" | "true" | "false" | "yes" | "no" => flipped(&serde_json::Value::from(text)),
        _ => Vec::new(),
    });
    found.push(format!("{text}x"));
    found.push(format!("x{text}"));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn other_values_are_of_the_same_type() {
        assert_eq!(others(ParamKind::Bool, "no", &json!(false)), ["true"]);
        assert_eq!(
            others(ParamKind::Port, "65535", &json!(65535)),
            ["65534", "32767"]
        );
        assert_eq!(
            others(ParamKind::OneOf(&["a", "b"]), "a", &json!("a")),
            ["b"]
        );
        assert_eq!(
            others(ParamKind::Cidr, "10.0.0.9/24", &json!("10.0.0.9/24")),
            ["10.0.0.10/24", "10.0.0.9/23"]
        );
        assert_eq!(
            others(ParamKind::Duration, "24h", &json!("24h")),
            ["25h", "48h"]
        );
        assert_eq!(others(ParamKind::Path, "/pg/", &json!("/pg/")), ["/pg-x"]);
    }
}
