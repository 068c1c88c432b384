//! `node-rm`: what is left on hosts that carry neither PostgreSQL nor etcd.

use super::RemovalCase;
use crate::names::HostName;
use crate::runbook::{Consent, Refusal, Runbook, Script, Step};
use std::collections::BTreeMap;

/// Takes citusctl's files and units away from these hosts.
///
/// # Errors
/// PostgreSQL or etcd is still there.
pub fn remove_node(case: &RemovalCase<'_>) -> Result<Runbook, Refusal> {
    case.no_recover()?;
    for host in case.hosts {
        case.nothing_lives_on(host)?;
    }
    let aim = format!("take what citusctl made away from {}", case.names());
    let mut book = case.book("node-rm", aim, case.subject());
    book.steps.extend(case.stop("units", |_| true));
    book.steps.extend(case.clear());
    book.steps.extend(case.unblock());
    book.steps.extend(case.state());
    if case.hosts.len() == case.input.model.hosts.len() {
        book.consent = Consent::Name;
    }
    book.afterwards = vec![
        format!("Take {} out of the inventory now.", case.names()),
        "Packages, users, the host's name and kernel parameters stay as they are; the parameters until the next boot.".to_owned(),
    ];
    Ok(book)
}

impl<'a> RemovalCase<'a> {
    fn subject(&self) -> String {
        match self.hosts.len() == self.input.model.hosts.len() {
            true => "all".to_owned(),
            false => self
                .hosts
                .iter()
                .map(HostName::as_str)
                .collect::<Vec<_>>()
                .join(","),
        }
    }

    fn nothing_lives_on(&self, host: &HostName) -> Result<(), Refusal> {
        let runs = |unit: &str| {
            self.input
                .seen
                .get(host)
                .is_some_and(|seen| seen.runs(unit))
        };
        let lines = self
            .left
            .get(host)
            .map(|left| left.manifest.as_slice())
            .unwrap_or_default();
        let has = |role: &str| lines.iter().any(|line| line.starts_with(role));
        let found = if runs("patroni") || has("pgsql/") {
            Some(("PostgreSQL", "pgsql-rm"))
        } else if runs("etcd") || has("etcd/") {
            Some(("etcd", "etcd-rm"))
        } else {
            None
        };
        match found {
            None => Ok(()),
            Some((what, playbook)) => Err(Refusal::new(
                format!("{host}: {what} is still there"),
                format!("`citusctl apply {playbook} -l {host}` first"),
            )),
        }
    }

    /// Our block leaves /etc/hosts.
    fn unblock(&self) -> Option<Step> {
        let act = "put_block /etc/hosts hosts last any </dev/null";
        let holds = "if grep -qF '# BEGIN citusctl' /etc/hosts; then echo 'the block is still there'; false; fi";
        let blocks = self
            .reached()
            .filter(|host| self.left.get(&host.name).is_some_and(|left| left.block));
        let scripts: BTreeMap<_, _> = blocks
            .map(|host| (host.name.clone(), Script::new(act, holds)))
            .collect();
        (!scripts.is_empty())
            .then(|| Step::on_all(scripts, "hosts-block", "take our block out of /etc/hosts"))
    }

    /// What citusctl knows of the host leaves last.
    fn state(&self) -> Option<Step> {
        let script = || Script::new("move_aside /etc/citusctl", "[ ! -e /etc/citusctl ]");
        let there = self.reached().filter(|host| {
            self.left
                .get(&host.name)
                .is_some_and(|left| left.directories.contains("/etc/citusctl"))
        });
        let scripts: BTreeMap<_, _> = there.map(|host| (host.name.clone(), script())).collect();
        let title = format!(
            "move /etc/citusctl away, to /var/lib/citusctl/replaced/{}",
            self.input.run
        );
        (!scripts.is_empty()).then(|| Step::on_all(scripts, "state", title))
    }
}
