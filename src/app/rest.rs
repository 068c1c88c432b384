//! What stays when hosts leave: the inventory without them, compared with before, and made so on the hosts that stay.

use super::failure::Failure;
use super::options::Options;
use super::project::Project;
use super::session::{Session, differing};
use crate::catalog::Removal;
use crate::engine::{self, ApplyOptions, EngineError, Looker, Run};
use crate::model::Model;
use crate::names::HostName;
use crate::plan::{Desired, Plan, changed, diff, without};
use crate::secret::Masker;
use std::collections::BTreeSet;

/// The rest of a formation.
#[derive(Debug)]
pub struct Rest {
    model: Model,
    /// All that is wanted of it.
    pub whole: Desired,
    /// What of that differs from before.
    narrow: Desired,
    pub plan: Plan,
    pub masker: Masker,
}

impl Rest {
    /// The rest of what there is now, where there is any that can be computed. All of etcd leaves only when nobody needs it any more.
    pub fn of(
        session: &Session<'_>,
        now: &Project,
        before: &Desired,
        hosts: &BTreeSet<HostName>,
        what: Removal,
    ) -> Result<Option<Self>, Failure> {
        let found = without(&now.inventory, &now.model, hosts, what);
        let Some((inventory, model)) = found.filter(|(_, model)| model.etcd.is_some()) else {
            return Ok(None);
        };
        let rest = now.with(session.options, inventory, model)?;
        let (whole, masker) = session.wanted_by(&rest)?;
        let others = others(&rest.model, hosts, what);
        Ok(Some(Self {
            narrow: changed(before, whole.clone(), &others),
            model: rest.model,
            whole,
            plan: Plan::default(),
            masker,
        }))
    }

    /// The same, compared with what is on the hosts.
    pub async fn compared(mut self, run: &Run<'_>) -> Result<Self, Failure> {
        let run = self.run(run);
        let hosts: BTreeSet<HostName> = self
            .narrow
            .hosts()
            .intersection(&run.fleet.hosts())
            .cloned()
            .collect();
        let mut seen = engine::look(&run, &self.narrow, &hosts, &BTreeSet::new()).await?;
        let wanted = differing(&self.narrow, &seen);
        Looker::new(&run).contents(wanted, &mut seen).await?;
        drop(run);
        self.plan = diff(&self.narrow, &seen);
        Ok(self)
    }

    /// The run, of a model without the hosts that leave.
    fn run<'b>(&'b self, run: &'b Run<'_>) -> Run<'b> {
        Run {
            id: run.id.clone(),
            frame: run.frame.clone(),
            emitter: run.emitter.clone(),
            model: &self.model,
            fleet: run.fleet,
            patroni: run.patroni.clone(),
            cancel: run.cancel.clone(),
            operator: run.operator.clone(),
            command: run.command.clone(),
            dial: run.dial,
            forks: run.forks,
        }
    }

    /// Carries the plan out.
    pub async fn carry_out(&self, options: &Options, run: &Run<'_>) -> Result<(), EngineError> {
        if self.plan.is_empty() {
            return Ok(());
        }
        let recompile = |_: &crate::plan::Seen| Ok(self.narrow.clone());
        let how = ApplyOptions {
            recompile: &recompile,
            ask_again: false,
            unseen_allowed: options.yes,
        };
        engine::apply(&self.run(run), self.narrow.clone(), &self.plan, &how).await
    }
}

/// The hosts that are made anew. A host that leaves etcd may stay for PostgreSQL; what else stays on one that leaves
/// PostgreSQL is left to the next apply.
fn others(model: &Model, leaving: &BTreeSet<HostName>, what: Removal) -> BTreeSet<HostName> {
    let stays = |host: &&HostName| what == Removal::Etcd || !leaving.contains(*host);
    model.hosts.keys().filter(stays).cloned().collect()
}
