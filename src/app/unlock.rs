//! `unlock`: whose locks are on the hosts, whether their runs are dead, and taking away those that are.

use super::apply::outcome_of;
use super::failure::{Failure, chain, code, pretty, result};
use super::options::Options;
use super::project::Project;
use super::runbook::ask;
use super::session::Session;
use crate::engine::{Life, Run, SILENCE, Taken, locks, take_away};
use crate::event::{Kind, Outcome};
use crate::names::HostName;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How far to go.
#[derive(Debug)]
pub struct UnlockRequest {
    /// Also end programs that a dead run has left.
    pub end_programs: bool,
    /// Stop after the look.
    pub dry_run: bool,
}

type LockAnswers = BTreeMap<HostName, Result<Vec<Taken>, String>>;

/// Shows the locks of the hosts that `-l` leaves, and takes those of dead runs away.
///
/// # Errors
/// A lock of a run that lives, or hosts that cannot be asked.
pub async fn run(options: &Options, args: &UnlockRequest) -> Result<u8, Failure> {
    let project = Project::open(options)?;
    let hosts = project.chosen(options)?;
    let silent = options.without_events();
    let session =
        Session::reach_for(&silent, &project, "unlock", hosts.clone(), args.dry_run).await?;
    let run = session.run()?;
    let ended = unlock(options, args, &session, &run, &hosts).await;
    drop(run);
    match ended {
        Ok(outcome) => Ok(session.finish(outcome).await),
        Err(failure) => {
            session.finish(outcome_of(failure.code)).await;
            Err(failure)
        }
    }
}

async fn unlock(
    options: &Options,
    args: &UnlockRequest,
    session: &Session<'_>,
    run: &Run<'_>,
    hosts: &BTreeSet<HostName>,
) -> Result<Outcome, Failure> {
    let answers = locks(run, hosts).await;
    session.emitter.pause();
    let shown = match options.json {
        true => pretty(&rows(&answers))?,
        false => text(&answers),
    };
    result(&session.masker.mask(&shown))?;
    let unasked = match answers.values().any(Result::is_err) {
        true => Outcome::Unreachable,
        false => Outcome::Done,
    };
    let dead = dead(&answers);
    if args.dry_run {
        return Ok(unasked);
    }
    may_be_taken(args, &answers)?;
    if dead.is_empty() {
        return Ok(unasked);
    }
    if !options.yes {
        let agreed = |said: &str| matches!(said, "y" | "yes" | "Y" | "Yes");
        ask("Take these locks away? [y/N] ", "`--yes` answers", agreed)?;
    }
    for lock in dead {
        taken(args, session, run, lock).await?;
    }
    Ok(unasked)
}

async fn taken(
    args: &UnlockRequest,
    session: &Session<'_>,
    run: &Run<'_>,
    lock: &Taken,
) -> Result<(), Failure> {
    let taken = take_away(run, lock, args.end_programs).await;
    taken.map_err(|error| Failure::new(code::FAILED, chain(&error)))?;
    session.emitter.emit(Kind::Note {
        text: format!(
            "{}: {} is free; it was {}'s",
            lock.host, lock.what, lock.owner.run
        ),
    });
    Ok(())
}

fn all(answers: &LockAnswers) -> impl Iterator<Item = &Taken> {
    answers.values().flatten().flatten()
}

fn dead(answers: &LockAnswers) -> Vec<&Taken> {
    let dead = |lock: &&Taken| matches!(lock.owner.life(), Life::Dead(_));
    all(answers).filter(dead).collect()
}

/// Refuses the lock of a run that lives, and that of one whose programs still act.
fn may_be_taken(args: &UnlockRequest, answers: &LockAnswers) -> Result<(), Failure> {
    let alive = |lock: &&Taken| matches!(lock.owner.life(), Life::Alive(_));
    if let Some(lock) = all(answers).find(alive) {
        let words = format!(
            "{}: {} is locked by {}\n  nothing was taken away",
            lock.host,
            lock.what,
            lock.owner.sentence()
        );
        return Err(Failure::new(code::REFUSED, words).hint(format!(
            "end that run where it runs; if its machine is lost, the lock frees itself {SILENCE} s after the last sign of life"
        )));
    }
    let acts = |lock: &&&Taken| !lock.owner.programs.is_empty() && !args.end_programs;
    if let Some(lock) = dead(answers).iter().find(acts) {
        let words = format!(
            "{}: {} is locked by {}\n  nothing was taken away",
            lock.host,
            lock.what,
            lock.owner.sentence()
        );
        return Err(Failure::new(code::REFUSED, words)
            .hint("wait for it: it begins no further step, and the lock goes with it")
            .hint("it hangs: `citusctl unlock HOST --end-programs` ends it and takes the lock; what it was doing stays half done"));
    }
    Ok(())
}

fn text(answers: &LockAnswers) -> String {
    let mut out = String::new();
    for (host, locks) in answers {
        match locks {
            Err(why) => out.push_str(&format!("{host}: its locks are not known: {why}\n")),
            Ok(locks) => {
                let held = locks.iter().filter(|lock| lock.owner.life() != Life::Free);
                let lines: Vec<String> = held
                    .map(|lock| {
                        format!(
                            "{host}: {} is locked by {}\n",
                            lock.what,
                            lock.owner.sentence()
                        )
                    })
                    .collect();
                match lines.is_empty() {
                    true => out.push_str(&format!("{host}: no lock\n")),
                    false => out.extend(lines),
                }
            }
        }
    }
    out
}

fn rows(answers: &LockAnswers) -> Vec<Value> {
    let row = |lock: &Taken| {
        let owner = &lock.owner;
        let (state, why) = match owner.life() {
            Life::Free => ("free", String::new()),
            Life::Alive(_) => ("alive", String::new()),
            Life::Dead(why) => ("dead", why),
        };
        let programs = owner.programs.iter();
        let programs: Vec<Value> = programs
            .map(|(pid, command)| json!({ "pid": pid, "command": command }))
            .collect();
        json!({
            "what": lock.what, "state": state, "why": why, "run": owner.run, "operator": owner.operator,
            "command": owner.command, "since": owner.since, "silent_s": owner.silent.map(|s| s.as_secs()), "programs": programs,
        })
    };
    let host = |(host, locks): (&HostName, &Result<Vec<Taken>, String>)| match locks {
        Ok(locks) => json!({ "host": host, "locks": locks.iter().map(row).collect::<Vec<_>>() }),
        Err(why) => json!({ "host": host, "unreachable": why }),
    };
    answers.iter().map(host).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Owner;

    fn found(lines: &[&str]) -> LockAnswers {
        let lock = Taken {
            host: HostName::new("h1"),
            file: "lock".to_owned(),
            what: "the host".to_owned(),
            owner: Owner::read(lines.iter().copied()),
        };
        [(HostName::new("h1"), Ok(vec![lock]))].into()
    }

    fn args(end_programs: bool) -> UnlockRequest {
        UnlockRequest {
            end_programs,
            dry_run: false,
        }
    }

    #[test]
    fn the_lock_of_a_run_that_lives_is_not_taken_away() {
        let failure = may_be_taken(&args(true), &found(&["run=r1", "held=7", "silent=2"]));
        let failure = failure.unwrap_err();
        assert_eq!(failure.code, code::REFUSED);
        assert!(
            failure.text.contains("last sign of life 2 s ago"),
            "{}",
            failure.text
        );
    }

    #[test]
    fn that_of_a_dead_one_is_unless_its_program_still_acts() {
        let left = found(&["run=r1", "ended=x", "program=9 apt-get install y"]);
        let failure = may_be_taken(&args(false), &left).unwrap_err();
        assert_eq!(failure.code, code::REFUSED);
        assert!(
            failure
                .text
                .contains("process 9 (`apt-get install y`) still runs")
        );
        assert!(may_be_taken(&args(true), &left).is_ok());
        let silent = found(&["run=r1", "held=7", "silent=99"]);
        assert!(may_be_taken(&args(false), &silent).is_ok());
        assert_eq!(dead(&silent).len(), 1);
        assert!(dead(&found(&["run=r1"])).is_empty());
    }

    #[test]
    fn a_host_that_cannot_be_asked_is_not_free() {
        let answers = [(HostName::new("h1"), Err("connection refused".to_owned()))].into();
        assert_eq!(
            text(&answers),
            "h1: its locks are not known: connection refused\n"
        );
        assert_eq!(text(&found(&["run=r1"])), "h1: no lock\n");
    }
}
