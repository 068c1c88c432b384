//! `drill restore` and `restore --into-lab`: the newest backup of all groups brought to a point in a lab, and proved there.
//!
//! Home is only read: through the connections that every verb has. The lab's hosts have a network of their own with no way out, their
//! own authority, and a copy of the repository; nothing that is restored there can reach what it came from.

mod children;
mod copy;
mod mirror;
mod prove;
mod tell;

use super::backup::{input, look, reach};
use super::failure::{Failure, code};
use super::options::Options;
use super::project::Project;
use super::session::Session;
use super::session::run_id::run_id;
use crate::event::Outcome;
use crate::event::rehearsal::{RehearsalReport, RehearsedBackup, RehearsedStep};
use crate::lab::{CitusSource, INSIDE, Lab};
use crate::model::{Formation, Os};
use crate::runbook::backup::{Rehearsal, RestoreTarget, plan_rehearsal};
use children::Children;
use std::path::PathBuf;
use std::time::Instant;
use time::OffsetDateTime;

/// The lab's name, unless another one is given.
pub const LAB: &str = "drill-restore";

/// What is rehearsed.
#[derive(Clone, Debug)]
pub struct RehearsalRequest {
    pub target: RestoreTarget,
    /// The lab's name.
    pub lab: String,
    /// Whether what is restored is proved: else it is only left there.
    pub proves: bool,
    /// Whether the lab stays.
    pub keep: bool,
    /// A query that has to answer `t` on the leader of the first group.
    pub query: Option<String>,
    /// The database that it asks; none: the formation's own.
    pub database: Option<String>,
    /// File for the page.
    pub html: Option<PathBuf>,
}

impl RehearsalRequest {
    /// A restore into a lab that stays.
    pub fn kept(target: RestoreTarget, lab: String) -> Self {
        Self {
            target,
            lab,
            proves: false,
            keep: true,
            query: None,
            database: None,
            html: None,
        }
    }
}

/// A rehearsal under way.
struct Rehearsing<'a> {
    options: &'a Options,
    project: &'a Project,
    request: &'a RehearsalRequest,
    rehearsal: Rehearsal,
    children: Children,
    begun: Instant,
    report: RehearsalReport,
}

/// Restores into a lab; ends with 1 where it is not proven.
///
/// # Errors
/// Whatever stood in the way of beginning.
pub async fn run(options: &Options, request: &RehearsalRequest) -> Result<u8, Failure> {
    options.undivided(
        "a formation is restored as a whole: `-l` and `-t` choose a part",
        "leave them out",
    )?;
    let project = Project::open(options)?;
    let formation = only(&project)?;
    free(&request.lab)?;
    let suite = suite(&project);
    let citus = citus(formation)?;
    let session = reach(options, &project, "drill restore", true).await?;
    let run = session.run()?;
    let seen = look(&session, &run).await;
    let planned = plan_rehearsal(input(&session, &seen), &request.target);
    drop(run);
    let rehearsal = match planned {
        Ok(rehearsal) => rehearsal,
        Err(refusal) => {
            session.finish(Outcome::Refused).await;
            return Err(refusal.into());
        }
    };
    let mirror = mirror::make(&project, &request.lab)?;
    let report = report(request, &rehearsal);
    let mut rehearsing = Rehearsing {
        options,
        project: &project,
        request,
        children: Children::new(options, &request.lab, mirror),
        rehearsal,
        begun: Instant::now(),
        report,
    };
    let ended = rehearsing.carried_out(&session, (suite, citus)).await;
    session.finish(Outcome::Done).await;
    rehearsing.end(ended).await
}

fn only(project: &Project) -> Result<&Formation, Failure> {
    match project.model.formations.as_slice() {
        [only] => Ok(only),
        _ => Err(Failure::new(
            code::REFUSED,
            "the inventory has several formations, or none: one is rehearsed at a time",
        )
        .hint("name an inventory of one formation with `-i`")),
    }
}

/// A lab of that name is somebody's.
fn free(name: &str) -> Result<(), Failure> {
    match Lab::find(Some(name)) {
        Ok(_) => Err(Failure::new(code::REFUSED, format!("there is a lab `{name}` already; nothing was done"))
            .hint(format!("remove it with `citusctl lab down --name {name}`, or name another one with `--lab-name`"))),
        Err(crate::lab::LabError::NoSuchLab { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The distribution of the lab's hosts: as at home.
fn suite(project: &Project) -> &'static str {
    match project
        .model
        .hosts()
        .any(|host| host.facts.os == Os::Debian12)
    {
        true => "debian12",
        false => "debian13",
    }
}

/// Where the lab has Citus from: from where the lab that is home has it, else as the environment says.
fn citus(formation: &Formation) -> Result<Option<String>, Failure> {
    if !formation.is_citus() {
        return Ok(None);
    }
    let home = match std::env::var(INSIDE) {
        Ok(name) => Some(Lab::find(Some(&name))?),
        Err(_) => None,
    };
    if let Some(lab) = home {
        return Ok(Some(match lab.citus() {
            CitusSource::None => "none".to_owned(),
            CitusSource::StandIn => "stand-in".to_owned(),
            CitusSource::Files(path) => path.display().to_string(),
        }));
    }
    match std::env::var("CITUSCTL_LAB_CITUS") {
        Ok(named) if !named.is_empty() && named != "stand-in" && named != "none" => Ok(None),
        Ok(_) | Err(_) => Err(Failure::new(code::REFUSED, format!("{} is a Citus formation, and the lab has no Citus: what was backed up cannot be opened without it", formation.name))
            .hint("name the packages or the file tree of its Citus with `CITUSCTL_LAB_CITUS=DIR` (docs/backup.md)")),
    }
}

fn report(request: &RehearsalRequest, rehearsal: &Rehearsal) -> RehearsalReport {
    let backup = |group: &crate::runbook::backup::RehearsedGroup| RehearsedBackup {
        cluster: group.cluster.clone(),
        label: group.set.clone(),
        from: group.keeper.to_string(),
        size: group.size,
    };
    RehearsalReport {
        drill: "restore".to_owned(),
        run: run_id().to_string(),
        formation: rehearsal.formation.clone(),
        lab: request.lab.clone(),
        point: rehearsal.point.name.clone(),
        point_at: rehearsal.point.at,
        rpo_seconds: OffsetDateTime::now_utc().unix_timestamp() - rehearsal.point.at,
        backups: rehearsal.groups.iter().map(backup).collect(),
        ..RehearsalReport::default()
    }
}

impl Rehearsing<'_> {
    /// Everything up to the proofs, or until somebody interrupts it.
    async fn carried_out(
        &mut self,
        session: &Session<'_>,
        lab: (&'static str, Option<String>),
    ) -> Result<(), Failure> {
        tokio::select! {
            ended = self.steps(session, lab) => ended,
            () = super::drill::interrupted() => Err(Failure::new(code::DECLINED, "interrupted")),
        }
    }

    async fn steps(
        &mut self,
        session: &Session<'_>,
        (suite, citus): (&'static str, Option<String>),
    ) -> Result<(), Failure> {
        let at = self.now();
        self.children.up(suite, citus.as_deref()).await?;
        self.took("boot the lab's hosts", at);
        let isolated = self.isolated().await;
        let sealed = isolated.proof == crate::runbook::backup::Proof::Holds;
        let words = isolated.words.clone();
        self.found(vec![isolated]);
        if !sealed {
            return Err(Failure::new(
                code::FAILED,
                format!("nothing was restored: {words}"),
            ));
        }
        let empty = self.now();
        self.children.verb(&["apply", "-y"]).await?;
        let at = self.took("prepare the hosts (`apply`)", empty);
        self.stop().await?;
        let at = self.took("stop what was made there", at);
        self.copy(session).await?;
        let at = self.took("copy the backup and the log", at);
        self.restore(at, empty).await?;
        match self.request.proves {
            true => self.prove().await,
            false => Ok(()),
        }
    }

    /// Seconds since it began.
    fn now(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// Notes a step; gives the moment at which the next one begins.
    fn took(&mut self, title: &str, at: f64) -> f64 {
        let now = self.now();
        if !self.options.quiet && !self.options.json {
            super::failure::say(&format!("{now:>7.1}s  {title} ({:.1} s)", now - at));
        }
        self.report.steps.push(RehearsedStep {
            title: title.to_owned(),
            at,
            took: now - at,
        });
        now
    }
}
