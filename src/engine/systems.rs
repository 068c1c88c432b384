//! What etcd knows of groups whose data is not all there: before anybody bootstraps, or starts beside keys that are of another
//! database system and waits for ever. Nothing is asked where every member has its data and runs.

use super::Run;
use super::gate::exec;
use crate::command::quote;
use crate::model::{Group, Instance};
use crate::names::{HostName, ResourceId};
use crate::plan::{Refusal, Seen};
use crate::secret::Secret;
use std::collections::BTreeMap;

/// Refusals for groups whose keys in etcd are of another database system than their data, or whose data is gone. `functions`
/// is what a host's programs begin with (`runbook::host_functions`).
pub async fn other_systems(
    run: &Run<'_>,
    seen: &Seen,
    functions: impl Fn(&HostName) -> Option<Secret>,
) -> Vec<Refusal> {
    let doubtful: Vec<&Group> = run
        .model
        .groups()
        .map(|(_, group)| group)
        .filter(|group| is_doubtful(group, seen))
        .collect();
    let members = run.model.etcd.iter().flat_map(|etcd| &etcd.members);
    let living = members.filter(|member| {
        let observed = seen.hosts.get(&member.host);
        !member.learner && observed.is_some_and(|observed| observed.kept.etcd)
    });
    if doubtful.is_empty() {
        return Vec::new();
    }
    for member in living {
        let Some(functions) = functions(&member.host) else {
            continue;
        };
        let text = format!("{}{}", functions.expose(), question(&doubtful));
        let Ok(said) = exec(run, &member.host, &text).await else {
            continue;
        };
        let known = read(&said);
        if !known.is_empty() {
            return doubtful
                .iter()
                .filter_map(|group| judge(group, known.get(group.cluster.as_str())?, seen))
                .collect();
        }
    }
    Vec::new()
}

/// A member has no data, or does not run with it.
fn is_doubtful(group: &Group, seen: &Seen) -> bool {
    group.members.iter().any(|member| {
        let observed = seen.hosts.get(&member.host);
        observed.is_some_and(|observed| {
            let unit = observed.units.get("patroni.service");
            observed.kept.data.is_none() || unit.is_some_and(|unit| !unit.active)
        })
    })
}

/// One line for each group, `CLUSTER IDENTIFIER`; nothing where etcd does not answer.
fn question(groups: &[&Group]) -> String {
    let of = |group: &&Group| {
        let key = quote(&format!("{}initialize", group.dcs_prefix));
        format!(
            "v=$(etcd_ctl get --print-value-only {key} 2>/dev/null) && printf '%s %s\\n' {} \"$v\"\n",
            quote(group.cluster.as_str())
        )
    };
    groups.iter().map(of).collect()
}

fn read(said: &str) -> BTreeMap<&str, &str> {
    let lines = said.lines();
    lines
        .filter_map(|line| line.split_once(' '))
        .map(|(cluster, system)| (cluster, system.trim()))
        .collect()
}

/// `known` is the identifier in etcd; empty where there is none, or where a bootstrap is under way.
fn judge(group: &Group, known: &str, seen: &Seen) -> Option<Refusal> {
    if known.is_empty() {
        return None;
    }
    let cluster = &group.cluster;
    let looked: Vec<(&Instance, Option<&str>)> = group
        .members
        .iter()
        .filter_map(|member| {
            let data = seen.hosts.get(&member.host)?.kept.data.as_ref();
            Some((member, data.map(|data| data.system.as_str())))
        })
        .collect();
    let other = looked.iter().find_map(|(member, system)| {
        let system = (*system)?;
        (!system.is_empty() && system != known).then_some((*member, system))
    });
    if let Some((member, system)) = other {
        return Some(refusal(
            member,
            format!(
                "etcd knows {cluster} as database system {known}, and the data here is of {system}: Patroni would not start with it"
            ),
            format!(
                "move the data here away, if the one that etcd knows is right: the member is then cloned; or, if nobody needs that one: {}",
                forget(group)
            ),
        ));
    }
    let whole = looked.len() == group.members.len();
    let (member, _) = looked.first()?;
    let none = looked.iter().all(|(_, system)| system.is_none());
    (whole && none).then(|| {
        refusal(
            member,
            format!(
                "etcd knows {cluster} as database system {known}, and no member of the inventory has data of it: it would wait for its leader for ever"
            ),
            format!(
                "bring a host with its data back; or choose another `pg_cluster`, if it is another cluster that uses the same etcd; or, if nobody needs it: {}",
                forget(group)
            ),
        )
    })
}

fn refusal(member: &Instance, reason: String, hint: String) -> Refusal {
    Refusal {
        host: member.host.clone(),
        id: ResourceId::new("patroni/service"),
        reason,
        hint,
    }
}

/// Takes the keys of a group out of etcd.
fn forget(group: &Group) -> String {
    format!(
        "`citusctl apply pgsql-rm -l {}` takes its keys out of etcd",
        group.cluster
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{KeptData, KeptFiles, Observed};

    const TEXT: &str = "all: {children: {etcd: {hosts: {10.0.0.9: {etcd_seq: 1}}}, \
        pg-a: {vars: {pg_cluster: pg-a}, hosts: {10.0.0.1: {pg_seq: 1, pg_role: primary}, 10.0.0.2: {pg_seq: 2, pg_role: replica}}}}}";

    /// The reason that etcd's word `known` leads to where hosts have data of these systems (none: no data).
    fn said(known: &str, systems: &[(&str, Option<&str>)]) -> Option<String> {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("i.yml");
        std::fs::write(&path, TEXT).expect("written");
        let inventory = crate::inventory::load(&path, &[]).expect("good").inventory;
        let model = crate::model::build(&inventory).0.expect("a model");
        let observed = |system: &Option<&str>| Observed {
            kept: KeptFiles {
                data: system.map(|system| KeptData {
                    version: "17".to_owned(),
                    system: system.to_owned(),
                    ..KeptData::default()
                }),
                ..KeptFiles::default()
            },
            ..Observed::default()
        };
        let hosts = systems.iter();
        let seen = Seen {
            hosts: hosts
                .map(|(host, system)| (HostName::new(*host), observed(system)))
                .collect(),
            ..Seen::default()
        };
        let (_, group) = model.groups().next().expect("a group");
        judge(group, known, &seen).map(|refusal| refusal.reason)
    }

    #[test]
    fn keys_of_another_database_system_are_told_before_anybody_starts() {
        let (one, two) = ("10.0.0.1", "10.0.0.2");
        assert_eq!(said("", &[(one, None), (two, None)]), None);
        assert_eq!(said("7", &[(one, Some("7")), (two, None)]), None);
        assert_eq!(
            said("7", &[(one, None), (two, Some("8"))]).as_deref(),
            Some(
                "etcd knows pg-a as database system 7, and the data here is of 8: Patroni would not start with it"
            )
        );
        assert_eq!(
            said("7", &[(one, None), (two, None)]).as_deref(),
            Some(
                "etcd knows pg-a as database system 7, and no member of the inventory has data of it: it would wait for its leader for ever"
            )
        );
        // Nobody knows what a host has that was not looked at.
        assert_eq!(said("7", &[(one, None)]), None);
        // Data whose system could not be read is data.
        assert_eq!(said("7", &[(one, Some("")), (two, None)]), None);
    }

    #[test]
    fn etcds_answer_is_read_by_group() {
        let known = read("pg-a 7713894361665414545\npg-b \n");
        assert_eq!(known["pg-a"], "7713894361665414545");
        assert_eq!(known["pg-b"], "");
        assert!(read("").is_empty());
    }
}
