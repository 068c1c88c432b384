//! Operations on a group through whoever leads it at that moment.

use super::fleet::chain;
use super::gate::cluster;
mod candidate;
mod pending;
mod undo;

use super::not_starting::{not_startable, why_down};
use super::runbook::one;
use super::work::{Ended, Task, run_tasks};
use super::{EngineError, Patroni, Run, copies, group_look};
use crate::event::{Kind, StepOutcome};
use crate::fact::{GroupSeen, MemberSeen};
use crate::model::{Group, Instance};
use crate::names::{HostName, InstanceName, ResourceId};
use crate::plan::GroupPlan;
use crate::resource::group::Operation;
use crate::runbook::Whom;
use crate::runbook::patroni::{Proxies, states, steps, watch};
use serde_json::Value;
use std::time::{Duration, Instant};

/// One group and what is done to it.
pub(super) struct GroupWork<'a> {
    pub run: &'a Run<'a>,
    pub group: &'a Group,
}

const POLL: Duration = Duration::from_millis(300);

impl GroupWork<'_> {
    /// Carries out a group's part of a stage. Steps on the leader's host that follow each other travel as one program.
    pub(super) async fn apply(&self, plan: &GroupPlan) -> Result<(), EngineError> {
        let mut waiting: Vec<Task> = Vec::new();
        let mut undo = Vec::new();
        for unit in &plan.units {
            for operation in &unit.change.operations {
                match operation {
                    Operation::OnLeader(step) => waiting.push(Task {
                        id: unit.id.clone(),
                        step: step.clone(),
                    }),
                    Operation::PatchConfig(patch) => {
                        self.on_leader(&mut waiting).await?;
                        undo.push(self.before(patch).await?);
                        self.patch(&unit.id, &unit.change.summary, patch).await?;
                    }
                    Operation::RollingRestart {
                        waiting: members, ..
                    } => {
                        self.on_leader(&mut waiting).await?;
                        self.told_by_patroni(members).await?;
                        if let Err(error) = self.rolling_restart(&unit.id).await {
                            return Err(self.taken_back(&undo, error).await);
                        }
                    }
                }
            }
        }
        self.on_leader(&mut waiting).await
    }

    /// Writes the configuration through any member that answers, and waits for a leader that starts with it.
    pub(super) async fn leaderless(&self, plan: &GroupPlan) -> Result<(), EngineError> {
        let writes = plan.units.iter().flat_map(|unit| {
            let operations = unit.change.operations.iter();
            operations.filter_map(move |operation| match operation {
                Operation::PatchConfig(patch) => Some((unit, patch)),
                Operation::RollingRestart { .. } | Operation::OnLeader(_) => None,
            })
        });
        for (unit, patch) in writes {
            let mut refused = self.failed("no member answers".to_owned());
            let mut written = false;
            for member in &self.group.members {
                let title = format!("{}, while nobody leads", unit.change.summary);
                let asked = self.told(&member.host, &unit.id, &title, async {
                    self.ask(member, "PATCH", "/config", patch.clone()).await
                });
                match asked.await {
                    Ok(_) => written = true,
                    Err(error) => refused = error,
                }
                if written {
                    break;
                }
            }
            if !written {
                return Err(refused);
            }
            self.wait("a leader that starts with it", 120, |seen| {
                seen.leader().cloned()
            })
            .await?;
        }
        Ok(())
    }

    /// Runs what has gathered, if anything, on the host of whoever leads now.
    async fn on_leader(&self, waiting: &mut Vec<Task>) -> Result<(), EngineError> {
        if waiting.is_empty() {
            return Ok(());
        }
        let leader = self.leader().await?;
        let tasks = std::mem::take(waiting);
        match run_tasks(self.run, &leader.host, &tasks).await {
            Ended::Done => Ok(()),
            Ended::Failed { title, tail } => Err(self.failed(format!(
                "`{title}` failed on {}: {}",
                leader.host,
                tail.join(" | ")
            ))),
            Ended::Lost(error) => Err(EngineError::Transport(error)),
        }
    }

    fn failed(&self, detail: String) -> EngineError {
        EngineError::Group {
            cluster: self.group.cluster.to_string(),
            detail,
        }
    }

    async fn seen(&self) -> Result<GroupSeen, EngineError> {
        cluster(self.run, self.group)
            .await
            .map_err(|reason| self.failed(reason))
    }

    /// The live leader; waits for one, since a failover may be under way.
    async fn leader(&self) -> Result<MemberSeen, EngineError> {
        self.wait("a leader", 60, |seen| seen.leader().cloned())
            .await
    }

    fn member(&self, seen: &MemberSeen) -> Result<&Instance, EngineError> {
        let found = self
            .group
            .members
            .iter()
            .find(|member| member.name == seen.name);
        found.ok_or_else(|| self.failed(format!("{} is not in the inventory", seen.name)))
    }

    /// Polls until `found` finds what it looks for.
    async fn wait<T>(
        &self,
        what: &str,
        seconds: u64,
        found: impl Fn(&GroupSeen) -> Option<T>,
    ) -> Result<T, EngineError> {
        let started = Instant::now();
        let mut last = String::new();
        loop {
            match cluster(self.run, self.group).await {
                Ok(seen) => {
                    // By Patroni's words first, then by those of the servers.
                    let seen = match found(&seen) {
                        Some(_) => copies::confirm(self.run, self.group, seen).await,
                        None => seen,
                    };
                    match found(&seen) {
                        Some(value) => return Ok(value),
                        None => last = states(&seen),
                    }
                }
                Err(reason) => last = if reason.is_empty() { last } else { reason },
            }
            if started.elapsed().as_secs() >= seconds {
                let why = why_down(self.run, self.group.members.iter()).await;
                let why = if why.is_empty() { last } else { why };
                return Err(self.failed(format!("waited {seconds} s for {what}; {why}")));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn begin(&self, host: &HostName, id: &ResourceId, title: &str) -> Instant {
        self.run.emitter.emit(Kind::StepStarted {
            host: host.clone(),
            resource: id.clone(),
            title: title.to_owned(),
        });
        Instant::now()
    }

    fn end(
        &self,
        host: &HostName,
        id: &ResourceId,
        title: &str,
        started: Instant,
        failed: Option<&EngineError>,
    ) {
        let outcome = match failed {
            None => StepOutcome::Done,
            Some(_) => StepOutcome::Failed { code: 1 },
        };
        self.run.emitter.emit(Kind::StepFinished {
            host: host.clone(),
            resource: id.clone(),
            title: title.to_owned(),
            outcome,
            millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            output_tail: failed.map(|error| vec![chain(error)]).unwrap_or_default(),
        });
    }

    /// Runs a step with its events around it.
    async fn told<T>(
        &self,
        host: &HostName,
        id: &ResourceId,
        title: &str,
        work: impl Future<Output = Result<T, EngineError>>,
    ) -> Result<T, EngineError> {
        let started = self.begin(host, id, title);
        let result = work.await;
        self.end(host, id, title, started, result.as_ref().err());
        result
    }

    async fn ask(
        &self,
        member: &Instance,
        method: &str,
        path: &str,
        body: Value,
    ) -> Result<String, EngineError> {
        let patroni = Patroni::of(self.run, member)
            .ok_or_else(|| self.failed("no credentials for Patroni".to_owned()))?;
        patroni
            .ask(method, path, Some(body))
            .await
            .map_err(|error| self.failed(chain(&error)))
    }

    async fn patch(&self, id: &ResourceId, title: &str, patch: &Value) -> Result<(), EngineError> {
        let leader = self.leader().await?;
        let member = self.member(&leader)?;
        self.told(&leader.host, id, title, async {
            self.ask(member, "PATCH", "/config", patch.clone()).await?;
            self.settled(patch).await
        })
        .await
    }

    /// Waits until every member has read the new configuration and said whether it must restart for it. Patroni
    /// wakes up at a change of `/config`; a member that is not running is not waited for.
    async fn settled(&self, patch: &Value) -> Result<(), EngineError> {
        let parameters = patch.pointer("/postgresql/parameters").is_some();
        if !parameters {
            return Ok(());
        }
        // A member's loop ends with its key written anew; two loops are certain to have seen the change.
        let limit = Duration::from_secs(u64::from(self.group.rto.loop_wait) + 2);
        let started = Instant::now();
        while started.elapsed() < limit {
            if self.seen().await?.pending().count() == self.group.members.len() {
                break;
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// Replicas first, one by one; then, where there is a fit replica, a switchover before the old leader.
    ///
    /// A limit that was lowered (`max_connections` and its like) reaches a standby only after the primary runs
    /// with it, so a replica that still waits after its restart says: restart the leader where it is.
    async fn rolling_restart(&self, id: &ResourceId) -> Result<(), EngineError> {
        for round in 0..3 {
            let seen = match round {
                0 => self.seen().await?,
                // Members follow a leader that was restarted where it is at their next try.
                _ => self.all_up().await?,
            };
            let pending: Vec<MemberSeen> = seen.pending().cloned().collect();
            if pending.is_empty() {
                return Ok(());
            }
            self.would_start(&pending).await?;
            let synchronous = seen.members.iter().any(MemberSeen::is_synchronous);
            for member in pending.iter().filter(|member| !member.is_leader()) {
                self.restart(id, member).await?;
            }
            if let Some(leader) = pending.iter().find(|member| member.is_leader()) {
                self.restart_leader(id, leader, synchronous).await?;
            }
        }
        let left: Vec<String> = self
            .seen()
            .await?
            .pending()
            .map(|member| member.name.to_string())
            .collect();
        if left.is_empty() {
            Ok(())
        } else {
            Err(self.failed(format!("{} still wait for a restart", left.join(", "))))
        }
    }

    /// Nobody is stopped who would not start again.
    async fn would_start(&self, pending: &[MemberSeen]) -> Result<(), EngineError> {
        let waits = |member: &&Instance| pending.iter().any(|seen| seen.name == member.name);
        let members = self.group.members.iter().filter(waits);
        match not_startable(self.run, members).await {
            None => Ok(()),
            Some(why) => Err(self.failed(format!("{}; it was not restarted", why.words))),
        }
    }

    /// Restarts one member where it is. Patroni answers when PostgreSQL runs again.
    async fn restart(&self, id: &ResourceId, seen: &MemberSeen) -> Result<(), EngineError> {
        let whom = Whom::Member(seen.name.clone());
        let now = group_look::by_ask(self.run, self.group, &whom).await;
        let now = now.map_err(|reason| self.failed(reason))?;
        let now = now.member(&seen.name).cloned();
        let now = now.ok_or_else(|| self.failed(format!("{} is absent", seen.name)))?;
        one(self.run, id, &steps::restart(self.group, &now, true)).await?;
        self.flag_settled(&seen.name).await
    }

    /// Gives a restarted member one loop of Patroni to take its flag back; one that keeps it has a reason.
    async fn flag_settled(&self, name: &InstanceName) -> Result<(), EngineError> {
        let limit = Duration::from_secs(u64::from(self.group.rto.loop_wait) + 2);
        let started = Instant::now();
        while started.elapsed() < limit {
            if !self
                .seen()
                .await?
                .pending()
                .any(|member| member.name == *name)
            {
                break;
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    async fn restart_leader(
        &self,
        id: &ResourceId,
        leader: &MemberSeen,
        synchronous: bool,
    ) -> Result<(), EngineError> {
        let Some(candidate) = self.candidate(synchronous).await? else {
            return self.restart(id, leader).await;
        };
        self.hand_over(id, leader, &candidate).await?;
        let name = leader.name.clone();
        let old = self
            .wait(&format!("{name} to follow"), 120, |seen| {
                let member = seen.members.iter().find(|member| member.name == name)?;
                member.is_streaming().then(|| member.clone())
            })
            .await?;
        if old.pending_restart {
            self.restart(id, &old).await
        } else {
            Ok(())
        }
    }

    /// New connections through HAProxy wait meanwhile.
    async fn hand_over(
        &self,
        id: &ResourceId,
        leader: &MemberSeen,
        candidate: &MemberSeen,
    ) -> Result<(), EngineError> {
        let reachable = self.run.fleet.hosts();
        let proxies = Proxies {
            model: self.run.model,
            reachable: &reachable,
        };
        if let Some(step) = watch(self.group, proxies, leader, candidate) {
            one(self.run, id, &step).await?;
        }
        let step = steps::switchover(self.group, leader, candidate, leader);
        one(self.run, id, &step).await
    }
}
