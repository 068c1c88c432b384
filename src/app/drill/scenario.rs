//! What each drill breaks, what it waits for, and how it is mended.

use super::mend::Broken;
use super::run::Drill;
use crate::app::failure::{Failure, code};
use crate::command::quote;
use crate::engine::drill::Patience;
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::lab::{Silent, Slowness};
use crate::names::HostName;
use std::time::Duration;

/// The drills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Switch over to a standby
    Switchover,
    /// Cut the power of the leader's host, then boot it again
    KillLeader,
    /// Disconnect the leader's host from all others, then reconnect it
    PartitionLeader,
    /// Delete the data of one etcd member, then replace it
    EtcdMinority,
    /// Stop a majority of etcd for half a minute
    EtcdMajority,
    /// Limit the leader's link to 2 Mbit/s for ten seconds
    SlowLink,
    /// Cut the power of all hosts at once, then boot them again
    ColdStart,
    /// Fill the file system of the leader's WAL
    DiskFull,
    /// Expire the certificates of the leader's host
    CertificateExpired,
    /// Set the clock of the leader's host ten minutes ahead
    ClockOff,
    /// Cut the power of all other members of a group and of etcd's majority, then run `recover` on the one that is left
    ThreeLoseTwo,
    /// Inject random faults for some minutes, wait until `status` is healthy, then check each copy independently
    Chaos,
    /// Restore the newest backup of all groups to a point in a lab of its own, and prove it there; production is only read
    Restore,
}

impl Scenario {
    /// Longest write gap that counts as passed (s), a leader's key lasting `ttl`; `None`: as long as it takes.
    pub fn limit(self, ttl: u64) -> Option<u64> {
        match self {
            // Patroni takes 1.5 to 3.5 s of it; the rest are checks of HAProxy by `pg_rto`, 4 s with its default.
            Self::Switchover => Some(10),
            Self::EtcdMinority => Some(2),
            Self::KillLeader | Self::PartitionLeader => Some(ttl + 60),
            Self::ClockOff => Some(2),
            Self::SlowLink
            | Self::EtcdMajority
            | Self::ColdStart
            | Self::DiskFull
            | Self::CertificateExpired
            | Self::ThreeLoseTwo
            | Self::Chaos
            | Self::Restore => None,
        }
    }

    /// How long the writer waits: nothing is lost while a healthy leader hands over.
    pub fn patience(self) -> Patience {
        match self {
            Self::Switchover => Patience::ORDINARY,
            Self::KillLeader
            | Self::PartitionLeader
            | Self::EtcdMinority
            | Self::EtcdMajority
            | Self::SlowLink
            | Self::ColdStart
            | Self::DiskFull
            | Self::CertificateExpired
            | Self::ClockOff
            | Self::ThreeLoseTwo
            | Self::Chaos
            | Self::Restore => Patience::SHORT,
        }
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Switchover => "switchover",
            Self::KillLeader => "kill-leader",
            Self::PartitionLeader => "partition-leader",
            Self::EtcdMinority => "etcd-minority",
            Self::EtcdMajority => "etcd-majority",
            Self::SlowLink => "slow-link",
            Self::ColdStart => "cold-start",
            Self::DiskFull => "disk-full",
            Self::CertificateExpired => "certificate-expired",
            Self::ClockOff => "clock-off",
            Self::ThreeLoseTwo => "three-lose-two",
            Self::Chaos => "chaos",
            Self::Restore => "restore",
        }
    }
}

impl Drill<'_> {
    /// Breaks, waits, mends.
    pub async fn play(&mut self) -> Result<(), Failure> {
        let leader = self.leader.clone();
        match self.scenario {
            Scenario::Switchover => self.switchover().await,
            Scenario::KillLeader => self.kill(vec![leader]).await,
            Scenario::ColdStart => {
                let all = self.all.clone();
                self.kill(all).await
            }
            Scenario::PartitionLeader => self.partition(&leader).await,
            Scenario::EtcdMinority => self.etcd_minority().await,
            Scenario::EtcdMajority => self.etcd_majority().await,
            Scenario::SlowLink => self.slow(&leader).await,
            Scenario::DiskFull => self.disk_full().await,
            Scenario::CertificateExpired => self.certificate_expired().await,
            Scenario::ClockOff => self.clock_off().await,
            Scenario::ThreeLoseTwo => self.three_lose_two().await,
            Scenario::Chaos => self.chaos().await,
            // It has a lab of its own and no load.
            Scenario::Restore => Ok(()),
        }
    }

    async fn switchover(&mut self) -> Result<(), Failure> {
        let group = self.group.cluster.to_string();
        let at = self.mark("switch over");
        self.verb(&["switchover", "--group", &group, "-y"]).await?;
        self.took(at);
        self.writing(at, 60).await
    }

    async fn kill(&mut self, hosts: Vec<HostName>) -> Result<(), Failure> {
        let at = self.mark(&format!("{} without power", names(&hosts)));
        for host in &hosts {
            self.broke(Broken::Power(host.clone()));
            self.lab()?.kill(host.as_str(), &Silent)?;
        }
        let all = hosts.len() == self.all.len();
        if !all {
            self.writing(at, self.ttl() + 90).await?;
        }
        let at = self.mark(&format!("{} has power again", names(&hosts)));
        for host in &hosts {
            self.lab()?.start(host.as_str(), &Silent)?;
        }
        self.took(at);
        if all {
            let begun = self.mark("start --cold");
            self.verb(&["start", "--cold", "-y"]).await?;
            self.took(begun);
            self.writing(at, 240).await?;
        }
        self.whole(240).await
    }

    async fn partition(&mut self, host: &HostName) -> Result<(), Failure> {
        let at = self.mark(&format!("{host} is cut off"));
        self.broke(Broken::Link(host.clone()));
        self.lab()?.partition(host.as_str())?;
        self.writing(at, self.ttl() + 90).await?;
        let at = self.mark(&format!("{host} is connected again"));
        self.lab()?.heal(host.as_str())?;
        self.took(at);
        self.whole(240).await
    }

    async fn slow(&mut self, host: &HostName) -> Result<(), Failure> {
        let at = self.mark(&format!("the link of {host} carries 2 Mbit/s"));
        let slowness = Slowness {
            rate: Some(2000),
            ..Slowness::default()
        };
        self.broke(Broken::Link(host.clone()));
        self.lab()?.slow(host.as_str(), slowness)?;
        tokio::time::sleep(Duration::from_secs(10)).await;
        self.lab()?.heal(host.as_str())?;
        self.took(at);
        let at = self.mark("the link is good again");
        self.writing(at, 60).await
    }

    /// A member that does not lead the group, so that only etcd is hurt.
    async fn etcd_minority(&mut self) -> Result<(), Failure> {
        let host = self.etcd_hosts(1)?.remove(0);
        let at = self.mark(&format!("etcd on {host} loses its data"));
        self.broke(Broken::Member(host.clone()));
        let data = self.project.inventory.hosts.get(&host);
        let data = data.map(|host| Typed::new(&host.vars).get(param::ETCD_DATA));
        let data = quote(&format!("{}/member", data.unwrap_or_default()));
        self.shell(
            &host,
            &format!(
                "systemctl kill -s KILL etcd; systemctl mask --now etcd 2>/dev/null; rm -rf {data}"
            ),
        )?;
        self.writing(at, 30).await?;
        let at = self.mark(&format!("etcd add {host}"));
        self.verb(&["etcd", "add", host.as_str(), "-y"]).await?;
        self.took(at);
        self.writing(at, 30).await
    }

    async fn etcd_majority(&mut self) -> Result<(), Failure> {
        let quorum = self
            .project
            .model
            .etcd
            .as_ref()
            .map_or(0, |etcd| etcd.quorum());
        let hosts = self.etcd_hosts(quorum)?;
        self.mark(&format!("etcd stops on {}", names(&hosts)));
        for host in &hosts {
            self.broke(Broken::Etcd(host.clone()));
            self.shell(
                host,
                "systemctl kill -s KILL etcd; systemctl mask --now --runtime etcd 2>/dev/null",
            )?;
        }
        tokio::time::sleep(Duration::from_secs(30)).await;
        let at = self.mark(&format!("etcd starts on {}", names(&hosts)));
        for host in &hosts {
            self.shell(host, "systemctl unmask --runtime etcd 2>/dev/null; systemctl reset-failed etcd; systemctl start --no-block etcd")?;
        }
        self.writing(at, 120).await
    }

    pub(super) fn etcd_hosts(&self, count: usize) -> Result<Vec<HostName>, Failure> {
        let members = self
            .project
            .model
            .etcd
            .iter()
            .flat_map(|etcd| &etcd.members);
        let mut hosts: Vec<HostName> = members.map(|member| member.host.clone()).collect();
        hosts.sort_by_key(|host| *host == self.leader);
        hosts.truncate(count.max(1));
        match hosts.is_empty() {
            true => Err(Failure::new(code::INPUT, "the inventory has no etcd")),
            false => Ok(hosts),
        }
    }

    pub(super) fn shell(&mut self, host: &HostName, line: &str) -> Result<(), Failure> {
        let status = self.lab()?.run_on(host.as_str(), &[line.into()])?;
        match status.success() {
            true => Ok(()),
            false => Err(Failure::new(
                code::FAILED,
                format!("{host}: `{line}` failed ({status})"),
            )),
        }
    }
}

impl Drill<'_> {
    /// The same, where it is no matter whether it hits.
    pub(super) fn try_shell(&mut self, host: &HostName, line: &str) -> Result<(), Failure> {
        let status = self.lab()?.run_on(host.as_str(), &[line.into()])?;
        if !status.success() {
            self.mark(&format!("  {host}: `{line}` met nothing"));
        }
        Ok(())
    }
}

fn names(hosts: &[HostName]) -> String {
    let names: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
    names.join(", ")
}
