//! A lab as a whole: up, found again, down; and its hosts' power.

use super::cgroup;
use super::citus;
use super::dirs::{LabDirs, make_private, remove};
use super::error::{At, LabError};
use super::fault::{self, LinkFault};
use super::host;
use super::image::ImageBuilder;
use super::net;
use super::process::Pid;
use super::progress::{LabEvent, Progress};
use super::record::Record;
use super::spec::{CitusSource, Image, LabSpec, check_name};
use super::tool;
use crate::names::HostName;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// A lab that is up, or was.
#[derive(Debug)]
pub struct Lab {
    pub(super) record: Record,
}

/// One lab for a list.
#[derive(Clone, Debug, Serialize)]
pub struct LabStatus {
    pub name: String,
    pub suite: String,
    pub citus: String,
    pub hosts: Vec<HostStatus>,
}

/// One of its hosts.
#[derive(Clone, Debug, Serialize)]
pub struct HostStatus {
    pub name: HostName,
    pub address: IpAddr,
    pub running: bool,
    /// What is wrong with its link, on purpose.
    pub faults: Vec<LinkFault>,
}

impl Lab {
    /// Makes and boots a lab.
    ///
    /// # Errors
    /// Everything that [`LabError`] tells. What was begun is removed again.
    pub fn up(spec: LabSpec, progress: &dyn Progress) -> Result<Self, LabError> {
        tool::check_machine()?;
        spec.validate()?;
        let dirs = LabDirs::from_env()?;
        dirs.create()?;
        Self::refuse_existing(&dirs, &spec.name)?;
        let builder = ImageBuilder {
            dirs: &dirs,
            suite: spec.suite,
            progress,
        };
        let mut layers = builder.layers(spec.image)?;
        let baked = match (&spec.citus, spec.image) {
            (CitusSource::StandIn, Image::Base) => builder.layers(Image::Baked)?,
            _ => layers.clone(),
        };
        let dir = dirs.lab(&spec.name);
        make_private(&dir)?;
        if let Some(layer) = citus::layer(&spec.citus, spec.suite, &dir.join("citus"), &baked)? {
            layers.insert(0, layer);
        }
        if spec.citus == CitusSource::StandIn {
            progress.event(LabEvent::StandIn);
        }
        let (tag, debs) = (Record::tag_of(&dir), dirs.debs(spec.suite));
        let record = Record {
            spec,
            tag,
            layers,
            debs,
            dir,
            pids: BTreeMap::new(),
        };
        record.save()?;
        let mut lab = Self { record };
        match lab.make(progress) {
            Ok(()) => Ok(lab),
            Err(error) => {
                // The first error is the one to tell.
                drop(lab.down(progress));
                Err(error)
            }
        }
    }

    fn refuse_existing(dirs: &LabDirs, name: &str) -> Result<(), LabError> {
        let record = match Record::load(dirs, name) {
            Err(LabError::NoSuchLab { .. }) => return Ok(()),
            other => other?,
        };
        let running = record.pids.values().filter(|pid| pid.alive()).count();
        let (name, hosts) = (name.to_owned(), record.spec.hosts.len());
        Err(if running == 0 {
            LabError::Crashed { name, hosts }
        } else {
            LabError::AlreadyUp {
                name,
                running,
                hosts,
            }
        })
    }

    fn make(&mut self, progress: &dyn Progress) -> Result<(), LabError> {
        self.keys()?;
        net::up(&self.record)?;
        let all: Vec<usize> = (0..self.record.spec.hosts.len()).collect();
        let mut known = String::new();
        for index in &all {
            host::prepare(&self.record, *index)?;
            known.push_str(&host::known_host(&self.record, *index)?);
        }
        let path = self.record.dir.join("ssh/known_hosts");
        std::fs::write(&path, known).at(&path)?;
        self.boot(&all, progress)
    }

    fn keys(&self) -> Result<(), LabError> {
        let ssh = self.record.dir.join("ssh");
        make_private(&ssh)?;
        let key = ssh.join("id_ed25519");
        tool::ssh_key(&key, "citusctl-lab")?;
        let config = format!(
            "Host *\n  User root\n  IdentityFile {}\n  IdentitiesOnly yes\n  UserKnownHostsFile {}\n  StrictHostKeyChecking yes\n",
            key.display(),
            ssh.join("known_hosts").display()
        );
        let path = ssh.join("config");
        std::fs::write(&path, config).at(&path)
    }

    /// Boots hosts in parallel and waits for their sshd.
    fn boot(&mut self, hosts: &[usize], progress: &dyn Progress) -> Result<(), LabError> {
        progress.event(LabEvent::Booting { hosts: hosts.len() });
        for index in hosts {
            let pid = host::boot(&self.record, *index)?;
            self.record
                .pids
                .insert(self.record.spec.hosts[*index].name.clone(), pid);
            self.record.save()?;
        }
        let record = &self.record;
        std::thread::scope(|scope| {
            let waits: Vec<_> = hosts
                .iter()
                .map(|index| scope.spawn(move || ready(record, *index, progress)))
                .collect();
            waits
                .into_iter()
                .try_for_each(|wait| wait.join().unwrap_or(Ok(())))
        })
    }

    /// The lab of that name, or the only one.
    ///
    /// # Errors
    /// No such lab, or several and no name.
    pub fn find(name: Option<&str>) -> Result<Self, LabError> {
        let dirs = LabDirs::from_env()?;
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            check_name(name)?;
            return Ok(Self {
                record: Record::load(&dirs, name)?,
            });
        }
        let names = Self::names(&dirs)?;
        match names.as_slice() {
            [] => Err(LabError::NoLab),
            [name] => Ok(Self {
                record: Record::load(&dirs, name)?,
            }),
            _ => Err(LabError::SeveralLabs(names)),
        }
    }

    fn names(dirs: &LabDirs) -> Result<Vec<String>, LabError> {
        let root = dirs.labs();
        if !root.is_dir() {
            return Ok(Vec::new());
        }
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&root).at(&root)? {
            let entry = entry.at(&root)?;
            if Record::path(&entry.path()).is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// Where its hosts have Citus from.
    pub fn citus(&self) -> &CitusSource {
        &self.record.spec.citus
    }

    /// All labs on this computer.
    ///
    /// # Errors
    /// Records that cannot be read.
    pub fn list() -> Result<Vec<LabStatus>, LabError> {
        let dirs = LabDirs::from_env()?;
        let names = Self::names(&dirs)?;
        names
            .iter()
            .map(|name| {
                Ok(Self {
                    record: Record::load(&dirs, name)?,
                }
                .status())
            })
            .collect()
    }

    /// What it is made of and what runs.
    pub fn status(&self) -> LabStatus {
        let spec = &self.record.spec;
        let hosts = spec
            .hosts
            .iter()
            .enumerate()
            .map(|(index, host)| HostStatus {
                name: host.name.clone(),
                address: host.address,
                running: self
                    .record
                    .pids
                    .get(&host.name)
                    .is_some_and(|pid| pid.alive()),
                faults: self.faults(index),
            });
        LabStatus {
            name: spec.name.clone(),
            suite: format!("{} ({})", spec.suite, spec.image),
            citus: spec.citus.to_string(),
            hosts: hosts.collect(),
        }
    }

    /// Ends all hosts and removes everything that was made.
    ///
    /// # Errors
    /// A process that does not die, a namespace that does not go.
    pub fn down(&self, progress: &dyn Progress) -> Result<(), LabError> {
        for pid in self.record.pids.values() {
            pid.kill()?;
        }
        (0..self.record.spec.hosts.len()).try_for_each(|index| self.clear(index))?;
        net::down(&self.record)?;
        remove(&self.record.dir)?;
        progress.event(LabEvent::Removed {
            lab: self.record.spec.name.clone(),
        });
        Ok(())
    }

    /// Cuts a host's power.
    ///
    /// # Errors
    /// No such host, or it does not run.
    pub fn kill(&mut self, host: &str, progress: &dyn Progress) -> Result<(), LabError> {
        let index = self.record.index(host)?;
        let name = self.record.spec.hosts[index].name.clone();
        let running = self
            .record
            .pids
            .get(&name)
            .copied()
            .filter(|pid: &Pid| pid.alive());
        let pid = running.ok_or_else(|| LabError::NotRunning {
            host: name.to_string(),
        })?;
        fault::power(&self.record, index, false)?;
        pid.kill()?;
        self.record.pids.remove(&name);
        self.record.save()?;
        progress.event(LabEvent::HostStopped { host: name });
        Ok(())
    }

    /// Boots a host again with the disk it had.
    ///
    /// # Errors
    /// No such host, or it runs.
    pub fn start(&mut self, host: &str, progress: &dyn Progress) -> Result<(), LabError> {
        let index = self.record.index(host)?;
        let name = &self.record.spec.hosts[index].name;
        if self.record.pids.get(name).is_some_and(|pid| pid.alive()) {
            return Err(LabError::Running {
                host: name.to_string(),
            });
        }
        self.clear(index)?;
        fault::power(&self.record, index, true)?;
        self.boot(&[index], progress)
    }

    /// What a machine without power may have left.
    fn clear(&self, index: usize) -> Result<(), LabError> {
        net::clear(&self.record, index)?;
        cgroup::leave(&self.record, index)
    }
}

impl Lab {
    /// Gives a host without power a new, empty disk; its keys stay, so that nobody has to trust it anew.
    ///
    /// # Errors
    /// No such host, or it runs.
    pub fn renew(&self, host: &str) -> Result<(), LabError> {
        let index = self.record.index(host)?;
        let name = &self.record.spec.hosts[index].name;
        if self.record.pids.get(name).is_some_and(|pid| pid.alive()) {
            return Err(LabError::Running {
                host: name.to_string(),
            });
        }
        host::renew(&self.record, index)
    }
}

fn ready(record: &Record, index: usize, progress: &dyn Progress) -> Result<(), LabError> {
    let name = record.spec.hosts[index].name.clone();
    let Some(pid) = record.pids.get(&name) else {
        return Ok(());
    };
    let after = host::wait(record, index, *pid)?;
    progress.event(LabEvent::HostReady { host: name, after });
    Ok(())
}
