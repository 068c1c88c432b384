//! Wanted against seen.

use super::ahead::Ahead;
use super::restart;
use super::{
    Desired, DesiredStage, GroupDesired, GroupPlan, GroupUnit, Plan, PlannedStage, Refusal, Unit,
};
use crate::command::quote;
use crate::fact::{GroupSeen, NOT_OURS, Observed};
use crate::names::{ClusterName, HostName, ResourceId};
use crate::resource::group::GroupVerdict;
use crate::resource::{Action, Change, Declared, Impact, Resource, Step, Verdict};
use crate::workers;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that was seen in one look.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub hosts: BTreeMap<HostName, Observed>,
    pub groups: BTreeMap<ClusterName, GroupSeen>,
}

impl Seen {
    /// Whether a host has data of PostgreSQL's; `None`: it was not looked at.
    pub fn has_data(&self, host: &HostName) -> Option<bool> {
        let observed = self.hosts.get(host)?;
        Some(observed.kept.data.is_some())
    }
}

/// Compares all stages.
pub fn diff(desired: &Desired, seen: &Seen) -> Plan {
    let compared = |host: &&HostName| seen.hosts.contains_key(*host);
    let mut plan = Plan {
        hosts: desired.hosts().iter().filter(compared).count(),
        ..Plan::default()
    };
    plan.refusals.extend(strangers(seen));
    plan.warnings = super::warn::warnings(desired, seen);
    let mut ahead = Ahead::default();
    for stage in &desired.stages {
        let (stage, refusals) = compare(desired, stage, seen, &mut ahead);
        plan.stages.push(stage);
        plan.refusals.extend(refusals);
    }
    plan
}

/// Compares one stage. The engine does it again when it enters the stage, with a fresh look.
pub fn diff_stage(
    desired: &Desired,
    stage: &DesiredStage,
    seen: &Seen,
) -> (PlannedStage, Vec<Refusal>) {
    let (planned, mut refusals) = compare(desired, stage, seen, &mut Ahead::default());
    refusals.extend(strangers(seen));
    (planned, refusals)
}

/// Servers that answered in the place of ours, and were asked nothing.
fn strangers(seen: &Seen) -> impl Iterator<Item = Refusal> + '_ {
    let patroni = seen.groups.values().flat_map(|group| &group.strangers);
    let patroni = patroni.map(|(host, words)| Refusal {
        host: host.clone(),
        id: ResourceId::new("patroni/service"),
        reason: words.clone(),
        hint: "it runs with another configuration than its file says: `systemctl restart patroni` there; or somebody else's: stop it, or choose another `patroni_port`".to_owned(),
    });
    patroni.chain(servers(seen))
}

fn servers(seen: &Seen) -> impl Iterator<Item = Refusal> + '_ {
    seen.hosts.iter().filter_map(|(host, observed)| {
        let place = observed.scripts.get(NOT_OURS)?.trim();
        Some(Refusal {
            host: host.clone(),
            id: ResourceId::new("pgsql/server"),
            reason: format!("the PostgreSQL that answers on our socket is not ours: its data is in {place}"),
            hint: "stop it there, or choose another `pg_port`; then start ours with `systemctl restart patroni`".to_owned(),
        })
    })
}

fn compare(
    desired: &Desired,
    stage: &DesiredStage,
    seen: &Seen,
    ahead: &mut Ahead,
) -> (PlannedStage, Vec<Refusal>) {
    let mut refusals = Vec::new();
    let mut hosts = BTreeMap::new();
    for (host, resources) in &stage.hosts {
        let Some(observed) = seen.hosts.get(host) else {
            continue;
        };
        let stale = ahead.stale.entry(host.clone()).or_default();
        let comparing = (desired, stage, host);
        let units = compare_host(comparing, resources, observed, stale, &mut refusals);
        ahead.note(host, resources, &units);
        if !units.is_empty() {
            hosts.insert(host.clone(), units);
        }
    }
    let nothing = GroupSeen::default();
    let mut groups = BTreeMap::new();
    for (name, group) in &stage.groups {
        let own = seen.groups.get(name).unwrap_or(&nothing);
        let seen = ahead.seen(desired, group, (own, &seen.hosts));
        groups.insert(name.clone(), group_plan(name, group, &seen, &mut refusals));
    }
    let planned = PlannedStage {
        name: stage.name.clone(),
        rollout: stage.rollout,
        gate: stage.gate,
        hosts,
        groups,
    };
    (planned, refusals)
}

/// What differs on one host.
fn compare_host(
    (desired, stage, host): (&Desired, &DesiredStage, &HostName),
    resources: &[Declared],
    observed: &Observed,
    stale: &mut BTreeSet<ResourceId>,
    refusals: &mut Vec<Refusal>,
) -> Vec<Unit> {
    let mut observed = Cow::Borrowed(observed);
    for id in stale.iter() {
        forget(&mut observed, id);
    }
    let mut units = leftover_units(stage, &observed, desired.units.get(host));
    let owned = desired.owned.get(host);
    units.extend(removals(stage, resources, &observed, owned));
    for declared in resources {
        match declared.resource.diff(&observed) {
            Verdict::Same(_) => {}
            Verdict::Differs(change) => {
                let again = is_read_again(declared, &observed);
                let still = !again && !observed.is_changed_since(declared.id.as_str());
                units.push(owning(declared, *change, (again, still)));
                if again {
                    forget(&mut observed, &declared.id);
                    stale.insert(declared.id.clone());
                }
            }
            Verdict::Refused { reason, hint } => refusals.push(Refusal {
                host: host.clone(),
                id: declared.id.clone(),
                reason,
                hint,
            }),
        }
    }
    units
}

/// Whether who has read what stands there now must read it again: not where only inert lines differ.
fn is_read_again(declared: &Declared, observed: &Observed) -> bool {
    match &*declared.resource {
        Resource::File(file) => file.is_live_changed(observed),
        other => !other.owns().is_empty(),
    }
}

fn forget(observed: &mut Cow<'_, Observed>, id: &ResourceId) {
    if observed.is_stamped(id.as_str()) {
        observed.to_mut().forget(id.as_str());
    }
}

/// Notes in the host's manifest what a change is about to make ours, before it does, and that whoever has read it has read
/// something else (`again`), or what is there then, too (`still`).
fn owning(declared: &Declared, mut change: Change, (again, still): (bool, bool)) -> Unit {
    let lines: Vec<String> = declared
        .resource
        .owns()
        .iter()
        .map(|path| quote(&format!("{} {path}", declared.id)))
        .collect();
    if let (false, Some(first)) = (lines.is_empty(), change.steps.first_mut()) {
        let forgets = match again {
            true => format!("forget {}\n", quote(declared.id.as_str())),
            false => String::new(),
        };
        let script = format!(
            "own {}\n{forgets}{}",
            lines.join(" "),
            first.script.expose()
        );
        *first = Step::new(first.title.clone(), script);
    }
    if let (true, false, Some(last)) = (still, lines.is_empty(), change.steps.last_mut()) {
        let script = format!(
            "{}\nstill {}\n",
            last.script.expose(),
            quote(declared.id.as_str())
        );
        *last = Step::new(last.title.clone(), script);
    }
    Unit {
        id: declared.id.clone(),
        change,
    }
}

/// Units of this stage's roles that we started once, as their stamps say, and nobody wants any more.
fn leftover_units(
    stage: &DesiredStage,
    seen: &Observed,
    wanted: Option<&BTreeSet<String>>,
) -> Vec<Unit> {
    let left = |unit: &&String| {
        seen.stamps.contains_key(*unit) && !wanted.is_some_and(|wanted| wanted.contains(*unit))
    };
    let sweeps = stage.sweeps.iter();
    let units =
        sweeps.flat_map(|(role, units)| units.iter().filter(left).map(move |unit| (role, unit)));
    units
        .map(|(role, unit)| leftover_unit(role.as_str(), unit))
        .collect()
}

fn leftover_unit(role: &str, unit: &str) -> Unit {
    let title = format!("stop and disable {unit}");
    let name = quote(unit);
    let script = format!(
        "[ \"$(systemctl show -P LoadState {name})\" = not-found ] || systemctl -q disable --now {name}\n\
         systemctl reset-failed {name} 2>/dev/null || :\nrm -f /etc/citusctl/stamps/{name}\n"
    );
    let mut change = Change::new(
        Action::Remove,
        title.clone(),
        vec![Step::new(title, script)],
    );
    change.impact = Impact::Restart;
    change.cause = Some("nothing wants it any more".to_owned());
    Unit {
        id: ResourceId::new(format!("{role}/{unit}")),
        change,
    }
}

/// Files of this stage's roles that the manifest names and nobody wants any more: moved aside, never deleted.
fn removals(
    stage: &DesiredStage,
    resources: &[Declared],
    seen: &Observed,
    owned: Option<&BTreeSet<String>>,
) -> Vec<Unit> {
    let present = resources
        .iter()
        .filter_map(|d| Some(d.id.as_str().split_once('/')?.0));
    let swept = stage.sweeps.keys().map(|role| role.as_str());
    let roles: BTreeSet<&str> = present.chain(swept).collect();
    let mut units = Vec::new();
    for line in &seen.manifest {
        let Some((id, path)) = line.split_once(' ') else {
            continue;
        };
        let role = id.split_once('/').map_or(id, |(role, _)| role);
        let wanted = owned.is_some_and(|paths| paths.contains(path));
        if roles.contains(role) && !wanted {
            let script = format!("move_aside {}\ndisown {}\n", quote(path), quote(line));
            let step = Step::new(format!("move {path} aside"), script);
            units.push(Unit {
                id: ResourceId::new(id),
                change: Change::new(Action::Remove, path, vec![step]),
            });
        }
    }
    units
}

fn group_plan(
    cluster: &ClusterName,
    group: &GroupDesired,
    seen: &GroupSeen,
    refusals: &mut Vec<Refusal>,
) -> GroupPlan {
    let mut plan = GroupPlan {
        access: group.access.clone(),
        members: group.members.values().cloned().collect(),
        units: Vec::new(),
        unknown: Vec::new(),
    };
    // Somebody leads, on a host that was not looked at: the limit left it out, and with it what only a leader tells.
    let left_out = seen.leader().is_some() && seen.answers.is_empty();
    // Each password costs thousands of hashes to prove.
    let verdicts = workers::each(&group.resources, |(), declared| {
        let kind = declared.resource.inner();
        let untold = left_out && !kind.probes(&group.access).is_empty();
        (!untold).then(|| kind.diff(&group.access, seen))
    });
    let verdicts = group.resources.iter().zip(verdicts);
    for (declared, verdict) in verdicts.filter_map(|(d, verdict)| Some((d, verdict?))) {
        match verdict {
            GroupVerdict::Same(_) => {}
            GroupVerdict::Differs(change) => plan.units.push(GroupUnit {
                id: declared.id.clone(),
                change: *change,
            }),
            GroupVerdict::Unknown(reason) => plan.unknown.push((declared.id.clone(), reason)),
            // A group stands in the place of a host.
            GroupVerdict::Refused { reason, hint } => refusals.push(Refusal {
                host: HostName::new(cluster.as_str()),
                id: declared.id.clone(),
                reason,
                hint,
            }),
        }
    }
    restart::pull(&mut plan, seen);
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Rollout;
    use crate::fact::Stamp;
    use crate::names::{RoleName, StageName};

    fn summaries(wanted: bool) -> Vec<String> {
        let host = HostName::new("h");
        let unit = "pgbouncer.service".to_owned();
        let stage = DesiredStage {
            name: StageName::new("pgbouncer"),
            rollout: Rollout::Together,
            gate: None,
            hosts: [(host.clone(), Vec::new())].into(),
            groups: BTreeMap::new(),
            sweeps: [(RoleName::new("pgbouncer"), [unit.clone()].into())].into(),
        };
        let mut desired = Desired::default();
        if wanted {
            desired.units.insert(host.clone(), [unit.clone()].into());
            desired
                .owned
                .insert(host.clone(), ["/etc/p".to_owned()].into());
        }
        let observed = Observed {
            stamps: [
                (unit, Stamp::default()),
                ("patroni.service".to_owned(), Stamp::default()),
            ]
            .into(),
            manifest: vec![
                "pgbouncer/conf /etc/p".to_owned(),
                "haproxy/conf /etc/h".to_owned(),
            ],
            ..Observed::default()
        };
        let seen = Seen {
            hosts: [(host, observed)].into(),
            ..Seen::default()
        };
        let (planned, _) = diff_stage(&desired, &stage, &seen);
        let units = planned.hosts.into_values().flatten();
        units.map(|unit| unit.change.summary).collect()
    }

    #[test]
    fn a_stamp_of_what_differs_now_counts_for_nothing() {
        let inputs = [("pgsql/cert".to_owned(), "d1".to_owned())];
        let stamp = Stamp {
            reload: inputs.into(),
            ..Stamp::default()
        };
        let observed = Observed {
            stamps: [("patroni.service".to_owned(), stamp)].into(),
            ..Observed::default()
        };
        let mut seen = Cow::Borrowed(&observed);
        forget(&mut seen, &ResourceId::new("pgsql/key"));
        assert!(matches!(seen, Cow::Borrowed(_)));
        forget(&mut seen, &ResourceId::new("pgsql/cert"));
        assert!(seen.stamps["patroni.service"].reload.is_empty());
        assert!(observed.is_stamped("pgsql/cert"));
    }

    #[test]
    fn what_nobody_wants_any_more_stops_and_goes() {
        assert_eq!(
            summaries(false),
            ["stop and disable pgbouncer.service", "/etc/p"]
        );
        assert_eq!(summaries(true), Vec::<String>::new());
    }
}
