//! What a restore that has stopped nothing left: copies beside the data. They are removed, and nothing is stopped.

use crate::model::Formation;
use crate::names::HostName;
use crate::runbook::backup::BackupInput;
use crate::runbook::backup::steps::{COPY, Way};
use crate::runbook::{Consent, Runbook, Step};
use std::collections::BTreeMap;

const REMOVE: &str = include_str!("../scripts/undo-copy.sh");
const REMOVED: &str =
    "[ ! -e \"$copy\" ] && [ ! -d \"$STATE\" ] || { echo \"$copy is there\"; false; }";

/// Removes all of them; `None`: there are none.
pub(super) fn removal(input: BackupInput<'_>, formation: &Formation) -> Option<Runbook> {
    let mut by_point = BTreeMap::<&str, Vec<&HostName>>::new();
    let mut seen = Vec::new();
    for member in formation.members() {
        let Some(look) = input.look.hosts.get(&member.host) else {
            continue;
        };
        for point in look.prepared_points() {
            by_point.entry(point).or_default().push(&member.host);
            let copy = look
                .copy(point)
                .map_or("its notes", |copy| copy.path.as_str());
            seen.push(format!(
                "{}: {copy}: of a restore to `{point}` that has stopped nothing",
                member.host
            ));
        }
    }
    let steps: Vec<Step> = by_point
        .iter()
        .map(|(point, hosts)| step(input, formation, point, hosts))
        .collect();
    (!steps.is_empty()).then(|| Runbook {
        name: "restore-undo",
        aim: format!("{} stays as it is", formation.name),
        subject: formation.name.to_string(),
        seen,
        risks: Vec::new(),
        consent: Consent::Yes,
        steps,
        afterwards: Vec::new(),
        prelude: input.preludes(input.model.hosts.keys().cloned()),
    })
}

fn step(input: BackupInput<'_>, formation: &Formation, point: &str, hosts: &[&HostName]) -> Step {
    let way = Way {
        input,
        formation,
        point,
    };
    let script = || way.script(&format!("{COPY}{REMOVE}"), &format!("{COPY}{REMOVED}"));
    let scripts = hosts.iter().map(|host| ((*host).clone(), script()));
    let title =
        format!("remove what was restored beside the data for `{point}`; nothing is stopped");
    Step::on_all(scripts.collect(), "copies", title).within(300)
}
