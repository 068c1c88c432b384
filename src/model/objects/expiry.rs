//! When a password ends.

use super::entry::ListEntry;
use crate::source::Diagnostic;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime, PrimitiveDateTime, UtcOffset};

/// When a role's password ends.
///
/// `expire_in` is counted once: when the role is made, or when the number changes. The number and the day are
/// remembered beside the role, so that the next run neither moves the day nor brings an expired role back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expiry {
    Never,
    /// `YYYY-MM-DD HH:MM:SS` in UTC.
    At(String),
    /// A number of days, and what it comes to if it is counted now.
    In {
        days: i64,
        until: String,
    },
}

/// Reads `expire_in`, which wins, and `expire_at`.
pub(super) fn expiry(entry: &ListEntry, now: OffsetDateTime) -> Result<Expiry, Diagnostic> {
    if let Some(days) = entry.number("expire_in") {
        let until = now
            .checked_add(Duration::days(days.clamp(-36_500, 36_500)))
            .unwrap_or(now);
        let until = format!("{} 00:00:00", until.date());
        return Ok(Expiry::In { days, until });
    }
    let Some(text) = entry.text("expire_at") else {
        return Ok(Expiry::Never);
    };
    if text.trim() == "infinity" {
        return Ok(Expiry::Never);
    }
    parse(text.trim()).map(Expiry::At).ok_or_else(|| {
        entry
            .problem(
                "bad-expiry",
                "expire_at",
                format!("`{text}` is no date"),
                "not understood",
            )
            .help("write `2030-12-31`, `2030-12-31 08:00:00`, `2030-12-31T08:00:00+02:00` or `infinity`; without an offset it is UTC")
    })
}

/// A date with or without a time and an offset, as a time in UTC.
fn parse(text: &str) -> Option<String> {
    let (date, rest) = text
        .split_once(['T', ' '])
        .map_or((text, ""), |(date, rest)| (date, rest.trim()));
    let at = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (clock, offset) = rest.split_at(at);
    let date = day(date)?;
    let clock = time_of_day(clock.trim())?;
    let moment = PrimitiveDateTime::new(date, clock).assume_offset(zone(offset)?);
    let utc = moment.to_offset(UtcOffset::UTC);
    Some(format!(
        "{} {:02}:{:02}:{:02}",
        utc.date(),
        utc.hour(),
        utc.minute(),
        utc.second()
    ))
}

fn day(text: &str) -> Option<time::Date> {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return None;
    };
    let month = time::Month::try_from(month.parse::<u8>().ok()?).ok()?;
    time::Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()
}

fn time_of_day(text: &str) -> Option<time::Time> {
    if text.is_empty() {
        return Some(time::Time::MIDNIGHT);
    }
    let parts: Vec<u8> = text
        .split(':')
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    match parts.as_slice() {
        [hour, minute] => time::Time::from_hms(*hour, *minute, 0).ok(),
        [hour, minute, second] => time::Time::from_hms(*hour, *minute, *second).ok(),
        _ => None,
    }
}

fn zone(text: &str) -> Option<UtcOffset> {
    if matches!(text, "" | "Z") {
        return Some(UtcOffset::UTC);
    }
    let sign: i8 = if text.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = text[1..].split_once(':').unwrap_or((&text[1..], "0"));
    let (hours, minutes): (i8, i8) = (hours.parse().ok()?, minutes.parse().ok()?);
    UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_dates_as_moments_in_utc() {
        for (text, want) in [
            ("2030-12-31", Some("2030-12-31 00:00:00")),
            ("2030-12-31 08:30", Some("2030-12-31 08:30:00")),
            ("2030-12-31T00:30:00+02:00", Some("2030-12-30 22:30:00")),
            ("2030-12-31 00:00:00Z", Some("2030-12-31 00:00:00")),
            ("2030-12-31 23:00:00-05", Some("2031-01-01 04:00:00")),
            ("2030-13-31", None),
            ("soon", None),
            ("2030-12-31 25:00", None),
        ] {
            assert_eq!(parse(text).as_deref(), want, "{text}");
        }
    }
}
