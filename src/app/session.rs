//! Connected: one run's fleet, its look at the hosts, and the plan that follows.

mod addresses;
mod deed;
mod endpoints;
mod guards;
mod host_keys;
mod identity;
mod known;
mod limits;
mod others;
mod reach;
mod renamed;
pub(super) mod run_id;

use crate::inventory::param;
pub use deed::Deed;
use endpoints::{endpoints, resolver};
use host_keys::Checking;
pub use known::Known;
use run_id::{command, nonce, operator, run_id, watch_interrupts};

use super::failure::{Failure, chain, code};
use super::options::Options;
use super::project::Project;
use super::sinks;
use crate::command::Frame;
use crate::engine::{self, Cancel, Dial, EngineError, Fleet, Looker, PatroniAccess, Run};
use crate::event::{Emitter, Kind, Outcome};
use crate::fact::PathKind;
use crate::names::{FormationName, HostName, RunId};
use crate::pki::{Ca, LeafRequest, Usage, rotation};
use crate::plan::{Desired, Plan, Seen, Selection, diff};
use crate::resource::sha256_hex;
use crate::secret::Masker;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use time::OffsetDateTime;

/// Runs a future on a runtime of its own.
pub fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(2)
        .build();
    runtime
        .map_err(|error| Failure::new(code::INTERNAL, format!("starting: {error}")))?
        .block_on(future)
}

/// A project with its connections.
pub struct Session<'a> {
    pub options: &'a Options,
    pub project: &'a Project,
    pub playbook: String,
    pub selection: Selection,
    pub ca: Ca,
    pub fleet: Fleet,
    pub emitter: Emitter,
    pub masker: Masker,
    pub id: RunId,
    pub cancel: Cancel,
    /// What is run, for others that meet its locks.
    command: String,
    dial: Dial,
    wanted: Mutex<Wanted>,
    journaled: bool,
}

/// What a session is opened for.
struct Way<'w> {
    verb: &'w str,
    journal: bool,
    hosts: BTreeSet<HostName>,
    wanted: Wanted,
}

/// The wanted state, and what was known when it was computed.
#[derive(Default)]
struct Wanted {
    known: Known,
    desired: Desired,
}

impl<'a> Session<'a> {
    /// Connects to all hosts that the selection leaves.
    pub async fn connect(
        options: &'a Options,
        project: &'a Project,
        playbook: &str,
        verb: &str,
        deed: Deed,
    ) -> Result<Self, Failure> {
        let selection = project.selection(options)?;
        let ca = match deed {
            Deed::Looks => project.authority(false)?.looking(),
            Deed::Saves | Deed::Changes => project.authority(true)?,
        };
        let known = Known::load(project);
        let compiled = project.compile(playbook, &known, &ca, selection.hosts.as_ref())?;
        let desired = selection.apply(compiled.desired)?;
        let hosts = wanted_hosts(&desired, &selection);
        let wanted = Wanted { known, desired };
        let way = Way {
            verb,
            journal: deed == Deed::Changes,
            hosts,
            wanted,
        };
        let session = Self::open(options, project, way, (ca, compiled.masker)).await?;
        for issued in compiled.issued.iter().filter(|_| options.verbose > 0) {
            session.emitter.emit(Kind::Note {
                text: issued.clone(),
            });
        }
        Ok(Self {
            playbook: playbook.to_owned(),
            selection,
            ..session
        })
    }

    async fn open(
        options: &'a Options,
        project: &'a Project,
        way: Way<'_>,
        (ca, masker): (Ca, Masker),
    ) -> Result<Self, Failure> {
        // Asks for passwords, so it comes before anything draws on the terminal, and before a run begins that must end.
        let keepers = match way.journal {
            true => engine::all_keepers(&project.model),
            false => BTreeSet::new(),
        };
        let checking = Checking::read(options, &project.model);
        let known = endpoints(options, project, &(&way.hosts | &keepers), &checking)?;
        let (endpoints, others): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|e| way.hosts.contains(&e.host));
        limits::room_for(endpoints.len())?;
        let id = run_id();
        let emitter = sinks::emitter(options, project, &id, masker.clone(), way.journal)?;
        emitter.emit(Kind::RunStarted {
            verb: way.verb.to_owned(),
            inventory: project.inventory.path.display().to_string(),
            hosts: way.hosts.iter().cloned().collect(),
            stages: Vec::new(),
        });
        let (raise, cancel) = Cancel::new();
        watch_interrupts(raise, emitter.clone());
        let resolver = Arc::new(resolver(options));
        warn(options, &emitter, checking.told);
        let dial = Dial::new(others, Arc::clone(&resolver));
        let fleet = Fleet::connect(endpoints, Arc::clone(&resolver), options.forks, &emitter).await;
        warn(options, &emitter, resolver.take_notices());
        if fleet.hosts().is_empty() {
            return Err(unreachable(&fleet, &emitter));
        }
        Ok(Self {
            options,
            project,
            playbook: "site".to_owned(),
            selection: Selection::default(),
            ca,
            fleet,
            emitter,
            masker,
            id,
            cancel,
            command: command(options, way.verb),
            dial,
            wanted: Mutex::new(way.wanted),
            journaled: way.journal,
        })
    }

    /// What the engine needs for this run.
    pub fn run(&self) -> Result<Run<'_>, Failure> {
        Ok(Run {
            id: self.id.clone(),
            frame: Frame::new(nonce()),
            emitter: self.emitter.clone(),
            model: &self.project.model,
            fleet: &self.fleet,
            patroni: self.patroni()?,
            cancel: self.cancel.clone(),
            operator: operator(),
            command: self.command.clone(),
            dial: &self.dial,
            forks: self.options.forks,
        })
    }

    fn patroni(&self) -> Result<BTreeMap<FormationName, PatroniAccess>, Failure> {
        let mut access = BTreeMap::new();
        for formation in &self.project.model.formations {
            let Some(member) = formation.members().next() else {
                continue;
            };
            let Some(host) = self.project.model.hosts.get(&member.host) else {
                continue;
            };
            let typed = host.typed();
            let tls = member.patroni_ssl.then(|| self.operator()).transpose()?;
            let found = PatroniAccess {
                user: typed.get(param::PATRONI_USERNAME),
                password: typed.get(param::PATRONI_PASSWORD),
                tls,
            };
            access.insert(formation.name.clone(), found);
        }
        Ok(access)
    }

    /// With whose certificate Patroni is asked.
    fn operator(&self) -> Result<engine::PatroniTls, Failure> {
        let bad = |error| Failure::new(code::INPUT, chain(&error));
        let ca_pem = self.ca.cert_pem().to_owned();
        let pki = self.project.state_dir.join("pki");
        if let Some(pair) = rotation::borrowed(&pki).map_err(bad)? {
            let (cert_pem, key_pem) = (pair.cert_pem, pair.key_pem);
            return Ok(engine::PatroniTls {
                ca_pem,
                cert_pem,
                key_pem,
            });
        }
        let request = LeafRequest {
            name: "operator".to_owned(),
            common_name: "citusctl-operator".to_owned(),
            sans: Vec::new(),
            usage: Usage::Client,
            lifetime: time::Duration::days(365),
        };
        let leaf = self.ca.leaf(&request, OffsetDateTime::now_utc());
        let leaf = leaf.map_err(bad)?;
        Ok(engine::PatroniTls {
            ca_pem,
            cert_pem: leaf.cert_pem,
            key_pem: leaf.key_pem,
        })
    }

    /// Looks at all hosts and compares.
    pub async fn plan(&self, run: &Run<'_>) -> Result<(Desired, Seen, Plan), Failure> {
        let first = self.desired();
        let hosts: BTreeSet<HostName> = first
            .hosts()
            .intersection(&self.fleet.hosts())
            .cloned()
            .collect();
        let mut seen =
            engine::look(run, &first, &hosts, &first.groups().into_keys().collect()).await?;
        guards::not_in_emergency(&seen)?;
        guards::no_open_restore(&seen)?;
        guards::clocks(&seen)?;
        identity::unchanged(self.project, &seen)?;
        addresses::nobody_elses(&self.project.model, &seen)?;
        let desired = self.learn(&seen)?;
        Looker::new(run)
            .contents(differing(&desired, &seen), &mut seen)
            .await?;
        if let Some(text) = guards::known_authority(self.project, &self.ca, &desired, &seen)? {
            self.emitter.emit(Kind::Note { text });
        }
        for text in renamed::notes(&desired, &seen) {
            self.emitter.emit(Kind::Note { text });
        }
        let mut plan = diff(&desired, &seen);
        others::note(self.project, run, (&desired, &seen), &mut plan).await;
        Ok((desired, seen, plan))
    }

    /// The wanted state by what is known now.
    fn desired(&self) -> Desired {
        let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.desired.clone()
    }

    /// Takes note of what was seen; what is wanted is computed anew only when that changes what is known.
    fn learn(&self, seen: &Seen) -> Result<Desired, Failure> {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let known = wanted.known.with(seen);
        if known != wanted.known {
            known.save(self.project)?;
            wanted.desired = self.compile(&known)?;
            wanted.known = known;
        }
        Ok(wanted.desired.clone())
    }

    fn compile(&self, known: &Known) -> Result<Desired, Failure> {
        let limit = self.selection.hosts.as_ref();
        let compiled = self
            .project
            .compile(&self.playbook, known, &self.ca, limit)?;
        Ok(self.selection.apply(compiled.desired)?)
    }

    /// The wanted state of an inventory, by what is known of its hosts, and all secrets in it.
    pub fn wanted_by(&self, project: &Project) -> Result<(Desired, Masker), Failure> {
        let known = Known::load(self.project);
        let compiled = project.compile("site", &known, &self.ca, None)?;
        Ok((compiled.desired, compiled.masker))
    }

    /// For the engine: the same, with its kind of error.
    pub fn recompile(&self, seen: &Seen) -> Result<Desired, EngineError> {
        self.learn(seen)
            .map_err(|failure| EngineError::Recompile(failure.text))
    }

    /// Ends the run with an outcome, tells all sinks, takes leave.
    pub async fn finish(&self, outcome: Outcome) -> u8 {
        let finished = self.emitter.finish_as(outcome, &self.fleet.traffic());
        for error in &finished.errors {
            super::failure::say(&format!("warning: {}", chain(error)));
        }
        self.fleet.close().await;
        if let (Some((_, hosts)), true) = (&finished.report.finished, self.tells_hosts()) {
            super::failure::say(crate::ui::summary(hosts, self.options.verbose > 0).trim_end());
        }
        outcome.exit_code()
    }

    /// The table of hosts belongs to runs that act, and to people.
    fn tells_hosts(&self) -> bool {
        self.journaled && !self.options.json && !self.options.quiet
    }

    /// Done, or what the unreachable hosts make of it.
    pub fn outcome(&self) -> Outcome {
        if self.fleet.unreachable().is_empty() {
            Outcome::Done
        } else {
            Outcome::Unreachable
        }
    }
}

/// Told once and on standard error, also where the events of a run are not shown there.
fn warn(options: &Options, emitter: &Emitter, texts: Vec<String>) {
    for text in texts {
        let text = format!("warning: {text}");
        if options.quiet || options.json {
            super::failure::say(&text);
        }
        emitter.emit(Kind::Note { text });
    }
}

/// The selected hosts that have any work at all.
fn wanted_hosts(desired: &Desired, selection: &Selection) -> BTreeSet<HostName> {
    let mut hosts = desired.hosts();
    if let Some(limit) = &selection.hosts {
        hosts.retain(|host| limit.contains(host));
    }
    hosts
}

/// Files that are there and differ: their contents are fetched for the diff.
pub(super) fn differing(desired: &Desired, seen: &Seen) -> BTreeMap<HostName, Vec<String>> {
    let mut wanted = BTreeMap::<HostName, Vec<String>>::new();
    for (host, resources) in desired.stages.iter().flat_map(|stage| &stage.hosts) {
        let Some(observed) = seen.hosts.get(host) else {
            continue;
        };
        for declared in resources {
            let crate::resource::Resource::File(file) = &*declared.resource else {
                continue;
            };
            let state = observed.paths.get(&file.path).map(|state| &state.kind);
            if let Some(PathKind::File { sha256 }) = state
                && *sha256 != sha256_hex(file.content.as_bytes())
                && !file.sensitive
            {
                wanted
                    .entry(host.clone())
                    .or_default()
                    .push(file.path.clone());
            }
        }
    }
    wanted
}

fn unreachable(fleet: &Fleet, emitter: &Emitter) -> Failure {
    emitter.finish_as(Outcome::Unreachable, &fleet.traffic());
    let mut failure = Failure::new(
        code::UNREACHABLE,
        "no host could be reached; nothing was changed",
    );
    for error in fleet.unreachable().values().take(1) {
        failure = error
            .hints()
            .into_iter()
            .fold(failure, |failure, hint| failure.hint(hint));
    }
    failure
}
