//! `restore`: a formation back to a point, in place; and back again.

use super::apply;
use super::backup::{input, look, look_at, reach, stopped};
use super::failure::{Failure, code, say};
use super::options::Options;
use super::project::Project;
use super::runbook::{self, Approval, close, consent, show};
use super::session::Session;
use crate::engine::Run;
use crate::event::Outcome;
use crate::names::HostName;
use crate::names::words::duration;
use crate::runbook::backup::{
    BackupInput, RestoreTarget, chosen_point, plan_finish, plan_fresh, plan_restore, plan_undo,
    to_prepare,
};
use crate::runbook::{Refusal, Runbook};
use std::collections::BTreeSet;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A restore that is asked for.
#[derive(Clone, Debug)]
pub struct RestoreRequest {
    pub target: RestoreTarget,
    /// Hosts that are gone for good.
    pub without: BTreeSet<HostName>,
    pub approval: Approval,
}

/// Returns to a point.
///
/// # Errors
/// Whatever stood in the way.
pub async fn run(options: &Options, request: &RestoreRequest) -> Result<u8, Failure> {
    let (target, approval) = (&request.target, &request.approval);
    let project = Project::open(options)?;
    let session = reach(options, &project, "restore", approval.dry_run).await?;
    let run = session.run()?;
    let seen = look(&session, &run).await;
    let input = BackupInput {
        without: &request.without,
        ..input(&session, &seen)
    };
    let lacking = to_prepare(input).map_err(Failure::from);
    match lacking {
        Ok(hosts) if !hosts.is_empty() => {
            let planned = plan_fresh(input, target, &hosts);
            let point = chosen_point(input, target);
            let ended = agreed(options, approval, &session, planned);
            let subject = ended.as_ref().ok().and_then(Clone::clone);
            drop(run);
            let ended = close(&session, ended.map(|_| Outcome::Done)).await?;
            match (subject, point) {
                (Some(subject), Ok(point)) => {
                    onto(options, &project, target, (subject, point)).await
                }
                (None, _) | (_, Err(_)) => Ok(ended),
            }
        }
        Ok(_) => {
            let planned = plan_restore(input, target).map_err(Failure::from);
            carried_out(options, approval, &session, &run, planned).await
        }
        Err(failure) => runbook::run(options, approval, &session, &run, Err(failure)).await,
    }
}

/// Shows what is known beforehand, and asks. The answer is the name that was typed; `None`: nothing was to be done.
fn agreed(
    options: &Options,
    approval: &Approval,
    session: &Session<'_>,
    planned: Result<Runbook, Refusal>,
) -> Result<Option<String>, (Outcome, Failure)> {
    session.emitter.pause();
    let book = planned.map_err(|refusal| stopped(refusal.into()))?;
    show(options, approval, &book, &session.masker).map_err(stopped)?;
    if approval.dry_run {
        return Ok(None);
    }
    consent(options, approval, &book).map_err(stopped)?;
    Ok(Some(book.subject))
}

/// Sets hosts up without making a database, restores, and applies the rest.
async fn onto(
    options: &Options,
    project: &Project,
    target: &RestoreTarget,
    (subject, point): (String, String),
) -> Result<u8, Failure> {
    let agreed = Options {
        yes: true,
        ..options.clone()
    };
    done(
        apply::playbook(&agreed, project, "prepare").await.result?,
        "setting up the hosts",
    )?;
    let session = reach(&agreed, project, "restore", false).await?;
    let run = session.run()?;
    let seen = look(&session, &run).await;
    let planned = plan_restore(input(&session, &seen), target).map_err(Failure::from);
    let planned = planned.and_then(|book| match chosen_point(input(&session, &seen), target) {
        Ok(now) if now == point => Ok(book),
        Ok(now) => Err(other_history(&point, &now)),
        Err(refusal) => Err(refusal.into()),
    });
    let approval = Approval {
        confirm: Some(subject),
        dry_run: false,
    };
    done(
        carried_out(&agreed, &approval, &session, &run, planned).await?,
        "the restore",
    )?;
    let rest = apply::playbook(&agreed, project, "site").await.result;
    rest.map_err(|failure| {
        failure.hint("the formation is restored: `citusctl apply` goes on with the rest")
    })
}

/// Carries a restore out, and names what the restored data leaves to be decided.
async fn carried_out(
    options: &Options,
    approval: &Approval,
    session: &Session<'_>,
    run: &Run<'_>,
    planned: Result<Runbook, Failure>,
) -> Result<u8, Failure> {
    let ended = runbook::decide(options, approval, session, run, planned, || Ok(())).await;
    if ended.is_ok() && !approval.dry_run && !options.json {
        for (host, seen) in &look(session, run).await.hosts {
            for found in &seen.in_doubt {
                let age = duration(found.age * 1000);
                say(&format!("{host}: {}", found.sentence(&age)));
            }
        }
    }
    close(session, ended).await
}

/// What was agreed to before hosts were set up is not what their repositories say.
fn other_history(agreed: &str, now: &str) -> Failure {
    let text = format!(
        "the point `{agreed}` is of a history that an earlier restore has left, and the last one's newest point is `{now}`: hosts are set up, and nothing was restored"
    );
    Failure::new(code::REFUSED, text).hint(format!(
        "say which is meant: `citusctl restore --point {now}`, or `--point {agreed}`"
    ))
}

/// A part that has ended well; else the whole has not.
fn done(exit: u8, what: &str) -> Result<(), Failure> {
    match exit {
        code::DONE => Ok(()),
        other => Err(Failure::new(other, format!("{what} did not end well"))
            .hint("run the same command again: it goes on where it stopped")),
    }
}

/// Puts back what the last restore put aside.
///
/// # Errors
/// Whatever stood in the way.
pub async fn undo(
    options: &Options,
    without: &BTreeSet<HostName>,
    approval: &Approval,
) -> Result<u8, Failure> {
    let project = Project::open(options)?;
    let session = reach(options, &project, "restore undo", approval.dry_run).await?;
    let run = session.run()?;
    let seen = look(&session, &run).await;
    let input = BackupInput {
        without,
        ..input(&session, &seen)
    };
    let planned = plan_undo(input).map_err(Failure::from);
    runbook::run(options, approval, &session, &run, planned).await
}

/// Takes restores for good; `delete`: and deletes what they put aside.
///
/// # Errors
/// Whatever stood in the way.
pub async fn finish(options: &Options, delete: bool, approval: &Approval) -> Result<u8, Failure> {
    let project = Project::open(options)?;
    let session = reach(options, &project, "restore finish", approval.dry_run).await?;
    let run = session.run()?;
    let seen = look_at(&session, &run, true).await;
    let planned = plan_finish(input(&session, &seen), delete).map_err(Failure::from);
    runbook::run(options, approval, &session, &run, planned).await
}

/// A time as the command line has it.
///
/// # Errors
/// It has no offset: hosts and databases would each take their own.
pub fn moment(text: &str) -> Result<RestoreTarget, Failure> {
    let time = OffsetDateTime::parse(text, &Rfc3339);
    let time = time.map_err(|_| {
        Failure::new(code::USAGE, format!("`{text}` is no time with an offset"))
            .hint("write it as 2026-11-30T09:00:00Z or 2026-11-30T10:00:00+01:00")
    })?;
    Ok(RestoreTarget::Time(time.unix_timestamp()))
}
