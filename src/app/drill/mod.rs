//! `drill`: a fault on purpose, under load, and what it cost.

mod ailments;
mod chaos;
mod doors;
mod loss;
mod mend;
mod run;
mod scenario;
mod verbs;
mod watch;

pub use chaos::ChaosRequest;
pub use loss::{Back, LossRequest, Survivor};
pub(super) use mend::interrupted;
pub use scenario::Scenario;
pub use watch::child;

use super::failure::{Failure, chain, code, compact, result, say};
use super::options::Options;
use super::project::Project;
use super::rehearsal::{self, RehearsalRequest};
use super::session::Session;
use super::session::run_id::run_id;
use super::verify::logins;
use crate::engine;
use crate::event::Outcome;
use crate::event::drill::DrillReport;
use crate::lab::{INSIDE, Lab};
use crate::model::Group;
use crate::names::HostName;
use crate::runbook::backup::RestoreTarget;
use crate::runbook::patroni::{TargetError, group_named};
use crate::ui::{drill_page, drill_view};
use run::Drill;
use std::path::{Path, PathBuf};

/// Which drill, where.
#[derive(Debug)]
pub struct DrillRequest {
    pub name: Scenario,
    pub group: Option<String>,
    /// File for the timeline.
    pub html: Option<PathBuf>,
    /// The formation at work that it may run on, named twice.
    pub formation: Option<String>,
    pub confirm: Option<String>,
    pub loss: LossRequest,
    pub chaos: ChaosRequest,
    /// Of `restore` alone.
    pub restore: RestoreDrill,
}

/// What `drill restore` is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestoreDrill {
    /// The point; none: the newest one.
    pub point: Option<String>,
    /// The lab's name.
    pub name: Option<String>,
    pub keep: bool,
    /// A query that has to answer `t`.
    pub check_sql: Option<String>,
    /// The database that it asks; none: the formation's own.
    pub check_db: Option<String>,
}

/// Breaks something under load, and tells what it cost.
///
/// # Errors
/// Whatever stood in the way of beginning.
pub async fn run(options: &Options, args: &DrillRequest) -> Result<u8, Failure> {
    if args.name != Scenario::Restore && args.restore != RestoreDrill::default() {
        let words = "--point, --lab-name, --keep, --check-sql and --check-db are options of `drill restore`";
        return Err(Failure::new(code::USAGE, words));
    }
    if args.name != Scenario::ThreeLoseTwo && !args.loss.is_empty() {
        let words = "--survivor, --via, --back and --lose are options of `drill three-lose-two`";
        return Err(Failure::new(code::USAGE, words));
    }
    if args.name != Scenario::Chaos && !args.chaos.is_empty() {
        let words = "--seed, --minutes and --trace are options of `drill chaos`";
        return Err(Failure::new(code::USAGE, words));
    }
    if let Some(page) = &args.html {
        writable(page)?;
    }
    if args.name == Scenario::Restore {
        return rehearsal::run(options, &args.restore.request(args.html.clone())).await;
    }
    let project = Project::open(options)?;
    let group = group(&project, args.group.as_deref())?;
    let lab = match std::env::var(INSIDE) {
        Ok(name) => Some(Lab::find(Some(&name))?),
        Err(_) => {
            outside(&project, group, args)?;
            None
        }
    };
    let (leader, ca_pem) = leader(options, &project, group).await?;
    let (formation, _) = project
        .model
        .group(&group.cluster)
        .ok_or(TargetError::NoGroups)?;
    let login = logins(&project, &ca_pem).remove(&formation.name);
    let login =
        login.ok_or_else(|| Failure::new(code::INPUT, "the formation has no administrator"))?;
    let what = (args.name, args.loss.clone(), args.chaos.clone(), lab);
    let drill = Drill::new(options, &project, what, (group, leader), login);
    let id = run_id();
    let (report, interrupted) = drill.run(id.as_str()).await?;
    let page = args.html.clone().unwrap_or_else(|| {
        project
            .state_dir
            .join("drills")
            .join(format!("{id}-{}.html", report.drill))
    });
    let exit = tell(options, &report, &page)?;
    Ok(if interrupted { code::DECLINED } else { exit })
}

impl RestoreDrill {
    fn request(&self, html: Option<PathBuf>) -> RehearsalRequest {
        let target = match &self.point {
            Some(name) => RestoreTarget::Point(name.clone()),
            None => RestoreTarget::Latest,
        };
        RehearsalRequest {
            target,
            lab: self
                .name
                .clone()
                .unwrap_or_else(|| rehearsal::LAB.to_owned()),
            proves: true,
            keep: self.keep,
            query: self.check_sql.clone(),
            database: self.check_db.clone(),
            html,
        }
    }
}

/// The page is written last: that it cannot be is said first.
fn writable(page: &Path) -> Result<(), Failure> {
    let bad = |why: &str| {
        let text = format!("--html {}: {why}; nothing was done", page.display());
        Err(Failure::new(code::USAGE, text).hint("name a file in a directory that is yours"))
    };
    if page.is_dir() {
        return bad("is a directory");
    }
    let directory = page.parent().filter(|dir| !dir.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let tried = fs_err::create_dir_all(directory).and_then(|()| tempfile::tempfile_in(directory));
    match tried {
        Ok(_) => Ok(()),
        Err(error) => bad(&error.kind().to_string()),
    }
}

/// At work only what costs a moment is rehearsed, and only by whoever names the formation twice.
fn outside(project: &Project, group: &Group, args: &DrillRequest) -> Result<(), Failure> {
    let refused = |text: String| Failure::new(code::REFUSED, text);
    if args.name != Scenario::Switchover {
        let text = format!(
            "drill {} breaks hosts on purpose: it runs in labs only",
            args.name.name()
        );
        let hint = "`citusctl lab up`, `citusctl --lab apply`, then `citusctl --lab drill NAME`";
        return Err(refused(text).hint(hint));
    }
    let found = project.model.group(&group.cluster);
    let name = found
        .map(|(formation, _)| formation.name.to_string())
        .unwrap_or_default();
    let way =
        format!("`--formation {name} --confirm {name}` says that it may; or rehearse it in a lab");
    let Some(said) = &args.formation else {
        let text = format!(
            "this is no lab: a drill here stops writes of {name} for seconds, and makes a table in it"
        );
        return Err(refused(text).hint(way));
    };
    if *said != name {
        return Err(refused(format!(
            "{} is part of {name}, not of {said}",
            group.cluster
        ))
        .hint(way));
    }
    match args.confirm.as_ref() == Some(said) {
        true => Ok(()),
        false => Err(Failure::new(
            code::DECLINED,
            "the formation must be named twice; nothing was changed",
        )
        .hint(way)),
    }
}

fn group<'a>(project: &'a Project, name: Option<&str>) -> Result<&'a Group, Failure> {
    let coordinator = match project.model.formations.as_slice() {
        [only] if name.is_none() => only.coordinator(),
        _ => None,
    };
    match coordinator {
        Some(group) => Ok(group),
        None => Ok(group_named(&project.model, name)?),
    }
}

/// Who leads the group now; a drill begins with a healthy group.
async fn leader(
    options: &Options,
    project: &Project,
    group: &Group,
) -> Result<(HostName, String), Failure> {
    let hosts = group
        .members
        .iter()
        .map(|member| member.host.clone())
        .collect();
    let session = Session::reach(options, project, "drill", hosts).await?;
    let run = session.run()?;
    let seen = engine::groups(&run, &[group]).await.remove(&group.cluster);
    drop(run);
    session
        .emitter
        .finish_as(Outcome::Done, &session.fleet.traffic());
    session.fleet.close().await;
    let unwell = |why: String| {
        let text = format!(
            "{}: a drill begins with a healthy group: {why}",
            group.cluster
        );
        Failure::new(code::REFUSED, text).hint("`citusctl status` shows what is wrong")
    };
    let seen = seen
        .unwrap_or_else(|| Err("it was not asked".to_owned()))
        .map_err(unwell)?;
    let up = seen.members.iter().filter(|member| member.is_up()).count();
    match seen.leader() {
        Some(leader) if up == group.members.len() => {
            Ok((leader.host.clone(), session.ca.cert_pem().to_owned()))
        }
        Some(_) | None => Err(unwell(format!(
            "{up} of {} members are up",
            group.members.len()
        ))),
    }
}

fn tell(options: &Options, report: &DrillReport, page: &Path) -> Result<u8, Failure> {
    let failed = |error: std::io::Error| Failure::new(code::INTERNAL, chain(&error));
    result(&match options.json {
        true => compact(report)?,
        false => drill_view(report),
    })?;
    if let Some(directory) = page.parent() {
        fs_err::create_dir_all(directory).map_err(failed)?;
    }
    fs_err::write(page, drill_page(report)).map_err(failed)?;
    if let Some(chaos) = &report.chaos {
        let kept = page.with_extension("trace");
        fs_err::write(&kept, format!("{}\n", chaos.trace.join("\n"))).map_err(failed)?;
        if !options.quiet {
            say(&format!(
                "play again: citusctl --lab drill chaos --trace {}",
                kept.display()
            ));
        }
    }
    if !options.quiet {
        say(&format!("timeline: {}", page.display()));
    }
    Ok(if report.ok {
        code::DONE
    } else {
        code::INTERNAL
    })
}
