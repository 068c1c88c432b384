//! How long writes stop when the lead changes hands, by what was measured (see docs/operations.md).

use super::{Commit, GroupView};
use crate::model::Rto;
use crate::names::InstanceName;
use std::fmt;

/// What to expect of a switchover.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gap {
    /// Seconds without writes.
    pub seconds: f64,
    /// Seconds, at most, until HAProxy's checks have seen the new leader.
    pub checks: f64,
    /// The old leader must be back before the first commit is acknowledged.
    pub waits_for_old_leader: bool,
}

/// The lead changes hands: stop, release the key, promote.
const HANDOVER: f64 = 1.5;
/// HAProxy is told as soon as the new leader says so.
const TOLD: f64 = 0.3;
/// Patroni starts the old leader again two seconds after it has stopped it.
const OLD_LEADER: f64 = 2.0;

impl Gap {
    /// Of a switchover to `candidate`. Where commits wait for a standby and no other standby is there, they wait for the
    /// old leader to come back as one.
    pub fn of(view: &GroupView<'_>, candidate: &InstanceName) -> Self {
        let other = view.seen.members.iter().any(|member| {
            let known = view
                .group
                .members
                .iter()
                .find(|known| known.name == member.name);
            let may = known.is_some_and(|known| !known.tags.nosync);
            may && member.is_streaming() && member.name != *candidate
        });
        let waits = view.commit() != Commit::Asynchronous && !other;
        Self {
            seconds: HANDOVER + if waits { OLD_LEADER } else { 0.0 },
            checks: match view.proxies {
                Some(_) => TOLD,
                None => checks(&view.group.rto),
            },
            waits_for_old_leader: waits,
        }
    }
}

/// A server that is down is looked at every `downinter`, and one that comes up every `fastinter` until `rise` looks were good.
fn checks(rto: &Rto) -> f64 {
    let rises = f64::from(rto.rise.saturating_sub(1));
    seconds(&rto.downinter) + rises * seconds(&rto.fastinter)
}

/// A time as HAProxy writes it.
fn seconds(time: &str) -> f64 {
    let number = |text: &str| text.parse::<f64>().unwrap_or(0.0);
    match (time.strip_suffix("ms"), time.strip_suffix('s')) {
        (Some(millis), _) => number(millis) / 1000.0,
        (None, Some(seconds)) => number(seconds),
        (None, None) => number(time) / 1000.0,
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "writes stop for about {:.1} s", self.seconds)?;
        if self.waits_for_old_leader {
            f.write_str(
                ": the first commit waits until the old leader is back as a standby (a third member makes it 1.5 s)",
            )?;
        }
        write!(
            f,
            "; through HAProxy up to {:.1} s more, until it knows of the new leader",
            self.checks
        )
    }
}
