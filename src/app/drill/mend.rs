//! A drill that does not come to its end, by Ctrl-C or because something was waited for in vain, mends what it broke.

use super::run::Drill;
use crate::app::failure::{Failure, code};
use crate::lab::Silent;
use crate::names::HostName;
use std::fmt;

/// What a drill has broken. Mending it twice does no harm.
#[derive(Clone, Debug)]
pub(super) enum Broken {
    /// A host without power.
    Power(HostName),
    /// A link that is cut or slow.
    Link(HostName),
    /// etcd that was stopped.
    Etcd(HostName),
    /// A member of etcd without its data.
    Member(HostName),
    /// A log on a small file system.
    Log(HostName),
    /// Certificates that have ended.
    Certificates,
    /// A clock that is off.
    Clock(HostName),
    /// Patroni's processes that were stopped by a signal.
    Frozen(HostName),
    /// Nobody but the operator knows how it is to end.
    Recover,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Power(host) => write!(f, "{host} without power"),
            Self::Link(host) => write!(f, "the link of {host}"),
            Self::Etcd(host) => write!(f, "etcd on {host}"),
            Self::Member(host) => write!(f, "the data of etcd on {host}"),
            Self::Log(host) => write!(f, "the log on {host}"),
            Self::Certificates => f.write_str("the certificates"),
            Self::Clock(host) => write!(f, "the clock of {host}"),
            Self::Frozen(host) => write!(f, "Patroni frozen on {host}"),
            Self::Recover => f.write_str("the recover"),
        }
    }
}

impl Broken {
    /// The host, where it is one.
    pub(super) fn host(&self) -> Option<&HostName> {
        match self {
            Self::Power(host)
            | Self::Link(host)
            | Self::Etcd(host)
            | Self::Member(host)
            | Self::Log(host)
            | Self::Clock(host)
            | Self::Frozen(host) => Some(host),
            Self::Certificates | Self::Recover => None,
        }
    }
}

/// Ctrl-C, or to be ended politely.
pub(in crate::app) async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let ctrl_c = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut end) => tokio::select! {
            _ = ctrl_c => {}
            _ = end.recv() => {}
        },
        Err(_) => drop(ctrl_c.await),
    }
}

pub(super) fn was_interrupted() -> Failure {
    Failure::new(code::DECLINED, "interrupted")
}

impl Drill<'_> {
    /// Notes what is about to be broken.
    pub(super) fn broke(&mut self, what: Broken) {
        self.broken.push(what);
    }

    /// Mends all of it, the last first; gives what is left broken, in words.
    pub(super) async fn mend(&mut self) -> Vec<String> {
        let (mut left, mut mended) = (Vec::new(), false);
        for what in std::mem::take(&mut self.broken).into_iter().rev() {
            let at = self.mark(&format!("mend {what}"));
            if let Err(failure) = self.mend_one(&what).await {
                left.push(format!("{what} is left as it is: {}", failure.text));
            }
            self.took(at);
            mended = true;
        }
        if mended && left.is_empty() {
            self.settle().await;
        }
        left
    }

    /// Until writes flow, so that the drill's own table can go; Ctrl-C once more ends the wait.
    async fn settle(&mut self) {
        let (now, seconds) = (self.now(), self.ttl() + 60);
        tokio::select! {
            _ = self.writing(now, seconds) => {}
            () = interrupted() => {}
        }
    }

    pub(super) async fn mend_one(&mut self, what: &Broken) -> Result<(), Failure> {
        match what {
            Broken::Power(host) => self.power_back(host),
            Broken::Link(host) => Ok(self.lab()?.heal(host.as_str())?),
            Broken::Etcd(host) => self.shell(
                host,
                "systemctl unmask --runtime etcd 2>/dev/null; systemctl reset-failed etcd 2>/dev/null; systemctl start --no-block etcd",
            ),
            Broken::Member(host) => self.verb(&["etcd", "add", host.as_str(), "-y"]).await,
            Broken::Log(host) => self.log_back(host),
            Broken::Certificates => self.verb(&["apply", "-y"]).await,
            Broken::Clock(host) => self.clock_back(host),
            Broken::Frozen(host) => self.try_shell(host, "systemctl kill -s CONT patroni"),
            Broken::Recover => Err(Failure::new(
                code::FAILED,
                "start the lost hosts one at a time (`citusctl lab start`), and `citusctl recover rejoin` after each",
            )),
        }
    }

    fn power_back(&mut self, host: &HostName) -> Result<(), Failure> {
        let lab = self.lab()?;
        let off = |status: &crate::lab::HostStatus| status.name == *host && !status.running;
        match lab.status().hosts.iter().any(off) {
            true => Ok(lab.start(host.as_str(), &Silent)?),
            false => Ok(()),
        }
    }
}
