//! One drill from its first write to its report.

use super::chaos::{Act, ChaosRequest};
use super::doors::{doors, entry, shared};
use super::loss::LossRequest;
use super::mend::{Broken, interrupted, was_interrupted};
use super::scenario::Scenario;
use super::watch::{Watch, of_group};
use crate::app::failure::{Failure, code, say};
use crate::app::options::Options;
use crate::app::project::Project;
use crate::engine::drill::{ListenAddress, Load, Table, WriteLog};
use crate::engine::verify::Login;
use crate::event::Moment;
use crate::event::drill::{
    Chaos, DrillReport, Mark, Millis, Overlap, Recovery, VerbOutput, Writes, leaderless,
    two_writers,
};
use crate::lab::Lab;
use crate::model::{Group, Instance};
use crate::names::HostName;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// A drill under way.
pub struct Drill<'a> {
    pub options: &'a Options,
    pub project: &'a Project,
    pub scenario: Scenario,
    pub loss: LossRequest,
    pub(super) chaos_request: ChaosRequest,
    /// What is played, and what that found.
    pub(super) acts: Vec<Act>,
    pub(super) chaos: Option<Chaos>,
    /// What is wrong besides, one sentence each.
    pub(super) found: Vec<String>,
    /// Where power can be cut; `None`: at work.
    pub lab: Option<Lab>,
    pub group: &'a Group,
    /// The group that the writer's doors lead to.
    entry: &'a Group,
    /// Who leads the group as the drill begins.
    pub leader: HostName,
    /// Every host of the lab.
    pub all: Vec<HostName>,
    pub doors: Vec<ListenAddress>,
    pub login: Login,
    pub table: Table,
    /// When it began, by the clock that journals go by.
    pub began: Moment,
    pub recovery: Option<Recovery>,
    /// Rows that the survivor had when the others went.
    pub had: BTreeSet<u64>,
    pub written: Arc<WriteLog>,
    /// What was written through the group's address, if it has one.
    pub by_vip: Option<Arc<WriteLog>>,
    started: Instant,
    marks: Vec<Mark>,
    pub(super) said: Vec<VerbOutput>,
    pub(super) watch: Option<Watch>,
    pub(super) broken: Vec<Broken>,
}

const POLL: Duration = Duration::from_millis(100);
/// Writes within a second that count as going on.
const FLOWING: usize = 20;
/// Rows written through the group's address are numbered from here.
const BY_VIP: u64 = 1 << 40;

impl<'a> Drill<'a> {
    pub fn new(
        options: &'a Options,
        project: &'a Project,
        (scenario, loss, chaos, lab): (Scenario, LossRequest, ChaosRequest, Option<Lab>),
        (group, leader): (&'a Group, HostName),
        login: Login,
    ) -> Self {
        let hosts = lab.iter().flat_map(|lab| lab.status().hosts);
        let loses = scenario == Scenario::ThreeLoseTwo;
        let vip = shared(group).filter(|_| loses);
        let entry = entry(project, group, scenario);
        Self {
            options,
            project,
            scenario,
            loss,
            chaos_request: chaos,
            acts: Vec::new(),
            chaos: None,
            found: Vec::new(),
            all: hosts.map(|host| host.name).collect(),
            lab,
            doors: doors(project, entry),
            entry,
            group,
            leader,
            login,
            table: Table::default(),
            began: Moment::now(),
            recovery: None,
            had: BTreeSet::new(),
            written: Arc::default(),
            by_vip: vip.map(|_| Arc::default()),
            started: Instant::now(),
            marks: Vec::new(),
            said: Vec::new(),
            watch: None,
            broken: Vec::new(),
        }
    }

    /// Runs it. What could not be waited for is a problem of the report, not a failure. The second word: whether it was
    /// interrupted.
    pub async fn run(mut self, id: &str) -> Result<(DrillReport, bool), Failure> {
        let formation = self.project.model.group(&self.group.cluster);
        self.table = Table {
            schema: format!("citusctl_drill_{}", id.replace('-', "_")),
            distributed: self.entry.is_coordinator()
                && formation.is_some_and(|(f, _)| f.is_citus()),
        };
        let bad = |why: String| Failure::new(code::FAILED, format!("the drill's table: {why}"));
        self.choose()?;
        if self.scenario == Scenario::Chaos {
            self.draw()?;
        }
        self.table
            .make(&self.doors, &self.login)
            .await
            .map_err(bad)?;
        (self.started, self.began) = (Instant::now(), Moment::now());
        let members: Vec<Instance> = self
            .watched()
            .flat_map(|group| group.members.clone())
            .collect();
        let watch = Watch::start(self.lab.as_ref(), &members, &self.login, self.started)?;
        self.watch = Some(watch);
        let (stop, stopped) = watch::channel(false);
        let writers = self.load(&stopped)?;
        let (failed, stopped_early) = tokio::select! {
            ended = self.act() => (ended.err(), false),
            () = interrupted() => (Some(was_interrupted()), true),
        };
        let left = match failed.is_some() {
            true => self.mend().await,
            false => Vec::new(),
        };
        // The end of the last gap belongs to the picture.
        let end = self.now();
        self.until(2, |drill| drill.now() > end + 1000).await;
        let end = self.now();
        stop.send_replace(true);
        if writers.into_iter().any(|writer| writer.join().is_err()) {
            return Err(Failure::new(code::INTERNAL, "a writer broke off"));
        }
        let mut report = self.report(id, failed, end).await;
        report.problems.extend(left);
        if let Err(why) = self.table.remove(&self.doors, &self.login).await {
            let why = format!("{} is left behind: {why}", self.table.schema);
            report.problems.push(why);
            report.ok = false;
        }
        Ok((report, stopped_early))
    }

    async fn act(&mut self) -> Result<(), Failure> {
        self.writing(0, 30).await?;
        self.seen(30).await?;
        self.play().await
    }

    /// The groups whose members are watched.
    fn watched(&self) -> impl Iterator<Item = &Group> {
        let all = match self.scenario {
            Scenario::Chaos => self.groups(),
            _ => vec![self.group],
        };
        all.into_iter()
    }

    /// One writer for HAProxy, one for the address.
    fn load(&self, stop: &watch::Receiver<bool>) -> Result<Vec<JoinHandle<()>>, Failure> {
        let mut loads = vec![self.writer(self.doors.clone(), 0, &self.written)];
        if let (Some(written), Some(door)) = (&self.by_vip, shared(self.group)) {
            loads.push(self.writer(vec![door], BY_VIP, written));
        }
        let begin = |load: Load| {
            let stop = stop.clone();
            // A runtime of its own: nothing that the drill does delays a write.
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| Failure::new(code::INTERNAL, error.to_string()))?;
            Ok(std::thread::spawn(move || {
                runtime.block_on(load.write(stop))
            }))
        };
        loads.into_iter().map(begin).collect()
    }

    fn writer(&self, doors: Vec<ListenAddress>, first: u64, written: &Arc<WriteLog>) -> Load {
        Load {
            table: self.table.clone(),
            doors,
            login: self.login.clone(),
            patience: self.scenario.patience(),
            first,
            started: self.started,
            written: Arc::clone(written),
        }
    }

    /// What breaks hosts needs a lab.
    pub fn lab(&mut self) -> Result<&mut Lab, Failure> {
        let refused = || Failure::new(code::REFUSED, "hosts are broken in labs only");
        self.lab.as_mut().ok_or_else(refused)
    }

    /// How long a leader's key lasts without its leader (s).
    pub fn ttl(&self) -> u64 {
        self.group.rto.ttl.into()
    }

    pub fn now(&self) -> Millis {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Notes what is done now.
    pub fn mark(&mut self, title: &str) -> Millis {
        self.note(self.now(), title, None)
    }

    /// Notes what was done at a moment, and how long it took.
    pub fn note(&mut self, at: Millis, title: &str, took: Option<Millis>) -> Millis {
        if !self.options.quiet {
            let seconds = Duration::from_millis(at).as_secs_f64();
            let took = took
                .map(|took| format!("  ({took} ms)"))
                .unwrap_or_default();
            say(&format!("{seconds:>7.1}s  {title}{took}"));
        }
        let title = title.to_owned();
        self.marks.push(Mark { at, title, took });
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
        let refused = self.written.errors();
        let most = refused.into_iter().max_by_key(|(_, times)| *times);
        let why = most.map_or("none was refused".to_owned(), |(why, _)| why);
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

    pub async fn until(&self, seconds: u64, holds: impl Fn(&Self) -> bool) -> bool {
        let begun = Instant::now();
        while begun.elapsed().as_secs() < seconds {
            if holds(self) {
                return true;
            }
            tokio::time::sleep(POLL).await;
        }
        holds(self)
    }

    async fn report(&mut self, id: &str, failed: Option<Failure>, end: Millis) -> DrillReport {
        let refused = self.written.errors();
        let mut writes = Writes {
            errors: refused.values().sum(),
            refused,
            ..Writes::of(&self.written.moments(), end)
        };
        let mut problems: Vec<String> = failed.into_iter().map(|failure| failure.text).collect();
        problems.append(&mut self.found);
        match self.table.rows(&self.doors, &self.login).await {
            Ok(rows) => problems.extend(self.compare(&rows, &mut writes)),
            Err(why) => problems.push(format!("the rows cannot be read: {why}")),
        }
        let members = self.watch.take().map(|watch| watch.lines());
        let members = members.unwrap_or_default();
        let two_writers: Vec<Overlap> = self
            .watched()
            .flat_map(|group| two_writers(&of_group(&members, group)))
            .collect();
        if !two_writers.is_empty() {
            problems.push("two members took writes at once".to_owned());
        }
        let limit = self.scenario.limit(self.ttl());
        if let Some(limit) = limit.filter(|limit| writes.gap > limit * 1000) {
            problems.push(format!("the write gap is longer than {limit} s"));
        }
        let mut marks = std::mem::take(&mut self.marks);
        marks.sort_by_key(|mark| mark.at);
        DrillReport {
            drill: self.scenario.name().to_owned(),
            run: id.to_owned(),
            group: self.group.cluster.to_string(),
            citus: Table::citus(&self.doors, &self.login).await,
            marks,
            writes,
            leaderless: leaderless(&of_group(&members, self.group)),
            members,
            two_writers,
            recovery: self.recovery.take(),
            chaos: self.chaos.take(),
            said: std::mem::take(&mut self.said),
            ok: problems.is_empty(),
            problems,
            millis: self.now(),
        }
    }

    /// What was acknowledged and is not there: nothing may be missing but what only lost hosts had.
    fn compare(&mut self, there: &BTreeSet<u64>, writes: &mut Writes) -> Vec<String> {
        let loads = || std::iter::once(&self.written).chain(&self.by_vip);
        writes.missing = loads().map(|written| written.missing(there)).sum();
        let Some(recovery) = &mut self.recovery else {
            // Without a synchronous standby a failover may lose the last commits: they are counted, and no fault.
            if self.chaos.as_ref().is_some_and(|chaos| !chaos.promised) {
                return Vec::new();
            }
            let words = format!("{} acknowledged rows are missing", writes.missing);
            return Vec::from_iter((writes.missing > 0).then_some(words));
        };
        let until = recovery.consent.unwrap_or(Millis::MAX);
        for written in std::iter::once(&self.written).chain(&self.by_vip) {
            let (missing, gone) = written.compare(&self.had, there, until);
            recovery.survivor_missing += missing;
            recovery.lost_with_hosts += gone;
        }
        recovery.problems(writes.missing)
    }
}
