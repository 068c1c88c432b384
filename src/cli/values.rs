//! How values of other modules are spelt on the command line, and what its help says of them.

use crate::app::drill::{Back, Scenario, Survivor};
use crate::model::access::{self, Purpose};
use crate::pki::rotation::Phase;
use crate::runbook::backup::BackupKind;
use crate::runbook::recover::RecoverMethod;
use crate::transport::HostKeyPolicy;
use clap::ValueEnum;
use clap::builder::PossibleValue;

fn spelt(name: &'static str, help: &'static str) -> Option<PossibleValue> {
    let value = PossibleValue::new(name);
    Some(match help {
        "" => value,
        help => value.help(help),
    })
}

impl ValueEnum for BackupKind {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Full, Self::Diff, Self::Incr]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        spelt(self.word(), "")
    }
}

impl ValueEnum for HostKeyPolicy {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Strict, Self::AcceptNew, Self::Off]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        spelt(self.name(), "")
    }
}

impl ValueEnum for Purpose {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::ReadWrite, Self::ReadOnly, Self::Admin]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let name = match self {
            Self::ReadWrite => "rw",
            Self::ReadOnly => "ro",
            Self::Admin => "admin",
        };
        spelt(name, "")
    }
}

impl ValueEnum for access::Via {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::Members,
            Self::Haproxy,
            Self::AnyNode,
            Self::Vip,
            Self::HostVip,
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let name = match self {
            Self::Members => "members",
            Self::Haproxy => "haproxy",
            Self::AnyNode => "any-node",
            Self::Vip => "vip",
            Self::HostVip => "host-vip",
        };
        spelt(name, "")
    }
}

/// The last step has no name: nobody stops after it.
impl ValueEnum for Phase {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Trust, Self::Renew]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Self::Trust => spelt("trust", "Both authorities are trusted everywhere"),
            Self::Renew => spelt("renew", "All certificates are the new one's"),
            Self::End => None,
        }
    }
}

impl ValueEnum for RecoverMethod {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Etcd, Self::Promote]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Etcd => "Reduce etcd to a quorum of one and let Patroni promote",
            Self::Promote => "Without etcd: stop Patroni and promote PostgreSQL directly",
        };
        spelt(self.word(), help)
    }
}

impl ValueEnum for Survivor {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Replica, Self::Primary]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Replica => "A standby: whatever it had not received is lost",
            Self::Primary => "The leader: its copy is whole",
        };
        spelt(self.name(), help)
    }
}

impl ValueEnum for Back {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Rejoin, Self::Rebuild]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Rejoin => "The lost hosts come back with their disks",
            Self::Rebuild => "They are gone for good; then fresh hosts take their place",
        };
        spelt(self.name(), help)
    }
}

impl ValueEnum for Scenario {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::Switchover,
            Self::KillLeader,
            Self::PartitionLeader,
            Self::EtcdMinority,
            Self::EtcdMajority,
            Self::SlowLink,
            Self::ColdStart,
            Self::DiskFull,
            Self::CertificateExpired,
            Self::ClockOff,
            Self::ThreeLoseTwo,
            Self::Chaos,
            Self::Restore,
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Switchover => "Switch over to a standby",
            Self::KillLeader => "Cut the power of the leader's host, then boot it again",
            Self::PartitionLeader => {
                "Disconnect the leader's host from all others, then reconnect it"
            }
            Self::EtcdMinority => "Delete the data of one etcd member, then replace it",
            Self::EtcdMajority => "Stop a majority of etcd for half a minute",
            Self::SlowLink => "Limit the leader's link to 2 Mbit/s for ten seconds",
            Self::ColdStart => "Cut the power of all hosts at once, then boot them again",
            Self::DiskFull => "Fill the file system of the leader's WAL",
            Self::CertificateExpired => "Expire the certificates of the leader's host",
            Self::ClockOff => "Set the clock of the leader's host ten minutes ahead",
            Self::ThreeLoseTwo => {
                "Cut the power of all other members of a group and of etcd's majority, then run `recover` on the one that is left"
            }
            Self::Chaos => {
                "Inject random faults for some minutes, wait until `status` is healthy, then check each copy independently"
            }
            Self::Restore => {
                "Restore the newest backup of all groups to a point in a lab of its own and prove it there; what is at work is only read"
            }
        };
        spelt(self.name(), help)
    }
}
