//! The worst day, rehearsed: all other members of a group and etcd's majority lose their power, one host is left.

use super::mend::Broken;
use super::run::Drill;
use crate::app::failure::{Failure, code};
use crate::engine::drill::ListenAddress;
use crate::event::drill::{Millis, Recovery};
use crate::lab::Silent;
use crate::model::{Group, Instance, Model};
use crate::names::HostName;
use crate::runbook::recover::RecoverMethod;
use std::collections::BTreeSet;

/// What `drill three-lose-two` loses, and how that ends.
#[derive(Clone, Debug, Default)]
pub struct LossRequest {
    pub survivor: Option<Survivor>,
    pub via: Option<RecoverMethod>,
    pub back: Option<Back>,
    /// Hosts that go as well.
    pub lose: Vec<String>,
}

impl LossRequest {
    /// Whether anything was asked for.
    pub fn is_empty(&self) -> bool {
        self.survivor.is_none() && self.via.is_none() && self.back.is_none() && self.lose.is_empty()
    }
}

/// What the one that is left was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Survivor {
    /// A standby: whatever it had not received is lost.
    #[default]
    Replica,
    /// The leader: its copy is whole.
    Primary,
}

impl Survivor {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Replica => "replica",
            Self::Primary => "primary",
        }
    }
}

/// The way back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Back {
    /// The lost hosts come back with their disks.
    #[default]
    Rejoin,
    /// They are gone for good; then fresh hosts take their place.
    Rebuild,
}

impl Back {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rejoin => "rejoin",
            Self::Rebuild => "rebuild",
        }
    }
}

/// The survivor, and who goes: the group's other members, and so many hosts of etcd that it has no majority, those
/// first that carry nothing else.
fn victims<'a>(
    model: &Model,
    group: &'a Group,
    leader: &HostName,
    loss: &LossRequest,
) -> Result<(&'a Instance, BTreeSet<HostName>), Failure> {
    let refused = |text: String| Failure::new(code::REFUSED, text);
    let primary = loss.survivor.unwrap_or_default() == Survivor::Primary;
    let fit = |member: &&Instance| (member.host == *leader) == primary && !member.tags.nofailover;
    let survivor = group.members.iter().rfind(fit).ok_or_else(|| {
        refused(format!(
            "{}: no member can be the {} that is left",
            group.cluster,
            loss.survivor.unwrap_or_default().name()
        ))
    })?;
    let others = group.members.iter().map(|member| member.host.clone());
    let named = loss.lose.iter().map(|host| HostName::new(host.as_str()));
    let mut lost: BTreeSet<HostName> = others.chain(named).collect();
    lost.remove(&survivor.host);
    if let Some(etcd) = &model.etcd {
        let carries = |host: &HostName| model.hosts.get(host).is_some_and(|host| host.pg.is_some());
        let mut hosts: Vec<&HostName> = etcd.members.iter().map(|member| &member.host).collect();
        hosts.sort_by_key(|host| (**host == survivor.host, carries(host)));
        for host in hosts {
            let left = etcd
                .members
                .iter()
                .filter(|member| !lost.contains(&member.host));
            if left.count() >= etcd.quorum() && *host != survivor.host {
                lost.insert(host.clone());
            }
        }
    }
    match lost.iter().find(|host| !model.hosts.contains_key(*host)) {
        Some(unknown) => Err(Failure::new(
            code::USAGE,
            format!("{unknown} is not a host of the inventory"),
        )),
        None => Ok((survivor, lost)),
    }
}

/// Without an acknowledged write for so long, nobody is left who takes one.
const QUIET: Millis = 5000;

impl Drill<'_> {
    /// Who is lost is decided before anything is written; writes then go through doors that stay.
    pub fn choose(&mut self) -> Result<(), Failure> {
        if self.scenario != super::Scenario::ThreeLoseTwo {
            return Ok(());
        }
        let model = &self.project.model;
        let (survivor, lost) = victims(model, self.group, &self.leader, &self.loss)?;
        let gone: BTreeSet<String> = lost
            .iter()
            .filter_map(|host| Some(model.hosts.get(host)?.address.to_string()))
            .collect();
        self.doors.retain(|door| !gone.contains(&door.address));
        if self.doors.is_empty() {
            let text = format!("no HAProxy is left that leads to {}", self.group.cluster);
            return Err(Failure::new(code::REFUSED, text));
        }
        self.recovery = Some(Recovery {
            survivor: survivor.host.to_string(),
            role: self.loss.survivor.unwrap_or_default().name().to_owned(),
            lost: lost.iter().map(HostName::to_string).collect(),
            via: self
                .loss
                .via
                .unwrap_or(RecoverMethod::Etcd)
                .word()
                .to_owned(),
            back: self.loss.back.unwrap_or_default().name().to_owned(),
            has_vip: self.by_vip.is_some(),
            ..Recovery::default()
        });
        Ok(())
    }

    pub(super) async fn three_lose_two(&mut self) -> Result<(), Failure> {
        let Some(recovery) = self.recovery.clone() else {
            return Ok(());
        };
        let lost: Vec<HostName> = recovery
            .lost
            .iter()
            .map(|host| HostName::new(host.as_str()))
            .collect();
        self.mark(&format!("{} without power", recovery.lost.join(", ")));
        for host in &lost {
            self.broke(Broken::Power(host.clone()));
            self.lab()?.kill(host.as_str(), &Silent)?;
        }
        self.quiet().await?;
        self.ask_survivor(&recovery.survivor).await;
        // From here on power alone does not mend it.
        self.broken.clear();
        self.broke(Broken::Recover);
        let mut consent = None;
        for survivor in self.survivors(&lost) {
            consent = consent.or(self.recover(&survivor, &recovery).await?);
        }
        self.writable(consent.unwrap_or_default()).await?;
        self.distributed().await?;
        match self.loss.back.unwrap_or_default() {
            Back::Rejoin => self.rejoin(&lost).await,
            Back::Rebuild => self.rebuild(&lost).await,
        }
    }

    /// Waits until nobody takes writes any more, so that what follows is the recover's doing.
    async fn quiet(&mut self) -> Result<(), Failure> {
        let quiet = |drill: &Self| drill.written.since(drill.now().saturating_sub(QUIET)) == 0;
        match self.until(180, quiet).await {
            true => {
                self.mark("no writes for 5 s: nothing fails over by itself");
                Ok(())
            }
            false => Err(Failure::new(
                code::FAILED,
                "writes went on: somebody still leads",
            )),
        }
    }

    /// The rows that the survivor has. One that is not up cannot be asked.
    async fn ask_survivor(&mut self, host: &str) {
        let member = self
            .group
            .members
            .iter()
            .find(|member| member.host.as_str() == host);
        let Some(member) = member else { return };
        let door = ListenAddress {
            address: member.address.to_string(),
            port: member.port,
        };
        let rows = self.table.rows(&[door], &self.login).await;
        if let (Ok(rows), Some(recovery)) = (rows, &mut self.recovery) {
            recovery.survivor_had = Some(rows.len());
            self.had = rows;
        }
    }

    /// The survivor of this group, and with promotion by hand one of every other group whose leader may be gone.
    fn survivors(&self, lost: &[HostName]) -> Vec<HostName> {
        let own = self
            .recovery
            .iter()
            .map(|recovery| HostName::new(recovery.survivor.as_str()));
        let promotes = self.loss.via == Some(RecoverMethod::Promote);
        let groups = self
            .project
            .model
            .groups()
            .filter(|(_, group)| promotes && group.cluster != self.group.cluster);
        let hurt = groups.filter(|(_, group)| {
            group
                .members
                .iter()
                .any(|member| lost.contains(&member.host))
        });
        let left = hurt.filter_map(|(_, group)| {
            let mut members = group.members.iter();
            members
                .find(|member| !lost.contains(&member.host))
                .map(|member| member.host.clone())
        });
        own.chain(left).collect()
    }

    /// Gives the moment of consent.
    async fn recover(
        &mut self,
        survivor: &HostName,
        recovery: &Recovery,
    ) -> Result<Option<Millis>, Failure> {
        let at = self.mark(&format!(
            "recover --survivor {survivor} --via {}",
            recovery.via
        ));
        let name = self.formation()?;
        let mut words = vec![
            "recover",
            "--survivor",
            survivor.as_str(),
            "--via",
            &recovery.via,
            "--confirm",
            &name,
        ];
        for host in &recovery.lost {
            words.extend(["--fenced", host]);
        }
        let consent = self.runbook(&words).await?;
        self.took(at);
        Ok(consent)
    }

    /// Waits until writes flow, and notes how long that took from consent to the first recover.
    async fn writable(&mut self, consent: Millis) -> Result<(), Failure> {
        if let Some(recovery) = &mut self.recovery {
            recovery.consent = Some(consent);
        }
        let flows = self.writing(consent, 60).await;
        let by_vip = self.by_vip.clone();
        if let Some(written) = &by_vip {
            self.until(30, |_| written.first_since(consent).is_some())
                .await;
        }
        let after = |first: Option<Millis>| first.map(|first| first - consent);
        if let Some(recovery) = &mut self.recovery {
            recovery.haproxy = after(self.written.first_since(consent));
            recovery.vip = by_vip.and_then(|written| after(written.first_since(consent)));
        }
        flows
    }

    fn formation(&self) -> Result<String, Failure> {
        let found = self.project.model.group(&self.group.cluster);
        found
            .map(|(formation, _)| formation.name.to_string())
            .ok_or_else(|| Failure::new(code::INPUT, "the group is not in the inventory"))
    }

    /// With Citus, a write to all groups through the coordinator.
    async fn distributed(&mut self) -> Result<(), Failure> {
        let formations = self.project.model.formations.iter();
        let ours = formations.filter(|formation| formation.is_citus());
        let Some(coordinator) = ours.filter_map(|formation| formation.coordinator()).next() else {
            return Ok(());
        };
        let at = self.mark("a distributed write through the coordinator");
        let table = crate::engine::drill::Table {
            schema: format!("{}_all", self.table.schema),
            distributed: true,
        };
        let doors = super::doors::doors(self.project, coordinator);
        let failed =
            |why: String| Failure::new(code::FAILED, format!("no distributed write: {why}"));
        table.fill(&doors, &self.login).await.map_err(failed)?;
        self.took(at);
        Ok(())
    }

    /// One after the other where two could choose a leader of their own.
    async fn rejoin(&mut self, lost: &[HostName]) -> Result<(), Failure> {
        let name = self.formation()?;
        let at_once = match self.loss.via {
            Some(RecoverMethod::Promote) => 1,
            Some(RecoverMethod::Etcd) | None => lost.len(),
        };
        for hosts in lost.chunks(at_once.max(1)) {
            let names: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
            self.mark(&format!("{} with power again", names.join(", ")));
            for host in hosts {
                self.lab()?.start(host.as_str(), &Silent)?;
            }
            let at = self.mark("recover rejoin");
            self.runbook(&["recover", "rejoin", "--confirm", &name])
                .await?;
            self.took(at);
        }
        self.as_before().await
    }

    /// A formation of what is left, and then fresh hosts in the places of the lost ones.
    async fn rebuild(&mut self, lost: &[HostName]) -> Result<(), Failure> {
        let name = self.formation()?;
        let directory = self.project.state_dir.join("drills");
        let new = directory.join(format!("{}.yml", self.table.schema));
        let failed = |error: std::io::Error| Failure::new(code::INTERNAL, error.to_string());
        fs_err::create_dir_all(&directory).map_err(failed)?;
        let path = new.display().to_string();
        let at = self.mark("recover rebuild");
        self.runbook(&["recover", "rebuild", "--confirm", &name, "--new", &path])
            .await?;
        self.took(at);
        let at = self.mark("apply of the inventory without the lost hosts");
        self.verb_on(&new, &["apply", "-y"]).await?;
        self.took(at);
        self.healthy(&new).await?;
        let at = self.mark("fresh hosts in their places: apply");
        for host in lost {
            self.lab()?.renew(host.as_str())?;
            self.lab()?.start(host.as_str(), &Silent)?;
        }
        self.verb(&["apply", "-y"]).await?;
        self.took(at);
        self.as_before().await
    }

    /// Every member there, all healthy, and nothing left to do.
    pub(super) async fn as_before(&mut self) -> Result<(), Failure> {
        self.whole(240).await?;
        self.healthy(&self.options.inventory).await?;
        self.verb(&["plan", "--detailed-exitcode"]).await?;
        self.mark("`plan` says no changes");
        Ok(())
    }

    async fn healthy(&mut self, inventory: &std::path::Path) -> Result<(), Failure> {
        let begun = std::time::Instant::now();
        loop {
            let Err(failure) = self.verb_on(inventory, &["status"]).await else {
                self.mark("`status` says healthy");
                return Ok(());
            };
            if begun.elapsed().as_secs() > 120 {
                return Err(failure);
            }
        }
    }
}
