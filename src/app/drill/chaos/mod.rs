//! `drill chaos`: faults and operators at random moments, then what is left is judged by itself.

mod confirm;
mod judge;
mod trace;

use super::mend::Broken;
use super::run::Drill;
use crate::app::failure::{Failure, code};
use crate::engine::drill::facts;
use crate::event::drill::{Chaos, Millis};
use crate::lab::{Silent, Slowness};
use crate::model::Group;
use crate::names::HostName;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;
use tokio::process::Child;
use trace::{Deed, Unit};

pub use trace::Act;

/// What `drill chaos` plays.
#[derive(Clone, Debug, Default)]
pub struct ChaosRequest {
    /// Where the acts come from; one is drawn where none is given.
    pub seed: Option<u64>,
    /// How long acts begin.
    pub minutes: Option<u64>,
    /// Acts that were written down before.
    pub trace: Option<PathBuf>,
}

impl ChaosRequest {
    /// Whether anything was asked for.
    pub fn is_empty(&self) -> bool {
        self.seed.is_none() && self.minutes.is_none() && self.trace.is_none()
    }
}

/// How long a formation has until it is healthy by itself, before commands that `status` names are run.
const BY_ITSELF: Millis = 90_000;
/// How long it has in all.
const HEALTHY: Millis = 420_000;

/// An act begins or ends.
type Move = (Millis, bool, Act);

impl Drill<'_> {
    /// Decides what is played, before anything is done.
    pub(super) fn draw(&mut self) -> Result<(), Failure> {
        let request = self.chaos_request.clone();
        let minutes = request.minutes.unwrap_or(3);
        let seed = request.seed.unwrap_or_else(|| fastrand::u64(1..1_000_000));
        let (hosts, etcd) = (self.hosts(), self.etcd_hosts(usize::MAX)?);
        let acts = match &request.trace {
            None => trace::of_seed(seed, minutes * 60_000, &hosts, &etcd),
            Some(path) => {
                let text = fs_err::read_to_string(path)
                    .map_err(|error| Failure::new(code::USAGE, error.to_string()))?;
                let bad = |error| Failure::new(code::USAGE, format!("{}: {error}", path.display()));
                trace::read(&text).map_err(bad)?
            }
        };
        let known = |act: &&Act| act.host.as_ref().is_some_and(|host| !hosts.contains(host));
        if let Some(act) = acts.iter().find(known) {
            let text = format!("`{act}`: no such host of the formation");
            return Err(Failure::new(code::USAGE, text));
        }
        self.chaos = Some(Chaos {
            seed: request.trace.is_none().then_some(seed),
            trace: acts.iter().map(Act::to_string).collect(),
            ..Chaos::default()
        });
        self.acts = acts;
        Ok(())
    }

    /// Hosts that carry a member of the formation or of its etcd.
    fn hosts(&self) -> Vec<HostName> {
        let members = self.groups().into_iter().flat_map(|group| &group.members);
        let members = members.map(|member| member.host.clone());
        let etcd = self
            .project
            .model
            .etcd
            .iter()
            .flat_map(|etcd| &etcd.members);
        let all: BTreeSet<HostName> = members
            .chain(etcd.map(|member| member.host.clone()))
            .collect();
        all.into_iter().collect()
    }

    /// The group whose name a `reinit` asks for, where the copy may be the only one of something.
    fn cluster_of(&self, words: &str) -> Option<String> {
        let member = words.strip_prefix("reinit ")?;
        let groups = self.groups();
        let group = groups
            .iter()
            .find(|group| group.members.iter().any(|it| it.name.as_str() == member));
        group.map(|group| group.cluster.to_string())
    }

    /// All groups of the formation that is drilled.
    pub(super) fn groups(&self) -> Vec<&Group> {
        let model = &self.project.model;
        let found = model.group(&self.group.cluster);
        found.map_or_else(Vec::new, |(formation, _)| formation.groups.iter().collect())
    }

    pub(super) async fn chaos(&mut self) -> Result<(), Failure> {
        let promised = self.promised().await?;
        let begun = self.now();
        let mut verbs = Vec::new();
        for (at, begins, act) in moves(&self.acts) {
            self.until(at / 1000 + 60, |drill| drill.now() >= begun + at)
                .await;
            match begins {
                true => self.begin(&act, &mut verbs).await?,
                false => self.end(&act, &mut verbs).await?,
            }
        }
        for (act, child) in verbs {
            self.verb_ended(&act, child).await?;
        }
        let left = self.mend().await;
        self.found.extend(left);
        let healthy = self.until_healthy().await?;
        self.confirm().await;
        if let Some(chaos) = &mut self.chaos {
            chaos.healthy = Some(healthy);
            chaos.promised = promised;
        }
        Ok(())
    }

    /// Whether commits wait for a standby: then no acknowledged row may be lost.
    async fn promised(&self) -> Result<bool, Failure> {
        let said = facts::synchronous(&self.doors, &self.login).await;
        let bad = |why| Failure::new(code::FAILED, format!("the mode of commits: {why}"));
        said.map_err(bad)
    }

    async fn begin(&mut self, act: &Act, verbs: &mut Vec<(Act, Child)>) -> Result<(), Failure> {
        self.mark(&format!(
            "{}{}{}",
            act.deed.word(),
            act.host
                .as_ref()
                .map(|host| format!(" {host}"))
                .unwrap_or_default(),
            match act.lasts {
                0 => String::new(),
                lasts => format!(" for {:.1} s", Duration::from_millis(lasts).as_secs_f64()),
            }
        ));
        let group = self.group.cluster.to_string();
        let words: &[&str] = match act.deed {
            Deed::Switchover => &["switchover", "--group", &group, "-y"],
            Deed::Restart => &["restart", "--group", &group, "-y"],
            Deed::Apply | Deed::ApplyKilled => &["apply", "-y"],
            Deed::Rejoin => &["recover", "rejoin", "-y"],
            Deed::Power
            | Deed::Link
            | Deed::Slow
            | Deed::Etcd
            | Deed::Kill(_)
            | Deed::Freeze
            | Deed::Clock => return self.hurt(act).await,
        };
        verbs.push((act.clone(), self.spawn(words)?));
        Ok(())
    }

    async fn hurt(&mut self, act: &Act) -> Result<(), Failure> {
        let Some(host) = act.host.clone() else {
            return Ok(());
        };
        match act.deed {
            Deed::Power => {
                self.broke(Broken::Power(host.clone()));
                Ok(self.lab()?.kill(host.as_str(), &Silent)?)
            }
            Deed::Link => {
                self.broke(Broken::Link(host.clone()));
                Ok(self.lab()?.partition(host.as_str())?)
            }
            Deed::Slow => {
                self.broke(Broken::Link(host.clone()));
                let slowness = Slowness {
                    rate: Some(4000),
                    ..Slowness::default()
                };
                Ok(self.lab()?.slow(host.as_str(), slowness)?)
            }
            Deed::Etcd => {
                self.broke(Broken::Etcd(host.clone()));
                self.try_shell(&host, "systemctl stop etcd")
            }
            Deed::Freeze => {
                self.broke(Broken::Frozen(host.clone()));
                self.try_shell(&host, "systemctl kill -s STOP patroni")
            }
            Deed::Clock => {
                self.broke(Broken::Clock(host.clone()));
                self.clock_ahead(&host)
            }
            Deed::Kill(unit) => self.try_shell(&host, killed(unit)),
            Deed::Switchover | Deed::Restart | Deed::Apply | Deed::ApplyKilled | Deed::Rejoin => {
                Ok(())
            }
        }
    }

    async fn end(&mut self, act: &Act, verbs: &mut Vec<(Act, Child)>) -> Result<(), Failure> {
        if act.deed == Deed::ApplyKilled {
            if let Some(index) = verbs.iter().position(|(other, _)| other == act) {
                let (_, mut child) = verbs.swap_remove(index);
                let killed = child.kill().await;
                killed.map_err(|error| Failure::new(code::INTERNAL, error.to_string()))?;
                self.mark("apply is killed");
            }
            return Ok(());
        }
        let Some(host) = &act.host else {
            return Ok(());
        };
        let same = |what: &Broken| what.host() == Some(host);
        if let Some(index) = self.broken.iter().position(same) {
            let what = self.broken.swap_remove(index);
            self.mark(&format!("no more: {what}"));
            if let Err(failure) = self.mend_one(&what).await {
                // It is tried again when all acts are over.
                self.broken.push(what);
                self.mark(&format!("not yet: {}", failure.text));
            }
        }
        Ok(())
    }

    /// A verb has come to its end; what it said is noted.
    async fn verb_ended(&mut self, act: &Act, child: Child) -> Result<(), Failure> {
        let word = act.deed.word();
        let limit = Duration::from_secs(400);
        let exit = match tokio::time::timeout(limit, child.wait_with_output()).await {
            Ok(output) => {
                let output =
                    output.map_err(|error| Failure::new(code::INTERNAL, error.to_string()))?;
                self.heard(act.at, word, &output);
                output.status.code()
            }
            Err(_) => None,
        };
        match exit {
            // What the verbs document; 1 is ill health, seen while it was broken.
            Some(0..=1 | 4..=8) => {}
            Some(other) => self.found.push(format!(
                "`{word}` ended with {other} in the middle of the faults"
            )),
            None => self
                .found
                .push(format!("`{word}` did not end within {} s", limit.as_secs())),
        }
        Ok(())
    }

    /// Until `status` says so: by itself, then by the commands that it names. Gives how long that took.
    async fn until_healthy(&mut self) -> Result<Millis, Failure> {
        let since = self.mark("all faults are over");
        let mut tried = BTreeSet::new();
        loop {
            let output = self.listen(&["status"]).await?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            if output.status.success() {
                self.mark("`status` says healthy");
                return Ok(self.now() - since);
            }
            if self.now() > since + HEALTHY {
                self.heard(self.now(), "status", &output);
                return Err(Failure::new(
                    code::FAILED,
                    format!("not healthy {} s after the last fault", HEALTHY / 1000),
                ));
            }
            let next = named(&text)
                .into_iter()
                .find(|words| !tried.contains(words));
            match next.filter(|_| self.now() > since + BY_ITSELF) {
                None => tokio::time::sleep(Duration::from_secs(1)).await,
                Some(words) => {
                    let at = self.mark(&format!("`citusctl {words}`, as `status` says"));
                    let mut parts: Vec<&str> = words.split(' ').chain(["-y"]).collect();
                    let named = self.cluster_of(&words);
                    if let Some(cluster) = &named {
                        parts.extend(["--confirm", cluster]);
                    }
                    let output = self.listen(&parts).await?;
                    self.heard(at, &words, &output);
                    self.took(at);
                    tried.insert(words);
                }
            }
        }
    }
}

fn killed(unit: Unit) -> &'static str {
    match unit {
        Unit::Patroni => "systemctl kill --kill-whom=main -s KILL patroni",
        Unit::Postgres => {
            "d=$(cat /etc/citusctl/pgdata) && read -r pid <\"$d/postmaster.pid\" && kill -KILL \"$pid\""
        }
        Unit::Etcd => "systemctl kill -s KILL etcd",
        Unit::Haproxy => "systemctl kill -s KILL haproxy",
        Unit::Pgbouncer => "systemctl kill -s KILL pgbouncer",
    }
}

/// Begins and ends in their order.
fn moves(acts: &[Act]) -> Vec<Move> {
    let begins = acts.iter().map(|act| (act.at, true, act.clone()));
    let lasting = acts.iter().filter(|act| act.lasts > 0);
    let ends = lasting.map(|act| (act.at + act.lasts, false, act.clone()));
    let mut all: Vec<Move> = begins.chain(ends).collect();
    all.sort_by_key(|(at, begins, _)| (*at, *begins));
    all
}

/// Commands that a text names, of the verbs that lead out of something and need no more than consent.
fn named(text: &str) -> Vec<String> {
    const LEAD_OUT: [&str; 6] = ["apply", "start", "reinit", "restart", "recover", "patroni"];
    let quoted = text.split('`').skip(1).step_by(2);
    let ours = quoted.filter_map(|words| words.strip_prefix("citusctl "));
    let whole = |words: &&str| {
        let verb = words.split(' ').next().unwrap_or_default();
        LEAD_OUT.contains(&verb) && !words.split(' ').any(|word| word == word.to_uppercase())
    };
    ours.filter(whole).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_status_names_are_found_and_patterns_are_not() {
        let text = "pg-test-2 does not follow: `citusctl reinit pg-test-2` (`citusctl recover --survivor HOST`), `SELECT 1`; `citusctl apply`; `citusctl status`";
        assert_eq!(named(text), ["reinit pg-test-2", "apply"]);
    }

    #[test]
    fn an_act_ends_before_another_begins_at_the_same_moment() {
        let act = |at, lasts| Act {
            at,
            deed: Deed::Apply,
            host: None,
            lasts,
        };
        let all = moves(&[act(0, 500), act(500, 0)]);
        let order: Vec<(Millis, bool)> = all.iter().map(|(at, begins, _)| (*at, *begins)).collect();
        assert_eq!(order, [(0, true), (500, false), (500, true)]);
    }
}
