//! A restore onto hosts that are not set up: what is said of it before they are.

use super::majority::etcd_majority;
use super::restore::choose;
use super::{BackupInput, RestoreTarget};
use crate::names::HostName;
use crate::names::words::count;
use crate::runbook::{Consent, Refusal, Runbook, Script, Step};
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;

/// Members that are to be set up before anything can be restored: those where something is missing, and all where no member
/// has data, since an interrupted run may have left any of it.
pub fn to_prepare(input: BackupInput<'_>) -> Result<BTreeSet<HostName>, Refusal> {
    let formation = input.formation()?;
    let looks = || {
        let members = formation.members().map(|member| &member.host);
        members.filter_map(|host| Some((host, input.look.hosts.get(host)?)))
    };
    if looks().any(|(_, look)| look.open.is_some()) {
        return Ok(BTreeSet::new());
    }
    let all = looks().all(|(_, look)| look.is_bare());
    let lacking = looks().filter(|(_, look)| all || !look.prepared);
    Ok(lacking.map(|(host, _)| host.clone()).collect())
}

/// The point that is meant, by what is known now.
///
/// # Errors
/// There is none.
pub fn chosen_point(input: BackupInput<'_>, target: &RestoreTarget) -> Result<String, Refusal> {
    let formation = input.formation()?;
    choose(&input, formation, target).map(|point| point.name.clone())
}

/// Plans the whole as far as it can be known: what repositories hold is asked once members can ask.
///
/// # Errors
/// No such point, or a group without it, or without a repository; a member that cannot be reached.
pub fn plan_fresh(
    input: BackupInput<'_>,
    target: &RestoreTarget,
    lacking: &BTreeSet<HostName>,
) -> Result<Runbook, Refusal> {
    let formation = input.formation()?;
    let point = choose(&input, formation, target)?;
    if let Some(host) = input.without.iter().next() {
        return Err(Refusal::new(
            format!(
                "{host}: hosts without data or without what it needs are set up first, and that leaves nobody out"
            ),
            format!("take {host} out of the inventory (docs/removal.md)"),
        ));
    }
    for group in &formation.groups {
        input.repository(group)?;
    }
    super::restore::all_there(&input, formation)?;
    etcd_majority(&input)?;
    let ago = OffsetDateTime::now_utc().unix_timestamp() - point.at;
    let members: BTreeSet<HostName> = formation.members().map(|it| it.host.clone()).collect();
    let step = |hosts: &BTreeSet<HostName>, id, title: &str| {
        let scripts: BTreeMap<_, _> = hosts
            .iter()
            .map(|host| (host.clone(), Script::wait(":")))
            .collect();
        Step::on_all(scripts, id, title)
    };
    let names: Vec<&str> = lacking.iter().map(HostName::as_str).collect();
    Ok(Runbook {
        name: "restore",
        aim: format!("{} as it was at the point `{}`", formation.name, point.name),
        subject: formation.name.to_string(),
        seen: vec![
            format!("point `{}`, made {ago} s ago", point.name),
            format!(
                "{} without data or without what it needs: {}",
                count(names.len(), "host"),
                names.join(", ")
            ),
        ],
        risks: vec![
            format!("everything that was written since then is lost: {ago} s"),
            "members that have data are restored as well, and keep their old data beside it"
                .to_owned(),
        ],
        consent: Consent::Name,
        steps: vec![
            step(
                &members,
                "prepare",
                "install and configure as `citusctl apply prepare` does; no database is made",
            ),
            step(
                &members,
                "restore",
                "restore all groups to the point: its steps are shown then",
            ),
            step(
                &members,
                "apply",
                "everything else, as `citusctl apply` does",
            ),
        ],
        afterwards: Vec::new(),
        prelude: BTreeMap::new(),
    })
}
