//! A member that was away while its formation was restored, or a restore undone, and is back: it is cloned.

use super::BackupInput;
use super::kept::NotePhase;
use super::steps::{COPY, STREAMS, Way};
use crate::command::given;
use crate::model::Formation;
use crate::names::HostName;
use crate::runbook::{Consent, Refusal, Runbook, Step};

const REJOIN: &str = include_str!("scripts/restore-rejoin.sh");
const CLOSE: &str = include_str!("scripts/restore-close.sh");
const CLOSED: &str =
    "[ ! -e /etc/citusctl/restore ] && [ ! -d \"$STATE\" ] || { echo 'open'; false; }";

/// Plans it; `None`: that is not how the formation is.
///
/// # Errors
/// Nobody leads its group.
pub(super) fn rejoin(
    input: BackupInput<'_>,
    formation: &Formation,
) -> Option<Result<Runbook, Refusal>> {
    let looks = || {
        let members = formation.members().map(|member| &member.host);
        members.filter_map(|host| Some((host, input.look.hosts.get(host)?)))
    };
    let point = looks().find_map(|(_, look)| look.open.clone())?;
    let closed = |phase: NotePhase| matches!(phase, NotePhase::Done | NotePhase::Closed);
    // The others have closed it, and noted that somebody was away.
    let left_out = looks().any(|(_, look)| {
        let mut notes = look.notes.iter();
        look.open.is_none()
            && notes.any(|it| it.point == point && closed(it.phase) && it.has("without"))
    });
    let back: Vec<&HostName> = looks()
        .filter(|(_, look)| look.open.as_ref() == Some(&point))
        .map(|(host, _)| host)
        .collect();
    left_out.then(|| planned(input, formation, &point, &back))
}

fn planned(
    input: BackupInput<'_>,
    formation: &Formation,
    point: &str,
    back: &[&HostName],
) -> Result<Runbook, Refusal> {
    for group in &formation.groups {
        let mut hosts = group.members.iter().map(|member| &member.host);
        let leads = |host: &HostName| input.look.hosts.get(host).is_some_and(|it| it.leads);
        let is_back = |host: &HostName| back.contains(&host);
        if hosts.clone().any(is_back) && !hosts.any(|host| leads(host) && !is_back(host)) {
            return Err(Refusal::new(
                format!(
                    "{}: no member takes writes from which it could be cloned",
                    group.cluster
                ),
                "`citusctl status` says how the group is",
            ));
        }
    }
    let way = Way {
        input,
        formation,
        point,
    };
    let names: Vec<&str> = back.iter().map(|host| host.as_str()).collect();
    let rejoined = format!("/var/lib/citusctl/restore/{point}/rejoined");
    let values = [("OPENED", rejoined.as_str())];
    let on_each = |id, title: &str, act: &str, holds: &str, values: &[(&str, &str)]| {
        let scripts = back
            .iter()
            .map(|host| ((*host).clone(), way.with(values, act, holds)));
        Step::on_all(scripts.collect(), id, title)
    };
    let title = "put what it has aside, and clone it from its leader";
    let clone = on_each("clone", title, &format!("{COPY}{REJOIN}"), STREAMS, &values);
    let close = given(&[("WITHOUT", "")], CLOSE);
    Ok(Runbook {
        name: "restore-rejoin",
        aim: format!("{} is back in {}", names.join(", "), formation.name),
        subject: formation.name.to_string(),
        seen: vec![format!(
            "the restore to `{point}` went on without {}, and is closed on the others",
            names.join(", ")
        )],
        risks: Vec::new(),
        consent: Consent::Yes,
        steps: vec![
            clone.within(86_400),
            on_each("close", "close the restore there", &close, CLOSED, &[]),
        ],
        afterwards: vec![format!(
            "what it had is kept beside its data directory as `*.before-{point}` or `*.after-{point}`; `citusctl apply`"
        )],
        prelude: input.preludes(back.iter().map(|host| (*host).clone())),
    })
}
