//! Backups of groups, and points to which all groups of a formation can return together.
//!
//! pgBackRest does the work, on the leader of each group; here stands who, in which order, and how the end is known.

mod expire;
mod finish;
mod fresh;
mod inspect;
mod kept;
mod majority;
mod make;
mod point;
pub mod proof;
mod reach;
mod rehearse;
mod rejoin;
mod restore;
mod steps;
mod survey;
#[cfg(test)]
mod tests;
mod undo;

pub use expire::{Expiry, expire_program, plan_expire};
pub use finish::plan_finish;
pub use fresh::{chosen_point, plan_fresh, to_prepare};
pub use inspect::{
    Finding, Findings, Proof, check_programs, read_check, read_verify, verify_programs,
};
pub use kept::{KeptData, NotePhase, Position, RestoreNote};
pub use make::{BackupKind, plan_backup};
pub use point::{PointGroup, RestorePoint, made_program, plan_point, plan_record, read_made};
pub use reach::{Reach, Segments, Timelines, on_the_way, reach};
pub use rehearse::{Rehearsal, RehearsedGroup, plan_rehearsal};
pub use restore::{RestoreTarget, plan_restore};
pub use survey::{BackupLook, GroupLook, MemberLook, look_program, read_look};
pub use undo::plan_undo;

use super::{Refusal, host_functions};
use crate::model::backup::{self, Backups, Repository};
use crate::model::{Formation, Group, Model};
use crate::names::{HostName, RunId};
use crate::secret::Secret;
use std::collections::{BTreeMap, BTreeSet};

/// Where a host notes the point of a restore that is not done.
pub const RESTORE_PATH: &str = "/etc/citusctl/restore";

/// What planners of backups are given.
#[derive(Clone, Copy, Debug)]
pub struct BackupInput<'a> {
    pub model: &'a Model,
    pub look: &'a BackupLook,
    pub run: &'a RunId,
    /// Hosts that are gone for good: a restore goes on without them.
    pub without: &'a BTreeSet<HostName>,
}

impl<'a> BackupInput<'a> {
    /// The repository of a group.
    fn repository(&self, group: &Group) -> Result<Repository, Refusal> {
        let found = backup::of_group(self.model, group);
        match found {
            Ok(Backups::To(repository)) => Ok(repository),
            Ok(Backups::Off) => Err(Refusal::new(
                format!(
                    "{}: backups are switched off (`pgbackrest_enabled: false`)",
                    group.cluster
                ),
                "name a repository (docs/backup.md) and run `citusctl apply`",
            )),
            Ok(Backups::Unnamed) => Err(Refusal::new(
                format!(
                    "{}: no repository is named (`pgbackrest_repo`)",
                    group.cluster
                ),
                "name one (docs/backup.md) and run `citusctl apply`",
            )),
            Err(fault) => Err(Refusal::new(fault.words, fault.help)),
        }
    }

    /// The only formation.
    fn formation(&self) -> Result<&'a Formation, Refusal> {
        match self.model.formations.as_slice() {
            [only] => Ok(only),
            [] => Err(Refusal::new(
                "the inventory has no PostgreSQL",
                "name another one with `-i`",
            )),
            several => {
                let names: Vec<&str> = several.iter().map(|it| it.name.as_str()).collect();
                Err(Refusal::new(
                    format!("the inventory has several formations: {}", names.join(", ")),
                    "name the one that is meant with `--formation`",
                ))
            }
        }
    }

    /// Refuses where Patroni has a member that would not be stopped, and would be promoted in the middle.
    fn all_named(&self, formation: &Formation) -> Result<(), Refusal> {
        let looks = formation
            .members()
            .filter_map(|member| self.look.hosts.get(&member.host));
        match looks.filter_map(|look| look.unnamed.as_ref()).next() {
            None => Ok(()),
            Some(unnamed) => Err(Refusal::new(
                format!(
                    "Patroni has {unnamed}, which the inventory does not name: it would lead as soon as the others stop, and what it acknowledges then would be lost"
                ),
                "put its line back, or power it off",
            )),
        }
    }

    /// Refuses where a member is neither here nor said to be gone for good; `back`: what would happen when it is back.
    fn all_there(&self, formation: &Formation, verb: &str, back: &str) -> Result<(), Refusal> {
        for member in formation.members() {
            let host = &member.host;
            let here = self.look.hosts.contains_key(host);
            match (here, self.without.contains(host)) {
                (true, false) | (false, true) => {}
                (true, true) => {
                    return Err(Refusal::new(
                        format!(
                            "{host}: it answers: `--without` is for hosts that are gone for good"
                        ),
                        format!("run it without `--without {host}`"),
                    ));
                }
                (false, false) => {
                    let why = self.look.unreachable.get(host);
                    let why = why.map_or("it did not answer", String::as_str);
                    let why = why.strip_prefix(&format!("{host}: ")).unwrap_or(why);
                    return Err(Refusal::new(
                        format!("{host}: {why}: {back}"),
                        format!(
                            "start it; if it is gone for good: `citusctl {verb} --without {host}` goes on with the others"
                        ),
                    ));
                }
            }
        }
        self.all_named(formation)?;
        let stranger = self
            .without
            .iter()
            .find(|host| !formation.members().any(|it| it.host == **host));
        match stranger {
            None => Ok(()),
            Some(host) => Err(Refusal::new(
                format!("{host}: it is no member of {}", formation.name),
                "name a member with `--without`",
            )),
        }
    }

    /// Shell functions of these hosts.
    fn preludes(&self, hosts: impl IntoIterator<Item = HostName>) -> BTreeMap<HostName, Secret> {
        let hosts: BTreeSet<HostName> = hosts.into_iter().collect();
        let known = hosts.iter().filter_map(|name| self.model.hosts.get(name));
        known
            .map(|host| (host.name.clone(), host_functions(self.model, host)))
            .collect()
    }
}
