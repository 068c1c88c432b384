//! What stands in the way of a verb of Patroni's beside Patroni's own view: an open recover or restore, etcd without a majority, a server that
//! would not start again; and PostgreSQL's own words beside what was refused.

use super::failure::Failure;
use super::session::Session;
use crate::engine::{self, Majority, Run};
use crate::model::{Group, Instance};
use crate::names::{HostName, InstanceName};
use crate::runbook::recover::Marker;
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

/// What Patroni cannot tell: that a recover by hand is open, and that all it says is from before etcd lost its majority.
pub(super) async fn stands(
    session: &Session<'_>,
    run: &Run<'_>,
    groups: &[&Group],
    (verb, tries): (&str, Option<Option<&InstanceName>>),
) -> Result<(), Refusal> {
    let silent = |why: String| {
        Refusal::new(
            why,
            "see that the host answers (`citusctl exec -- true`), then try again",
        )
    };
    let (notes, open) = tokio::join!(engine::markers(run), engine::open_restore(run));
    if let Some(refusal) = notes.map_err(silent)?.iter().find_map(Marker::forbids) {
        return Err(refusal);
    }
    if let Some((host, open)) = open.map_err(silent)? {
        return Err(Refusal::new(
            format!("{host} has {}", open.words()),
            open.way_out(),
        ));
    }
    if verb == "reload" {
        return Ok(());
    }
    match engine::etcd_majority(run).await {
        Majority::There => match tries {
            Some(member) => would_start(run, groups, member).await,
            None => Ok(()),
        },
        Majority::Lost => Err(without_majority(session, groups)),
        Majority::Unknown(why) => Err(Refusal::new(
            format!("whether etcd has its majority is not known: {why}"),
            "without it nobody can take or hand over a lead; make the hosts of etcd reachable from here (`citusctl etcd status`)",
        )),
    }
}

fn without_majority(session: &Session<'_>, groups: &[&Group]) -> Refusal {
    let names: Vec<&str> = groups.iter().map(|group| group.cluster.as_str()).collect();
    let lost = session.fleet.unreachable().keys().map(HostName::as_str);
    let lost: Vec<&str> = lost.collect();
    let away = match lost.is_empty() {
        true => String::new(),
        false => format!(" ({} do not answer)", lost.join(", ")),
    };
    Refusal::new(
        format!(
            "etcd has no majority{away}: nobody can take or hand over a lead, and what Patroni says of {} is from before",
            names.join(", ")
        ),
        "`citusctl etcd status` shows its members; if their hosts are lost: `citusctl recover --survivor HOST`",
    )
}
