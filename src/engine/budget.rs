//! How many members of etcd may be away: asked again immediately before one is restarted.

use super::gate::{exec, healthy};
use super::{EngineError, Run};
use crate::command::quote;
use crate::model::etcd::FUNCTIONS;
use crate::model::{Etcd, EtcdMember};
use crate::names::HostName;
use crate::plan::Unit;
use crate::runbook::etcd::Quorum;

/// Hosts and what is to be done there.
type Work = Vec<(HostName, Vec<Unit>)>;

/// Members that take no part come first: a restart may be what they need, and the others stay while they do not.
pub(super) async fn sick_first(run: &Run<'_>, work: Work) -> Work {
    let (mut sick, mut well) = (Vec::new(), Vec::new());
    for (host, units) in work {
        let takes_part = match member(run, &host) {
            Some((etcd, member)) => healthy(run, member, etcd.client_port).await,
            None => true,
        };
        match takes_part {
            true => well.push((host, units)),
            false => sick.push((host, units)),
        }
    }
    sick.append(&mut well);
    sick
}

/// Whether the member on a host may be restarted now: the others must have a majority without it. One that takes no part
/// may, and one of two or fewer, where no other way is.
pub(super) async fn may_restart(run: &Run<'_>, host: &HostName) -> Result<(), EngineError> {
    let Some((etcd, member)) = member(run, host) else {
        return Ok(());
    };
    if !healthy(run, member, etcd.client_port).await {
        return Ok(());
    }
    let said = exec(run, host, &question(etcd, member)).await;
    let missing = match said.as_deref().and_then(read) {
        Some(quorum) => lacks(quorum),
        None => Some("its list of members cannot be read".to_owned()),
    };
    match missing {
        None => Ok(()),
        Some(detail) => Err(EngineError::Precondition {
            step: format!("restart etcd of {}", member.name),
            host: host.clone(),
            detail: format!("{detail}; bring the others back first (`citusctl etcd status`)"),
        }),
    }
}

fn member<'a>(run: &Run<'a>, host: &HostName) -> Option<(&'a Etcd, &'a EtcdMember)> {
    let etcd = run.model.etcd.as_ref()?;
    let member = etcd.members.iter().find(|member| member.host == *host)?;
    (!member.learner).then_some((etcd, member))
}

/// Prints how many have a vote, and how many of them are alive. No password is known here, and none is needed for that.
fn question(etcd: &Etcd, member: &EtcdMember) -> String {
    format!(
        "{FUNCTIONS}etcd_ctl_at() {{ etcd_plain \"$@\"; }}\netcd_quorum {}",
        quote(&member.client_url(etcd.client_port))
    )
}

fn read(said: &str) -> Option<Quorum> {
    let (voters, alive) = said.trim().split_once(' ')?;
    Some(Quorum {
        voters: voters.parse().ok()?,
        alive: alive.parse().ok()?,
    })
}

/// What a restart of one that is alive would leave too few of.
fn lacks(quorum: Quorum) -> Option<String> {
    let alone = quorum.voters > 0 && quorum.voters <= 2;
    (!alone && quorum.spare() == 0).then(|| {
        format!(
            "etcd has {} with a vote, {} alive, {} needed: its restart would leave no majority",
            quorum.voters,
            quorum.alive,
            quorum.needed()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_leaves_a_majority() {
        let of = |said: &str| read(said).and_then(lacks);
        assert_eq!(of("3 3\n"), None);
        assert_eq!(
            of("3 2").as_deref(),
            Some("etcd has 3 with a vote, 2 alive, 2 needed: its restart would leave no majority")
        );
        assert_eq!((of("5 4"), of("1 1"), of("2 2")), (None, None, None));
        assert!(of("5 3").is_some() && of("0 0").is_some());
        assert_eq!(read("error"), None);
    }
}
