//! Values of settings: types, units, bounds.

use super::Setting;

/// How many of the smallest unit: bytes, or microseconds.
pub(super) fn factor(unit: &str) -> Option<f64> {
    let kib = 1024.0;
    Some(match unit {
        "B" => 1.0,
        "kB" => kib,
        "8kB" => 8.0 * kib,
        "MB" => kib * kib,
        "GB" => kib * kib * kib,
        "TB" => kib * kib * kib * kib,
        "us" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        "min" => 60e6,
        "h" => 3600e6,
        "d" => 86_400e6,
        _ => return None,
    })
}

const SIZES: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
const TIMES: [&str; 6] = ["us", "ms", "s", "min", "h", "d"];

impl Setting {
    pub(super) fn mismatch(&self, value: &str) -> Option<String> {
        match self.kind {
            "bool" => (!is_bool(value)).then(|| "it is `on` or `off`".to_owned()),
            "enum" => {
                let fits = self
                    .words
                    .iter()
                    .any(|word| word.eq_ignore_ascii_case(value));
                let synonym = is_bool(value) && self.words.iter().any(|word| is_bool(word));
                (!fits && !synonym).then(|| format!("it is one of {}", self.words.join(", ")))
            }
            "integer" | "real" => self.out_of_range(value),
            _ => None,
        }
    }

    fn out_of_range(&self, value: &str) -> Option<String> {
        let Some(number) = self.number(value) else {
            return Some(match self.unit {
                "" => "it is a number without a unit".to_owned(),
                unit => format!(
                    "it is a number, with one of the units {}",
                    self.units(unit).join(", ")
                ),
            });
        };
        let scale = factor(self.unit).unwrap_or(1.0);
        let bound = |text: &str| text.parse::<f64>().ok().map(|bound| bound * scale);
        let (least, most) = (bound(self.least)?, bound(self.most)?);
        // A value is rounded to the unit of the setting.
        let slack = if self.kind == "integer" {
            scale / 2.0
        } else {
            0.0
        };
        let inside = number >= least - slack && number <= most + slack;
        (!inside).then(|| {
            format!(
                "it is from {} to {}{}",
                self.least,
                self.most,
                in_unit(self.unit)
            )
        })
    }

    fn units(&self, unit: &str) -> &'static [&'static str] {
        match SIZES.contains(&unit) || unit.ends_with("kB") {
            true => &SIZES,
            false => &TIMES,
        }
    }

    /// The number in the smallest unit; of a setting without unit the number itself.
    pub(super) fn number(&self, value: &str) -> Option<f64> {
        let value = value.trim();
        let end = value
            .find(|c: char| c.is_ascii_alphabetic() && c != 'e' && c != 'x')
            .unwrap_or(value.len());
        let (digits, unit) = value.split_at(end);
        let number = match digits.trim().strip_prefix("0x") {
            Some(hex) => f64::from(u32::from_str_radix(hex, 16).ok()?),
            // As in C, and so in PostgreSQL.
            None if self.kind == "integer" && is_octal(digits) => {
                f64::from(u32::from_str_radix(digits, 8).ok()?)
            }
            None => digits.trim().parse::<f64>().ok()?,
        };
        match (self.unit, unit.trim()) {
            ("", "") => Some(number),
            ("", _) => None,
            (own, "") => Some(number * factor(own)?),
            (own, unit) if self.units(own).contains(&unit) => Some(number * factor(unit)?),
            (_, _) => None,
        }
    }
}

fn is_octal(digits: &str) -> bool {
    digits.len() > 1
        && digits.starts_with('0')
        && digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte))
}

fn in_unit(unit: &str) -> String {
    match unit {
        "" => String::new(),
        unit => format!(" (in units of {unit})"),
    }
}

/// As PostgreSQL reads booleans: any beginning of a word that is not two words' beginning.
fn is_bool(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    let begins = |word: &str| !value.is_empty() && word.starts_with(value.as_str());
    ["true", "false", "yes", "no"]
        .iter()
        .any(|word| begins(word))
        || matches!(value.as_str(), "on" | "off" | "of" | "1" | "0")
}
