//! Faults of the network: a host cut off, two hosts cut off from each other, a slow or lossy link.
//!
//! Faults live in the kernel's namespaces and nowhere else: they are read back from there, survive a host's loss of
//! power, and go with the lab.

use super::error::LabError;
use super::machine::Lab;
use super::record::Record;
use super::tool;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// A hardware address that no machine has: what is sent to it is lost, as on a cut cable.
const NOWHERE: &str = "02:00:00:00:00:de";

/// How bad a link is, in each direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Slowness {
    /// Each way, so a round trip takes twice as long.
    pub delay: Duration,
    /// How much the delay varies.
    pub jitter: Duration,
    /// Packets lost, in percent.
    pub loss: f64,
    /// Kilobits a second.
    pub rate: Option<u32>,
}

impl Slowness {
    /// The longest delay that makes sense; beyond it a link is cut.
    const LONGEST: Duration = Duration::from_secs(10);
    /// The slowest rate at which a packet still fits (kbit/s).
    const SLOWEST: u32 = 64;

    /// Whether a link can be so.
    ///
    /// # Errors
    /// [`LabError::BadSlowness`] with the bound that is broken.
    pub fn validate(&self) -> Result<(), LabError> {
        let bad = |problem: &str| Err(LabError::BadSlowness(problem.to_owned()));
        if self.delay > Self::LONGEST || self.jitter > self.delay {
            return bad("a delay is 10 s at most, and varies by no more than itself");
        }
        if !(0.0..=99.0).contains(&self.loss) {
            return bad("a loss is from 0 to 99 percent; `lab partition` loses all");
        }
        if self.rate.is_some_and(|rate| rate < Self::SLOWEST) {
            return bad("a rate is 64 kbit/s at least");
        }
        if *self == Self::default() {
            return bad("name a delay, a loss or a rate");
        }
        Ok(())
    }

    /// What `tc` calls it. A rate alone needs no netem.
    fn discipline(&self) -> Vec<String> {
        let word = str::to_owned;
        let rate = self.rate.map(|rate| format!("{rate}kbit"));
        if self.delay.is_zero() && self.loss == 0.0 {
            let rate = rate.unwrap_or_default();
            return ["tbf", "rate", &rate, "burst", "16kb", "latency", "400ms"]
                .map(word)
                .to_vec();
        }
        let mut words = vec![word("netem"), word("delay")];
        words.push(format!("{}us", self.delay.as_micros()));
        words.push(format!("{}us", self.jitter.as_micros()));
        words.extend([word("loss"), format!("{}%", self.loss)]);
        words.extend(rate.into_iter().flat_map(|rate| [word("rate"), rate]));
        words
    }
}

/// A fault of a host's link as the kernel has it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkFault {
    /// It hears nobody.
    Cut,
    /// It and this host do not hear each other.
    CutFrom(String),
    /// The discipline of its link, as `tc` says it.
    Slow(String),
}

impl fmt::Display for LinkFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut => f.write_str("cut off"),
            Self::CutFrom(host) => write!(f, "cut off from {host}"),
            Self::Slow(how) => write!(f, "slow ({how})"),
        }
    }
}

impl Lab {
    /// Whether the lab has all these hosts, so that nothing is done when one is misspelt.
    ///
    /// # Errors
    /// No such host.
    pub fn check_hosts<'a>(
        &self,
        hosts: impl IntoIterator<Item = &'a String>,
    ) -> Result<(), LabError> {
        let mut hosts = hosts.into_iter();
        hosts.try_for_each(|host| self.record.index(host).map(drop))
    }

    /// Cuts a host off from all others and from this computer, as when a switch dies.
    ///
    /// # Errors
    /// No such host.
    pub fn partition(&self, host: &str) -> Result<(), LabError> {
        let index = self.record.index(host)?;
        link(&self.record, index, "down")
    }

    /// Cuts two hosts off from each other; both still hear everybody else.
    ///
    /// # Errors
    /// No such host, or the same twice.
    pub fn partition_between(&self, host: &str, other: &str) -> Result<(), LabError> {
        let (one, two) = (self.record.index(host)?, self.record.index(other)?);
        if one == two {
            return Err(LabError::BadHost {
                host: host.to_owned(),
                problem: "cannot be cut off from itself".to_owned(),
            });
        }
        deafen(&self.record, one, two)?;
        deafen(&self.record, two, one)
    }

    /// Makes a host's link slow or lossy, in both directions.
    ///
    /// # Errors
    /// No such host, a slowness out of bounds, [`LabError::NoNetem`] where the kernel lacks it.
    pub fn slow(&self, host: &str, slowness: Slowness) -> Result<(), LabError> {
        slowness.validate()?;
        let index = self.record.index(host)?;
        for (ns, device) in ends(&self.record, index) {
            let words = ["-n", &ns, "qdisc", "replace", "dev", &device, "root"];
            let mut args: Vec<String> = words.map(str::to_owned).to_vec();
            args.extend(slowness.discipline());
            tool::run("tc", &args).map_err(unsupported)?;
        }
        Ok(())
    }

    /// Takes all faults of a host's link away.
    ///
    /// # Errors
    /// No such host.
    pub fn heal(&self, host: &str) -> Result<(), LabError> {
        let index = self.record.index(host)?;
        for (ns, device) in ends(&self.record, index) {
            if discipline(&ns, &device)?.is_some() {
                tool::run("tc", &["-n", &ns, "qdisc", "del", "dev", &device, "root"])?;
            }
        }
        for peer in deaf_to(&self.record, index)? {
            listen(&self.record, index, peer)?;
            listen(&self.record, peer, index)?;
        }
        link(&self.record, index, "up")
    }

    /// The faults of a host's link; none are known of a lab whose network is gone.
    pub(super) fn faults(&self, index: usize) -> Vec<LinkFault> {
        faults(&self.record, index).unwrap_or_default()
    }
}

fn faults(record: &Record, index: usize) -> Result<Vec<LinkFault>, LabError> {
    let mut faults = Vec::new();
    if is_cut(record, index)? {
        faults.push(LinkFault::Cut);
    }
    for peer in deaf_to(record, index)? {
        let name = record.spec.hosts[peer].name.to_string();
        faults.push(LinkFault::CutFrom(name));
    }
    let slow = discipline(&record.control_ns(), &record.veth(index))?;
    faults.extend(slow.map(LinkFault::Slow));
    Ok(faults)
}

/// Whether a host hears nobody.
pub(super) fn is_cut(record: &Record, index: usize) -> Result<bool, LabError> {
    let (ns, device) = (record.control_ns(), record.veth(index));
    let line = tool::run("ip", &["-n", &ns, "-o", "link", "show", &device])?;
    Ok(!flags(&line).any(|flag| flag == "UP"))
}

/// A host without power neither answers nor says goodbye: its port of the bridge is shut while it is off. A port whose
/// link is down has no state; it forwards again when the link comes up.
pub(super) fn power(record: &Record, index: usize, on: bool) -> Result<(), LabError> {
    if is_cut(record, index)? {
        return Ok(());
    }
    let (ns, device) = (record.control_ns(), record.veth(index));
    let state = if on { "3" } else { "0" };
    let words = ["-n", &ns, "link", "set", "dev", &device, "state", state];
    tool::run("bridge", &words).map(drop)
}

/// The flags of a line of `ip -o link`: `5: a@if2: <BROADCAST,MULTICAST,UP> mtu ...`.
fn flags(line: &str) -> impl Iterator<Item = &str> {
    let inner = line
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or("", |(flags, _)| flags).split(',')
}

fn link(record: &Record, index: usize, state: &str) -> Result<(), LabError> {
    let (ns, device) = (record.control_ns(), record.veth(index));
    tool::run("ip", &["-n", &ns, "link", "set", &device, state]).map(drop)
}

/// Both ends of a host's link: each slows what it sends.
fn ends(record: &Record, index: usize) -> [(String, String); 2] {
    [
        (record.control_ns(), record.veth(index)),
        (record.host_ns(index), "eth0".to_owned()),
    ]
}

/// The discipline that we gave a device, if any.
fn discipline(ns: &str, device: &str) -> Result<Option<String>, LabError> {
    let text = tool::run("tc", &["-n", ns, "qdisc", "show", "dev", device])?;
    Ok(slowness_of(&text))
}

fn slowness_of(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, kind @ ("netem" | "tbf"), _, rest @ ..] = words.as_slice() else {
            return None;
        };
        let known = ["delay", "loss", "rate"];
        let from = rest.iter().position(|word| known.contains(word))?;
        Some(format!("{kind} {}", rest[from..].join(" ")))
    })
}

/// What one host sends to the other goes nowhere from now on.
fn deafen(record: &Record, index: usize, peer: usize) -> Result<(), LabError> {
    let (ns, address) = (record.host_ns(index), address(record, peer));
    let words = [
        "-n",
        &ns,
        "neigh",
        "replace",
        &address,
        "lladdr",
        NOWHERE,
        "dev",
        "eth0",
        "nud",
        "permanent",
    ];
    tool::run("ip", &words).map(drop)
}

fn listen(record: &Record, index: usize, peer: usize) -> Result<(), LabError> {
    let (ns, address) = (record.host_ns(index), address(record, peer));
    if neighbours(record, index)?.contains(&address) {
        tool::run("ip", &["-n", &ns, "neigh", "del", &address, "dev", "eth0"])?;
    }
    Ok(())
}

/// The hosts that a host does not hear.
fn deaf_to(record: &Record, index: usize) -> Result<Vec<usize>, LabError> {
    let lost = neighbours(record, index)?;
    let all = 0..record.spec.hosts.len();
    Ok(all
        .filter(|peer| lost.contains(&address(record, *peer)))
        .collect())
}

/// Addresses that lead nowhere: `10.0.0.2 dev eth0 lladdr 02:00:00:00:00:de PERMANENT`.
fn neighbours(record: &Record, index: usize) -> Result<Vec<String>, LabError> {
    let ns = record.host_ns(index);
    let text = tool::run("ip", &["-n", &ns, "neigh", "show", "nud", "permanent"])?;
    let lost = text.lines().filter(|line| line.contains(NOWHERE));
    Ok(lost
        .filter_map(|line| line.split_whitespace().next())
        .filter_map(|word| word.parse::<IpAddr>().ok())
        .map(|address| address.to_string())
        .collect())
}

fn address(record: &Record, index: usize) -> String {
    record.spec.hosts[index].address.to_string()
}

/// A kernel without a discipline says something else entirely.
fn unsupported(error: LabError) -> LabError {
    match &error {
        LabError::Command { stderr, .. } if stderr.contains("qdisc kind is unknown") => {
            LabError::NoNetem
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_slowness() {
        let ok = Slowness {
            delay: Duration::from_millis(50),
            loss: 1.5,
            ..Slowness::default()
        };
        assert!(ok.validate().is_ok());
        let bad = [
            Slowness::default(),
            Slowness {
                delay: Duration::from_secs(11),
                ..ok
            },
            Slowness {
                jitter: Duration::from_millis(51),
                ..ok
            },
            Slowness { loss: 100.0, ..ok },
            Slowness {
                loss: f64::NAN,
                ..ok
            },
            Slowness {
                rate: Some(1),
                ..ok
            },
        ];
        for slowness in bad {
            assert!(slowness.validate().is_err(), "{slowness:?}");
        }
    }

    #[test]
    fn a_rate_alone_needs_no_netem() {
        let slowness = Slowness {
            rate: Some(512),
            ..Slowness::default()
        };
        assert_eq!(slowness.discipline()[..3], ["tbf", "rate", "512kbit"]);
        let slowness = Slowness {
            delay: Duration::from_millis(50),
            ..slowness
        };
        assert_eq!(
            slowness.discipline().join(" "),
            "netem delay 50000us 0us loss 0% rate 512kbit"
        );
    }

    #[test]
    fn reads_what_the_kernel_says() {
        let up = "5: l1h0@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue";
        let down = "5: l1h0@if2: <BROADCAST,MULTICAST> mtu 1500 state DOWN mode DEFAULT";
        assert!(flags(up).any(|flag| flag == "UP"));
        assert!(!flags(down).any(|flag| flag == "UP"));
        assert_eq!(slowness_of("qdisc noqueue 0: root refcnt 2"), None);
        assert_eq!(
            slowness_of("qdisc tbf 8001: root refcnt 2 rate 512Kbit burst 16Kb lat 400ms")
                .as_deref(),
            Some("tbf rate 512Kbit burst 16Kb lat 400ms")
        );
    }
}
