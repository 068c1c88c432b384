//! HAProxy runs, and has an opinion of each of its servers: a server is down until its first checks have passed.

use super::{GateView, exec};
use crate::engine::Run;
use crate::engine::look::futures_join;
use crate::names::HostName;
use crate::names::words::count;
use std::collections::BTreeSet;

/// The unit's state, then a line for each server whose first check is under way (role haproxy, `server-states`). What
/// cannot be told keeps the gate closed.
const LOOK: &str = "systemctl is-active haproxy; [ ! -x /etc/haproxy/server-states ] || /etc/haproxy/server-states pending 2>/dev/null || \
                    echo 'all servers (its admin socket does not answer)'";

/// What HAProxy of these hosts still lacks.
pub(super) async fn view(run: &Run<'_>, hosts: &BTreeSet<HostName>) -> GateView {
    let carries = |host: &&HostName| run.model.hosts.get(*host).is_some_and(|h| h.haproxy);
    let answers = futures_join(hosts.iter().filter(carries).map(|host| async move {
        let said = exec(run, host, LOOK).await;
        (host, lack(said.ok().as_deref()))
    }))
    .await;
    match words(&answers) {
        None => GateView::Open(count(answers.len(), "host")),
        Some(lacking) => GateView::Closed(lacking),
    }
}

/// What keeps a host's HAProxy from being ready.
#[derive(Debug, PartialEq)]
enum Lack {
    Silent,
    Inactive,
    /// The servers under their first checks, `proxy/server`.
    Checking(Vec<String>),
}

fn lack(said: Option<&str>) -> Option<Lack> {
    let Some(said) = said else {
        return Some(Lack::Silent);
    };
    let mut lines = said.lines().map(str::trim);
    if lines.next() != Some("active") {
        return Some(Lack::Inactive);
    }
    let checking: Vec<String> = lines.map(str::to_owned).collect();
    (!checking.is_empty()).then_some(Lack::Checking(checking))
}

/// One sentence for all hosts: those that are not there by name, those that check as a number.
fn words(answers: &[(&HostName, Option<Lack>)]) -> Option<String> {
    let named = |wanted: &Lack, what: &str| {
        let found = answers
            .iter()
            .filter(|(_, lack)| lack.as_ref() == Some(wanted));
        let hosts: Vec<&str> = found.map(|(host, _)| host.as_str()).collect();
        (!hosts.is_empty()).then(|| format!("{what} {}", hosts.join(", ")))
    };
    let said: Vec<String> = [
        named(&Lack::Silent, "no answer from"),
        named(&Lack::Inactive, "HAProxy is not active on"),
        checking(answers),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!said.is_empty()).then(|| said.join("; "))
}

fn checking(answers: &[(&HostName, Option<Lack>)]) -> Option<String> {
    let found: Vec<(&HostName, &Vec<String>)> = answers
        .iter()
        .filter_map(|(host, lack)| match lack {
            Some(Lack::Checking(servers)) => Some((*host, servers)),
            Some(Lack::Silent | Lack::Inactive) | None => None,
        })
        .collect();
    let (host, servers) = found.first()?;
    let all = found.iter().map(|(_, servers)| servers.len()).sum();
    Some(format!(
        "first checks of {} on {}, as {} on {host}",
        count(all, "server"),
        count(found.len(), "host"),
        servers.first()?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_for_the_first_checks() {
        assert_eq!(lack(Some("active\n")), None);
        assert_eq!(lack(Some("activating\n")), Some(Lack::Inactive));
        assert_eq!(lack(None), Some(Lack::Silent));
        let checks = lack(Some("active\npg-primary/pg-1\npg-primary/pg-2\n"));
        let (a, b) = (HostName::from("10.0.0.1"), HostName::from("10.0.0.2"));
        assert_eq!(
            words(&[(&a, checks), (&b, Some(Lack::Silent))]).as_deref(),
            Some(
                "no answer from 10.0.0.2; first checks of 2 servers on 1 host, as pg-primary/pg-1 on 10.0.0.1"
            )
        );
        assert_eq!(words(&[(&a, None)]), None);
    }
}
