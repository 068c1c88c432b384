//! What `drill chaos` does and when: a list made from a seed, which can be written down, read, and played again.

use crate::event::drill::Millis;
use crate::names::HostName;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A fault, or something that an operator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A host without power, and with it again.
    Power,
    /// A host cut off from all others.
    Link,
    /// A link that is slow.
    Slow,
    /// etcd stopped.
    Etcd,
    /// A unit's processes killed (SIGKILL), once.
    Kill(Unit),
    /// A unit's processes stopped (SIGSTOP) for a time that is shorter than a leader's key lasts.
    Freeze,
    /// The clock that a host shows to who asks it.
    Clock,
    /// `switchover`.
    Switchover,
    /// `restart` of a group.
    Restart,
    /// `apply`, with nothing to do.
    Apply,
    /// `apply`, killed in the middle.
    ApplyKilled,
    /// `recover rejoin`, although nobody recovered.
    Rejoin,
}

/// What can be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Patroni,
    Postgres,
    Etcd,
    Haproxy,
    Pgbouncer,
}

/// The words of a trace, and how often each deed comes.
const DEEDS: [(&str, Deed, u32); 16] = [
    ("power", Deed::Power, 5),
    ("link", Deed::Link, 5),
    ("slow", Deed::Slow, 2),
    ("etcd", Deed::Etcd, 3),
    ("kill-patroni", Deed::Kill(Unit::Patroni), 2),
    ("kill-postgres", Deed::Kill(Unit::Postgres), 3),
    ("kill-etcd", Deed::Kill(Unit::Etcd), 2),
    ("kill-haproxy", Deed::Kill(Unit::Haproxy), 1),
    ("kill-pgbouncer", Deed::Kill(Unit::Pgbouncer), 1),
    ("freeze", Deed::Freeze, 2),
    ("clock", Deed::Clock, 1),
    ("switchover", Deed::Switchover, 4),
    ("restart", Deed::Restart, 1),
    ("apply", Deed::Apply, 2),
    ("apply-killed", Deed::ApplyKilled, 2),
    ("rejoin", Deed::Rejoin, 1),
];

impl Deed {
    /// The word of a trace.
    pub fn word(self) -> &'static str {
        let found = DEEDS.iter().find(|(_, deed, _)| *deed == self);
        found.map_or("", |(word, _, _)| word)
    }

    /// Whether it happens to one host.
    pub fn has_host(self) -> bool {
        match self {
            Self::Power
            | Self::Link
            | Self::Slow
            | Self::Etcd
            | Self::Kill(_)
            | Self::Freeze
            | Self::Clock => true,
            Self::Switchover | Self::Restart | Self::Apply | Self::ApplyKilled | Self::Rejoin => {
                false
            }
        }
    }

    /// How long it lasts at least and at most (ms).
    fn lasts(self) -> (Millis, Millis) {
        match self {
            Self::Power | Self::Link | Self::Etcd => (1000, 30_000),
            Self::Slow | Self::Clock => (2000, 15_000),
            Self::Freeze => (500, 6000),
            Self::ApplyKilled => (100, 4000),
            Self::Kill(_) | Self::Switchover | Self::Restart | Self::Apply | Self::Rejoin => (0, 0),
        }
    }
}

/// One line of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// Since the trace began.
    pub at: Millis,
    pub deed: Deed,
    /// `None` where it concerns no one host.
    pub host: Option<HostName>,
    /// How long it lasts; nothing where it is done at once.
    pub lasts: Millis,
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.host.as_ref().map_or("-", HostName::as_str);
        let (at, word, lasts) = (self.at, self.deed.word(), self.lasts);
        write!(f, "{at} {word} {host} {lasts}")
    }
}

/// A line that is no act.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no line of a trace: MILLISECONDS DEED HOST|- MILLISECONDS")]
pub struct NoAct(String);

impl FromStr for Act {
    type Err = NoAct;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let bad = || NoAct(line.to_owned());
        let [at, word, host, lasts] = words.as_slice() else {
            return Err(bad());
        };
        let (_, deed, _) = DEEDS
            .iter()
            .find(|(known, _, _)| known == word)
            .ok_or_else(bad)?;
        let host = (*host != "-").then(|| HostName::new(*host));
        if deed.has_host() != host.is_some() {
            return Err(bad());
        }
        Ok(Self {
            at: at.parse().map_err(|_| bad())?,
            deed: *deed,
            host,
            lasts: lasts.parse().map_err(|_| bad())?,
        })
    }
}

/// A trace as a file has it: a line for each act, empty ones and comments left out.
///
/// # Errors
/// The first line that is no act.
pub fn read(text: &str) -> Result<Vec<Act>, NoAct> {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(Act::from_str).collect()
}

/// The acts of a seed: faults overlap, and no host has two at once.
pub fn of_seed(seed: u64, length: Millis, hosts: &[HostName], etcd: &[HostName]) -> Vec<Act> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut busy: BTreeMap<HostName, Millis> = BTreeMap::new();
    let mut acts = Vec::new();
    let mut at = 1000 + random.u64(0..3000);
    while at < length {
        let deed = chosen(&mut random);
        let (least, most) = deed.lasts();
        let lasts = random.u64(least..=most).min(length - at);
        let places = match deed {
            Deed::Etcd | Deed::Kill(Unit::Etcd) => etcd,
            _ => hosts,
        };
        let host = random.choice(places).filter(|_| deed.has_host());
        let free = host.is_none_or(|host| busy.get(host).is_none_or(|until| *until < at));
        if free && deed.has_host() == host.is_some() {
            if let Some(host) = host {
                // A host that was without power starts its services.
                busy.insert(host.clone(), at + lasts + 5000);
            }
            acts.push(Act {
                at,
                deed,
                host: host.cloned(),
                lasts,
            });
        }
        at += 500 + random.u64(0..9000);
    }
    acts
}

fn chosen(random: &mut fastrand::Rng) -> Deed {
    let all = DEEDS.iter().map(|(_, _, weight)| weight).sum();
    let mut left = random.u32(0..all);
    for (_, deed, weight) in DEEDS {
        if left < weight {
            return deed;
        }
        left -= weight;
    }
    Deed::Apply
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> Vec<HostName> {
        let names = ["10.10.10.11", "10.10.10.12", "10.10.10.13"];
        names.into_iter().map(HostName::new).collect()
    }

    #[test]
    fn a_seed_gives_the_same_acts_each_time_and_another_seed_others() {
        let acts = |seed| of_seed(seed, 300_000, &hosts(), &hosts());
        assert_eq!(acts(1), acts(1));
        assert_ne!(acts(1), acts(2));
        assert!(acts(1).len() > 20, "{}", acts(1).len());
        assert!(acts(1).iter().all(|act| act.at + act.lasts <= 300_000));
    }

    #[test]
    fn no_host_has_two_faults_at_once() {
        for seed in 0..50 {
            let acts = of_seed(seed, 300_000, &hosts(), &hosts());
            for (index, act) in acts
                .iter()
                .enumerate()
                .filter(|(_, act)| act.host.is_some())
            {
                let later = acts[index + 1..]
                    .iter()
                    .find(|later| later.host == act.host);
                assert!(later.is_none_or(|later| later.at > act.at + act.lasts + 5000));
            }
        }
    }

    #[test]
    fn a_trace_is_read_as_it_is_written() {
        let acts = of_seed(7, 200_000, &hosts(), &hosts());
        let text: Vec<String> = acts.iter().map(Act::to_string).collect();
        assert_eq!(
            read(&format!("# seed 7\n\n{}\n", text.join("\n"))).expect("a trace"),
            acts
        );
        for bad in [
            "1 power - 5",
            "1 apply 10.10.10.11 5",
            "1 nonsense - 5",
            "x apply - 5",
            "apply",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_deed_comes() {
        let acts: Vec<Act> = (0..40)
            .flat_map(|seed| of_seed(seed, 300_000, &hosts(), &hosts()))
            .collect();
        for (word, deed, _) in DEEDS {
            assert!(acts.iter().any(|act| act.deed == deed), "{word}");
        }
    }
}
