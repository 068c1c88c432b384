//! Single values: truth, choice, quoting, versions.

use super::refuse;
use minijinja::value::ValueKind;
use minijinja::{Environment, Error, Value};
use std::cmp::Ordering;

pub(super) fn register(env: &mut Environment<'static>) {
    env.add_filter("bool", |value: &Value| truth(value));
    env.add_filter("ternary", ternary);
    env.add_filter("quote", |value: &Value| quote(&value.to_string()));
    env.add_filter("mandatory", |value: Value| value);
    env.add_filter("sql_literal", |text: &str| {
        format!("'{}'", text.replace('\'', "''"))
    });
    env.add_filter("comment", |text: &str| {
        Value::from_safe_string(prefix(text, "# "))
    });
    env.add_test("version", version);
    env.add_test("truthy", |value: &Value| value.is_true());
    env.add_test("falsy", |value: &Value| !value.is_true());
}

/// Ansible's reading: `yes`, `on`, `1`, `true` in any case are true, all else is false.
fn truth(value: &Value) -> bool {
    match value.kind() {
        ValueKind::Bool => value.is_true(),
        ValueKind::Number => value.as_i64() == Some(1),
        ValueKind::String => {
            let text = value.to_string().to_ascii_lowercase();
            ["yes", "on", "1", "true"].contains(&text.as_str())
        }
        _ => false,
    }
}

fn ternary(value: &Value, yes: Value, no: Value, none: Option<Value>) -> Value {
    match none {
        Some(none) if value.is_none() => none,
        Some(_) | None if value.is_true() => yes,
        Some(_) | None => no,
    }
}

/// One word of a POSIX shell.
fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn prefix(text: &str, with: &str) -> String {
    let lines = text.lines().map(|line| format!("{with}{line}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// `x is version('4.0', '>=')`: numbers between the dots are compared, missing ones count as 0.
fn version(have: &Value, want: &Value, operator: Option<&str>) -> Result<bool, Error> {
    let order = compare(&have.to_string(), &want.to_string());
    Ok(match operator.unwrap_or("==") {
        "==" | "=" | "eq" => order == Ordering::Equal,
        "!=" | "<>" | "ne" => order != Ordering::Equal,
        "<" | "lt" => order == Ordering::Less,
        "<=" | "le" => order != Ordering::Greater,
        ">" | "gt" => order == Ordering::Greater,
        ">=" | "ge" => order != Ordering::Less,
        other => {
            return Err(refuse(format!(
                "`version` does not know the operator `{other}`"
            )));
        }
    })
}

fn compare(a: &str, b: &str) -> Ordering {
    let parts = |text: &str| -> Vec<u64> {
        let split = text.split(|c: char| !c.is_ascii_digit());
        split.filter_map(|part| part.parse().ok()).collect()
    };
    let (mut a, mut b) = (parts(a), parts(b));
    let length = a.len().max(b.len());
    a.resize(length, 0);
    b.resize(length, 0);
    a.cmp(&b)
}
