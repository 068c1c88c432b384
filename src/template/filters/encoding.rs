//! Text forms of values: JSON, YAML, base64, digests.

use super::{json, refuse, value};
use crate::source::yaml;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::Kwargs;
use minijinja::{Environment, Error, Value};
use std::fmt::Write as _;

pub(super) fn register(env: &mut Environment<'static>) {
    env.add_filter("to_json", to_json);
    env.add_filter("to_nice_json", to_nice_json);
    env.add_filter("from_json", from_json);
    env.add_filter("to_yaml", to_yaml);
    env.add_filter("to_nice_yaml", to_nice_yaml);
    env.add_filter("yaml", yaml_value);
    env.add_filter("yaml_child", yaml_child);
    env.add_filter("b64encode", |text: &str| STANDARD.encode(text));
    env.add_filter("b64decode", b64decode);
    env.add_filter("hash", hash);
}

fn to_json(input: &Value) -> Result<String, Error> {
    Ok(json(input)?.to_string())
}

fn to_nice_json(input: &Value) -> Result<Value, Error> {
    let text = serde_json::to_string_pretty(&json(input)?).map_err(|e| refuse(e.to_string()))?;
    Ok(Value::from_safe_string(text))
}

fn from_json(text: &str) -> Result<Value, Error> {
    let parsed = serde_json::from_str(text).map_err(|e| refuse(format!("not JSON: {e}")))?;
    Ok(value(parsed))
}

fn to_yaml(input: &Value) -> Result<Value, Error> {
    Ok(Value::from_safe_string(yaml::emit(&json(input)?)))
}

/// Ansible's default indent is 4.
fn to_nice_yaml(input: &Value, options: Kwargs) -> Result<Value, Error> {
    let step = options.get::<Option<usize>>("indent")?.unwrap_or(4);
    // Accepted for the sake of Ansible's templates: our order is the one written.
    let _: Option<bool> = options.get("sort_keys")?;
    let _: Option<usize> = options.get("width")?;
    options.assert_all_used()?;
    Ok(Value::from_safe_string(yaml::emit_indented(
        &json(input)?,
        step,
    )))
}

/// A value on one line, as in `key: {{ value | yaml }}`.
fn yaml_value(input: &Value) -> Result<String, Error> {
    Ok(yaml::inline(&json(input)?))
}

/// A value of any kind below a key, as in `key:{{ value | yaml_child(4) }}`: scalars and empty
/// collections stay on the line, others start on the next one, `column` spaces in (2 unless told).
fn yaml_child(input: &Value, column: Option<usize>) -> Result<Value, Error> {
    let json = json(input)?;
    let empty = |value: &serde_json::Value| match value {
        serde_json::Value::Object(map) => map.is_empty(),
        serde_json::Value::Array(items) => items.is_empty(),
        _ => true,
    };
    if empty(&json) {
        return Ok(Value::from(format!(" {}", yaml::inline(&json))));
    }
    let indent = " ".repeat(column.unwrap_or(2));
    let text = yaml::emit(&json);
    let below = text
        .lines()
        .fold(String::new(), |out, line| format!("{out}\n{indent}{line}"));
    Ok(Value::from_safe_string(below))
}

fn b64decode(text: &str) -> Result<String, Error> {
    let bytes = STANDARD
        .decode(text.trim())
        .map_err(|e| refuse(format!("not base64: {e}")))?;
    String::from_utf8(bytes).map_err(|e| refuse(format!("decodes to no text: {e}")))
}

fn hash(text: &str, kind: Option<&str>) -> Result<String, Error> {
    let algorithm = match kind.unwrap_or("sha1") {
        "sha1" => &ring::digest::SHA1_FOR_LEGACY_USE_ONLY,
        "sha256" => &ring::digest::SHA256,
        "sha512" => &ring::digest::SHA512,
        other => {
            return Err(refuse(format!(
                "`hash` knows sha1, sha256 and sha512, not `{other}`"
            )));
        }
    };
    let digest = ring::digest::digest(algorithm, text.as_bytes());
    let mut hex = String::new();
    for byte in digest.as_ref() {
        write!(hex, "{byte:02x}").map_err(|e| refuse(e.to_string()))?;
    }
    Ok(hex)
}
