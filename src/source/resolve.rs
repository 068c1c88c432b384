//! Types of plain scalars as PyYAML resolves them (YAML 1.1, as Ansible's users know them).

use serde_json::Value;

/// The value of a plain scalar.
pub(super) fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Value::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Value::Bool(false)
        }
        _ => integer(text)
            .map(Value::from)
            .or_else(|| float(text))
            .unwrap_or_else(|| Value::from(text)),
    }
}

/// Decimal, octal (`0644`), hexadecimal and binary; underscores are allowed between digits.
fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let digits = digits.replace('_', "");
    let value = if let Some(hex) = digits.strip_prefix("0x") {
        i64::from_str_radix(hex, 16).ok()
    } else if let Some(binary) = digits.strip_prefix("0b") {
        i64::from_str_radix(binary, 2).ok()
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(&digits, 8).ok()
    } else {
        digits.parse().ok()
    }?;
    Some(if negative { -value } else { value })
}

/// `1.5`, `.5`, `1.5e+3`; PyYAML wants the dot and a sign in the exponent.
fn float(text: &str) -> Option<Value> {
    let body = text.trim_start_matches(['-', '+']);
    let numeric = body.contains('.')
        && body
            .chars()
            .all(|c| c.is_ascii_digit() || "._eE+-".contains(c));
    let exponent_signed = body
        .find(['e', 'E'])
        .is_none_or(|at| body[at + 1..].starts_with(['+', '-']));
    if !numeric
        || !exponent_signed
        || body.matches('.').count() != 1
        || !body.contains(|c: char| c.is_ascii_digit())
    {
        return None;
    }
    let value: f64 = text.replace('_', "").parse().ok()?;
    serde_json::Number::from_f64(value).map(Value::Number)
}
