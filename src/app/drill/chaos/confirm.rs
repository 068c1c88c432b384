//! The servers' own words, held against what `status` has just said.

use super::judge;
use crate::app::drill::run::Drill;
use crate::engine::drill::{CopyFacts, ListenAddress, facts};
use crate::engine::verify::Login;
use crate::model::{Group, Instance};
use crate::names::InstanceName;
use std::collections::BTreeSet;
use std::time::Duration;

/// How long a standby may take to replay a mark (s).
const REPLAY: u64 = 60;

impl Drill<'_> {
    /// What the servers themselves say, against what `status` has just said.
    pub(super) async fn confirm(&mut self) {
        let login = self.login.clone();
        let (mut told, mut wrong, mut checked) = (Vec::new(), Vec::new(), Vec::new());
        for group in self.groups() {
            let asked = ask(group, &login).await;
            let replayed = replayed(group, &asked, &login).await;
            wrong.extend(judge::group(&group.cluster, &asked, &replayed));
            checked.push(format!(
                "{}: {} members, {} replayed a mark",
                group.cluster,
                asked.len(),
                replayed.len()
            ));
            told.extend(asked);
        }
        wrong.extend(judge::nodes(&told));
        self.found.extend(
            wrong
                .into_iter()
                .map(|line| format!("`status` said healthy, but {line}")),
        );
        if let Some(chaos) = &mut self.chaos {
            chaos.checked = checked;
        }
    }
}

async fn ask(group: &Group, login: &Login) -> Vec<judge::Told> {
    let mut told = Vec::new();
    for member in &group.members {
        let door = at(member);
        let mut answer = facts::facts(&door, login).await;
        if let (Some(_), Ok(copy)) = (group.number, &mut answer) {
            match facts::nodes(&door, login).await {
                Ok(nodes) => copy.nodes = nodes,
                Err(why) => answer = Err(format!("pg_dist_node: {why}")),
            }
        }
        told.push((member.name.clone(), answer));
    }
    told
}

/// The standbys whose replay passes a mark that is written to the leader now.
async fn replayed(group: &Group, told: &[judge::Told], login: &Login) -> BTreeSet<InstanceName> {
    let leads = |name: &InstanceName| {
        let mut told = told.iter();
        let primary = |copy: &CopyFacts| !copy.in_recovery;
        told.any(|(other, answer)| other == name && answer.as_ref().is_ok_and(primary))
    };
    let mut passed = BTreeSet::new();
    let Some(leader) = group.members.iter().find(|member| leads(&member.name)) else {
        return passed;
    };
    let Ok(mark) = facts::mark(&at(leader), login).await else {
        return passed;
    };
    let standbys: Vec<&Instance> = group
        .members
        .iter()
        .filter(|m| m.name != leader.name)
        .collect();
    let begun = std::time::Instant::now();
    while passed.len() < standbys.len() && begun.elapsed().as_secs() < REPLAY {
        for member in &standbys {
            if facts::replayed(&at(member), login, &mark).await == Ok(true) {
                passed.insert(member.name.clone());
            }
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    passed
}

fn at(member: &Instance) -> ListenAddress {
    ListenAddress {
        address: member.address.to_string(),
        port: member.port,
    }
}
