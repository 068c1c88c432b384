//! What hosts that live say of those that join, and etcd of groups whose data is not all there: asked before consent.

use crate::app::project::Project;
use crate::engine::{self, Run};
use crate::names::HostName;
use crate::plan::{Desired, Plan, Seen};
use crate::runbook::host_functions;

/// Adds it to the plan: words beside its lines, and refusals.
pub(super) async fn note(
    project: &Project,
    run: &Run<'_>,
    (desired, seen): (&Desired, &Seen),
    plan: &mut Plan,
) {
    let replaced = engine::replaced(run, seen).await;
    replaced.words.iter().for_each(|words| plan.explain(words));
    plan.refusals.extend(replaced.refusals);
    plan.refusals.extend(engine::headless(run, seen, plan));
    if !engine::bootstraps(desired) {
        return;
    }
    let claimed = engine::claimed(run, desired, seen).await;
    plan.refusals.extend(claimed);
    let sources = engine::diverged_sources(run, seen).await;
    plan.refusals.extend(sources);
    let functions = |host: &HostName| {
        let host = project.model.hosts.get(host)?;
        Some(host_functions(&project.model, host))
    };
    let others = engine::other_systems(run, seen, functions).await;
    plan.refusals.extend(others);
}
