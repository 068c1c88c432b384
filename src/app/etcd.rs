//! `etcd`: members, majorities, snapshots.

use super::failure::{Failure, code, result, say};
use super::options::Options;
use super::project::Project;
use super::recover::{input, look};
use super::runbook::{self, Approval};
use super::session::{Known, Session};
use super::snapshot_file::{place, save};
use crate::engine;
use crate::event::Outcome;
use crate::names::HostName;
use crate::resource::Resource;
use crate::runbook::etcd::{self, EtcdView, MemberView, Snapshot};
use crate::runbook::recover::Surveyed;
use crate::runbook::{Runbook, host_functions};
use crate::secret::Secret;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

/// Members may be lost: nobody waits long for them.
const CONNECT: u64 = 4;
const TRANSFER: Duration = Duration::from_secs(120);

/// etcd of an inventory.
pub struct EtcdAdmin {
    options: Options,
    project: Project,
    hosts: BTreeSet<HostName>,
}

/// Reads the inventory.
///
/// # Errors
/// It has no etcd, or cannot be used.
pub fn open(options: &Options) -> Result<EtcdAdmin, Failure> {
    let project = Project::open(options)?;
    Ok(EtcdAdmin {
        options: options.impatient(CONNECT),
        hosts: etcd_hosts(&project)?,
        project,
    })
}

fn etcd_hosts(project: &Project) -> Result<BTreeSet<HostName>, Failure> {
    let members = project.model.etcd.iter().flat_map(|etcd| &etcd.members);
    let hosts: BTreeSet<HostName> = members.map(|member| member.host.clone()).collect();
    match hosts.is_empty() {
        true => Err(Failure::new(code::INPUT, "the inventory has no etcd")),
        false => Ok(hosts),
    }
}

impl EtcdAdmin {
    async fn session(&self, verb: &str, looks: bool) -> Result<Session<'_>, Failure> {
        Session::reach_for(
            &self.options,
            &self.project,
            verb,
            self.hosts.clone(),
            looks,
        )
        .await
    }

    /// Members and quorum.
    ///
    /// # Errors
    /// No host can be asked.
    pub async fn status(&self) -> Result<u8, Failure> {
        let session = self.session("etcd status", true).await?;
        let run = session.run()?;
        let seen = look(&session, &run).await;
        let view = self.view(&session, &seen)?;
        let (quorum, members) = (view.quorum(), view.members());
        drop(run);
        session.emitter.pause();
        result(&match self.options.json {
            true => {
                let value = json!({"quorum": quorum, "needed": quorum.needed(), "spare": quorum.spare(), "members": members});
                format!("{value:#}\n")
            }
            false => table(&quorum, &members),
        })?;
        let healthy = members
            .iter()
            .all(|member| member.alive && member.id.is_some());
        // The look itself succeeded, whatever it found.
        let traffic = session.fleet.traffic();
        session.emitter.finish_as(Outcome::Done, &traffic);
        session.fleet.close().await;
        Ok(match healthy {
            true => code::DONE,
            false => code::INTERNAL,
        })
    }

    fn view<'b>(
        &'b self,
        session: &'b Session<'_>,
        seen: &'b Surveyed,
    ) -> Result<EtcdView<'b>, Failure> {
        EtcdView::of(input(session, seen))
            .ok_or_else(|| Failure::new(code::INPUT, "the inventory has no etcd"))
    }

    /// Adds a member, or replaces the dead one at its address.
    ///
    /// # Errors
    /// Whatever stood in the way.
    pub async fn add(&self, member: &str, approval: &Approval) -> Result<u8, Failure> {
        self.act("etcd add", approval, |view| {
            Ok(etcd::add(view, &find(view, member)?)?)
        })
        .await
    }

    /// Removes a member.
    ///
    /// # Errors
    /// Whatever stood in the way.
    pub async fn remove(&self, member: &str, approval: &Approval) -> Result<u8, Failure> {
        self.act("etcd remove", approval, |view| {
            Ok(etcd::remove(view, &find(view, member)?)?)
        })
        .await
    }

    /// A cluster from the data of the member `to`.
    ///
    /// # Errors
    /// Whatever stood in the way.
    pub async fn reset(
        self,
        to: &str,
        fenced: &[String],
        approval: &Approval,
    ) -> Result<u8, Failure> {
        let fenced = known(fenced, &self.hosts)?;
        // The note of a recover may be on any host.
        self.everywhere()
            .act("etcd reset", approval, |view| {
                Ok(etcd::reset(view, &find(view, to)?, &fenced)?)
            })
            .await
    }

    /// An empty cluster, where no member has data left.
    ///
    /// # Errors
    /// Whatever stood in the way.
    pub async fn reset_empty(self, fenced: &[String], approval: &Approval) -> Result<u8, Failure> {
        let all = self.everywhere();
        let fenced = known(fenced, &all.hosts)?;
        let (host, users) = users(&all.project)?;
        all.act("etcd reset", approval, |view| {
            let users = (&host, users.clone());
            Ok(etcd::reset_empty(view, users, &fenced)?)
        })
        .await
    }

    /// A cluster from a snapshot.
    ///
    /// # Errors
    /// Whatever stood in the way.
    pub async fn restore(
        self,
        file: &Path,
        fenced: &[String],
        approval: &Approval,
    ) -> Result<u8, Failure> {
        let bytes =
            fs_err::read(file).map_err(|error| Failure::new(code::INPUT, error.to_string()))?;
        etcd::whole(&bytes).map_err(|why| {
            let text = format!("{}: {why}; nothing was changed", file.display());
            Failure::new(code::INPUT, text)
                .hint("`citusctl etcd snapshot FILE` saves what this brings back")
        })?;
        let all = self.everywhere();
        let fenced = known(fenced, &all.hosts)?;
        let (host, users) = users(&all.project)?;
        all.act("etcd restore", approval, |view| {
            Ok(etcd::restore(view, &bytes, (&host, &users), &fenced)?)
        })
        .await
    }

    /// The same, on all hosts of the inventory.
    fn everywhere(mut self) -> Self {
        self.hosts = self.project.model.hosts.keys().cloned().collect();
        self
    }

    async fn act(
        &self,
        verb: &str,
        args: &Approval,
        plan: impl Fn(&EtcdView<'_>) -> Result<Runbook, Failure>,
    ) -> Result<u8, Failure> {
        let session = self.session(verb, args.dry_run).await?;
        let run = session.run()?;
        let seen = look(&session, &run).await;
        let planned = self.view(&session, &seen).and_then(|view| plan(&view));
        runbook::run(&self.options, args, &session, &run, planned).await
    }

    /// Saves a verified snapshot.
    ///
    /// # Errors
    /// The file cannot be made, or nobody can take one.
    pub async fn snapshot(&self, file: &Path) -> Result<u8, Failure> {
        if file.exists() {
            let text = format!("{} exists already; nothing was written", file.display());
            return Err(Failure::new(code::INPUT, text).hint("name another file"));
        }
        place(file)?;
        let session = self.session("etcd snapshot", false).await?;
        let run = session.run()?;
        let taken = self.take(&session, &run).await;
        drop(run);
        let outcome = if taken.is_ok() {
            Outcome::Done
        } else {
            Outcome::Failed
        };
        session.emitter.finish_as(outcome, &session.fleet.traffic());
        session.fleet.close().await;
        let (host, snapshot) = taken?;
        save(file, &snapshot.bytes)?;
        if !self.options.quiet {
            say(&format!(
                "etcd verifies it (hash, revision, keys, size): {}",
                snapshot.status
            ));
        }
        let bytes = snapshot.bytes.len();
        result(&match self.options.json {
            true => {
                let value = json!({"file": file, "bytes": bytes, "host": host, "verified": snapshot.status});
                format!("{value}\n")
            }
            false => format!("{}: {bytes} bytes from {host}\n", file.display()),
        })?;
        Ok(code::DONE)
    }

    async fn take(
        &self,
        session: &Session<'_>,
        run: &engine::Run<'_>,
    ) -> Result<(HostName, Snapshot), Failure> {
        let seen = look(session, run).await;
        let host = seen
            .majority()
            .and_then(|host| self.project.model.hosts.get(host));
        let host = host.ok_or_else(|| {
            Failure::new(
                code::FAILED,
                "etcd has no majority, so nobody can take a snapshot",
            )
            .hint(
                "`citusctl etcd status` shows the members; their data directories are still there",
            )
        })?;
        let functions = host_functions(&self.project.model, host);
        let program = etcd::save_program(&run.frame, &functions);
        let programs = BTreeMap::from([(host.name.clone(), program)]);
        let answers = engine::survey(run, &programs, TRANSFER).await;
        let answer = answers
            .into_values()
            .next()
            .unwrap_or_else(|| Err("not asked".to_owned()));
        let read = answer.and_then(|text| Snapshot::read(&run.frame, &text));
        let snapshot =
            read.map_err(|why| Failure::new(code::FAILED, format!("{}: {why}", host.name)))?;
        Ok((host.name.clone(), snapshot))
    }
}

/// Hosts that the operator vouches for.
fn known(fenced: &[String], hosts: &BTreeSet<HostName>) -> Result<BTreeSet<HostName>, Failure> {
    let known = fenced.iter().map(|host| {
        let host = HostName::new(host.clone());
        match hosts.contains(&host) {
            true => Ok(host),
            false => Err(unknown(
                host.as_str(),
                hosts.iter().map(ToString::to_string),
            )),
        }
    });
    known.collect()
}

/// What makes etcd's users, as the inventory has them, and the host where it runs.
fn users(project: &Project) -> Result<(HostName, Secret), Failure> {
    let ca = project.authority(false)?;
    let compiled = project.compile("site", &Known::default(), &ca, None)?;
    let hosts = compiled
        .desired
        .stages
        .into_iter()
        .flat_map(|stage| stage.hosts);
    let mut found = hosts.flat_map(|(host, declared)| {
        let scripts = declared
            .into_iter()
            .filter_map(|declared| match &*declared.resource {
                Resource::Command(command) if command.name == "etcd-auth" => {
                    Some(command.run.clone())
                }
                _ => None,
            });
        scripts.map(move |script| (host.clone(), Secret::new(script)))
    });
    found.next().ok_or_else(|| {
        let text = "no role of the catalogue makes etcd's users (command etcd-auth)";
        Failure::new(code::INPUT, text)
    })
}

fn find(view: &EtcdView<'_>, word: &str) -> Result<MemberView, Failure> {
    let names = || view.members().into_iter().map(|member| member.name);
    view.find(word).ok_or_else(|| unknown(word, names()))
}

fn unknown(word: &str, known: impl Iterator<Item = String>) -> Failure {
    let known: Vec<String> = known.collect();
    let failure = Failure::new(code::USAGE, format!("etcd has no member `{word}`"));
    failure.hint(format!("its members are {}", known.join(", ")))
}

fn table(quorum: &etcd::Quorum, members: &[MemberView]) -> String {
    let mut text = format!("etcd: {quorum}\n");
    for member in members {
        let host = member.host.as_ref().map_or("-", HostName::as_str);
        let data = match member.data {
            Some(true) => "",
            Some(false) => "  no data",
            None if member.host.is_none() => "  its host is not in the inventory",
            None => "  its host does not answer",
        };
        let id = member.id.as_deref().unwrap_or("-");
        text.push_str(&format!(
            "  {:<12} {host:<16} {id:<17} {}{data}\n",
            member.name,
            member.state()
        ));
    }
    text
}
