//! Whether the hosts trust the authority beside the inventory: without it Patroni and PostgreSQL do not answer from here, whatever
//! they do.

use super::StatusAnswers;
use super::findings::Findings;
use crate::names::HostName;
use crate::pki::stranger;
use std::collections::BTreeSet;

/// What is beside the inventory.
#[derive(Clone, Debug, Default)]
pub struct AuthorityHere {
    /// Its certificate; `None`: there is none.
    pub pem: Option<String>,
    /// Where it is, or would be.
    pub dir: String,
}

/// Says which hosts trust another one, once for all; returns them.
pub(super) fn judge(
    access: &super::StatusAccess,
    answers: &StatusAnswers,
    said: &mut Findings,
) -> BTreeSet<HostName> {
    let Some(here) = &access.authority else {
        return BTreeSet::new();
    };
    let ours = here.pem.as_deref().unwrap_or_default();
    let hosts = answers.hosts.iter().filter_map(|(host, answer)| {
        Some((host, stranger(ours, &answer.as_ref().ok()?.authority)?))
    });
    let hosts: Vec<_> = hosts.collect();
    let Some((_, facts)) = hosts.first() else {
        return BTreeSet::new();
    };
    let names: Vec<&str> = hosts.iter().map(|(host, _)| host.as_str()).collect();
    let trust = if names.len() == 1 { "trusts" } else { "trust" };
    let (names, dir) = (names.join(", "), &here.dir);
    let whose = format!(
        "`{}`, made on {}",
        facts.common_name.as_deref().unwrap_or("?"),
        facts.not_before.date()
    );
    let what = match here.pem {
        None => format!("{names} {trust} an authority ({whose}), and there is none in {dir}"),
        Some(_) => format!("{names} {trust} another authority ({whose}) than the one in {dir}"),
    };
    said.problem(format!(
        "{what}: Patroni does not answer from here, and what it would say is not known; put `ca.key` and `ca.crt` of that authority there, from the machine that made it or from its backup"
    ));
    hosts.into_iter().map(|(host, _)| host.clone()).collect()
}
