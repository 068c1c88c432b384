//! Whether PostgreSQL takes the values of parameters that are about to be written: Patroni drops what it cannot read, with a word
//! in its own log only, and the server would run with another value.

use super::quantity;
use serde_json::Value;
use std::collections::BTreeMap;

/// What the live server says of a parameter: type, unit, least and greatest value, values of an enumeration.
pub(super) type LiveSetting = (
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<Vec<String>>,
);

/// All parameters by name, in lower case.
pub(super) type LiveSettings = BTreeMap<String, LiveSetting>;

/// The question.
pub(super) const QUERY: &str = "SELECT pg_catalog.json_object_agg(pg_catalog.lower(s.name), pg_catalog.json_build_array(s.vartype, s.unit, s.min_val, s.max_val, s.enumvals)) \
     FROM pg_catalog.pg_settings s";

/// Limits that a running server has from another parameter.
const BOUND: [(&str, &str); 1] = [("citus.max_client_connections", "max_connections")];

/// The limits that hold once what is wanted of other parameters does.
pub(super) fn bound<'v>(
    mut known: LiveSettings,
    wanted: impl Fn(&str) -> Option<&'v Value>,
) -> LiveSettings {
    for (name, other) in BOUND {
        if let (Some((_, _, _, greatest, _)), Some(value)) = (known.get_mut(name), wanted(other)) {
            *greatest = Some(
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned),
            );
        }
    }
    known
}

/// Why a value would not be taken.
pub(super) fn objection(name: &str, value: &Value, known: &LiveSettings) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Bool(true) => "on".to_owned(),
        Value::Bool(false) => "off".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    let Some((kind, unit, least, greatest, names)) = known.get(&name.to_ascii_lowercase()) else {
        // An extension's, which may come with a library that is not loaded yet.
        return (!name.contains('.')).then(|| "this PostgreSQL has no such parameter".to_owned());
    };
    match kind.as_str() {
        "bool" => (!is_bool(&text)).then(|| format!("`{text}` is neither on nor off")),
        "enum" => {
            let names = names.as_deref().unwrap_or_default();
            let named = |text: &str| names.iter().any(|known| known.eq_ignore_ascii_case(text));
            // Words like `yes` are hidden values of those that can be on or off.
            let fits = named(&text) || is_bool(&text) && (named("on") || named("off"));
            (!fits).then(|| format!("`{text}` is none of {}", names.join(", ")))
        }
        "integer" | "real" => number(
            &text,
            unit.as_deref(),
            (least.as_deref(), greatest.as_deref()),
        ),
        _ => None,
    }
}

/// What PostgreSQL reads as on or off.
fn is_bool(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let starts = |word: &str, least: usize| text.len() >= least && word.starts_with(&text);
    matches!(text.as_str(), "1" | "0")
        || starts("true", 1)
        || starts("false", 1)
        || starts("yes", 1)
        || starts("no", 1)
        || starts("on", 2)
        || starts("off", 2)
}

/// Whole numbers as C writes them: `0640` is octal, `0x1f` hexadecimal.
fn whole(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('0')?;
    let (digits, base) = match digits.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (digits, 8),
    };
    i64::from_str_radix(digits, base)
        .ok()
        .map(|value| value as f64)
}

fn number(text: &str, unit: Option<&str>, range: (Option<&str>, Option<&str>)) -> Option<String> {
    let Some(value) = whole(text).or_else(|| quantity::in_units(text, unit)) else {
        let of = unit.map_or("a number".to_owned(), |unit| {
            format!("a number in units of {unit}")
        });
        return Some(format!("`{text}` is not {of}"));
    };
    let least = range.0.and_then(|text| text.parse::<f64>().ok());
    let greatest = range.1.and_then(|text| text.parse::<f64>().ok());
    // PostgreSQL rounds to whole units.
    let outside = least.is_some_and(|least| value < least - 0.5)
        || greatest.is_some_and(|greatest| value > greatest + 0.5);
    outside.then(|| {
        let unit = unit.map_or(String::new(), |unit| format!(" ({unit})"));
        let show = |end: Option<&str>| end.unwrap_or("?").to_owned();
        format!(
            "`{text}` is not between {} and {}{unit}",
            show(range.0),
            show(range.1)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(name: &str, value: Value) -> Option<String> {
        let known = json!({
            "work_mem": ["integer", "kB", "64", "2147483647", null],
            "wal_level": ["enum", null, null, null, ["minimal", "replica", "logical"]],
            "max_connections": ["integer", null, "1", "262143", null],
            "checkpoint_timeout": ["integer", "s", "30", "86400", null],
            "log_file_mode": ["integer", null, "0", "511", null],
            "random_page_cost": ["real", null, "0", "1.79769e+308", null],
            "shared_buffers": ["integer", "8kB", "16", "1073741823", null],
            "jit": ["bool", null, null, null, null],
            "datestyle": ["string", null, null, null, null],
        });
        let known: LiveSettings = serde_json::from_value(known).expect("rows");
        objection(name, &value, &known)
    }

    #[test]
    fn what_postgresql_takes_is_taken() {
        for (name, value) in [
            ("work_mem", json!("64MB")),
            ("work_mem", json!(4096)),
            ("wal_level", json!("Logical")),
            ("max_connections", json!("500")),
            ("max_connections", json!("0x1f4")),
            ("log_file_mode", json!("0640")),
            ("checkpoint_timeout", json!("15min")),
            ("random_page_cost", json!("1.1")),
            ("shared_buffers", json!("128MB")),
            ("jit", json!(true)),
            ("DateStyle", json!("iso, mdy")),
            ("pg_stat_statements.max", json!("x")),
        ] {
            assert_eq!(said(name, value.clone()), None, "{name} {value}");
        }
    }

    /// Seen: Citus bounds its clients by `max_connections`, which the same plan raised.
    #[test]
    fn a_limit_that_goes_with_another_parameter_goes_with_the_wanted_one() {
        let row = json!({"citus.max_client_connections": ["integer", null, "-1", "100", null]});
        let known: LiveSettings = serde_json::from_value(row).expect("a row");
        let said = |wanted: Option<&Value>| {
            let known = bound(known.clone(), |name| {
                wanted.filter(|_| name == "max_connections")
            });
            objection("citus.max_client_connections", &json!(125), &known)
        };
        assert_eq!(
            said(None).as_deref(),
            Some("`125` is not between -1 and 100")
        );
        assert_eq!(said(Some(&json!(250))), None);
        assert_eq!(said(Some(&json!("250"))), None);
        let less = said(Some(&json!(110)));
        assert_eq!(less.as_deref(), Some("`125` is not between -1 and 110"));
    }

    #[test]
    fn what_it_refuses_is_said_in_words() {
        let all = [
            (
                "work_mem",
                json!("64XB"),
                "`64XB` is not a number in units of kB",
            ),
            (
                "wal_level",
                json!("banana"),
                "`banana` is none of minimal, replica, logical",
            ),
            (
                "work_mem",
                json!("1kB"),
                "`1kB` is not between 64 and 2147483647 (kB)",
            ),
            ("jit", json!("maybe"), "`maybe` is neither on nor off"),
            (
                "wrok_mem",
                json!("1MB"),
                "this PostgreSQL has no such parameter",
            ),
            ("max_connections", json!("many"), "`many` is not a number"),
            (
                "checkpoint_timeout",
                json!("64MB"),
                "`64MB` is not a number in units of s",
            ),
        ];
        for (name, value, words) in all {
            assert_eq!(said(name, value).as_deref(), Some(words), "{name}");
        }
    }
}
