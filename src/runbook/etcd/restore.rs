//! All members begin anew: with the keys of a snapshot, or with none at all.

use super::content::own_keys;
use super::{EtcdView, book, no_majority, stop};
use crate::command::{given, quote};
use crate::inventory::param;
use crate::model::{EtcdMember, Group, Instance};
use crate::names::HostName;
use crate::resource::{Impact, sha256_hex};
use crate::runbook::recover::{PgSeen, nothing_put_aside};
use crate::runbook::{Consent, Refusal, Runbook, Script, Step};
use crate::secret::Secret;
use base64::Engine;
use std::collections::{BTreeMap, BTreeSet};

/// Brings a snapshot back: every member gets it, as a new cluster. Standbys are kept from leading meanwhile, so that
/// the running leader, or who was the leader last, is the one to take the lead again.
///
/// # Errors
/// Keys of another formation, a member's host that does not answer, a group whose last leader may be away.
pub fn restore(
    view: &EtcdView<'_>,
    snapshot: &[u8],
    (host, users): (&HostName, &Secret),
    fenced: &BTreeSet<HostName>,
) -> Result<Runbook, Refusal> {
    nothing_put_aside(view.input.seen)?;
    all_answer(view)?;
    nobody_ahead(view, fenced)?;
    let leaders = view.input.model.groups().filter_map(|(_, group)| {
        Some((
            group,
            view.input
                .seen
                .get(&first(view, group)?.host)?
                .pg
                .as_ref()?,
        ))
    });
    let unknown = own_keys(leaders, snapshot)?;
    let aim = "etcd begins anew with the keys of the snapshot".to_owned();
    let mut book = book(view, "etcd restore", aim);
    book.consent = Consent::Name;
    book.risks = vec![
        STANDSTILL.to_owned(),
        "what was written to etcd after the snapshot is lost; the old data is moved aside"
            .to_owned(),
    ];
    book.risks.extend(unknown);
    let upload = on_members(view, &upload(snapshot));
    let title = "bring the snapshot to every member, and verify it";
    book.steps.push(Step::on_all(upload, "upload", title));
    let unpack = on_members(view, &unpack(view));
    let title = "make the data of every member from the snapshot";
    let unpack = Step::on_all(unpack, "unpack", title);
    let forget = view.etcd.members.first().map(|first| {
        let title = "take the leader keys of the past away";
        Step::on(&first.host, "forget", title, forget(view))
    });
    // Users, passwords and roles of the past: Patroni could not log in.
    let title = "give etcd's users their passwords, and write which host has each member";
    let users = Step::on(host, "users", title, renew_users(users)).within(60);
    book.steps
        .extend(anew(view, unpack, forget.into_iter().chain([users])));
    Ok(book)
}

/// Nobody has any data left: every member begins anew without a key, `users` makes etcd's users on the host that is
/// named with it, and each group's last leader writes its own keys anew, under the old system identifier.
///
/// # Errors
/// A majority that is there, data that is there, a member's host that does not answer, a group whose last leader may be
/// away.
pub fn reset_empty(
    view: &EtcdView<'_>,
    (first, users): (&HostName, Secret),
    fenced: &BTreeSet<HostName>,
) -> Result<Runbook, Refusal> {
    nothing_put_aside(view.input.seen)?;
    nothing_left(view)?;
    makes_a_cluster(view)?;
    all_answer(view)?;
    nobody_ahead(view, fenced)?;
    let aim = "etcd begins anew without a key; the last leaders write theirs".to_owned();
    let mut book = book(view, "etcd reset", aim);
    book.consent = Consent::Name;
    book.risks = vec![
        STANDSTILL.to_owned(),
        "what only etcd knew is lost: pauses, the history of failovers, who was synchronous"
            .to_owned(),
    ];
    let empty = on_members(view, &empty());
    let empty = Step::on_all(empty, "empty", "move aside what is left of the data");
    let title = "make etcd's users and their passwords";
    let users = Step::on(first, "users", title, make_users(users)).within(60);
    book.steps.extend(anew(view, empty, [users]));
    book.afterwards.push(
        "`citusctl plan` shows whether a dynamic configuration differs from the inventory's"
            .to_owned(),
    );
    Ok(book)
}

const STANDSTILL: &str =
    "groups take no writes from the moment when etcd stops until their leader has its key again";

/// The steps of both: standbys are held, etcd stops, gets its `data`, starts and is made `ready`; then the leaders, then
/// the standbys.
fn anew(view: &EtcdView<'_>, data: Step, ready: impl IntoIterator<Item = Step>) -> Vec<Step> {
    let standbys = standbys(view);
    let on_standbys = |script: fn() -> Script| {
        let scripts = standbys.iter().map(|host| (host.clone(), script()));
        scripts.collect::<BTreeMap<_, _>>()
    };
    let mut steps = Vec::new();
    if !standbys.is_empty() {
        let title = "stop Patroni of the standbys, so that none of them wins";
        let step = Step::on_all(on_standbys(hold), "hold", title);
        steps.push(step.with_impact(Impact::Restart).within(120));
    }
    let stop = Step::on_all(on_members(view, &stop()), "stop", "stop etcd everywhere");
    steps.push(stop.with_impact(Impact::Failover).within(60));
    steps.push(data);
    let start = on_members(view, &start());
    steps.push(Step::on_all(start, "start", "start etcd everywhere").within(60));
    steps.extend(ready);
    let title = "Patroni of the leaders begins anew, PostgreSQL stays up";
    let lead = Step::on_all(lead(view), "lead", title);
    steps.push(lead.with_impact(Impact::Failover).within(120));
    steps.extend(known(view));
    if !standbys.is_empty() {
        let title = "start Patroni of the standbys";
        steps.push(Step::on_all(on_standbys(release), "release", title).within(120));
    }
    let clean = on_members(view, &clean());
    steps.push(Step::on_all(
        clean,
        "clean",
        "take the temporary files away",
    ));
    steps
}

fn on_members(view: &EtcdView<'_>, script: &Script) -> BTreeMap<HostName, Script> {
    let hosts = view.etcd.members.iter().map(|member| &member.host);
    hosts.map(|host| (host.clone(), script.clone())).collect()
}

fn all_answer(view: &EtcdView<'_>) -> Result<(), Refusal> {
    let members = view.etcd.members.iter();
    let silent = members.filter(|member| view.input.seen.get(&member.host).is_none());
    let silent: Vec<&str> = silent.map(|member| member.host.as_str()).collect();
    match silent.is_empty() {
        true => Ok(()),
        false => Err(Refusal::new(
            format!(
                "{}: all members must take part, and these hosts do not answer",
                silent.join(", ")
            ),
            "start them, or take them out of the inventory first",
        )),
    }
}

/// Whoever was the leader last has all that was acknowledged; where nobody leads, a member that is away may be it.
fn nobody_ahead(view: &EtcdView<'_>, fenced: &BTreeSet<HostName>) -> Result<(), Refusal> {
    let seen = view.input.seen;
    for (_, group) in view.input.model.groups() {
        let leads = |member: &Instance| seen.get(&member.host).is_some_and(|h| h.writable());
        if group.members.iter().any(leads) {
            continue;
        }
        let away = group.members.iter().map(|member| &member.host);
        let away = away.filter(|host| seen.get(host).is_none() && !fenced.contains(*host));
        let away: Vec<&str> = away.map(HostName::as_str).collect();
        if !away.is_empty() {
            return Err(Refusal::new(
                format!(
                    "nobody leads {}, and {} do not answer: what they have may be further ahead than what is here",
                    group.cluster,
                    away.join(", ")
                ),
                format!(
                    "start them, or give up what only they have: `--fenced {}`",
                    away.join(" --fenced ")
                ),
            ));
        }
    }
    Ok(())
}

fn nothing_left(view: &EtcdView<'_>) -> Result<(), Refusal> {
    no_majority(view)?;
    let members = view.members();
    match members.iter().find(|member| member.data == Some(true)) {
        None => Ok(()),
        Some(member) => Err(Refusal::new(
            format!("{} has its data", member.name),
            format!("`citusctl etcd reset --to {}` keeps all keys", member.name),
        )),
    }
}

/// Hosts whose PostgreSQL follows. In a group where nobody leads, all but the one that is furthest ahead.
fn standbys(view: &EtcdView<'_>) -> Vec<HostName> {
    let groups = view.input.model.groups().map(|(_, group)| group);
    let others = groups.flat_map(|group| {
        let first = first(view, group).map(|member| &member.host);
        let members = group.members.iter().map(|member| &member.host);
        members.filter(move |host| Some(*host) != first)
    });
    others
        .filter(|host| view.input.seen.get(host).is_some())
        .cloned()
        .collect()
}

/// `etcd_init: existing` lets a member only join what is there.
fn makes_a_cluster(view: &EtcdView<'_>) -> Result<(), Refusal> {
    let hosts = &view.input.model.hosts;
    let joins = |member: &&EtcdMember| {
        let host = hosts.get(&member.host);
        host.is_some_and(|host| host.typed().get(param::ETCD_INIT) == "existing")
    };
    match view.etcd.members.iter().find(joins) {
        None => Ok(()),
        Some(member) => Err(Refusal::new(
            format!(
                "{}: `etcd_init: existing` lets it make no cluster",
                member.name
            ),
            "set `etcd_init: new` and apply",
        )),
    }
}

/// Who leads a group, or is to lead it.
fn first<'a>(view: &EtcdView<'_>, group: &'a Group) -> Option<&'a Instance> {
    let rank = |host: &HostName| {
        let pg = view.input.seen.get(host).and_then(|seen| seen.pg.as_ref());
        pg.map(PgSeen::reach)
    };
    // Of equals the first in the inventory: the last maximum of the reversed list.
    let members = group.members.iter().rev();
    members.max_by_key(|member| rank(&member.host))
}

const FILE: &str = "/run/citusctl/etcd-restore.db";

fn upload(snapshot: &[u8]) -> Script {
    let encoded = base64::engine::general_purpose::STANDARD.encode(snapshot);
    let sum = sha256_hex(snapshot);
    let act = format!(
        "mkdir -p /run/citusctl\n(umask 077; base64 -d >{FILE} <<'CITUSCTL_END'\n{encoded}\nCITUSCTL_END\n)\n{}",
        given(&[("SNAPSHOT", FILE)], include_str!("scripts/upload.sh"))
    );
    let holds = format!(
        "[ -e {FILE} ] && [ \"$(sha256sum <{FILE} | cut -d' ' -f1)\" = {sum} ] || {{ echo 'the snapshot is not there'; false; }}"
    );
    Script::new(act, holds)
}

fn hold() -> Script {
    Script::new(
        "systemctl stop patroni.service",
        "if systemctl is-active -q patroni.service; then echo 'Patroni still runs'; false; fi",
    )
}

/// A mark beside the data says which run did it.
fn empty() -> Script {
    Script::new(
        "[ ! -e \"$ETCD_DATA/member\" ] || move_aside \"$ETCD_DATA/member\"\n\
         mkdir -p /run/citusctl; printf '%s\\n' \"$RUN\" >/run/citusctl/etcd-restored",
        RENEWED,
    )
}

const RENEWED: &str = "[ \"$(cat /run/citusctl/etcd-restored 2>/dev/null)\" = \"$RUN\" ] || { echo 'not yet made'; false; }";

/// With a password, and not without.
fn make_users(script: Secret) -> Script {
    Script {
        act: script,
        ..Script::wait(
            "etcd_ctl user list >/dev/null\n\
             ! etcd_plain \"$ETCD_URL\" user list >/dev/null 2>&1 || { echo 'etcd asks for no password yet'; false; }",
        )
    }
}

/// Once in this run: that etcd takes one password says nothing of the others.
fn renew_users(script: &Secret) -> Script {
    let act = format!(
        "{}\n: >/run/citusctl/etcd-users-$RUN",
        script.expose().trim_end()
    );
    let holds = "[ -e /run/citusctl/etcd-users-$RUN ] || { echo 'passwords are those of the snapshot'; false; }";
    Script {
        act: Secret::new(act),
        ..Script::wait(holds)
    }
}

fn unpack(view: &EtcdView<'_>) -> Script {
    let peer = view.etcd.peer_port;
    let values = [
        ("SNAPSHOT", FILE),
        ("CLUSTER", &view.etcd.initial_cluster()),
        ("TOKEN", &format!("{}-{peer}", view.etcd.name)),
    ];
    let act = given(&values, include_str!("scripts/unpack.sh"));
    Script::new(act, RENEWED)
}

fn start() -> Script {
    Script::new(
        "systemctl reset-failed etcd.service 2>/dev/null || :\nsystemctl start --no-block etcd.service",
        "etcd_majority || { echo 'it takes no part yet'; false; }",
    )
}

/// The keys of the past name a leader and standbys of the past: they go.
fn forget(view: &EtcdView<'_>) -> Script {
    let groups = view
        .input
        .model
        .groups()
        .map(|(_, group)| &group.dcs_prefix);
    let mut act: String = groups
        .flat_map(|prefix| [format!("{prefix}sync"), format!("{prefix}leader")])
        .map(|key| format!("etcd_ctl del {} >/dev/null\n", quote(&key)))
        .collect();
    act.push_str(": >/run/citusctl/etcd-forgot-$RUN");
    Script::new(
        act,
        "[ -e /run/citusctl/etcd-forgot-$RUN ] || { echo 'the old keys are still there'; false; }",
    )
}

/// Patroni of the leaders begins anew beside its running PostgreSQL: what etcd gave it to prove itself is of the future
/// now, and etcd would keep it waiting until that future has come.
fn lead(view: &EtcdView<'_>) -> BTreeMap<HostName, Script> {
    let groups = view.input.model.groups().map(|(_, group)| group);
    let script = |group: &Group| {
        let member = first(view, group)?;
        view.input.seen.get(&member.host)?;
        let act = include_str!("scripts/lead.sh");
        let me = [("MEMBER", member.name.as_str())];
        let holds = given(&me, include_str!("scripts/leads.sh"));
        Some((member.host.clone(), Script::new(act, holds)))
    };
    groups.filter_map(script).collect()
}

/// Each group took the lead as what it was: etcd has the system identifier of its data.
fn known(view: &EtcdView<'_>) -> Option<Step> {
    let groups = view.input.model.groups().map(|(_, group)| group);
    let checks = groups.filter_map(|group| {
        let host = &first(view, group)?.host;
        let system = &view.input.seen.get(host)?.pg.as_ref()?.system;
        Some(format!(
            "known=$(etcd_ctl get --print-value-only {key})\n\
             [ \"$known\" = {system} ] || {{ echo \"{cluster}: etcd names the system ${{known:-of nobody}}, not {system}\"; false; }}\n",
            key = quote(&format!("{}initialize", group.dcs_prefix)),
            cluster = group.cluster,
            system = quote(system),
        ))
    });
    let holds: String = checks.collect();
    let member = view.etcd.members.first()?;
    let title = "etcd names the system identifier of each group's data";
    Some(Step::on(&member.host, "known", title, Script::wait(holds)).within(60))
}

fn release() -> Script {
    Script::new(
        "systemctl reset-failed patroni.service 2>/dev/null || :\nsystemctl start --no-block patroni.service",
        "said=$(sql postgres \"SELECT coalesce((SELECT status FROM pg_stat_wal_receiver), 'not streaming')\" 2>&1) || { echo 'PostgreSQL does not answer yet'; false; }\n[ \"$said\" = streaming ] || { echo \"$said\"; false; }",
    )
}

fn clean() -> Script {
    Script::new(
        format!(
            "systemctl try-restart vip-manager.service 2>/dev/null || :\nrm -f {FILE} /run/citusctl/etcd-restored /run/citusctl/etcd-forgot-* /run/citusctl/etcd-users-* /run/citusctl/patroni-anew-*"
        ),
        format!("[ ! -e {FILE} ]\n[ ! -e /run/citusctl/etcd-restored ]"),
    )
}
