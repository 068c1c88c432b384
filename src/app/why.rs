//! PostgreSQL's own words beside what a verb refuses, and its word before a restart.

use super::failure::Failure;
use crate::engine::{self, Run};
use crate::model::{Group, Instance};
use crate::names::InstanceName;
use crate::runbook::{Refusal, Runbook};

/// Adds why servers of these groups do not run to what was refused, with the command that leads out.
pub(super) async fn explained(
    run: &Run<'_>,
    groups: &[&Group],
    planned: Result<Runbook, Failure>,
) -> Result<Runbook, Failure> {
    let members = groups.iter().flat_map(|group| &group.members);
    with_words(run, members, planned).await
}

/// The same, of any members.
pub(super) async fn with_words<'m>(
    run: &Run<'_>,
    members: impl Iterator<Item = &'m Instance>,
    planned: Result<Runbook, Failure>,
) -> Result<Runbook, Failure> {
    let Err(mut failure) = planned else {
        return planned;
    };
    let why = engine::why_down(run, members).await;
    if why.is_empty() {
        return Err(failure);
    }
    failure.text = format!("{}\n  {why}", failure.text);
    // What it was to do instead would be refused for the same reason.
    failure.hints.clear();
    Err(failure.hint(engine::WAY_OUT))
}

/// Before a restart: each server that is to be restarted (the named one, or all) would start again.
///
/// # Errors
/// One that would not, in its own words.
pub(super) async fn would_start(
    run: &Run<'_>,
    groups: &[&Group],
    only: Option<&InstanceName>,
) -> Result<(), Refusal> {
    let members = groups.iter().flat_map(|group| &group.members);
    let members = members.filter(|member| only.is_none_or(|only| member.name == *only));
    match engine::not_startable(run, members).await {
        None => Ok(()),
        Some(why) => Err(Refusal::new(why.words, why.way_out)),
    }
}
