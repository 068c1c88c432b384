//! `recover --survivor`: most hosts are gone, etcd has no majority, the last copy is read-only. Makes it writable
//! again, proves it, and remembers how to take it back.

mod absent;
mod adopt;
mod edit;
mod follow;
mod lead;
mod marker;
mod nodes;
mod one_cluster;
mod pin;
mod promote;
mod prove;
mod rebuild;
mod refuse;
mod rejoin;
mod rivals;
mod room;
mod seen;
mod serve;
mod settle;
#[cfg(test)]
mod tests;
mod undo;
mod via_etcd;

pub use edit::InventoryEdit;
pub use marker::{MARKER_PATH, Marker, RecoverMethod};
pub use rebuild::plan_rebuild;
pub use refuse::nothing_put_aside;
pub use rejoin::plan_rejoin;
pub(super) use rejoin::{endpoint, join, join_if_set_up, preludes};
pub use room::WriteTarget;
pub use seen::{
    EtcdMemberSeen, EtcdSeen, HostSeen, PgSeen, Surveyed, lsn, read_survey, survey_program,
};
pub(super) use settle::settle;
pub use undo::plan_undo;
pub(super) use via_etcd::force_for_good;

use super::{Consent, Refusal, Runbook, Step, host_functions};
use crate::model::{Formation, Group, Host, Instance, Model};
use crate::names::{HostName, RunId};
use crate::secret::Secret;
use crate::source::Sources;
use std::collections::{BTreeMap, BTreeSet};

/// What a planner goes by.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    pub model: &'a Model,
    /// Texts of the inventory, to name places in them.
    pub sources: &'a Sources,
    pub seen: &'a Surveyed,
    pub run: &'a RunId,
}

/// What the operator asked for.
#[derive(Clone, Debug)]
pub struct RecoverOrder {
    pub survivor: HostName,
    /// Hosts that the operator vouches for: off, and they stay off.
    pub fenced: BTreeSet<HostName>,
    pub via: Option<RecoverMethod>,
    /// Patroni's own guards against loss may be overridden.
    pub accept_loss: bool,
}

/// A request that nothing stands in the way of.
#[derive(Debug)]
struct Case<'a> {
    input: Input<'a>,
    formation: &'a Formation,
    group: &'a Group,
    survivor: &'a Instance,
    pg: &'a PgSeen,
    via: RecoverMethod,
    /// Hosts that take no part any more: unreachable, or put aside by us.
    lost: BTreeSet<HostName>,
    accept_loss: bool,
    marker: Marker,
}

/// The hosts that a recover on this host looks at: its formation, etcd, and every HAProxy that leads to it.
pub fn hosts(model: &Model, survivor: &HostName) -> BTreeSet<HostName> {
    let Some((formation, _)) = model.group_on(survivor) else {
        return BTreeSet::new();
    };
    let etcd = model.etcd.iter().flat_map(|etcd| &etcd.members);
    let serves = |host: &&Host| {
        let mut servers = host.services.iter().flat_map(|service| &service.servers);
        servers.any(|server| {
            let instance = server
                .instance
                .as_ref()
                .and_then(|name| model.instance(name));
            instance.is_some_and(|instance| instance.formation == formation.name)
        })
    };
    // Every group that lives under the same etcd comes back with it.
    let members = model.instances().map(|member| member.host.clone());
    let proxies = model.hosts().filter(|host| host.haproxy).filter(serves);
    members
        .chain(etcd.map(|member| member.host.clone()))
        .chain(proxies.map(|host| host.name.clone()))
        .collect()
}

/// What a host is asked beside its own state: the functions `guard` and `lost_hosts` of the survey.
pub fn questions(model: &Model, host: &Host, silent: impl Fn(&Host) -> bool) -> String {
    let guard = follow::guard(model, host);
    format!("{guard}{}", absent::lost_hosts(model, silent))
}

/// Plans the recover, or says why not.
pub fn plan(input: Input<'_>, request: &RecoverOrder) -> Result<Runbook, Refusal> {
    let case = refuse::check(input, request)?;
    let mut steps = vec![case.mark()];
    steps.extend(case.fence());
    // By promotion only Citus waits for lost hosts.
    let waits = case.via == RecoverMethod::Etcd || case.formation.is_citus();
    let refused = absent::refuse(&case).filter(|_| waits);
    let lift = refused.as_ref().map(|step| absent::lift(step.hosts()));
    steps.extend(refused.map(Step::beside));
    match case.via {
        RecoverMethod::Etcd => steps.extend(via_etcd::steps(&case)?),
        RecoverMethod::Promote => steps.extend(promote::steps(&case)),
    }
    steps.extend(prove::steps(&case));
    steps.extend(lift);
    let survivor = &case.survivor;
    Ok(Runbook {
        name: "recover",
        aim: format!(
            "make {} on {} writable ({})",
            survivor.name,
            survivor.host,
            match case.via {
                RecoverMethod::Etcd => "etcd gets a majority of one, Patroni promotes",
                RecoverMethod::Promote =>
                    "without etcd: Patroni is put aside, PostgreSQL promoted by hand",
            }
        ),
        subject: case.formation.name.to_string(),
        seen: case.sentences(),
        risks: case.risks(),
        consent: Consent::Name,
        steps,
        afterwards: case.afterwards(),
        prelude: case.prelude(),
    })
}

impl<'a> Case<'a> {
    fn host_seen(&self, host: &HostName) -> Option<&'a HostSeen> {
        self.input
            .seen
            .get(host)
            .filter(|_| !self.lost.contains(host))
    }

    fn afterwards(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{} takes writes on {}, alone: no other copy exists until others have returned.",
            self.group.cluster, self.survivor.host
        )];
        let worker = self.formation.is_citus() && !self.group.is_coordinator();
        if worker
            && self.via == RecoverMethod::Promote
            && promote::coordinator(self.formation, self).is_none()
        {
            lines.push("No coordinator takes writes: its list of nodes is put right when it is recovered, or by this command again.".to_owned());
        }
        for group in promote::waiting(self) {
            let left = group
                .members
                .iter()
                .find(|member| self.host_seen(&member.host).is_some());
            lines.push(match left {
                Some(member) => format!(
                    "{} takes no writes yet: `citusctl recover --survivor {}` with the same flags.",
                    group.cluster, member.host
                ),
                None => format!(
                    "{} takes no writes: none of its hosts is left.",
                    group.cluster
                ),
            });
        }
        lines.push("Next: `citusctl recover rejoin` when the lost hosts are back, or `citusctl recover rebuild` when they are gone for good.".to_owned());
        lines
    }

    fn prelude(&self) -> BTreeMap<HostName, Secret> {
        let hosts = self.input.model.hosts();
        let reachable = hosts.filter(|host| self.input.seen.hosts.contains_key(&host.name));
        let functions = reachable.map(|host| {
            let mut text = host_functions(self.input.model, host).expose().to_owned();
            text.push_str(&prove::functions(host));
            text.push_str(&lead::functions(self));
            (host.name.clone(), Secret::new(text))
        });
        functions.collect()
    }

    /// What was seen, for people.
    fn sentences(&self) -> Vec<String> {
        let members = self.group.members.iter().map(|member| {
            let what = match self.input.seen.get(&member.host) {
                None => match self.input.seen.unreachable.get(&member.host) {
                    Some(why) => {
                        format!("unreachable ({})", why.lines().next().unwrap_or_default())
                    }
                    None => "unreachable".to_owned(),
                },
                Some(seen) => seen
                    .pg
                    .as_ref()
                    .map_or_else(|| "no data".to_owned(), PgSeen::sentence),
            };
            format!("{} on {}: {what}", member.name, member.host)
        });
        let mut lines: Vec<String> = members.collect();
        let etcd = self.input.model.etcd.iter().flat_map(|etcd| &etcd.members);
        let with_data: Vec<&str> = etcd
            .filter(|member| {
                self.host_seen(&member.host)
                    .is_some_and(|seen| seen.etcd.data)
            })
            .map(|member| member.host.as_str())
            .collect();
        lines.push(match with_data.is_empty() {
            true => "etcd: no member with data can be reached".to_owned(),
            false => format!("etcd: no majority; data on {}", with_data.join(", ")),
        });
        lines
    }

    fn risks(&self) -> Vec<String> {
        let mut risks = Vec::new();
        if self.pg.recovery {
            let last = match &self.pg.last_commit {
                Some(at) => format!("the last one that it has was committed at {at} UTC"),
                None => "when its last one was committed is not known".to_owned(),
            };
            risks.push(format!(
                "Transactions that {} acknowledged and never sent to {} are lost: how many is unknown; {last}.",
                self.pg.upstream.as_deref().unwrap_or("the old leader"),
                self.survivor.host
            ));
        }
        if !self.lost.is_empty() {
            let lost: Vec<&str> = self.lost.iter().map(HostName::as_str).collect();
            risks.push(format!(
                "If {} still run(s) and takes writes where you cannot see it, there will be two primaries. Keep it off until `citusctl recover rejoin`.",
                lost.join(", ")
            ));
        }
        if self.accept_loss {
            risks.push("--accept-loss: Patroni's guards (maximum_lag_on_failover, synchronous standbys) are overridden.".to_owned());
        }
        risks
    }
}

impl PgSeen {
    /// For people.
    fn sentence(&self) -> String {
        let role = if self.recovery { "standby" } else { "primary" };
        let role = match (self.up, &self.mute) {
            (true, _) => role.to_owned(),
            (false, None) => format!("stopped {role}"),
            (false, Some(why)) => format!("{role} that runs and does not answer ({why})"),
        };
        format!(
            "{role}, timeline {}, has up to {:X}/{:X}{}",
            self.timeline,
            self.lsn >> 32,
            self.lsn & 0xffff_ffff,
            match &self.upstream {
                Some(host) => format!(", followed {host}"),
                None => String::new(),
            }
        )
    }
}
