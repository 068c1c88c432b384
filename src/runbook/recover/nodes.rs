//! Citus hands its list of nodes to the groups by daemons of its own, in the background. While a group has not got the
//! list, no table can be distributed. A daemon that has asked a lost host something waits for the answer until TCP
//! gives up, a quarter of an hour. The kernel is told to end such connections (absent.sh); where it cannot, daemons that
//! get nowhere are interrupted here, and begin anew with the hosts that are there.

use super::{Case, RecoverMethod, promote, via_etcd};
use crate::command::given;
use crate::model::{Group, Instance};
use crate::names::HostName;
use crate::runbook::{Script, Step};
use std::collections::BTreeMap;

/// Waits on the coordinator until every group that has a leader is named by it, and has the list.
pub(super) fn known(case: &Case<'_>) -> Option<Step> {
    let groups = case.formation.groups.iter();
    let wanted: Vec<String> = groups.filter_map(|group| row(case, group)).collect();
    let coordinator = case.formation.coordinator()?;
    let members = leaders(case, coordinator).into_iter();
    let scripts: BTreeMap<HostName, Script> = members
        .map(|member| {
            (
                member.host.clone(),
                script(&case.formation.primary_db, &wanted),
            )
        })
        .collect();
    let title =
        "see that Citus names every group's leader, and that all of them have its list of nodes";
    let step = |scripts| Step::on_all(scripts, "nodes", title).within(5).optional();
    (case.formation.is_citus() && !scripts.is_empty()).then(|| step(scripts))
}

/// Who leads the group when this recover is through: by etcd any member that is left, else only who was promoted.
fn leaders<'a>(case: &Case<'a>, group: &'a Group) -> Vec<&'a Instance> {
    match case.via {
        RecoverMethod::Etcd => via_etcd::left(case, group).collect(),
        RecoverMethod::Promote if group.cluster == case.group.cluster => vec![case.survivor],
        RecoverMethod::Promote => promote::writer(group, case).into_iter().collect(),
    }
}

/// A group's number and the addresses that its leader may have, as a row of SQL.
fn row(case: &Case<'_>, group: &Group) -> Option<String> {
    let members = leaders(case, group).into_iter();
    let places: Vec<String> = members
        .map(|member| format!("'{}:{}'", member.address, member.port))
        .collect();
    let number = group.number?;
    (!places.is_empty()).then(|| format!("({number}, ARRAY[{}])", places.join(", ")))
}

/// A standby has nothing to say of it.
fn script(database: &str, wanted: &[String]) -> Script {
    let missing = format!(
        "SELECT string_agg(format('group %s: %s', g, coalesce('its list of nodes has not come to ' || nodename, 'its leader is not named yet')), ', ') \
         FROM (VALUES {}) w (g, places) LEFT JOIN pg_dist_node ON groupid = g AND noderole = 'primary' AND nodename || ':' || nodeport = ANY (places) \
         WHERE NOT pg_is_in_recovery() AND (nodeid IS NULL OR (g > 0 AND hasmetadata AND NOT metadatasynced))",
        wanted.join(", ")
    );
    let cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name IN ('Citus Metadata Sync Daemon', 'Citus Maintenance Daemon')";
    let values = [
        ("CITUS_DB", database),
        ("MISSING", &missing),
        ("CANCEL", cancel),
    ];
    let act = given(&values, include_str!("scripts/nodes.sh"));
    let holds = given(&values, include_str!("scripts/nodes-known.sh"));
    Script::new(act, holds)
}
