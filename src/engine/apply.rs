//! The one loop: stage by stage, batch by batch, host by host.

use super::ending::Ending;
use super::group::GroupWork;
use super::lock::{Locks, Unkept};
use super::look::{futures_join, look};
use super::work::{Ended, batches, run_tasks, tasks};
use super::{EngineError, Run, budget, gate, lock, unseen};
use crate::catalog::{Gate, Rollout};
use crate::event::Kind;
use crate::names::{ClusterName, HostName, StageName};
use crate::plan::{Desired, GroupPlan, Plan, PlannedStage, Unit, diff_stage};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// How long a group with a leader may take to answer, and how often it is asked.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
const ANSWER_POLL: Duration = Duration::from_secs(1);

/// How to carry a plan out.
pub struct ApplyOptions<'a> {
    /// Makes the wanted state anew from fresh traits (versions of packages that a stage installed).
    pub recompile: Recompile<'a>,
    /// Whether all is looked at once more under the lock; not where the run itself has changed something since the plan.
    pub ask_again: bool,
    /// Changes that stop or restart something may happen even when the plan could not show them.
    pub unseen_allowed: bool,
}

/// Makes the wanted state from what was just seen.
pub type Recompile<'a> = &'a (dyn Fn(&crate::plan::Seen) -> Result<Desired, EngineError> + Sync);

impl std::fmt::Debug for ApplyOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ApplyOptions(unseen_allowed: {})", self.unseen_allowed)
    }
}

/// Carries out an approved plan.
pub async fn apply(
    run: &Run<'_>,
    desired: Desired,
    plan: &Plan,
    options: &ApplyOptions<'_>,
) -> Result<(), EngineError> {
    let hosts: BTreeSet<HostName> = desired
        .hosts()
        .intersection(&run.fleet.hosts())
        .cloned()
        .collect();
    let locks = lock::acquire(run, &hosts, Unkept::Refuse).await?;
    let current = match options.ask_again {
        true => Cow::Owned(unseen::unchanged(run, &desired, plan, options, &hosts).await?),
        false => Cow::Borrowed(plan),
    };
    let mut walk = Applier {
        run,
        locks,
        desired,
        approved: plan,
        current,
        options,
        dropped: BTreeSet::new(),
        ending: Ending::default(),
        changed: false,
    };
    let stages = walk.desired.stages.iter();
    let stages: Vec<StageName> = stages.map(|stage| stage.name.clone()).collect();
    let total = u32::try_from(stages.len()).unwrap_or(u32::MAX);
    for (index, stage) in (1..).zip(&stages) {
        if run.cancel.stops() {
            return Err(EngineError::Interrupted(format!(
                "nothing of stage `{stage}` was begun"
            )));
        }
        walk.locks.intact()?;
        walk.stage(stage, index, total).await?;
    }
    walk.ending.seen(run, &walk.dropped).await?;
    walk.finish()
}

struct Applier<'a> {
    run: &'a Run<'a>,
    locks: Locks,
    desired: Desired,
    approved: &'a Plan,
    /// The same as it was seen under the locks.
    current: Cow<'a, Plan>,
    options: &'a ApplyOptions<'a>,
    /// Hosts that failed and take no further part.
    dropped: BTreeSet<HostName>,
    /// What has to be seen before the run is done.
    ending: Ending,
    changed: bool,
}

impl Applier<'_> {
    async fn stage(&mut self, name: &StageName, index: u32, total: u32) -> Result<(), EngineError> {
        let planned = self.enter(name).await?;
        if planned.is_empty() {
            return Ok(());
        }
        super::claims::before(self.run, &planned).await?;
        let started = Instant::now();
        let hosts: Vec<HostName> = planned.hosts.keys().cloned().collect();
        self.run.emitter.emit(Kind::StageStarted {
            stage: name.clone(),
            index,
            total,
            hosts,
        });
        let failed = self.hosts(&planned).await?;
        self.leaderless(&planned).await?;
        self.gate(&planned, &failed).await?;
        let planned = self.answered(planned).await?;
        self.groups(&planned).await?;
        self.ending.note(&planned);
        self.changed = true;
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.run.emitter.emit(Kind::StageFinished {
            stage: name.clone(),
            millis,
        });
        Ok(())
    }

    /// The stage as it is to be carried out now. What earlier stages did may have changed what there is to see, so
    /// it is looked at again, and compared by the same code.
    async fn enter(&mut self, name: &StageName) -> Result<PlannedStage, EngineError> {
        let mut stages = self.current.stages.iter();
        let approved = stages.find(|stage| stage.name == *name).cloned();
        if let Some(stage) = &approved {
            self.somebody_left(stage)?;
        }
        let comparable = |stage: &PlannedStage| stage.groups.values().all(|g| g.unknown.is_empty());
        if !self.changed
            && let Some(stage) = approved.filter(comparable)
        {
            return Ok(self.without_dropped(stage));
        }
        let fresh = self.look_again(name).await?;
        Ok(self.without_dropped(fresh))
    }

    /// Looks at the hosts and groups of a stage, and compares them anew.
    async fn look_again(&mut self, name: &StageName) -> Result<PlannedStage, EngineError> {
        let hosts = self.concerned(name);
        let seen = look(self.run, &self.desired, &hosts, &self.groups_of(name)).await?;
        self.desired = (self.options.recompile)(&seen)?;
        let Some(stage) = self.desired.stages.iter().find(|stage| stage.name == *name) else {
            return Ok(empty(name));
        };
        let (fresh, refusals) = diff_stage(&self.desired, stage, &seen);
        if !refusals.is_empty() {
            return Err(EngineError::Refused(refusals));
        }
        if !self.options.unseen_allowed {
            unseen::check(self.approved, &fresh)?;
        }
        Ok(fresh)
    }

    /// The stage with everything known about its groups: whoever could not be asked before the gate is asked again, and
    /// a group that still does not answer has not got what it should have.
    async fn answered(&mut self, planned: PlannedStage) -> Result<PlannedStage, EngineError> {
        let silent = |stage: &PlannedStage| {
            let groups = stage.groups.iter();
            let unknown = groups.filter_map(|(name, group)| Some((name, group.unknown.first()?)));
            let mut errors = unknown.map(|(cluster, (id, reason))| EngineError::Group {
                cluster: cluster.to_string(),
                detail: format!("{id} could not be compared: {reason}"),
            });
            errors.next()
        };
        let started = Instant::now();
        let mut planned = planned;
        while let Some(error) = silent(&planned) {
            if started.elapsed() > ANSWER_LIMIT {
                return Err(error);
            }
            let fresh = self.look_again(&planned.name).await?;
            planned = self.without_dropped(fresh);
            if silent(&planned).is_some() {
                tokio::time::sleep(ANSWER_POLL).await;
            }
        }
        Ok(planned)
    }

    fn concerned(&self, name: &StageName) -> BTreeSet<HostName> {
        let Some(stage) = self.desired.stages.iter().find(|stage| stage.name == *name) else {
            return BTreeSet::new();
        };
        let groups = stage
            .groups
            .values()
            .flat_map(|group| group.members.values().cloned());
        let mut hosts: BTreeSet<HostName> = stage.hosts.keys().cloned().chain(groups).collect();
        hosts.retain(|host| !self.dropped.contains(host));
        hosts
    }

    fn groups_of(&self, name: &StageName) -> BTreeSet<ClusterName> {
        let stage = self.desired.stages.iter().find(|stage| stage.name == *name);
        stage
            .map(|stage| stage.groups.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// What was to be done by hosts that have failed since does not happen. Where that was all of a stage, or a majority and
    /// leaders are waited for, the rest would wait for nothing.
    fn somebody_left(&self, approved: &PlannedStage) -> Result<(), EngineError> {
        let lost = approved.hosts.keys().filter(|h| self.dropped.contains(*h));
        let lost: Vec<&str> = lost.map(HostName::as_str).collect();
        let needed = matches!(approved.gate, Some(Gate::EtcdHealthy | Gate::Leader));
        if lost.is_empty() || !needed && lost.len() < approved.hosts.len() {
            return Ok(());
        }
        Err(EngineError::Gate {
            stage: approved.name.clone(),
            detail: format!(
                "it needs {}, where an earlier stage failed",
                lost.join(", ")
            ),
        })
    }

    fn without_dropped(&self, mut stage: PlannedStage) -> PlannedStage {
        stage.hosts.retain(|host, _| !self.dropped.contains(host));
        stage
    }

    /// Runs the hosts of a stage. Hosts that fail are dropped; the names of all that failed are returned.
    async fn hosts(&mut self, planned: &PlannedStage) -> Result<Vec<String>, EngineError> {
        let (together, one_by_one) = batches(planned);
        let mut failed = self.batch(&together).await?;
        let etcd = planned.gate == Some(Gate::EtcdHealthy);
        let one_by_one = match etcd {
            true => budget::sick_first(self.run, one_by_one).await,
            false => one_by_one,
        };
        for (host, units) in one_by_one {
            if etcd {
                budget::may_restart(self.run, &host).await?;
            }
            let alone = BTreeMap::from([(host.clone(), units)]);
            failed.extend(self.batch(&alone).await?);
            if !failed.is_empty() {
                return Err(EngineError::Stage {
                    stage: planned.name.clone(),
                    hosts: failed,
                });
            }
            if let Some(kind) = planned.gate {
                gate::pass(
                    self.run,
                    &planned.name,
                    kind,
                    &BTreeSet::from([host]),
                    &self.dropped,
                )
                .await?;
            }
        }
        Ok(failed)
    }

    async fn batch(
        &mut self,
        batch: &BTreeMap<HostName, Vec<Unit>>,
    ) -> Result<Vec<String>, EngineError> {
        let run = self.run;
        let permits = tokio::sync::Semaphore::new(run.forks.max(1));
        let work = futures_join(batch.iter().map(|(host, units)| async {
            let _permit = permits.acquire().await;
            (host.clone(), run_tasks(run, host, &tasks(units)).await)
        }));
        let abandoned = || {
            EngineError::Interrupted(format!(
                "steps on {} were abandoned in flight; run the same command again to finish them",
                batch
                    .keys()
                    .map(HostName::as_str)
                    .collect::<Vec<_>>()
                    .join(", ")
            ))
        };
        let ended = tokio::select! {
            ended = work => ended,
            () = run.cancel.reached(2) => return Err(abandoned()),
        };
        let mut failed = Vec::new();
        for (host, ended) in ended {
            let (error, log, hints) = match ended {
                Ended::Done => continue,
                Ended::Failed { title, tail } => (format!("`{title}` failed"), tail, Vec::new()),
                Ended::Lost(error) => (super::fleet::chain(&error), Vec::new(), error.hints()),
            };
            run.emitter.emit(Kind::HostFailed {
                host: host.clone(),
                error,
                log,
                hints,
            });
            failed.push(host.to_string());
            self.dropped.insert(host);
        }
        Ok(failed)
    }

    /// A stage that others depend on ends the run when a host failed in it; a stage without a gate when all did.
    async fn gate(&self, planned: &PlannedStage, failed: &[String]) -> Result<(), EngineError> {
        let nobody = !failed.is_empty() && failed.len() == planned.hosts.len();
        if nobody || planned.gate.is_some() && !failed.is_empty() {
            return Err(EngineError::Stage {
                stage: planned.name.clone(),
                hosts: failed.to_vec(),
            });
        }
        let Some(kind) = planned.gate else {
            return Ok(());
        };
        let mut hosts: BTreeSet<HostName> = planned.hosts.keys().cloned().collect();
        hosts.extend(
            planned
                .groups
                .values()
                .flat_map(|group| group.members.iter().cloned()),
        );
        gate::pass(self.run, &planned.name, kind, &hosts, &self.dropped).await
    }

    async fn groups(&self, planned: &PlannedStage) -> Result<(), EngineError> {
        let run = self.run;
        let work = planned.groups.iter().filter_map(|(cluster, plan)| {
            let (_, group) = run.model.group(cluster)?;
            Some(async move { GroupWork { run, group }.apply(plan).await })
        });
        for result in futures_join(work).await {
            result?;
        }
        Ok(())
    }

    /// Writes the configuration of groups that nobody leads before anybody is waited for: it may be what keeps a leader from
    /// starting.
    async fn leaderless(&self, planned: &PlannedStage) -> Result<(), EngineError> {
        let run = self.run;
        let waiting = |plan: &&GroupPlan| !plan.unknown.is_empty();
        for (cluster, plan) in &planned.groups {
            if let (Some(plan), Some((_, group))) =
                (Some(plan).filter(waiting), run.model.group(cluster))
            {
                GroupWork { run, group }.leaderless(plan).await?;
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<(), EngineError> {
        if self.dropped.is_empty() {
            return Ok(());
        }
        let hosts = self.dropped.iter().map(ToString::to_string).collect();
        Err(EngineError::Stage {
            stage: StageName::new("all"),
            hosts,
        })
    }
}

fn empty(name: &StageName) -> PlannedStage {
    PlannedStage {
        name: name.clone(),
        rollout: Rollout::Together,
        gate: None,
        hosts: BTreeMap::new(),
        groups: BTreeMap::new(),
    }
}
