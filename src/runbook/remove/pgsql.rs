//! `pgsql-rm`: members, groups, formations.

use super::host::PATRONI;
use super::refuse::Part;
use super::{DataFate, RemovalCase};
use crate::command::given;
use crate::fact::MemberSeen;
use crate::inventory::param;
use crate::model::{Formation, Group, Host, Instance, Model};
use crate::resource::Impact;
use crate::runbook::patroni::{states, steps};
use crate::runbook::{Consent, Refusal, Runbook, Script, Step};
use std::collections::BTreeMap;

/// Takes what is on these hosts out of its groups and formations.
///
/// # Errors
/// The leader of a group whose others stay, a coordinator without its formation, a group with shards, an etcd without
/// a majority, and whatever cannot be told.
pub fn remove_pgsql(case: &RemovalCase<'_>) -> Result<Runbook, Refusal> {
    case.no_recover()?;
    let model = case.input.model;
    let touched = |formation: &&Formation| {
        formation
            .groups
            .iter()
            .any(|group| case.part(group) != Part::Nothing)
    };
    let formations: Vec<&Formation> = model.formations.iter().filter(touched).collect();
    for formation in &formations {
        case.check(formation)?;
    }
    let mut book = case.book("pgsql-rm", String::new(), subject(case, &formations));
    book.aim = aim(case, &formations);
    book.seen = formations
        .iter()
        .flat_map(|formation| case.sentences(formation))
        .collect();
    book.risks.extend(
        formations
            .iter()
            .flat_map(|formation| case.risks(formation)),
    );
    for formation in &formations {
        book.steps.extend(case.closes(formation)?);
    }
    book.steps
        .extend(case.stop("routing", |unit| unit != PATRONI));
    book.steps.extend(case.pauses(&formations));
    book.steps
        .extend(case.stop("patroni", |unit| unit == PATRONI));
    for formation in &formations {
        book.steps.extend(case.forget_formation(formation)?);
    }
    book.steps.extend(case.postgres());
    let data = case.data("pg_rm_data");
    book.steps.extend(case.put(data, "the data", |host| {
        Some((home(model, host)?, stopped()))
    }));
    let backups = case.backups();
    let deletes = data == DataFate::Delete || !backups.is_empty();
    book.steps.extend(backups);
    book.steps.extend(case.clear());
    book.steps.extend(case.uninstall("pg_rm_pkg"));
    if formations
        .iter()
        .any(|formation| case.part_of(formation) == Part::Whole)
        || deletes
    {
        book.consent = Consent::Name;
    }
    book.afterwards = case.afterwards(&formations, data);
    Ok(book)
}

/// The directory that holds the backups that are kept on an instance's host.
pub fn backup_dir(model: &Model, host: &Host) -> Option<String> {
    let member = host.pg.as_ref()?;
    let version = model.formation(&member.formation)?.version;
    let main = host.typed().get(param::PG_FS_BACKUP);
    Some(format!("{main}/{}-{version}", member.cluster))
}

/// The directory that holds an instance: data, configuration, certificates, logs.
pub fn home(model: &Model, host: &Host) -> Option<String> {
    let member = host.pg.as_ref()?;
    let version = model.formation(&member.formation)?.version;
    let main = host.typed().get(param::PG_FS_MAIN);
    Some(format!("{main}/{}-{version}", member.cluster))
}

fn subject(case: &RemovalCase<'_>, formations: &[&Formation]) -> String {
    let of = |formation: &&Formation| match case.ends(formation) {
        true => vec![formation.name.to_string()],
        false => {
            let groups = formation.groups.iter();
            groups.flat_map(|group| part_names(case, group)).collect()
        }
    };
    let names: Vec<String> = formations.iter().flat_map(of).collect();
    names.join(",")
}

fn part_names(case: &RemovalCase<'_>, group: &Group) -> Vec<String> {
    match case.part(group) {
        Part::Nothing => Vec::new(),
        Part::Whole => vec![group.cluster.to_string()],
        Part::Members => {
            let leaving = group.members.iter().filter(|member| case.leaves(member));
            leaving.map(|member| member.name.to_string()).collect()
        }
    }
}

fn aim(case: &RemovalCase<'_>, formations: &[&Formation]) -> String {
    let of = |formation: &&Formation| match case.ends(formation) {
        true => format!("all of {}", formation.name),
        false => {
            let groups = formation.groups.iter();
            let names: Vec<String> = groups.flat_map(|group| part_names(case, group)).collect();
            format!("{} out of {}", names.join(", "), formation.name)
        }
    };
    let all: Vec<String> = formations.iter().map(of).collect();
    format!("take {} from {}", all.join("; "), case.names())
}

/// No postmaster may run on what is put aside.
fn stopped() -> String {
    "pid=$(head -n 1 \"$PG_DATA/postmaster.pid\" 2>/dev/null) || :\n\
     if [ -n \"$pid\" ] && kill -0 \"$pid\" 2>/dev/null; then echo 'PostgreSQL still runs'; false; fi"
        .to_owned()
}

impl<'a> RemovalCase<'a> {
    /// Backups go where `pg_rm_backup` says so on all hosts, and with the whole of their group: a member's may be the
    /// only ones.
    fn backups(&self) -> Vec<Step> {
        if self.data("pg_rm_backup") != DataFate::Delete {
            return Vec::new();
        }
        let model = self.input.model;
        let mut steps = self.put(DataFate::Delete, "the backups", |host| {
            let (_, group) = model.group_on(&host.name)?;
            let path = backup_dir(model, host)?;
            (self.part(group) == Part::Whole).then(|| (path, String::new()))
        });
        steps.iter_mut().for_each(|step| step.id = "backups");
        steps
    }

    fn part_of(&self, formation: &Formation) -> Part {
        let parts: Vec<Part> = formation
            .groups
            .iter()
            .map(|group| self.part(group))
            .collect();
        match parts.contains(&Part::Whole) {
            true => Part::Whole,
            false if parts.contains(&Part::Members) => Part::Members,
            false => Part::Nothing,
        }
    }

    fn check(&self, formation: &'a Formation) -> Result<(), Refusal> {
        if self.ends(formation) {
            return Ok(());
        }
        self.not_without_coordinator(formation)?;
        for group in &formation.groups {
            match self.part(group) {
                Part::Nothing => {}
                Part::Members => self.may_leave(group)?,
                Part::Whole => {
                    if let Some(metadata) = self.metadata(formation)? {
                        self.drained(&metadata, group)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn sentences(&self, formation: &Formation) -> Vec<String> {
        let touched = formation
            .groups
            .iter()
            .filter(|group| self.part(group) != Part::Nothing);
        let words = touched.map(|group| match self.groups.get(&group.cluster) {
            Some(Ok(seen)) if !seen.members.is_empty() => {
                format!("{}: {}", group.cluster, states(seen))
            }
            Some(Err(why)) => format!("{}: Patroni does not answer: {why}", group.cluster),
            Some(Ok(_)) | None => format!("{}: Patroni knows no member", group.cluster),
        });
        words.collect()
    }

    fn risks(&self, formation: &Formation) -> Vec<String> {
        if self.ends(formation) {
            return vec![format!(
                "{} takes no more reads and writes; what it holds is served by nobody",
                formation.name
            )];
        }
        let mut risks = Vec::new();
        for group in &formation.groups {
            let left = group
                .members
                .iter()
                .filter(|member| !self.leaves(member))
                .count();
            match (self.part(group), left) {
                (Part::Members, 1) => risks.push(format!(
                    "{} has one copy left: nobody can take over from it",
                    group.cluster
                )),
                (Part::Whole, _) => risks.push(format!("connections to {} are cut", group.cluster)),
                (Part::Members | Part::Nothing, _) => {}
            }
        }
        risks
    }

    /// A group that leaves as a whole is paused first: its leader stops without anybody's trying to take over, and
    /// Citus's coordinator is not asked to wait for a new one.
    fn pauses(&self, formations: &[&Formation]) -> Vec<Step> {
        let mut all = Vec::new();
        let groups = formations.iter().flat_map(|formation| &formation.groups);
        for group in groups.filter(|group| self.part(group) == Part::Whole) {
            let leads = |leader: &&MemberSeen| self.left.contains_key(&leader.host);
            let Some(leader) = self.leader(group).filter(leads) else {
                continue;
            };
            all.push(steps::pause(group, leader, true));
            let scripts = group
                .members
                .iter()
                .filter(|member| self.left.contains_key(&member.host));
            let scripts: BTreeMap<_, _> = scripts
                .map(|member| (member.host.clone(), Script::wait(paused(member))))
                .collect();
            let title = format!("all members of {} know of it", group.cluster);
            all.push(
                Step::on_all(scripts, "paused", title)
                    .within(30 + 2 * u64::from(group.rto.loop_wait)),
            );
        }
        all
    }

    /// Groups that leave without their formation have no shards, and get none.
    fn closes(&self, formation: &'a Formation) -> Result<Vec<Step>, Refusal> {
        let whole = |group: &&Group| self.part(group) == Part::Whole;
        let groups: Vec<&Group> = formation.groups.iter().filter(whole).collect();
        if self.ends(formation) || groups.is_empty() {
            return Ok(Vec::new());
        }
        let metadata = self.metadata(formation)?;
        let steps = metadata
            .iter()
            .flat_map(|metadata| groups.iter().filter_map(|group| metadata.close(group)));
        Ok(steps.collect())
    }

    fn forget_formation(&self, formation: &'a Formation) -> Result<Vec<Step>, Refusal> {
        let mut all = Vec::new();
        if self.ends(formation) {
            let start = format!("{}/{}/", formation.namespace, formation.name);
            let title = format!("take all keys of {} out of etcd", formation.name);
            all.extend(self.forget_all(&start, title)?);
            let user = self.forget_user(formation)?;
            if user.is_some() {
                all.extend(self.unstamp_users());
            }
            all.extend(user);
            return Ok(all);
        }
        for group in &formation.groups {
            all.extend(match self.part(group) {
                Part::Nothing => Vec::new(),
                Part::Members => self.forget_members(formation, group)?,
                Part::Whole => self.forget_group(formation, group)?,
            });
        }
        Ok(all)
    }

    fn forget_group(&self, formation: &'a Formation, group: &Group) -> Result<Vec<Step>, Refusal> {
        let metadata = self.metadata(formation)?;
        let title = format!("take all keys of {} out of etcd", group.cluster);
        let keys = self.forget_all(&group.dcs_prefix, title)?;
        let Some(metadata) = metadata else {
            return Ok(keys.into_iter().collect());
        };
        // Keys first: a coordinator that still saw the group would take it in again.
        let steps = keys.into_iter().chain(metadata.forget_group(group));
        Ok(steps.collect())
    }

    /// PostgreSQL goes with Patroni, but not in a group that is paused.
    fn postgres(&self) -> Option<Step> {
        let running = self
            .reached()
            .filter(|host| self.left.get(&host.name).is_some_and(|left| left.running));
        let act = "pid=$(head -n 1 \"$PG_DATA/postmaster.pid\" 2>/dev/null) || :\n\
            [ -z \"$pid\" ] || pg_control stop -s -m fast -w -t 120";
        let scripts = running
            .filter(|host| host.pg.is_some())
            .map(|host| (host.name.clone(), Script::new(act, stopped())));
        let scripts: BTreeMap<_, _> = scripts.collect();
        let step = || Step::on_all(scripts.clone(), "postgres", "PostgreSQL has stopped");
        (!scripts.is_empty()).then(|| step().with_impact(Impact::Restart).within(30))
    }

    fn afterwards(&self, formations: &[&Formation], data: DataFate) -> Vec<String> {
        let mut lines = vec![format!(
            "Take {} out of the inventory now: while a line is there, an ordinary `citusctl apply` takes it in again.",
            self.names()
        )];
        let groups = formations.iter().flat_map(|formation| &formation.groups);
        for group in groups.filter(|group| self.part(group) == Part::Members) {
            let primary = group.primary().filter(|primary| self.leaves(primary));
            if let Some(primary) = primary {
                lines.push(format!(
                    "{} has `pg_role: primary` there: give it to another member of {}.",
                    primary.name, group.cluster
                ));
            }
        }
        if data == DataFate::Aside {
            lines.push(format!(
                "Data is kept beside its place, as NAME.removed-{}: delete it when you are sure.",
                self.input.run
            ));
        }
        lines.extend(self.unreached());
        if self.data("pg_rm_backup") != DataFate::Delete {
            lines.push("Backups are kept.".to_owned());
        }
        lines
    }
}

fn paused(member: &Instance) -> String {
    let api = format!("{}/patroni", member.patroni_url());
    let values = [("PATRONI_UNIT", PATRONI), ("PATRONI_API", &api)];
    given(&values, include_str!("scripts/paused.sh"))
}
