//! What a run looks for before it plans anything: a state of the hosts that it must leave alone.

use crate::app::failure::{Failure, chain, code};
use crate::app::project::Project;
use crate::names::HostName;
use crate::pki::{Ca, Inspected, stranger};
use crate::plan::{Desired, Seen};
use crate::resource::Resource;
use crate::runbook::backup::RESTORE_PATH;
use crate::runbook::recover::{MARKER_PATH, Marker};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// A formation that was recovered is left alone until the recover is closed: what it pinned would be undone, and
/// what it put aside would be started.
pub(super) fn not_in_emergency(seen: &Seen) -> Result<(), Failure> {
    for (host, observed) in &seen.hosts {
        let Some(text) = &observed.emergency else {
            continue;
        };
        let words = match Marker::read(text) {
            Some(marker) => marker.sentence(),
            None => "its note cannot be read".to_owned(),
        };
        let failure = Failure::new(
            code::REFUSED,
            format!("{host} has an open recover ({MARKER_PATH}): {words}\n  nothing was changed"),
        );
        return Err(failure
            .hint("lost hosts are back: `citusctl recover rejoin`; gone for good: `citusctl recover rebuild`; nothing promoted yet: `citusctl recover undo`"));
    }
    Ok(())
}

/// A formation that is on its way back to a point is left alone: Patroni is masked until all groups are there.
pub(super) fn no_open_restore(seen: &Seen) -> Result<(), Failure> {
    let hosts = seen.hosts.iter();
    let open = hosts.filter_map(|(host, observed)| Some((host, observed.restoring.as_ref()?)));
    match open.max_by_key(|(_, it)| *it) {
        None => Ok(()),
        Some((host, open)) => Err(Failure::new(
            code::REFUSED,
            format!(
                "{host} has {} ({RESTORE_PATH}); nothing was changed",
                open.words()
            ),
        )
        .hint(open.way_out())),
    }
}

/// Certificates and leases do not survive clocks that are far apart.
pub(super) fn clocks(seen: &Seen) -> Result<(), Failure> {
    let now = OffsetDateTime::now_utc().unix_timestamp() as f64;
    let off: Vec<String> = seen
        .hosts
        .iter()
        .filter(|(_, observed)| {
            observed.traits.clock > 0.0 && (observed.traits.clock - now).abs() > 60.0
        })
        .map(|(host, observed)| format!("{host} by {:.0} s", observed.traits.clock - now))
        .collect();
    if off.is_empty() {
        return Ok(());
    }
    let failure = Failure::new(
        code::REFUSED,
        format!("clocks are far off: {}", off.join(", ")),
    );
    Err(failure
        .hint("set the clocks (`timedatectl set-ntp true`); certificates and leases need them"))
}

/// Hosts that trust another authority than the one beside the inventory, as on a new control machine: file by file they
/// would come to trust this one, and not talk to each other until all of them did. A host that is all there is has nobody
/// to talk to: what is to be known of it.
pub(super) fn known_authority(
    project: &Project,
    ca: &Ca,
    desired: &Desired,
    seen: &Seen,
) -> Result<Option<String>, Failure> {
    let others = strangers(ca.cert_pem(), desired, seen);
    let Some((first, facts)) = others.first_key_value() else {
        return Ok(None);
    };
    let dir = project.state_dir.join("pki");
    if project.model.hosts.len() == 1 {
        return Ok(Some(format!(
            "{first} trusts another authority: a new one takes its place, and clients that check certificates need {}",
            dir.join("ca.crt").display()
        )));
    }
    ca.take_back()
        .map_err(|error| Failure::new(code::INPUT, chain(&error)))?;
    let hosts: Vec<&str> = others.keys().map(|host| host.as_str()).collect();
    let name = facts.common_name.as_deref().unwrap_or("?");
    let failure = Failure::new(
        code::REFUSED,
        format!(
            "{} trust{} another authority (`{name}`, made on {}) than the one in {}: until all had this one, etcd and Patroni could not talk to each other\n  nothing was changed",
            hosts.join(", "),
            if hosts.len() == 1 { "s" } else { "" },
            facts.not_before.date(),
            dir.display()
        ),
    );
    Err(failure
        .hint(format!("put `ca.key` and `ca.crt` of that authority into {}, from the machine that made it or from its backup", dir.display()))
        .hint("its key is lost for good: `citusctl cert rotate-ca --key-lost` puts another one in its place, without downtime"))
}

/// Hosts none of whose files of an authority has ours: one that differs from the others there is drift.
fn strangers<'s>(
    ours: &str,
    desired: &'s Desired,
    seen: &Seen,
) -> BTreeMap<&'s HostName, Inspected> {
    let mut found = BTreeMap::<_, Vec<Option<Inspected>>>::new();
    for (host, resources) in desired.stages.iter().flat_map(|stage| &stage.hosts) {
        let Some(observed) = seen.hosts.get(host) else {
            continue;
        };
        let files = resources
            .iter()
            .filter_map(|declared| match &*declared.resource {
                Resource::File(file) if file.content.trim() == ours.trim() => Some(file),
                _ => None,
            });
        for file in files.filter(|file| observed.paths.contains_key(&file.path)) {
            // What is as it should be was not read.
            let text = observed.contents.get(&file.path);
            let text = text.and_then(|bytes| std::str::from_utf8(bytes).ok());
            let facts = text.and_then(|text| stranger(ours, text));
            found.entry(host).or_default().push(facts);
        }
    }
    let all = found.into_iter();
    all.filter_map(|(host, files)| {
        let facts: Option<Vec<Inspected>> = files.into_iter().collect();
        Some((host, facts?.into_iter().next()?))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Observed, OpenRestore};

    #[test]
    fn nothing_is_planned_while_a_restore_is_open() {
        let mut seen = Seen::default();
        let host = HostName::new("10.10.10.11");
        seen.hosts.insert(host.clone(), Observed::default());
        assert!(no_open_restore(&seen).is_ok());
        let open = Observed {
            restoring: OpenRestore::read("before"),
            ..Observed::default()
        };
        seen.hosts.insert(host, open);
        let failure = no_open_restore(&seen).expect_err("a refusal");
        assert_eq!(
            failure.text,
            "10.10.10.11 has an open restore to the point `before` (/etc/citusctl/restore); nothing was changed"
        );
    }
}
