//! Whether etcd can have a majority again: some of its members may have lost their data with the hosts of a formation.

use super::BackupInput;
use crate::model::EtcdMember;
use crate::names::HostName;
use crate::names::words::count;
use crate::runbook::Refusal;

/// A member of etcd as its host shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EtcdHere {
    NoData,
    /// It has data, and takes no part in a majority.
    Alone,
    Majority,
}

impl EtcdHere {
    pub(super) fn read(word: &str) -> Option<Self> {
        match word {
            "none" => Some(Self::NoData),
            "data" => Some(Self::Alone),
            "majority" => Some(Self::Majority),
            _ => None,
        }
    }
}

/// Members without data cannot join those that are left, if these are no majority; where none has data, a new cluster is made.
///
/// # Errors
/// Some members have their data, and so many have lost it that the rest is no majority.
pub(super) fn etcd_majority(input: &BackupInput<'_>) -> Result<(), Refusal> {
    let Some(etcd) = &input.model.etcd else {
        return Ok(());
    };
    let voters: Vec<&EtcdMember> = etcd.members.iter().filter(|it| !it.learner).collect();
    let with = |state: EtcdHere| -> Vec<&HostName> {
        let hosts = voters.iter().map(|member| &member.host);
        hosts
            .filter(|host| input.look.hosts.get(*host).and_then(|look| look.etcd) == Some(state))
            .collect()
    };
    let (kept, lost) = (with(EtcdHere::Alone), with(EtcdHere::NoData));
    let Some(first) = kept.first() else {
        return Ok(());
    };
    let could = voters.len() - lost.len() >= etcd.quorum();
    if could || !with(EtcdHere::Majority).is_empty() {
        return Ok(());
    }
    let words = |hosts: &[&HostName]| {
        let names: Vec<&str> = hosts.iter().map(|host| host.as_str()).collect();
        names.join(", ")
    };
    Err(Refusal::new(
        format!(
            "etcd has no majority: of {} {} needed; no data: {}; data: {}",
            count(voters.len(), "member"),
            match etcd.quorum() {
                1 => "1 is".to_owned(),
                several => format!("{several} are"),
            },
            words(&lost),
            words(&kept),
        ),
        format!(
            "`citusctl etcd reset --to {first}` makes it a cluster by itself; then the same restore again: the others join it"
        ),
    ))
}
