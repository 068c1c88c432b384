//! Without etcd: Patroni is put aside while PostgreSQL goes on, PostgreSQL is promoted, and everything that asks
//! Patroni is pinned to it.

use super::{Case, Input, RecoverMethod, absent, pin};
use crate::command::{given, quote};
use crate::model::{Formation, Group, Instance};
use crate::names::HostName;
use crate::resource::Impact;
use crate::runbook::{Script, Step};
use std::collections::BTreeMap;

/// The drop-in that keeps systemd from starting Patroni again between its end and its mask.
pub(super) const DROPIN: &str = "/run/systemd/system/patroni.service.d/zz-citusctl-recover.conf";

/// The steps, in order.
pub(super) fn steps(case: &Case<'_>) -> Vec<Step> {
    let host = &case.survivor.host;
    let mut steps = vec![detach(case)];
    steps.extend(quorum(case));
    steps.extend([postgres(host), promote(case)]);
    steps.extend(pin::pin(case));
    steps.extend(pin::bind(case));
    steps.extend(metadata(case));
    steps
}

/// A masked unit has lost its `KillMode=process`, and systemd would kill PostgreSQL with it: so no restart first,
/// then the end of Patroni alone, and only then the mask.
///
/// The group's other members that answer are put aside, too: with etcd back, theirs would promote a second one.
fn detach(case: &Case<'_>) -> Step {
    // The lost hosts are asked meanwhile whether they are back; the promotion wants the answer.
    let asks = absent::ask_beside(case);
    let act = include_str!("scripts/detach.sh");
    let require = include_str!("scripts/no-watchdog.sh");
    let holds = masked("patroni", "Patroni");
    let script = |member: &Instance| {
        let asks = match member.host == case.survivor.host {
            true => asks.as_str(),
            false => "",
        };
        Script::new(format!("{asks}{act}"), &holds).require(require)
    };
    let members = case
        .group
        .members
        .iter()
        .filter(|member| case.host_seen(&member.host).is_some());
    let scripts = members.map(|member| (member.host.clone(), script(member)));
    Step::on_all(
        scripts.collect(),
        "detach",
        "put Patroni aside (ended, masked) while PostgreSQL goes on",
    )
    .within(10)
}

/// The check that a unit has ended and is masked.
fn masked(unit: &str, name: &str) -> String {
    given(
        &[("UNIT", unit), ("CALLED", name)],
        include_str!("scripts/masked.sh"),
    )
}

/// A lost member that comes back would give the old cluster its majority again, and a Patroni beside it a leader of
/// its own.
fn quorum(case: &Case<'_>) -> Option<Step> {
    let here = |host: &HostName| case.host_seen(host).is_some();
    no_quorum(case.input, here)
}

/// The same on every etcd host that `which` picks.
pub(super) fn no_quorum(input: Input<'_>, which: impl Fn(&HostName) -> bool) -> Option<Step> {
    let act = "systemctl mask etcd.service\netcd_stop";
    let holds = masked("etcd", "etcd");
    let etcd = input.model.etcd.iter().flat_map(|etcd| &etcd.members);
    let scripts: BTreeMap<HostName, Script> = etcd
        .filter(|member| which(&member.host))
        .map(|member| (member.host.clone(), Script::new(act, &holds)))
        .collect();
    let title = "stop and mask etcd: a returning member must not give the old cluster a majority";
    (!scripts.is_empty()).then(|| Step::on_all(scripts, "quorum", title))
}

/// A PostgreSQL that has stopped, or is about to, is started again.
fn postgres(host: &HostName) -> Step {
    let act = include_str!("scripts/postgres.sh");
    let holds = "sql postgres 'SELECT 1' >/dev/null 2>&1 || { echo 'PostgreSQL does not answer yet'; false; }";
    Step::on(
        host,
        "postgres",
        "see that PostgreSQL runs, without Patroni",
        Script::new(act, holds),
    )
    .within(120)
}

/// What `promote` may have left in PostgreSQL's own file, which is stronger than Patroni's: while it is there, no commit
/// waits for a standby, whatever Patroni says.
pub(super) const WAITS_AS_TOLD: &str = "if grep -qs '^synchronous_standby_names' \"$PG_DATA/postgresql.auto.conf\"; then echo 'postgresql.auto.conf still says that commits wait for nobody'; false; fi";

/// Commits must not wait for standbys that are gone. What the approval rests on is looked at once more: nobody has come
/// back, and this is the copy that was seen.
fn promote(case: &Case<'_>) -> Step {
    let members = case.group.members.iter();
    let place = members
        .take_while(|member| member.name != case.survivor.name)
        .count();
    let act = format!(
        "{}SYSTEM={} PLACE={place}\n{}",
        absent::nobody_is_back(case),
        quote(&case.pg.system),
        include_str!("scripts/promote.sh")
    );
    let holds = include_str!("scripts/promoted.sh");
    let title = format!(
        "promote PostgreSQL of {} to a timeline of its own; commits wait for nobody",
        case.survivor.name
    );
    Step::on(
        &case.survivor.host,
        "promote",
        title,
        Script::new(act, holds),
    )
    .with_impact(Impact::Failover)
    .within(60)
}

/// What `promote` left for members that come back, where it is left again.
pub(super) const NO_MARK: &str = "sql postgres \"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = 'citusctl_emergency' AND NOT active\" >/dev/null";

/// Citus's own list of nodes, on the coordinator: with the coordinator itself also those worker groups that take writes by
/// now, its own row last.
fn metadata(case: &Case<'_>) -> Vec<Step> {
    let own = (case.group, case.survivor);
    if !case.group.is_coordinator() {
        let at = coordinator(case.formation, case);
        return Vec::from_iter(at.and_then(|at| node(case, &at.host, own)));
    }
    let others = case.formation.groups.iter();
    let others = others.filter(|group| group.cluster != case.group.cluster);
    let workers = others.filter_map(|group| Some((group, writer(group, case)?)));
    let nodes = workers.chain([own]);
    nodes
        .filter_map(|found| node(case, &case.survivor.host, found))
        .collect()
}

/// The row of one group.
fn node(case: &Case<'_>, at: &HostName, (group, member): (&Group, &Instance)) -> Option<Step> {
    let number = group.number?;
    let (address, port) = (member.address, member.port);
    let database = quote(&case.formation.primary_db);
    let act = format!(
        "sql {database} {} 2>&1 | grep -v '^NOTICE' || :",
        quote(&swap(number, &address.to_string(), port))
    );
    let holds = format!(
        "found=$(sql {database} \"SELECT nodename || ':' || nodeport FROM pg_dist_node WHERE groupid = {number} AND noderole = 'primary'\")\n\
         [ \"$found\" = {address}:{port} ] || {{ echo \"pg_dist_node says $found\"; false; }}"
    );
    let title =
        format!("make Citus's metadata name {address}:{port} as the primary of group {number}");
    Some(Step::on(at, "metadata", title, Script::new(act, holds)).within(20))
}

/// The member of a group that takes writes now, if there is one.
pub(super) fn writer<'a>(group: &'a Group, case: &Case<'_>) -> Option<&'a Instance> {
    let mut members = group.members.iter();
    members.find(|member| {
        case.host_seen(&member.host)
            .is_some_and(super::HostSeen::writable)
    })
}

/// Other groups of the formation that take no writes, and that this recover does not help: each wants one of its own.
pub(super) fn waiting<'a>(case: &Case<'a>) -> Vec<&'a Group> {
    let others = case.formation.groups.iter();
    let others = others.filter(|group| group.cluster != case.group.cluster);
    match case.via {
        RecoverMethod::Etcd => Vec::new(),
        RecoverMethod::Promote => others
            .filter(|group| writer(group, case).is_none())
            .collect(),
    }
}

/// The coordinator's member that takes writes now, if there is one.
pub(super) fn coordinator<'a>(formation: &'a Formation, case: &Case<'_>) -> Option<&'a Instance> {
    writer(formation.coordinator()?, case)
}

/// In one transaction, because two rows must not have one address: the survivor's own row as a secondary steps aside,
/// the primary's row takes its address, and the secondary's row gets that of the lost primary.
fn swap(group: u32, address: &str, port: u16) -> String {
    format!(
        "DO $$ DECLARE p record; s int; BEGIN \
         SELECT nodeid, nodename, nodeport INTO STRICT p FROM pg_dist_node WHERE groupid = {group} AND noderole = 'primary'; \
         IF p.nodename = '{address}' AND p.nodeport = {port} THEN RETURN; END IF; \
         SELECT nodeid INTO s FROM pg_dist_node WHERE nodename = '{address}' AND nodeport = {port}; \
         IF s IS NOT NULL THEN PERFORM citus_update_node(s, 'citusctl-placeholder', {port}); END IF; \
         PERFORM citus_update_node(p.nodeid, '{address}', {port}, true, 1000); \
         IF s IS NOT NULL THEN PERFORM citus_update_node(s, p.nodename, p.nodeport); END IF; \
         END $$"
    )
}
