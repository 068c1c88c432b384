//! The requests to Patroni, each with its conditions. Whoever hands a lead over or restarts a member uses these:
//! rolling restarts of `apply` as well as the verbs.

use crate::fact::{GroupSeen, MemberSeen};
use crate::model::Group;
use crate::names::{HostName, InstanceName};
use crate::resource::Impact;
use crate::runbook::{Ask, Judge, Step, Whom};
use serde_json::{Value, json};
use std::sync::Arc;

fn judge(judge: impl Fn(&GroupSeen) -> Result<(), String> + Send + Sync + 'static) -> Judge {
    Arc::new(judge)
}

fn always() -> Judge {
    judge(|_| Ok(()))
}

/// A request to a member.
struct MemberRequest<'a> {
    group: &'a Group,
    whom: InstanceName,
    host: HostName,
    method: &'static str,
    path: &'static str,
    body: Value,
}

impl MemberRequest<'_> {
    fn ask(self, require: Judge, holds: Judge) -> Ask {
        Ask {
            cluster: self.group.cluster.clone(),
            host: self.host,
            whom: Whom::Member(self.whom),
            method: self.method,
            path: self.path.to_owned(),
            body: self.body,
            require,
            holds,
            evidence: false,
        }
    }
}

fn post<'a>(
    group: &'a Group,
    to: &MemberSeen,
    path: &'static str,
    body: Value,
) -> MemberRequest<'a> {
    MemberRequest {
        group,
        whom: to.name.clone(),
        host: to.host.clone(),
        method: "POST",
        path,
        body,
    }
}

fn leads(seen: &GroupSeen, name: &InstanceName) -> Result<(), String> {
    match seen.leader() {
        Some(leader) if leader.name == *name => Ok(()),
        Some(leader) => Err(format!("{} leads", leader.name)),
        None => Err("nobody leads".to_owned()),
    }
}

fn plight(seen: &GroupSeen, name: &InstanceName) -> String {
    let member = seen.member(name);
    member.map_or_else(|| "is absent".to_owned(), MemberSeen::plight)
}

/// Hands the lead over from a healthy leader. `through` is asked: any member passes the wish on.
pub fn switchover(
    group: &Group,
    leader: &MemberSeen,
    candidate: &MemberSeen,
    through: &MemberSeen,
) -> Step {
    let (from, to) = (leader.name.clone(), candidate.name.clone());
    let title = format!("switch over from {from} to {to}");
    let body = json!({ "leader": from, "candidate": to });
    let wanted = to.clone();
    let require = judge(move |seen| {
        leads(seen, &from).map_err(|why| format!("{why} by now"))?;
        match seen.member(&to) {
            Some(member) if member.is_streaming() => {
                // Patroni would refuse, and only its log would say why.
                match member.is_synchronous() || !has_synchronous(seen) {
                    true => Ok(()),
                    false => Err(format!("{to} is no synchronous standby by now")),
                }
            }
            Some(_) | None => Err(format!("{to} {} by now", plight(seen, &to))),
        }
    });
    let holds = judge(move |seen| leads(seen, &wanted));
    Step::ask(
        post(group, through, "/switchover", body)
            .ask(require, holds)
            .by_evidence(),
        "switchover",
        title,
    )
    .with_impact(Impact::Failover)
    .within(90)
}

fn has_synchronous(seen: &GroupSeen) -> bool {
    seen.members.iter().any(MemberSeen::is_synchronous)
}

/// Makes a member lead where nobody does, or over Patroni's own choice. `through` is asked.
pub fn failover(group: &Group, candidate: &MemberSeen, through: &MemberSeen) -> Step {
    let to = candidate.name.clone();
    let title = format!("fail over to {to}");
    let request = post(group, through, "/failover", json!({ "candidate": to }));
    let holds = judge(move |seen| leads(seen, &to));
    Step::ask(request.ask(always(), holds), "failover", title)
        .with_impact(Impact::Failover)
        .within(90)
}

/// Waits until a member follows the leader; asks for nothing. `through` says how the group is.
pub fn follows(group: &Group, member: &MemberSeen, through: &MemberSeen) -> Step {
    let name = member.name.clone();
    let title = format!("{name} follows the new leader");
    let request = MemberRequest {
        method: "GET",
        path: "/liveness",
        ..post(group, through, "", Value::Null)
    };
    let holds = judge(move |seen| {
        let leader = seen.leader().and_then(|leader| leader.timeline);
        match seen.member(&name) {
            Some(member) if member.is_streaming() && member.timeline == leader => Ok(()),
            Some(member) => Err(format!("{name} {}", member.plight())),
            None => Err(format!("{name} is absent")),
        }
    });
    let ask = request.ask(always(), holds).by_evidence();
    Step::ask(ask, "follow", title).within(120)
}

/// Restarts PostgreSQL of one member where it is. `pending`: only because it waits for a restart. No other member may be
/// down meanwhile.
pub fn restart(group: &Group, member: &MemberSeen, pending: bool) -> Step {
    let own = member.name.clone();
    let require = judge(move |seen| others_up(seen, &own));
    restart_where(group, member, pending, require)
}

/// Restarts a leader that waits for it, whoever does not follow meanwhile: they may be waiting for this restart.
pub fn restart_leader(group: &Group, leader: &MemberSeen) -> Step {
    restart_where(group, leader, true, always())
}

fn restart_where(group: &Group, member: &MemberSeen, pending: bool, require: Judge) -> Step {
    let (name, before) = (member.name.clone(), member.started.clone());
    let synchronous = member.is_synchronous();
    let title = format!("restart PostgreSQL of {name}");
    let holds = judge(move |seen| {
        let Some(now) = seen.member(&name) else {
            return Err(format!("{name} is absent"));
        };
        if !now.is_up() || seen.leader().is_none() {
            return Err(format!("{name} {}", now.plight()));
        }
        // The leader gave up waiting for it, and takes note of it again at a later look; until then nobody may take over.
        if synchronous && !has_synchronous(seen) {
            return Err("no standby is synchronous again yet".to_owned());
        }
        let restarted = now.started.is_some() && now.started != before;
        match restarted || (pending && !now.pending_restart) {
            true => Ok(()),
            false => Err(format!("{name} has not restarted yet")),
        }
    });
    let request = post(group, member, "/restart", json!({}));
    Step::ask(request.ask(require, holds).by_evidence(), "restart", title)
        .with_impact(Impact::Restart)
        .within(120)
}

/// One member at a time: everybody else must be up.
fn others_up(seen: &GroupSeen, own: &InstanceName) -> Result<(), String> {
    let others = seen.members.iter().filter(|member| member.name != *own);
    let down: Vec<String> = others
        .filter(|member| !member.is_up())
        .map(|member| format!("{} {}", member.name, member.plight()))
        .collect();
    match down.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "{}, and no second member may be down meanwhile",
            down.join(", ")
        )),
    }
}

/// Makes a member read its configuration again.
pub fn reload(group: &Group, member: &MemberSeen) -> Step {
    let title = format!("reload the configuration of {}", member.name);
    let request = post(group, member, "/reload", json!({}));
    Step::ask(request.ask(always(), always()), "reload", title)
        .with_impact(Impact::Reload)
        .always()
}

/// The leader itself says, immediately before a copy is removed, that it runs and has the lead.
pub fn source(group: &Group, leader: &MemberSeen) -> Step {
    let title = format!("{} leads, by its own words", leader.name);
    let request = MemberRequest {
        method: "GET",
        path: "/leader",
        ..post(group, leader, "", Value::Null)
    };
    Step::ask(request.ask(always(), always()), "source", title).always()
}

/// Removes a member's copy and makes it anew from the leader.
pub fn reinit(group: &Group, member: &MemberSeen) -> Step {
    let (name, before) = (member.name.clone(), member.started.clone());
    let title = format!("make the copy of {name} anew");
    let own = name.clone();
    let require = judge(move |seen| match seen.leader() {
        Some(leader) if leader.name == own => Err(format!("{own} leads by now")),
        Some(_) => Ok(()),
        None => Err("nobody leads, so there is nothing to copy from".to_owned()),
    });
    let holds = judge(move |seen| match seen.member(&name) {
        Some(now) if !now.is_streaming() => Err(format!("{name} {}", now.plight())),
        Some(now) if now.started.is_some() && now.started != before => Ok(()),
        Some(_) => Err(format!("{name} has not begun yet")),
        None => Err(format!("{name} is absent")),
    });
    let request = post(group, member, "/reinitialize", json!({ "force": true }));
    Step::ask(request.ask(require, holds).by_evidence(), "reinit", title)
        .with_impact(Impact::Destroys)
        .within(3600)
}

/// Says for how many seconds the replication slot of a member that is away is kept; null is Patroni's own measure.
pub fn member_slots(group: &Group, through: &MemberSeen, seconds: Value) -> Step {
    let title = match seconds.as_i64() {
        Some(0) => format!(
            "let {} drop the replication slots of members that are gone",
            group.cluster
        ),
        Some(_) | None => format!(
            "let {} keep the slots of members that are away, as before",
            group.cluster
        ),
    };
    let body = json!({ "member_slots_ttl": seconds });
    let request = MemberRequest {
        method: "PATCH",
        ..post(group, through, "/config", body)
    };
    Step::ask(request.ask(always(), always()), "slots-ttl", title).always()
}

/// Switches automatic failover off or on.
pub fn pause(group: &Group, through: &MemberSeen, paused: bool) -> Step {
    let title = match paused {
        true => format!("switch automatic failover of {} off", group.cluster),
        false => format!("switch automatic failover of {} on", group.cluster),
    };
    let value = if paused { json!(true) } else { Value::Null };
    let request = MemberRequest {
        method: "PATCH",
        ..post(group, through, "/config", json!({ "pause": value }))
    };
    let holds = judge(move |seen| match seen.paused == paused {
        true => Ok(()),
        false => Err("Patroni has not taken note of it yet".to_owned()),
    });
    let id = if paused { "pause" } else { "resume" };
    Step::ask(request.ask(always(), holds), id, title).within(30)
}
