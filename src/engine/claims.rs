//! Repositories that hold backups of a group that has no data: who starts it makes an empty database beside them.
//!
//! Asked before a plan is shown, and once more before Patroni is started for the first time, when pgBackRest is there to ask.

use super::gate::exec;
use super::look::futures_join;
use super::{EngineError, Run};
use crate::catalog::Gate;
use crate::command::quote;
use crate::event::Kind;
use crate::fact::{RepositorySeen, read_repository, repository_question};
use crate::inventory::param;
use crate::model::backup::{self, Backups, Repository, RepositoryPlace};
use crate::model::pg::bin_dir;
use crate::model::{Group, Instance};
use crate::names::{HostName, ResourceId};
use crate::plan::{Desired, PlannedStage, Refusal, Seen};
use std::collections::BTreeSet;

/// Whether a wanted state starts Patroni for the first time anywhere: one that only prepares hosts makes no database.
pub fn bootstraps(desired: &Desired) -> bool {
    let mut stages = desired.stages.iter();
    stages.any(|stage| stage.gate == Some(Gate::Leader) && !stage.hosts.is_empty())
}

/// Refusals for groups that a plan would make empty beside their backups.
pub async fn claimed(run: &Run<'_>, desired: &Desired, seen: &Seen) -> Vec<Refusal> {
    let empty = |group: &&Group| {
        let none = |member: &Instance| seen.has_data(&member.host) == Some(false);
        group.members.iter().all(none)
    };
    match bootstraps(desired) {
        true => {
            refusals(
                run,
                run.model.groups().map(|(_, group)| group).filter(empty),
            )
            .await
        }
        false => Vec::new(),
    }
}

/// The same immediately before the stages that start the first member of a group.
pub(super) async fn before(run: &Run<'_>, planned: &PlannedStage) -> Result<(), EngineError> {
    if planned.gate != Some(Gate::Leader) {
        return Ok(());
    }
    let begins = |group: &&Group| {
        group
            .members
            .iter()
            .any(|it| planned.hosts.contains_key(&it.host))
    };
    let groups = run.model.groups().map(|(_, group)| group).filter(begins);
    let found = refusals(run, groups).await;
    match found.is_empty() {
        true => Ok(()),
        false => Err(EngineError::Refused(found)),
    }
}

async fn refusals<'g>(run: &Run<'_>, groups: impl Iterator<Item = &'g Group>) -> Vec<Refusal> {
    let judged = futures_join(groups.map(|group| async move {
        let Ok(Backups::To(repository)) = backup::of_group(run.model, group) else {
            return None;
        };
        let member = group.primary().or(group.members.first())?;
        match held(run, group, member, &repository).await {
            Held::Nothing => None,
            Held::Backups(what) => Some(refusal(group, member, &repository, &what)),
            Held::Unknown(why) => {
                let text = format!(
                    "{}: whether its repository holds backups of an earlier database is not known: {why}",
                    group.cluster
                );
                run.emitter.emit(Kind::Note { text });
                None
            }
        }
    }));
    judged.await.into_iter().flatten().collect()
}

fn refusal(group: &Group, member: &Instance, repository: &Repository, what: &str) -> Refusal {
    let cluster = &group.cluster;
    Refusal {
        host: member.host.clone(),
        id: ResourceId::new("patroni/service"),
        reason: format!(
            "no member of {cluster} has data, and its repository (`{}`) holds {what}: starting it would make an empty database beside them",
            repository.name
        ),
        hint: format!(
            "`citusctl restore --latest` brings the last point back; for a new, empty database name another `path` in `pgbackrest_repo`, or move the directories of the stanza `{}` away",
            backup::stanza(cluster)
        ),
    }
}

/// What a repository holds of a group without data.
enum Held {
    /// Nothing, or the group has data.
    Nothing,
    Backups(String),
    Unknown(String),
}

async fn held(run: &Run<'_>, group: &Group, member: &Instance, repository: &Repository) -> Held {
    let hosts: BTreeSet<&HostName> = group.members.iter().map(|it| &it.host).collect();
    let asked = futures_join(hosts.into_iter().map(|host| has_data(run, host)));
    for has in asked.await {
        match has {
            Ok(true) => return Held::Nothing,
            Ok(false) => {}
            // Not all members are part of this run, or one does not answer: it may have the data, and lead.
            Err(_) => return Held::Nothing,
        }
    }
    match ask_member(run, group, member).await {
        Ok(RepositorySeen::Known(seen)) if seen.exists => Held::Backups(format!(
            "{} backups of an earlier one (system identifier {})",
            seen.sets.len(),
            seen.system.as_deref().unwrap_or("unknown")
        )),
        Ok(RepositorySeen::Known(_)) => Held::Nothing,
        Ok(RepositorySeen::NotInstalled) => ask_repository(run, group, repository).await,
        Ok(RepositorySeen::Unknown(why)) | Err(why) => Held::Unknown(why),
    }
}

async fn has_data(run: &Run<'_>, host: &HostName) -> Result<bool, String> {
    let known = run
        .model
        .hosts
        .get(host)
        .ok_or("it is not in the inventory")?;
    let data = known.typed().get(param::PG_DATA);
    let line = format!(
        "if [ -e {}/PG_VERSION ]; then echo data; else echo empty; fi",
        quote(&data)
    );
    match exec(run, host, &line).await?.trim() {
        "data" => Ok(true),
        "empty" => Ok(false),
        other => Err(format!("it says `{other}`")),
    }
}

/// Through pgBackRest on a member, where it is set up.
async fn ask_member(
    run: &Run<'_>,
    group: &Group,
    member: &Instance,
) -> Result<RepositorySeen, String> {
    let host = run.model.hosts.get(&member.host);
    let typed = host.ok_or("it is not in the inventory")?.typed();
    let version = run
        .model
        .formation(&member.formation)
        .map_or(0, |it| it.version);
    let question = repository_question(
        &typed.get(param::PG_DBSU),
        &bin_dir(&typed, version),
        &typed.get(param::PG_DATA),
        &backup::stanza(&group.cluster),
    );
    let text = format!("ANYWAY=yes\n{question}");
    let said = exec(run, &member.host, &text).await?;
    read_repository(&said).ok_or_else(|| format!("{} does not say", member.host))
}

/// On the repository's own host; a store that only members reach is asked once they are set up.
async fn ask_repository(run: &Run<'_>, group: &Group, repository: &Repository) -> Held {
    let RepositoryPlace::Host { host, path, .. } = &repository.place else {
        return Held::Nothing;
    };
    let Some(host) = backup::repository_host(run.model, host) else {
        return Held::Nothing;
    };
    let info = |what: &str| {
        quote(&format!(
            "{path}/{what}/{}/{what}.info",
            backup::stanza(&group.cluster)
        ))
    };
    let line = format!(
        "if [ -e {} ] || [ -e {} ]; then echo stanza; else echo empty; fi",
        info("backup"),
        info("archive")
    );
    match exec(run, &host.name, &line).await.as_deref().map(str::trim) {
        Ok("stanza") => Held::Backups("backups of an earlier one".to_owned()),
        Ok("empty") => Held::Nothing,
        Ok(other) => Held::Unknown(format!("{} says `{other}`", host.name)),
        Err(why) => Held::Unknown(why.to_string()),
    }
}
