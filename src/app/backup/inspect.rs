//! `backup check`, `backup verify` and `backup expire`.

use super::{chosen, input, look, reach};
use crate::app::failure::{Failure, code, pretty, result};
use crate::app::options::Options;
use crate::app::project::Project;
use crate::app::runbook::{self, Approval};
use crate::app::session::Session;
use crate::command::Frame;
use crate::engine::{self, Run};
use crate::event::Outcome;
use crate::model::Group;
use crate::names::ClusterName;
use crate::runbook::backup::{
    BackupInput, BackupLook, Expiry, Findings, check_programs, expire_program, plan_expire,
    read_check, read_verify, verify_programs,
};
use crate::runbook::{Refusal, Runbook};
use crate::ui::backup_findings::findings_view;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a check may take: pgBackRest's own wait for a segment, and ours.
const CHECK: Duration = Duration::from_secs(200);

/// All of a repository is read.
const VERIFY: Duration = Duration::from_secs(86_400);

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inspection {
    /// Whether WAL arrives and everything agrees.
    Check,
    /// Whether what is there can be read.
    Verify,
}

impl Inspection {
    fn verb(self) -> &'static str {
        match self {
            Self::Check => "backup check",
            Self::Verify => "backup verify",
        }
    }
}

/// Asks; ends with 1 where something is ill or not known.
///
/// # Errors
/// No host can be asked, or no such group.
pub async fn inspect(
    options: &Options,
    groups: &[String],
    what: Inspection,
) -> Result<u8, Failure> {
    let project = Project::open(options)?;
    let groups = chosen(&project, groups)?;
    let session = reach(options, &project, what.verb(), true).await?;
    let run = session.run()?;
    let seen = look(&session, &run).await;
    let found = asked(&run, input(&session, &seen), &groups, what).await;
    drop(run);
    session.finish(Outcome::Done).await;
    match options.json {
        true => result(&pretty(&found)?)?,
        false => result(&findings_view(&found))?,
    }
    Ok(match found.ok {
        true => code::DONE,
        false => code::INTERNAL,
    })
}

async fn asked(
    run: &Run<'_>,
    input: BackupInput<'_>,
    groups: &[&Group],
    what: Inspection,
) -> Findings {
    let frame: &Frame = &run.frame;
    match what {
        Inspection::Check => {
            let programs = check_programs(frame, input, groups);
            let answers = engine::survey(run, &programs, CHECK).await;
            read_check(frame, input, groups, &answers)
        }
        Inspection::Verify => {
            let programs = verify_programs(frame, input, groups);
            let answers = engine::survey(run, &programs, VERIFY).await;
            read_verify(frame, input, groups, &answers)
        }
    }
}

/// Removes what has expired, or one set.
///
/// # Errors
/// Whatever stood in the way.
pub async fn expire(
    options: &Options,
    groups: &[String],
    set: Option<&str>,
    approval: &Approval,
) -> Result<u8, Failure> {
    let project = Project::open(options)?;
    let groups = chosen(&project, groups)?;
    if set.is_some() && groups.len() != 1 {
        return Err(Failure::new(code::USAGE, "a backup belongs to one group")
            .hint("name it with `--group`"));
    }
    let session = reach(options, &project, "backup expire", approval.dry_run).await?;
    let run = session.run()?;
    let seen = look(&session, &run).await;
    let planned = planned(&session, &run, &seen, &groups, set).await;
    runbook::run(
        options,
        approval,
        &session,
        &run,
        planned.map_err(Failure::from),
    )
    .await
}

async fn planned(
    session: &Session<'_>,
    run: &Run<'_>,
    seen: &BackupLook,
    groups: &[&Group],
    set: Option<&str>,
) -> Result<Runbook, Refusal> {
    let input = input(session, seen);
    let mut expiries = BTreeMap::<ClusterName, Expiry>::new();
    for group in groups {
        let Some((host, program)) = expire_program(&run.frame, input, group, set) else {
            continue;
        };
        let programs = BTreeMap::from([(host.clone(), program)]);
        let answer = engine::survey(run, &programs, CHECK).await.remove(&host);
        let answer = answer.unwrap_or_else(|| Err("it was not asked".to_owned()));
        let read = answer.and_then(|text| Expiry::read(&run.frame, &text));
        let expiry = read.map_err(|why| {
            Refusal::new(
                format!("{host}: {why}"),
                "`citusctl backup list` shows the backups that there are",
            )
        })?;
        expiries.insert(group.cluster.clone(), expiry);
    }
    plan_expire(input, groups, set, &expiries)
}
