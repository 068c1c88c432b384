//! Values of parameters that say the same in other words: `8MB` and `8192` where the unit is kB, `on` and `true`.

/// Whether two values are the same for a parameter of this unit (as `pg_settings` has it; `bool` for true or false).
pub(super) fn same(one: &str, other: &str, unit: Option<&str>) -> bool {
    match unit {
        None => false,
        Some("bool") => truth(one).is_some() && truth(one) == truth(other),
        Some(unit) => {
            let (one, other) = (amount(one, unit), amount(other, unit));
            one.is_some() && one == other
        }
    }
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Some(true),
        "off" | "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// Bytes or microseconds. A number without a unit counts in the parameter's own.
fn amount(text: &str, unit: &str) -> Option<f64> {
    let (number, suffix) = split(text.trim());
    let number: f64 = number.parse().ok()?;
    let factor = match suffix {
        "" => {
            let (count, unit) = split(unit);
            count.parse().unwrap_or(1.0) * factor(unit)?
        }
        suffix => factor(suffix)?,
    };
    Some(number * factor)
}

/// A value in multiples of the parameter's own unit; nothing where it has no number, or a unit of another kind.
pub(super) fn in_units(text: &str, unit: Option<&str>) -> Option<f64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return Some(number);
    }
    let (number, suffix) = split(text);
    let (count, base) = split(unit?);
    let is_time = |unit: &str| matches!(unit, "us" | "ms" | "s" | "min" | "h" | "d");
    if is_time(suffix) != is_time(base) {
        return None;
    }
    let own = count.parse().unwrap_or(1.0) * factor(base)?;
    Some(number.parse::<f64>().ok()? * factor(suffix)? / own)
}

/// Number and unit.
fn split(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+'))
        .unwrap_or(text.len());
    (text[..end].trim(), text[end..].trim())
}

fn factor(unit: &str) -> Option<f64> {
    Some(match unit {
        "B" | "us" => 1.0,
        "kB" => 1024.0,
        "MB" => 1024.0 * 1024.0,
        "GB" => 1024.0 * 1024.0 * 1024.0,
        "TB" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        "ms" => 1e3,
        "s" => 1e6,
        "min" => 60e6,
        "h" => 3600e6,
        "d" => 86_400e6,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn the_same_in_other_words() {
        assert!(same("8MB", "8192", Some("kB")));
        assert!(same("1", "8kB", Some("8kB")));
        assert!(same("60s", "60000", Some("ms")) && same("1min", "60s", Some("ms")));
        assert!(same("-1", "-1", Some("ms")) && same("on", "true", Some("bool")));
        assert!(!same("8MB", "8192", None) && !same("8MB", "8", Some("kB")));
        assert!(!same("x", "x ", Some("kB")) && !same("on", "off", Some("bool")));
    }
}
