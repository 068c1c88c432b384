//! `reload`, `reinit`, `pause`, `resume`.

use super::{GroupView, steps, words};
use crate::fact::{GroupSeen, MemberSeen};
use crate::model::Group;
use crate::names::InstanceName;
use crate::runbook::{Consent, Refusal, Runbook, Step};
use std::collections::BTreeMap;

/// Makes all members of these groups read their configuration again.
pub fn reload(views: &[GroupView<'_>], subject: &str) -> Runbook {
    // All at once: one that does not answer keeps nobody else from it.
    let steps = views.iter().flat_map(|view| {
        let members = view.seen.members.iter();
        members.map(|member| steps::reload(view.group, member).beside())
    });
    book(
        "reload",
        "all members read their configuration again",
        views,
        subject,
        steps.collect(),
    )
}

/// Switches automatic failover off.
///
/// # Errors
/// A group nobody of whom answers.
pub fn pause(views: &[GroupView<'_>], subject: &str) -> Result<Runbook, Refusal> {
    let steps = switch(views, true)?;
    let aim = "a leader that fails is not replaced until `citusctl resume`";
    let mut book = book("pause", aim, views, subject, steps);
    book.risks
        .push("while it is off, a lost leader means no writes until somebody acts".to_owned());
    Ok(book)
}

/// Switches automatic failover on again.
///
/// # Errors
/// A group nobody of whom answers.
pub fn resume(views: &[GroupView<'_>], subject: &str) -> Result<Runbook, Refusal> {
    let steps = switch(views, false)?;
    Ok(book(
        "resume",
        "a leader that fails is replaced again",
        views,
        subject,
        steps,
    ))
}

fn switch(views: &[GroupView<'_>], paused: bool) -> Result<Vec<Step>, Refusal> {
    let wanted = views.iter().filter(|view| view.seen.paused != paused);
    wanted
        .map(|view| {
            let through = view.seen.leader().or_else(|| view.seen.members.first());
            let through = through.map(|member| view.through(member)).ok_or_else(|| {
                let reason = format!("{}: no member answers", view.group.cluster);
                Refusal::new(reason, "`citusctl status` shows what is wrong")
            })?;
            Ok(steps::pause(view.group, through, paused))
        })
        .collect()
}

fn book(
    name: &'static str,
    aim: &str,
    views: &[GroupView<'_>],
    subject: &str,
    steps: Vec<Step>,
) -> Runbook {
    let aim = match steps.is_empty() {
        true => "already done".to_owned(),
        false => aim.to_owned(),
    };
    Runbook {
        name,
        aim,
        subject: subject.to_owned(),
        seen: views.iter().flat_map(words::seen).collect(),
        risks: Vec::new(),
        consent: Consent::Yes,
        steps,
        afterwards: Vec::new(),
        prelude: BTreeMap::new(),
    }
}

/// Removes a replica's copy and makes it anew.
///
/// # Errors
/// The leader, a member that Patroni does not know, a group without a leader that answers for itself.
pub fn reinit(view: &GroupView<'_>, name: &InstanceName) -> Result<Runbook, Refusal> {
    let leader = view.leader()?;
    let Some(member) = view.seen.member(name) else {
        let reason = format!("{name} is not among the members that Patroni knows");
        return Err(Refusal::new(
            reason,
            "start Patroni on its host: `citusctl apply -l HOST`",
        ));
    };
    if leader.name == *name {
        let reason = format!("{name} leads: its copy is the one that all others follow");
        let hint = format!("`citusctl switchover --group {}` first", view.group.cluster);
        return Err(Refusal::new(reason, hint));
    }
    view.answering(leader, "there may be nothing to copy from")?;
    if member.is_up() && member.started.is_none() {
        let reason = format!("{name}: its Patroni does not answer");
        return Err(Refusal::new(
            reason,
            "`citusctl status` shows what is wrong",
        ));
    }
    view.not_paused("a copy is not made anew")?;
    sound_sources(view, name, &leader.name)?;
    let last = !view
        .seen
        .members
        .iter()
        .any(|other| other.name != *name && other.is_streaming());
    let mut book = book(
        "reinit",
        &format!("{name} gets a fresh copy from {}", leader.name),
        std::slice::from_ref(view),
        view.group.cluster.as_str(),
        vec![
            steps::source(view.group, leader),
            steps::reinit(view.group, member),
        ],
    );
    book.risks = risks(member, last);
    if last && member.is_streaming() {
        book.consent = Consent::Name;
    }
    if let Some(words) = later(member, leader) {
        book.risks.insert(0, words);
        book.consent = Consent::Name;
    }
    Ok(book)
}

/// A copy with what its leader has not: it went on after a promotion that the leader never took part in, or the leader's disk is
/// older than it was. Rows of it may be nowhere else.
fn later(member: &MemberSeen, leader: &MemberSeen) -> Option<String> {
    let kept = format!(
        "that is lost with it (keep a copy of its data directory on {} first)",
        member.host
    );
    match (member.timeline, leader.timeline) {
        (Some(own), Some(led)) if own > led => Some(format!(
            "{} is on timeline {own}, its leader {} on {led}: it has what its leader has not, and {kept}",
            member.name, leader.name
        )),
        _ if is_diverged(member) => Some(format!(
            "{} has another history than its leader {}: what it has since they parted may be nowhere else, and {kept}",
            member.name, leader.name
        )),
        _ => None,
    }
}

/// Patroni clones from any running member that is tagged so, whatever history it has; one that starts meanwhile is a source
/// as well, and what it has is not known.
fn sound_sources(
    view: &GroupView<'_>,
    name: &InstanceName,
    leader: &InstanceName,
) -> Result<(), Refusal> {
    let mut sources = sources(view.group, view.seen, name);
    let source = sources.find(|other| is_diverged(other) || !other.seems_to_stream());
    source.map_or(Ok(()), |source| {
        let (reason, way_out) = unsound(source, name, leader);
        Err(Refusal::new(
            reason,
            format!("{way_out}, and `citusctl reinit {}`", source.name),
        ))
    })
}

/// The members other than its leader that Patroni may clone a member from.
pub fn sources<'s>(
    group: &Group,
    seen: &'s GroupSeen,
    name: &InstanceName,
) -> impl Iterator<Item = &'s MemberSeen> {
    seen.members.iter().filter(move |other| {
        let known = group.members.iter().find(|it| it.name == other.name);
        other.name != *name && known.is_some_and(|known| known.tags.clonefrom)
    })
}

/// Whether the servers say that its copy has another history than its leader's.
pub fn is_diverged(member: &MemberSeen) -> bool {
    let verdict = member.verdict.as_ref();
    verdict.is_some_and(|verdict| verdict.other_history)
}

/// Why a member must not be cloned while this one is a source, and the way out.
pub fn unsound(
    source: &MemberSeen,
    name: &InstanceName,
    leader: &InstanceName,
) -> (String, String) {
    let why = match is_diverged(source) {
        true => format!("has another history than {leader}"),
        false => format!("{}: its history is not known", source.plight()),
    };
    (
        format!("Patroni may clone {name} from {}, which {why}", source.name),
        format!(
            "`systemctl stop patroni` on {host} first; afterwards `systemctl start patroni` there",
            host = source.host
        ),
    )
}

fn risks(member: &MemberSeen, last: bool) -> Vec<String> {
    let mut risks = vec![format!(
        "the copy of {} on {} is removed",
        member.name, member.host
    )];
    if last {
        risks.push(
            "until it is done the leader's is the only copy, and nobody can take over".to_owned(),
        );
    }
    risks
}
