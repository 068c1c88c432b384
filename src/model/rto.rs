//! How fast a failure is noticed: Pigsty's `pg_rto`, ten numbers under one name.

use crate::inventory::param;
use crate::inventory::parameters::Typed;
use serde::Serialize;
use serde_json::Value;

/// One row of `pg_rto_plan`. Whole numbers are seconds; times of HAProxy carry their unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rto {
    /// `fast`, `norm`, `safe`, `wide`, or a name of the user's own plan.
    pub name: String,
    pub ttl: u32,
    pub loop_wait: u32,
    pub retry_timeout: u32,
    pub primary_start_timeout: u32,
    /// Of the watchdog.
    pub safety_margin: u32,
    pub inter: String,
    pub fastinter: String,
    pub downinter: String,
    /// Checks that must pass before a server is up.
    pub rise: u32,
    /// Checks that must fail before a server is down.
    pub fall: u32,
}

/// A name, five times of Patroni, three of HAProxy, rise, fall.
type ProfileRow = (&'static str, [u32; 5], [&'static str; 3], u32, u32);

/// Pigsty's plan (v4.5).
const PLAN: [ProfileRow; 4] = [
    ("fast", [20, 5, 5, 15, 5], ["1s", "500ms", "1s"], 3, 3),
    ("norm", [30, 5, 10, 25, 5], ["2s", "1s", "2s"], 3, 3),
    ("safe", [60, 10, 20, 45, 10], ["3s", "1500ms", "3s"], 3, 3),
    ("wide", [120, 20, 30, 95, 15], ["4s", "2s", "4s"], 3, 3),
];

impl Rto {
    /// The shipped row of that name.
    pub fn named(name: &str) -> Option<Self> {
        let (name, patroni, haproxy, rise, fall) = PLAN.iter().find(|row| row.0 == name)?;
        let [
            ttl,
            loop_wait,
            retry_timeout,
            primary_start_timeout,
            safety_margin,
        ] = *patroni;
        let [inter, fastinter, downinter] = haproxy.map(str::to_owned);
        Some(Self {
            name: (*name).to_owned(),
            ttl,
            loop_wait,
            retry_timeout,
            primary_start_timeout,
            safety_margin,
            inter,
            fastinter,
            downinter,
            rise: *rise,
            fall: *fall,
        })
    }

    /// What `pg_rto` and `pg_rto_plan` of a host say. `None` if they name no usable row; then
    /// [`Rto::default`] is what to go on with.
    pub fn read(typed: &Typed<'_>) -> Option<Self> {
        let name = match typed.get(param::PG_RTO) {
            Value::String(name) => name,
            Value::Number(seconds) => nearest(seconds.as_f64()?).to_owned(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        if let Ok(seconds) = name.parse() {
            return Self::named(nearest(seconds));
        }
        match typed.get(param::PG_RTO_PLAN).get(&name) {
            Some(row) => Self::from_row(&name, row),
            None => Self::named(&name),
        }
    }

    /// A row of the user's plan: exactly ten values in Pigsty's order.
    fn from_row(name: &str, row: &Value) -> Option<Self> {
        let row: &[Value; 10] = row.as_array()?.as_slice().try_into().ok()?;
        let number = |at: usize| u32::try_from(row[at].as_u64()?).ok();
        Some(Self {
            name: name.to_owned(),
            ttl: number(0)?,
            loop_wait: number(1)?,
            retry_timeout: number(2)?,
            primary_start_timeout: number(3)?,
            safety_margin: number(4)?,
            inter: haproxy_time(&row[5])?,
            fastinter: haproxy_time(&row[6])?,
            downinter: haproxy_time(&row[7])?,
            rise: number(8)?,
            fall: number(9)?,
        })
    }

    /// Patroni's own rule: a leader must be able to lose one request for its lock and still renew it.
    pub fn is_consistent(&self) -> bool {
        self.ttl >= self.loop_wait + 2 * self.retry_timeout
    }
}

impl Default for Rto {
    /// `norm`.
    fn default() -> Self {
        let (name, patroni, haproxy, rise, fall) = &PLAN[1];
        Self {
            name: (*name).to_owned(),
            ttl: patroni[0],
            loop_wait: patroni[1],
            retry_timeout: patroni[2],
            primary_start_timeout: patroni[3],
            safety_margin: patroni[4],
            inter: haproxy[0].to_owned(),
            fastinter: haproxy[1].to_owned(),
            downinter: haproxy[2].to_owned(),
            rise: *rise,
            fall: *fall,
        }
    }
}

/// Pigsty 3 wrote seconds (`pg_rto: 30`): the quickest row that is no quicker than asked.
fn nearest(seconds: f64) -> &'static str {
    PLAN.iter()
        .find(|row| f64::from(row.1[0]) >= seconds)
        .map_or("wide", |row| row.0)
}

/// A time with the unit HAProxy wants: it reads no fractions, so `0.5s` becomes `500ms`.
fn haproxy_time(value: &Value) -> Option<String> {
    let seconds: f64 = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) if text.ends_with("ms") => return Some(text.clone()),
        Value::String(text) => text.trim_end_matches('s').trim().parse().ok()?,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(match seconds.fract() == 0.0 {
        true => format!("{seconds}s"),
        false => format!("{}ms", (seconds * 1000.0).round()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_shipped_plan_keeps_patronis_rule() {
        for (name, ..) in PLAN {
            assert!(
                Rto::named(name).is_some_and(|rto| rto.is_consistent()),
                "{name}"
            );
        }
        assert_eq!(Rto::named("norm"), Some(Rto::default()));
    }

    #[test]
    fn seconds_of_pigsty_3() {
        assert_eq!(nearest(30.0), "norm");
        assert_eq!(nearest(45.0), "safe");
        assert_eq!(nearest(900.0), "wide");
    }

    #[test]
    fn rows_of_the_user() {
        let row = json!([30, 5, 10, 25, 5, "2s", "0.5s", 2, 3, 3]);
        let rto = Rto::from_row("mine", &row).unwrap();
        assert_eq!(
            (rto.inter.as_str(), rto.fastinter.as_str()),
            ("2s", "500ms")
        );
        assert_eq!(Rto::from_row("mine", &json!([30, 5])), None);
    }
}
