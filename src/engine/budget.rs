//! How many members of etcd may be away: asked again immediately before one is restarted.

use super::gate::{Health, exec, health};
use super::look::futures_join;
use super::{EngineError, Run};
use crate::command::quote;
use crate::model::etcd::FUNCTIONS;
use crate::model::{Etcd, EtcdMember};
use crate::names::HostName;
use crate::plan::Unit;
use crate::runbook::etcd::Quorum;

/// Hosts and what is to be done there.
type HostWork = Vec<(HostName, Vec<Unit>)>;

/// Members that cannot be asked come first, since they end the run before anything is touched; then those that take no
/// part: a restart may be what they need, and the others stay while they do not.
pub(super) async fn sick_first(run: &Run<'_>, work: HostWork) -> HostWork {
    let (mut mute, mut sick, mut well) = (Vec::new(), Vec::new(), Vec::new());
    for (host, units) in work {
        let health = match member(run, &host) {
            Some((etcd, member)) => health(run, member, etcd.client_port).await,
            None => Health::Well,
        };
        match health {
            Health::Well => well.push((host, units)),
            Health::Sick(_) => sick.push((host, units)),
            Health::Unknown(_) => mute.push((host, units)),
        }
    }
    mute.append(&mut sick);
    mute.append(&mut well);
    mute
}

/// Whether the member on a host may be restarted now: the others must have a majority without it. One of two or fewer may,
/// where no other way is, and one that takes no part while nobody has a majority.
pub(super) async fn may_restart(run: &Run<'_>, host: &HostName) -> Result<(), EngineError> {
    let Some((etcd, member)) = member(run, host) else {
        return Ok(());
    };
    let missing = match health(run, member, etcd.client_port).await {
        Health::Unknown(why) => Some(format!("whether it takes part is not known: {why}")),
        Health::Sick(words) => beside(etcd.voters(), &others(run, etcd, member).await, &words),
        Health::Well => match exec(run, host, &question(etcd, member)).await {
            Ok(said) => match read(&said) {
                Some(quorum) => lacks(quorum),
                None => Some("its list of members cannot be read".to_owned()),
            },
            Err(why) => Some(format!("its list of members cannot be read: {why}")),
        },
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

async fn others(run: &Run<'_>, etcd: &Etcd, own: &EtcdMember) -> Vec<Health> {
    let others = etcd.members.iter();
    let others = others.filter(|member| !member.learner && member.host != own.host);
    futures_join(others.map(|member| health(run, member, etcd.client_port))).await
}

/// What stands against the restart of a member that says it takes no part. It may say so because it is late: where some
/// other one can decide, somebody who does not look well is part of that majority.
fn beside(voters: usize, others: &[Health], words: &str) -> Option<String> {
    let count = |wanted: fn(&Health) -> bool| others.iter().filter(|it| wanted(it)).count();
    let well = count(|it| *it == Health::Well);
    let mute = count(|it| matches!(it, Health::Unknown(_)));
    let needed = voters / 2 + 1;
    if voters <= 2 || well >= needed || well + mute == 0 {
        return None;
    }
    let unknown = match mute {
        0 => String::new(),
        mute => format!(", {mute} could not be asked"),
    };
    Some(format!(
        "it does not answer as a member should ({words}), and of the others {well} do{unknown}, {needed} are needed: it may be part of the majority"
    ))
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

    #[test]
    fn a_member_that_is_late_may_be_part_of_the_majority() {
        let sick = || Health::Sick("context deadline exceeded".to_owned());
        let mute = || Health::Unknown("it hangs".to_owned());
        let of = |others: &[Health]| beside(3, others, "late");
        assert_eq!(of(&[Health::Well, Health::Well]), None);
        // Nobody decides anything: there is no majority to lose.
        assert_eq!(of(&[sick(), sick()]), None);
        assert_eq!(
            of(&[Health::Well, sick()]).as_deref(),
            Some(
                "it does not answer as a member should (late), and of the others 1 do, 2 are needed: it may be part of the majority"
            )
        );
        assert!(of(&[sick(), mute()]).is_some_and(|words| words.contains("1 could not be asked")));
        assert_eq!(beside(2, &[mute()], "late"), None);
    }
}
