//! What a cluster of one has to do before others join it.
//!
//! `force-new-cluster` drops the end of etcd's log that its log does not know to be committed. Its keys have that end
//! already, nearly always one entry: who then replays the log as a new member has other revisions than the first
//! one, and judges every comparison of revisions differently from there on, silently. So others must begin with the
//! keys, not with the log: the forced member keeps a snapshot of its log from the first moment (its temporary configuration
//! says so), and after a restart it has nothing older to hand out.

use super::Surveyed;
use crate::model::Model;
use crate::names::HostName;
use crate::resource::Impact;
use crate::runbook::{Script, Step};
use std::collections::BTreeSet;

/// On every member that takes part, and on `alive`; only one that was forced has something to do.
pub(in crate::runbook) fn settle(model: &Model, seen: &Surveyed, alive: &HostName) -> Step {
    let members = model.etcd.iter().flat_map(|etcd| &etcd.members);
    let takes_part = |host: &HostName| seen.get(host).is_some_and(|seen| seen.etcd.majority);
    let hosts = members.map(|member| member.host.clone());
    let hosts: BTreeSet<HostName> = hosts
        .filter(|host| host == alive || takes_part(host))
        .collect();
    let act = include_str!("scripts/etcd-settle.sh");
    let holds = "[ ! -e \"$ETCD_DATA/citusctl-forced\" ] || { echo 'its log has not been cut yet'; false; }\n\
        etcd_majority || { echo 'etcd does not answer yet'; false; }";
    let script = || Script::new(act, holds);
    Step::on_all(
        hosts.into_iter().map(|host| (host, script())).collect(),
        "settle",
        "see that new members of etcd begin with its keys, not with its log (a restart of a cluster of one)",
    )
    .with_impact(Impact::Restart)
    .within(60)
}
