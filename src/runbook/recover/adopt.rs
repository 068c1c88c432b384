//! The way back after `--via promote`: etcd gets a majority, Patroni takes over the primary that runs, services are
//! unpinned, and then the lost hosts return as they do after `--via etcd`.

use super::follow::follow;
use super::promote::{DROPIN, NO_MARK, WAITS_AS_TOLD, no_quorum};
use super::rejoin::{close, endpoint, join, strays, way_back};
use super::via_etcd::{best_member, force};
use super::{Input, Marker, pin, settle};
use crate::command::given;
use crate::model::{EtcdMember, Group, Host, Instance};
use crate::names::HostName;
use crate::resource::Impact;
use crate::runbook::{Refusal, Runbook, Script, Step};
use std::collections::BTreeMap;

/// Plans it, for every group that was promoted by hand.
pub(super) fn after_promote(input: Input<'_>, markers: &[Marker]) -> Result<Runbook, Refusal> {
    let primaries = primaries(input, markers)?;
    let majority = input.seen.majority().cloned();
    let first = primaries.first().map(|(_, survivor)| survivor.host.clone());
    let etcd = first.and_then(|host| best_member(input, &host, |_| true));
    let Some(alive) = majority.clone().or(etcd.map(|member| member.host.clone())) else {
        return Err(Refusal::new(
            "no etcd member with its data answers: Patroni has nothing to come back to",
            "start one lost host that carries etcd; or go on without them: `citusctl recover rebuild`",
        ));
    };
    let mut book = way_back(
        input,
        markers,
        steps(input, &primaries, majority.is_some(), &alive),
    );
    book.aim = format!(
        "put {} back under Patroni, and take the lost hosts in again",
        book.subject
    );
    book.seen.push(match majority {
        Some(_) => "etcd has a majority".to_owned(),
        None => format!("etcd has no majority; {alive} has its data"),
    });
    Ok(book)
}

fn steps(
    input: Input<'_>,
    primaries: &[(&Group, &Instance)],
    majority: bool,
    alive: &HostName,
) -> Vec<Step> {
    let mut steps: Vec<Step> = primaries
        .iter()
        .filter_map(|(group, survivor)| hold(input, group, survivor))
        .collect();
    if !majority {
        let others = |host: &HostName| host != alive && input.seen.hosts.contains_key(host);
        steps.extend(no_quorum(input, others));
        steps.push(force(alive));
    }
    steps.extend(adopt_steps(primaries, alive));
    steps.extend(pin::unpin(input));
    steps.extend(
        primaries
            .iter()
            .filter_map(|(group, survivor)| pin::unbind(group, &survivor.host)),
    );
    // Whoever is no voter of the cluster that lives on joins it anew.
    let members = strays(input.model, input.seen, alive).into_iter();
    let members = members.filter(|member| majority || member.host != *alive);
    steps.push(settle(input.model, input.seen, alive));
    steps.extend(voters_back(input, alive).filter(|_| majority));
    steps.extend(members.map(|member| join(member, endpoint(input.model, alive))));
    let followers = followers(input, primaries).into_iter();
    steps.extend(followers.map(|host| follow(input, host)));
    steps.push(close(input));
    steps.extend(super::serve::served(input));
    steps
}

/// Lost hosts that were a majority by themselves still count the survivor's etcd, which the promotion put aside.
fn voters_back(input: Input<'_>, alive: &HostName) -> Option<Step> {
    let joins = strays(input.model, input.seen, alive);
    let aside = |member: &&EtcdMember| {
        let seen = input.seen.get(&member.host);
        seen.is_some_and(|seen| !seen.etcd.majority)
            && !joins.iter().any(|stray| stray.host == member.host)
    };
    let act = "systemctl unmask etcd.service 2>/dev/null || :\netcd_start_ordinary\n\
        systemctl reset-failed etcd.service 2>/dev/null || :\nsystemctl start --no-block etcd.service";
    let holds = "etcd_majority || { echo 'etcd here does not answer yet'; false; }";
    let members = input.model.etcd.iter().flat_map(|etcd| &etcd.members);
    let scripts: BTreeMap<HostName, Script> = members
        .filter(aside)
        .map(|member| (member.host.clone(), Script::new(act, holds)))
        .collect();
    let title = "start etcd again where it was put aside: the others still count it";
    (!scripts.is_empty()).then(|| Step::on_all(scripts, "voters", title))
}

/// Who answers and is to follow: other members of the groups, and whoever was given up.
fn followers<'a>(input: Input<'a>, primaries: &[(&Group, &Instance)]) -> Vec<&'a Host> {
    let fenced: Vec<&HostName> = input
        .seen
        .markers()
        .into_iter()
        .flat_map(|marker| &marker.fenced)
        .collect();
    let follows = |host: &&Host| {
        let survives = primaries
            .iter()
            .any(|(_, survivor)| survivor.host == host.name);
        let in_group = |group: &Group| group.members.iter().any(|member| member.host == host.name);
        let concerned =
            fenced.contains(&&host.name) || primaries.iter().any(|(group, _)| in_group(group));
        host.pg.is_some() && concerned && !survives
    };
    let here = input
        .model
        .hosts()
        .filter(|host| input.seen.hosts.contains_key(&host.name));
    here.filter(follows).collect()
}

/// All keys before any Patroni: no group may choose for itself meanwhile.
pub(super) fn adopt_steps(primaries: &[(&Group, &Instance)], alive: &HostName) -> Vec<Step> {
    let keys = primaries
        .iter()
        .map(|(group, survivor)| name_leader(group, survivor, alive));
    keys.chain(primaries.iter().map(|(_, survivor)| adopt(survivor)))
        .collect()
}

/// The groups that were promoted by hand, each with its one writer.
pub(super) fn primaries<'a>(
    input: Input<'a>,
    markers: &[Marker],
) -> Result<Vec<(&'a Group, &'a Instance)>, Refusal> {
    let found = markers
        .iter()
        .map(|marker| primary(input, marker))
        .collect::<Result<Vec<_>, _>>()?;
    found
        .iter()
        .try_for_each(|(group, survivor)| one_writer(input, group, survivor))?;
    Ok(found)
}

fn primary<'a>(input: Input<'a>, marker: &Marker) -> Result<(&'a Group, &'a Instance), Refusal> {
    let found = input
        .model
        .group_on(&marker.survivor)
        .and_then(|(_, group)| {
            let member = group
                .members
                .iter()
                .find(|member| member.host == marker.survivor)?;
            Some((group, member))
        });
    let writable = input
        .seen
        .get(&marker.survivor)
        .is_some_and(super::HostSeen::writable);
    match found {
        Some(found) if writable => Ok(found),
        _ => Err(Refusal::new(
            format!(
                "{}: the survivor does not take writes: the recover itself has not come through",
                marker.survivor
            ),
            format!(
                "run `citusctl recover --survivor {} --via promote` again first",
                marker.survivor
            ),
        )),
    }
}

fn one_writer(input: Input<'_>, group: &Group, survivor: &Instance) -> Result<(), Refusal> {
    let mut others = group
        .members
        .iter()
        .filter(|member| member.host != survivor.host);
    match others.find(|member| {
        input
            .seen
            .get(&member.host)
            .is_some_and(super::HostSeen::writable)
    }) {
        None => Ok(()),
        Some(other) => Err(Refusal::new(
            format!(
                "{}: {} takes writes as well as {} on {}: there are two primaries",
                other.host, other.name, survivor.name, survivor.host
            ),
            format!(
                "stop one at once: `systemctl mask --now patroni` on {}; what was written there after the split is not on the other",
                other.host
            ),
        )),
    }
}

/// Stopped as its unit says, then masked: a masked unit has lost what it says of that, and systemd waits twice 90 s for
/// processes that are not its own (seen: 181 s in the middle of a rejoin).
const PATRONI_OFF: &str = "systemctl stop patroni.service || :\nsystemctl mask patroni.service";

/// Until the survivor has the leader key, no other Patroni of the group may run.
fn hold(input: Input<'_>, group: &Group, survivor: &Instance) -> Option<Step> {
    let act = PATRONI_OFF;
    let holds = include_str!("scripts/held.sh");
    let others = group
        .members
        .iter()
        .filter(|member| member.host != survivor.host);
    let here = others.filter(|member| input.seen.hosts.contains_key(&member.host));
    let scripts: BTreeMap<HostName, Script> = here
        .map(|member| (member.host.clone(), Script::new(act, holds)))
        .collect();
    let step = |scripts| {
        Step::on_all(
            scripts,
            "hold",
            "keep Patroni of the other members from starting first",
        )
    };
    (!scripts.is_empty()).then(|| step(scripts).within(60))
}

/// What the old cluster left in etcd would make Patroni demote the primary that runs. The key names the survivor
/// before its Patroni starts, for long enough, so that no other member can be faster.
fn name_leader(group: &Group, survivor: &Instance, at: &HostName) -> Step {
    let values = [
        ("PREFIX", group.dcs_prefix.as_str()),
        ("MEMBER", survivor.name.as_str()),
    ];
    let act = given(&values, include_str!("scripts/name-leader.sh"));
    let holds = given(&values, include_str!("scripts/leader-named.sh"));
    let title = format!(
        "name {} as the leader in etcd, in place of the old one and its standbys",
        survivor.name
    );
    Step::on(at, "leader", title, Script::new(act, holds)).within(30)
}

/// Patroni finds the running primary, and takes the key for it.
fn adopt(survivor: &Instance) -> Step {
    let act = given(&[("DROPIN", DROPIN)], include_str!("scripts/adopt.sh"));
    let act = format!("no_mark() {{ {NO_MARK}; }}\n{act}");
    let holds = include_str!("scripts/adopted.sh");
    let holds = format!("{holds}{WAITS_AS_TOLD}");
    let title = format!(
        "start Patroni on the survivor: it takes over {}",
        survivor.name
    );
    Step::on(&survivor.host, "adopt", title, Script::new(act, holds))
        .with_impact(Impact::Reload)
        .within(90)
}
