//! Whose locks are on hosts, and taking away those of dead runs.

use super::owner::Owner;
use super::{places, shell};
use crate::command::{FrameLine, whole_program};
use crate::engine::fleet::{chain, collect};
use crate::engine::look::futures_join;
use crate::engine::{EngineError, Run};
use crate::model::Model;
use crate::names::HostName;
use crate::transport::Program;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(30);

/// One lock that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub host: HostName,
    /// The file, which names it for [`take_away`].
    pub file: String,
    /// What it locks: the host, or a formation.
    pub what: String,
    pub owner: Owner,
}

/// All locks on these hosts, those that nobody has included. A host that cannot be asked has words for it.
pub async fn locks(
    run: &Run<'_>,
    hosts: &BTreeSet<HostName>,
) -> BTreeMap<HostName, Result<Vec<Taken>, String>> {
    let answers = futures_join(
        hosts
            .iter()
            .map(|host| async { (host.clone(), on_one(run, host).await) }),
    );
    answers.await.into_iter().collect()
}

async fn on_one(run: &Run<'_>, host: &HostName) -> Result<Vec<Taken>, String> {
    let text = shell::look(&run.frame, shell::DIR);
    let output = exec(run, host, &text).await?;
    read(run, host, &output).ok_or_else(|| "its answer is not whole".to_owned())
}

async fn exec(run: &Run<'_>, host: &HostName, text: &str) -> Result<String, String> {
    let Some(way) = run.fleet.get(host) else {
        let error = run.fleet.unreachable().get(host);
        return Err(error.map_or_else(|| "not connected".to_owned(), |error| chain(error)));
    };
    let program = Program::of(whole_program(text)).within(DEADLINE);
    let collected = collect(way.as_ref(), &program).await;
    collected
        .map(|(_, output)| output.out)
        .map_err(|error| chain(&error))
}

/// Reads a look; `None` when its end is missing.
fn read(run: &Run<'_>, host: &HostName, output: &str) -> Option<Vec<Taken>> {
    let mut found: Vec<(String, Vec<&str>)> = Vec::new();
    for line in output.lines() {
        match run.frame.read(line) {
            FrameLine::Mark(words) => match words.as_slice() {
                ["done"] => {
                    let taken = |(file, lines): (String, Vec<&str>)| Taken {
                        host: host.clone(),
                        what: what(run.model, &file),
                        file,
                        owner: Owner::read(lines),
                    };
                    return Some(found.into_iter().map(taken).collect());
                }
                ["lock", file] => found.push(((*file).to_owned(), Vec::new())),
                _ => {}
            },
            FrameLine::Text(text) => {
                if let Some((_, lines)) = found.last_mut() {
                    lines.push(text);
                }
            }
        }
    }
    None
}

/// What a file locks, in words. A host may have locks of formations that this inventory does not know.
pub(super) fn what(model: &Model, file: &str) -> String {
    if file == shell::HOST_LOCK {
        return "the host".to_owned();
    }
    let mut formations = model.formations.iter().map(|formation| &formation.name);
    match formations.find(|name| places::file_of(name) == file) {
        Some(name) => format!("formation `{name}`"),
        None => format!("`{}`", file.replace(char::is_control, "")),
    }
}

/// Takes a dead run's lock away: ends its holder, and with `programs` what of the run still runs on the host.
///
/// # Errors
/// The host cannot be asked, or the lock is not to be had afterwards.
pub async fn take_away(run: &Run<'_>, lock: &Taken, programs: bool) -> Result<(), EngineError> {
    let text = shell::take_away(
        &run.frame,
        shell::DIR,
        &lock.file,
        &lock.owner.run,
        programs,
    );
    let failed = |detail: String| EngineError::Step {
        step: "unlock".to_owned(),
        host: lock.host.clone(),
        detail,
    };
    let output = exec(run, &lock.host, &text).await.map_err(failed)?;
    let freed = |line: &str| run.frame.read(line) == FrameLine::Mark(vec!["freed"]);
    if output.lines().any(freed) {
        return Ok(());
    }
    let last = output.lines().rfind(|line| !line.trim().is_empty());
    Err(failed(last.unwrap_or("it said nothing").to_owned()))
}
