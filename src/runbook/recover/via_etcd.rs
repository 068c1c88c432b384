//! Etcd first: the DCS gets a majority of one, the dead leader's key goes, and Patroni itself promotes. Checks,
//! callbacks, addresses and Citus's metadata then heal by themselves.

use super::marker::{ETCD_BEFORE, MARKER_PATH, Via};
use super::{Case, Input, PgSeen};
use super::{absent, pin, prove};
use crate::command::quote;
use crate::model::{EtcdMember, Group, Instance};
use crate::names::{HostName, InstanceName};
use crate::resource::Impact;
use crate::runbook::{Refusal, Script, Step};
use std::collections::BTreeMap;

impl Case<'_> {
    /// Notes on the survivor, and where services are pinned, what is being done, before anything is.
    pub(super) fn mark(&self) -> Step {
        let script = |host: &HostName| match *host == self.survivor.host {
            true => Script::new(self.marker.write(), self.marker.is_there()),
            // Elsewhere the note of another group's recover says as much.
            false => Script::new(self.marker.write(), format!("[ -e {MARKER_PATH} ]")),
        };
        let title = format!("note the recover in {MARKER_PATH}");
        let pinned = pin::hosts(self)
            .into_iter()
            .filter(|_| self.via == Via::Promote);
        let hosts = pinned.chain([self.survivor.host.clone()]);
        Step::on_all(
            hosts.map(|host| (host.clone(), script(&host))).collect(),
            "mark",
            title,
        )
    }

    /// Puts hosts aside that are given up and can still be reached.
    pub(super) fn fence(&self) -> Option<Step> {
        let reachable = self
            .lost
            .iter()
            .filter(|host| self.input.seen.hosts.contains_key(*host));
        let scripts: BTreeMap<HostName, Script> = reachable
            .map(|host| (host.clone(), fence_script()))
            .collect();
        let step = |scripts| {
            Step::on_all(
                scripts,
                "fence",
                "stop and mask Patroni, PostgreSQL and etcd of hosts that are given up",
            )
        };
        (!scripts.is_empty()).then(|| step(scripts).with_impact(Impact::Restart).within(60))
    }
}

/// Patroni stops PostgreSQL with itself; a PostgreSQL without Patroni is stopped by hand.
fn fence_script() -> Script {
    let act = "systemctl mask patroni.service etcd.service vip-manager.service 2>/dev/null\n\
        systemctl kill -s KILL etcd.service 2>/dev/null || :\n\
        systemctl stop patroni.service etcd.service || :\n\
        if [ -n \"${PG_DATA:-}\" ] && runuser -u \"$PG_USER\" -- \"$PG_BIN/pg_ctl\" -D \"$PG_DATA\" status >/dev/null 2>&1; then\n\
          runuser -u \"$PG_USER\" -- \"$PG_BIN/pg_ctl\" -D \"$PG_DATA\" -m immediate stop\n\
        fi";
    let holds = "for unit in patroni etcd; do\n\
          case $(systemctl show -P ActiveState $unit) in active | activating | deactivating) echo \"$unit still runs\"; false ;; esac\n\
          case $(systemctl show -P LoadState $unit) in masked | not-found) ;; *) echo \"$unit is not masked\"; false ;; esac\n\
        done\n\
        if [ -n \"${PG_DATA:-}\" ] && runuser -u \"$PG_USER\" -- \"$PG_BIN/pg_ctl\" -D \"$PG_DATA\" status >/dev/null 2>&1; then echo 'PostgreSQL still runs'; false; fi";
    Script::new(act, holds)
}

/// The steps, in order.
pub(super) fn steps(case: &Case<'_>) -> Result<Vec<Step>, Refusal> {
    let at = member(case).ok_or_else(|| {
        Refusal::new(
            "no etcd member with its data can be reached",
            "`--via promote` does without etcd",
        )
    })?;
    let act = include_str!("scripts/etcd-force.sh");
    let mut steps = vec![forced(&at.host, format!("{}{act}", absent::ask(case)))];
    steps.push(patroni(case));
    steps.extend(alone(case, case.group, &at.host));
    steps.push(release(case, case.group, &at.host));
    steps.extend(prove::nudge(case));
    for group in hurt(case) {
        steps.extend(alone(case, group, &at.host).map(Step::optional));
        steps.push(release(case, group, &at.host).optional());
    }
    Ok(steps)
}

/// Other groups that lost a member and have one left.
fn hurt<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Group> {
    let groups = case.input.model.groups().map(|(_, group)| group);
    groups.filter(|group| {
        let mut members = group.members.iter();
        let lost = members.any(|member| case.lost.contains(&member.host));
        group.cluster != case.group.cluster && lost && left(case, group).next().is_some()
    })
}

/// Members of a group that take part.
fn left<'a>(case: &Case<'a>, group: &'a Group) -> impl Iterator<Item = &'a Instance> {
    let members = group.members.iter();
    members.filter(|member| case.host_seen(&member.host).is_some())
}

fn member<'a>(case: &Case<'a>) -> Option<&'a EtcdMember> {
    let may = |host: &HostName| !case.lost.contains(host);
    best_member(case.input, &case.survivor.host, may)
}

/// The member to go on with: the survivor's own, else the one whose log goes furthest.
pub(super) fn best_member<'a>(
    input: Input<'a>,
    survivor: &HostName,
    may: impl Fn(&HostName) -> bool,
) -> Option<&'a EtcdMember> {
    let etcd = input.model.etcd.as_ref()?;
    let usable = etcd.members.iter().filter_map(|member| {
        let seen = input.seen.get(&member.host).filter(|_| may(&member.host))?;
        seen.etcd.data.then_some((member, seen.etcd.index))
    });
    usable
        .max_by_key(|(member, index)| (member.host == *survivor, *index))
        .map(|(member, _)| member)
}

/// A temporary configuration and a temporary drop-in, both below /run: neither outlives the step, and a reboot
/// forgets them in any case. A second start with it would drop members that have joined since.
pub(super) fn force(host: &HostName) -> Step {
    forced(host, include_str!("scripts/etcd-force.sh").to_owned())
}

/// The same outside of a recover: nothing will put the old data back.
pub(in crate::runbook) fn force_for_good(host: &HostName) -> Step {
    let act = include_str!("scripts/etcd-force.sh");
    forced(host, format!("{act}rm -f {ETCD_BEFORE}\n"))
}

fn forced(host: &HostName, act: String) -> Step {
    let holds = "if [ -e /run/systemd/system/etcd.service.d/zz-citusctl-force.conf ]; then echo 'the temporary configuration is still in place'; false; fi\n\
        etcd_majority || { echo 'etcd does not answer yet'; false; }\n\
        n=$(etcd_ctl member list | wc -l)\n\
        [ $n = 1 ] || { echo \"etcd has $n members\"; false; }";
    let require = "[ -d \"$ETCD_DATA/member\" ] || { echo \"$ETCD_DATA has no member in it\"; false; }\n\
        if etcd_majority; then echo 'etcd has a majority after all: a lost member has come back; see citusctl status'; false; fi";
    Step::on(
        host,
        "etcd",
        "make etcd a cluster of one, its keys kept (the old data is copied aside)",
        Script::new(act, holds).require(require),
    )
    .with_impact(Impact::Restart)
    .within(60)
}

/// Patroni must run to promote. One that has asked its server to end waits for that before anything else, in
/// other groups that have lost a member, too.
fn patroni(case: &Case<'_>) -> Step {
    let run = "systemctl unmask patroni.service 2>/dev/null || :\n\
        systemctl reset-failed patroni.service 2>/dev/null || :\nsystemctl start --no-block patroni.service\n";
    let end = "if pg_is_stopping; then pg_control -m immediate -t 20 stop; fi";
    let runs = "systemctl is-active -q patroni || { echo 'Patroni does not run yet'; false; }\n";
    let ended = "if pg_is_stopping; then echo 'PostgreSQL waits for lost standbys before it ends'; false; fi";
    let own = Script::new(format!("{run}{end}"), format!("{runs}{ended}"));
    let others = hurt(case).flat_map(|group| left(case, group));
    let others = others.map(|member| (member.host.clone(), Script::new(end, ended)));
    let own = (case.survivor.host.clone(), own);
    Step::on_all(
        others.chain([own]).collect(),
        "patroni",
        "see that Patroni runs, and does not wait for lost standbys",
    )
}

/// The only member that is left of a group commits alone from the start. Patroni would find that out two or three looks
/// later, and until then the first commit waits for members that are gone.
fn alone(case: &Case<'_>, group: &Group, at: &HostName) -> Option<Step> {
    let mut members = left(case, group);
    let (Some(me), None) = (members.next(), members.next()) else {
        return None;
    };
    let own = group.cluster == case.group.cluster;
    let state = serde_json::json!({ "leader": me.name, "sync_standby": null, "quorum": 0 });
    let (key, state) = (format!("{}sync", group.dcs_prefix), state.to_string());
    let act = format!("etcd_ctl put {} {} >/dev/null", quote(&key), quote(&state));
    let holds = format!(
        "ME={} PREFIX={} OWN={}\n{}",
        quote(me.name.as_str()),
        quote(&group.dcs_prefix),
        u8::from(own),
        include_str!("scripts/sync-alone.sh")
    );
    let title = format!("commits of {} wait for lost members no more", group.cluster);
    let script = Script::new(act, holds).require(guard(case, group, own));
    Some(Step::on(at, "alone", title, script))
}

/// Takes the leader key from a member that is gone, and waits until one that is there has taken it.
fn release(case: &Case<'_>, group: &Group, at: &HostName) -> Step {
    let own = group.cluster == case.group.cluster;
    let leader = quote(&format!("{}leader", group.dcs_prefix));
    let here = names(group, |host| case.host_seen(host).is_some());
    let holds = format!(
        "leader=$(etcd_ctl get --print-value-only {leader})\n\
         case {} in *\" ${{leader:-nobody}} \"*) ;; *) echo \"the leader key is with ${{leader:-nobody}}\"; false ;; esac",
        quote(&spaced(&here)),
    );
    let title = match own {
        true => format!(
            "take the leader key of {} from whoever is gone; Patroni promotes {}",
            group.cluster, case.survivor.name
        ),
        false => format!("the same for {}, which lost a member too", group.cluster),
    };
    let id = if own { "leader" } else { "leaders" };
    let script = Script::new(take(case, group), holds).require(guard(case, group, own));
    Step::on(at, id, title, script)
        .with_impact(Impact::Failover)
        .within(90)
}

fn take(case: &Case<'_>, group: &Group) -> String {
    let leader = quote(&format!("{}leader", group.dcs_prefix));
    let gone = names(group, |host| case.lost.contains(host));
    let mut act = format!(
        "leader=$(etcd_ctl get --print-value-only {leader})\n\
         case {} in *\" ${{leader:-nobody}} \"*) etcd_ctl del {leader} >/dev/null; echo \"took the leader key from $leader\" ;; esac\n",
        quote(&spaced(&gone)),
    );
    if case.accept_loss && group.cluster == case.group.cluster {
        // A failover that an operator asked for passes Patroni's guards.
        let wish = quote(&format!("{{\"member\":\"{}\"}}", case.survivor.name));
        let failover = quote(&format!("{}failover", group.dcs_prefix));
        act.push_str(&format!("etcd_ctl put {failover} {wish} >/dev/null\n"));
    }
    let status = quote(&format!("{}status", group.dcs_prefix));
    act.push_str(&format!("LEADER={leader} STATUS={status}\n"));
    act.push_str(include_str!("scripts/wake.sh"));
    act
}

fn names(group: &Group, which: impl Fn(&HostName) -> bool) -> Vec<&InstanceName> {
    group
        .members
        .iter()
        .filter(|member| which(&member.host))
        .map(|member| &member.name)
        .collect()
}

/// ` a b `, to be searched for ` a `.
fn spaced(names: &[&InstanceName]) -> String {
    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    format!(" {} ", names.join(" "))
}

/// What Patroni would object to, and whether this is the same cluster at all, said before the key is taken.
fn guard(case: &Case<'_>, group: &Group, own: bool) -> String {
    let seen = group
        .members
        .iter()
        .filter_map(|member| case.host_seen(&member.host)?.pg.as_ref());
    let reachable: Vec<&PgSeen> = seen.collect();
    let lsn = match own {
        true => case.pg.lsn,
        false => reachable.iter().map(|pg| pg.lsn).max().unwrap_or(0),
    };
    let system = reachable.first().map(|pg| pg.system.as_str());
    format!(
        "{}PREFIX={} SYSTEM={} LSN={lsn} CANDIDATE={} VOTERS={} OWN={} ACCEPT={}\n{}",
        absent::nobody_is_back(case),
        quote(&group.dcs_prefix),
        quote(system.unwrap_or_default()),
        quote(case.survivor.name.as_str()),
        reachable.len().saturating_sub(1),
        u8::from(own),
        u8::from(own && case.accept_loss),
        include_str!("scripts/guard.sh"),
    )
}
