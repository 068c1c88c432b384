//! Points in time as events carry them: UTC, milliseconds, RFC 3339.

use crate::names::RunId;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A point in time, to the millisecond, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(OffsetDateTime);

impl Moment {
    /// The time of the operator's machine. Only `cli` and clocks handed to an emitter call this.
    pub fn now() -> Self {
        Self::truncated(OffsetDateTime::now_utc())
    }

    /// Milliseconds since 1970; out of range gives 1970.
    pub fn from_millis(millis: i64) -> Self {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
            .map_or(Self(OffsetDateTime::UNIX_EPOCH), Self)
    }

    /// Reads RFC 3339.
    pub fn parse(text: &str) -> Result<Self, time::error::Parse> {
        OffsetDateTime::parse(text, &Rfc3339).map(Self::truncated)
    }

    /// How long ago `earlier` was; zero when the clock went backwards.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::try_from(self.0 - earlier.0).unwrap_or_default()
    }

    /// The identity of a run that starts now: sortable by time, and told apart by `salt`.
    pub fn run_id(self, salt: u16) -> RunId {
        let t = self.0;
        RunId::new(format!(
            "{:04}{:02}{:02}-{:02}{:02}{:02}-{salt:04x}",
            t.year(),
            u8::from(t.month()),
            t.day(),
            t.hour(),
            t.minute(),
            t.second(),
        ))
    }

    fn truncated(at: OffsetDateTime) -> Self {
        let at = at.to_offset(time::UtcOffset::UTC);
        at.replace_nanosecond(u32::from(at.millisecond()) * 1_000_000)
            .map_or(Self(at), Self)
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let t = self.0;
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            t.year(),
            u8::from(t.month()),
            t.day(),
            t.hour(),
            t.minute(),
            t.second(),
            t.millisecond(),
        )
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_rfc_3339_in_utc_both_ways() {
        let at = Moment::from_millis(1_795_234_471_250);
        assert_eq!(at.to_string(), "2026-11-21T04:14:31.250Z");
        assert_eq!(Moment::parse("2026-11-21T06:14:31.2509+02:00"), Ok(at));
        assert_eq!(at.run_id(0xab).as_str(), "20261121-041431-00ab");
    }

    #[test]
    fn a_clock_that_went_backwards_gives_zero() {
        let (early, late) = (Moment::from_millis(1000), Moment::from_millis(2500));
        assert_eq!(late.since(early), Duration::from_millis(1500));
        assert_eq!(early.since(late), Duration::ZERO);
    }
}
