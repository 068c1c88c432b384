//! One drill from its first write to its report.

use super::scenario::Scenario;
use super::watch::Watch;
use crate::cli::exit::{Failure, code, say};
use crate::cli::options::Common;
use crate::cli::project::Project;
use crate::engine::drill::{Door, Table, Written, write};
use crate::engine::verify::Login;
use crate::event::drill::{DrillReport, Mark, Millis, Writes, leaderless, two_writers};
use crate::lab::Lab;
use crate::model::{Group, Service};
use crate::names::HostName;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// A drill under way.
pub struct Drill<'a> {
    pub common: &'a Common,
    pub project: &'a Project,
    pub scenario: Scenario,
    pub lab: Lab,
    pub group: &'a Group,
    /// Who leads the group as the drill begins.
    pub leader: HostName,
    /// Every host of the lab.
    pub all: Vec<HostName>,
    pub doors: Vec<Door>,
    pub login: Login,
    started: Instant,
    written: Arc<Written>,
    marks: Vec<Mark>,
    watch: Option<Watch>,
}

const POLL: Duration = Duration::from_millis(100);
/// Writes within a second that count as going on.
const FLOWING: usize = 20;

impl<'a> Drill<'a> {
    pub fn new(
        common: &'a Common,
        project: &'a Project,
        (scenario, lab): (Scenario, Lab),
        (group, leader): (&'a Group, HostName),
        login: Login,
    ) -> Self {
        let all = lab
            .status()
            .hosts
            .into_iter()
            .map(|host| host.name)
            .collect();
        Self {
            common,
            project,
            scenario,
            lab,
            all,
            doors: doors(project, group),
            group,
            leader,
            login,
            started: Instant::now(),
            written: Arc::default(),
            marks: Vec::new(),
            watch: None,
        }
    }

    /// Runs it. What could not be waited for is a problem of the report, not a failure.
    pub async fn run(mut self, id: &str) -> Result<DrillReport, Failure> {
        let (formation, _) = self
            .project
            .model
            .group(&self.group.cluster)
            .ok_or_else(|| Failure::new(code::INPUT, "the group is not in the inventory"))?;
        let table = Table {
            name: format!("citusctl_drill_{}", id.replace('-', "_")),
            distributed: formation.is_citus() && self.group.is_coordinator(),
        };
        let bad = |why: String| Failure::new(code::FAILED, format!("the drill's table: {why}"));
        table.make(&self.doors, &self.login).await.map_err(bad)?;
        self.started = Instant::now();
        self.watch = Some(Watch::start(
            &self.lab,
            &self.group.members,
            &self.login,
            self.started,
        )?);
        let (stop, stopped) = watch::channel(false);
        let writer = {
            let (table, doors, login) = (table.clone(), self.doors.clone(), self.login.clone());
            let (started, written) = (self.started, Arc::clone(&self.written));
            // A runtime of its own: nothing that the drill does delays a write.
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let runtime =
                runtime.map_err(|error| Failure::new(code::INTERNAL, error.to_string()))?;
            std::thread::spawn(move || {
                runtime.block_on(write(table, doors, login, started, written, stopped));
            })
        };
        let begun = match self.writing(0, 30).await {
            Ok(()) => self.seen(30).await,
            Err(failure) => Err(failure),
        };
        let played = match begun {
            Ok(()) => self.play().await,
            Err(failure) => Err(failure),
        };
        // The end of the last gap belongs to the picture.
        let end = self.now();
        self.until(2, |drill| drill.now() > end + 1000).await;
        stop.send_replace(true);
        if writer.join().is_err() {
            return Err(Failure::new(code::INTERNAL, "the writer broke off"));
        }
        let report = self.report(id, &table, played.err()).await;
        table.remove(&self.doors, &self.login).await.map_err(bad)?;
        Ok(report)
    }

    pub fn now(&self) -> Millis {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Notes what is done now.
    pub fn mark(&mut self, title: &str) -> Millis {
        let at = self.now();
        if !self.common.quiet {
            say(&format!(
                "{:>7.1}s  {title}",
                self.started.elapsed().as_secs_f64()
            ));
        }
        self.marks.push(Mark {
            at,
            title: title.to_owned(),
            took: None,
        });
        at
    }

    /// Notes how long the thing marked at that moment took.
    pub fn took(&mut self, at: Millis) {
        let now = self.now();
        if let Some(mark) = self.marks.iter_mut().rfind(|mark| mark.at == at) {
            mark.took = Some(now - at);
        }
    }

    /// Waits until writes flow again, a second at least after `since`.
    pub async fn writing(&mut self, since: Millis, seconds: u64) -> Result<(), Failure> {
        let flows = |drill: &Self| {
            let now = drill.now();
            now > since + 1500
                && drill.written.since(now.saturating_sub(1000).max(since)) >= FLOWING
        };
        if self.until(seconds, flows).await {
            if since > 0 {
                self.mark("writes flow");
            }
            return Ok(());
        }
        let (_, first) = self.written.errors();
        let why = first.unwrap_or_else(|| "none was refused".to_owned());
        Err(Failure::new(
            code::FAILED,
            format!("no writes within {seconds} s: {why}"),
        ))
    }

    /// Waits until every member of the group answers again for two seconds.
    pub async fn whole(&mut self, seconds: u64) -> Result<(), Failure> {
        let whole = |drill: &Self| {
            let since = drill.now().saturating_sub(2000);
            drill
                .watch
                .as_ref()
                .is_some_and(|watch| watch.all_up(since))
        };
        match self.until(seconds, whole).await {
            true => {
                self.mark("every member answers");
                Ok(())
            }
            false => Err(Failure::new(
                code::FAILED,
                format!("not every member answers after {seconds} s"),
            )),
        }
    }

    /// Waits until the eyes are open: every member has been seen for a second.
    async fn seen(&self, seconds: u64) -> Result<(), Failure> {
        let seen = |drill: &Self| {
            let since = drill.now().saturating_sub(1000);
            since > 0
                && drill
                    .watch
                    .as_ref()
                    .is_some_and(|watch| watch.all_up(since))
        };
        match self.until(seconds, seen).await {
            true => Ok(()),
            false => Err(Failure::new(
                code::FAILED,
                format!("not every member could be watched within {seconds} s"),
            )),
        }
    }

    async fn until(&self, seconds: u64, holds: impl Fn(&Self) -> bool) -> bool {
        let begun = Instant::now();
        while begun.elapsed().as_secs() < seconds {
            if holds(self) {
                return true;
            }
            tokio::time::sleep(POLL).await;
        }
        holds(self)
    }

    /// Runs one of our own verbs on the same inventory.
    pub async fn verb(&self, words: &[&str]) -> Result<(), Failure> {
        let failed = |error: std::io::Error| Failure::new(code::INTERNAL, error.to_string());
        let mut command = tokio::process::Command::new(std::env::current_exe().map_err(failed)?);
        command
            .args(words)
            .arg("-q")
            .arg("-i")
            .arg(self.common.inventory_path());
        for extra in &self.common.extra {
            command.arg("-e").arg(extra);
        }
        let output = command.output().await.map_err(failed)?;
        match output.status.success() {
            true => Ok(()),
            false => Err(Failure::new(
                code::FAILED,
                format!(
                    "`{}`: {}",
                    words.join(" "),
                    String::from_utf8_lossy(&output.stderr).trim()
                ),
            )),
        }
    }

    async fn report(&mut self, id: &str, table: &Table, failed: Option<Failure>) -> DrillReport {
        let (errors, first_error) = self.written.errors();
        let mut writes = Writes {
            errors,
            first_error,
            ..Writes::of(&self.written.moments())
        };
        let mut problems: Vec<String> = failed.into_iter().map(|failure| failure.text).collect();
        match table.rows(&self.doors, &self.login).await {
            Ok(rows) => writes.missing = self.written.missing(&rows),
            Err(why) => problems.push(format!("the rows cannot be read: {why}")),
        }
        let members = self
            .watch
            .take()
            .map(|watch| watch.lines())
            .unwrap_or_default();
        let overlaps = two_writers(&members);
        let leaderless = leaderless(&members);
        if writes.missing > 0 {
            problems.push(format!("{} acknowledged rows are missing", writes.missing));
        }
        if !overlaps.is_empty() {
            problems.push("two members took writes at once".to_owned());
        }
        if let Some(limit) = self
            .scenario
            .limit()
            .filter(|limit| writes.gap > limit * 1000)
        {
            problems.push(format!("the write gap is longer than {limit} s"));
        }
        DrillReport {
            drill: self.scenario.name(),
            run: id.to_owned(),
            group: self.group.cluster.to_string(),
            citus: Table::citus(&self.doors, &self.login).await,
            marks: std::mem::take(&mut self.marks),
            writes,
            members,
            leaderless,
            two_writers: overlaps,
            ok: problems.is_empty(),
            problems,
            millis: self.now(),
        }
    }
}

/// Services of HAProxy that lead to the group's leader, those of hosts outside of the group first: they survive it.
fn doors(project: &Project, group: &Group) -> Vec<Door> {
    let mut doors = Vec::new();
    for host in project.model.hosts().filter(|host| host.haproxy) {
        let own = group.members.iter().any(|member| member.host == host.name);
        let found = host.services.iter().find(|service| leads(service, group));
        doors.extend(found.map(|service| {
            let door = Door {
                address: host.address.to_string(),
                port: service.port,
            };
            (own, door)
        }));
    }
    doors.sort_by_key(|(own, _)| *own);
    doors.into_iter().map(|(_, door)| door).collect()
}

fn leads(service: &Service, group: &Group) -> bool {
    let path = service.check_path.as_deref().unwrap_or_default();
    let primary = matches!(
        path.split('?').next(),
        Some("/primary" | "/read-write" | "/leader")
    );
    let ours =
        |name: &crate::names::InstanceName| group.members.iter().any(|member| member.name == *name);
    let all = service
        .servers
        .iter()
        .all(|server| server.instance.as_ref().is_some_and(ours));
    primary && all && !service.servers.is_empty()
}
