//! What a live member is, as its host keeps it, against what the inventory says: it cannot be edited.

use crate::app::failure::{Failure, code};
use crate::app::project::Project;
use crate::app::sinks;
use crate::fact::KeptFiles;
use crate::inventory::InvHost;
use crate::inventory::parameters::{self, Effect, Module, Typed, lookup};
use crate::model::backup;
use crate::model::etcd::other_cluster;
use crate::model::{EtcdMember, Group};
use crate::names::HostName;
use crate::plan::Seen;
use crate::secret::Masker;
use crate::source::{Diagnostic, Diagnostics};
use std::collections::BTreeMap;

/// One change of what something is: parameter, old value, new value.
type IdentityChange = (&'static str, String, String);

/// Refuses an inventory that would make a live member another one.
pub(super) fn unchanged(project: &Project, seen: &Seen) -> Result<(), Failure> {
    let mut edits = BTreeMap::<IdentityChange, Vec<&InvHost>>::new();
    for (host, observed) in &seen.hosts {
        let (Some(inv), Some(model)) = (
            project.inventory.hosts.get(host),
            project.model.hosts.get(host),
        ) else {
            continue;
        };
        let typed = Typed::new(&inv.vars);
        let kept = &observed.kept;
        let mut found = Vec::new();
        if kept.data.is_some() && model.pg.is_some() {
            found.extend(differences(kept, &typed, Module::Pgsql));
            found.extend(repository(kept, &typed));
        }
        if kept.etcd && model.etcd.is_some() {
            found.extend(differences(kept, &typed, Module::Etcd));
        }
        for edit in found {
            edits.entry(edit).or_default().push(inv);
        }
    }
    let mut said = Diagnostics::default();
    said.extend(edits.iter().map(|(edit, hosts)| diagnostic(edit, hosts)));
    said.extend(
        project
            .model
            .groups()
            .flat_map(|(_, group)| data_of(group, seen)),
    );
    said.extend(etcd_of(project, seen));
    if !said.has_errors() {
        return Ok(());
    }
    let sources = &project.inventory.sources;
    let text = sinks::diagnostics(sources, said.iter());
    let mut failure = Failure::new(
        code::REFUSED,
        format!("{}\nnothing was changed", text.trim_end()),
    );
    failure.rows = crate::ui::diagnostic_rows(sources, said.iter(), &Masker::default());
    Err(failure)
}

/// What is kept and is otherwise in the inventory. What an older version did not keep is not compared.
fn differences(kept: &KeptFiles, typed: &Typed<'_>, module: Module) -> Vec<IdentityChange> {
    let plain = |text: &str| match text.trim_end_matches('/') {
        "" => text.to_owned(),
        text => text.to_owned(),
    };
    let version = kept.data.as_ref().map(|data| &data.version);
    parameters::kept(typed, module)
        .into_iter()
        .filter_map(|(name, new)| {
            let old = match (name, version) {
                ("pg_version", Some(version)) => version,
                _ => kept.values.get(name)?,
            };
            (plain(old) != plain(&new)).then(|| (name, old.clone(), new))
        })
        .collect()
}

/// A repository that would become another one under its name.
fn repository(kept: &KeptFiles, typed: &Typed<'_>) -> Option<IdentityChange> {
    let (old, new) = (kept.values.get(backup::KEPT)?, backup::kept(typed));
    backup::becomes_another(old, &new).then(|| (backup::KEPT, old.clone(), new))
}

fn diagnostic((name, old, new): &IdentityChange, hosts: &[&InvHost]) -> Diagnostic {
    let names: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
    let shown = |value: &str| match value {
        "" => "none".to_owned(),
        value => format!("`{value}`"),
    };
    let said = Diagnostic::error(
        "identity",
        format!(
            "{}: `{name}` is {} and cannot become {}: {}",
            names.join(", "),
            shown(old),
            shown(new),
            reason(name)
        ),
    );
    let place = hosts.first().map(|host| match host.vars.get(name) {
        Some(var) => (var.node.span, format!("was {}", shown(old))),
        None => (
            host.span,
            format!("`{name}` is not set here: {}", shown(new)),
        ),
    });
    let said = match place {
        Some((span, text)) => said.at(span, text),
        None => said,
    };
    said.help(instead(name))
}

fn reason(name: &str) -> &'static str {
    match lookup(name).map(|param| param.effect) {
        _ if name == backup::KEPT => {
            "its backups stay where they are and as they are, and no point could be returned to"
        }
        Some(Effect::Bootstrap) => "it counts only when the group is made, and there is data",
        _ => "there is data of it",
    }
}

/// What to do instead.
fn instead(name: &str) -> String {
    let back = "put the old value back";
    match name {
        "pg_cluster" | "pg_shard" | "pg_mode" | "pg_group" | "pg_namespace" => format!(
            "{back}; another name is another cluster: make it on other hosts, copy the data, then remove this one with `citusctl apply pgsql-rm`"
        ),
        "pg_seq" => format!(
            "{back}; or take the member out under its old number (`citusctl apply pgsql-rm -l HOST`), then add it under the new one"
        ),
        "pg_version" => format!(
            "{back}; a new major version is a new cluster: make it on other hosts and copy the data (pg_dump, logical replication)"
        ),
        "pg_data" | "pg_fs_main" => format!(
            "{back}; or member by member, standbys first: `citusctl apply pgsql-rm -l HOST`, set it beside that host, `citusctl apply`"
        ),
        "pg_port" | "patroni_port" => {
            format!("{back}; clients can have another port: a service in `pg_services`")
        }
        "pg_encoding" | "pg_locale" | "pg_lc_collate" | "pg_lc_ctype" => format!(
            "{back}; a new database can have its own: `encoding`, `lc_collate`, `lc_ctype` in `pg_databases`"
        ),
        "pg_checksum" => {
            format!(
                "{back}; checksums of a group that is there change only offline (`pg_checksums`)"
            )
        }
        "etcd_seq" | "etcd_data" | "etcd_port" | "etcd_peer_port" => format!(
            "{back}; or take the member out under its old value (`citusctl apply etcd-rm -l HOST`), then add it with the new one"
        ),
        backup::KEPT => format!(
            "{back}; another repository gets a name of its own in `pgbackrest_repo`, which `pgbackrest_method` then names"
        ),
        "etcd_learner" => format!(
            "{back}; `citusctl etcd add HOST` gives a learner its vote, after which `false` is its value; a voter becomes a learner by `citusctl apply etcd-rm -l HOST` and a new start"
        ),
        _ => back.to_owned(),
    }
}

/// Members of etcd whose data is of another cluster than that of most.
fn etcd_of(project: &Project, seen: &Seen) -> Option<Diagnostic> {
    let etcd = project.model.etcd.as_ref()?;
    let id = |member: &EtcdMember| seen.hosts.get(&member.host)?.kept.etcd_cluster;
    let ids: Vec<(&str, u64)> = etcd
        .members
        .iter()
        .filter_map(|member| Some((member.name.as_str(), id(member)?)))
        .collect();
    let others = other_cluster(&ids);
    (!others.is_empty()).then(|| Diagnostic::error("identity", others.join("; ")))
}

/// Data of members of one group that does not belong together, or that an empty group would be made beside.
fn data_of(group: &Group, seen: &Seen) -> Vec<Diagnostic> {
    let systems: Vec<(&HostName, &str)> = group
        .members
        .iter()
        .filter_map(|member| {
            let data = seen.hosts.get(&member.host)?.kept.data.as_ref()?;
            Some((&member.host, data.system.as_str()))
        })
        .filter(|(_, system)| !system.is_empty())
        .collect();
    let other = systems.iter().find(|(_, system)| *system != systems[0].1);
    let (Some((first, one)), Some((host, two))) = (systems.first(), other) else {
        return Vec::new();
    };
    let said = Diagnostic::error(
        "identity",
        format!(
            "{}: {host} holds data of another database system ({two}) than {first} ({one}): they cannot be members of one group",
            group.cluster
        ),
    );
    vec![said.help("move the data directory that does not belong there away; the member is then cloned from its leader")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::KeptData;

    fn edits(kept: &[(&str, &str)], vars: &str) -> Vec<IdentityChange> {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("i.yml");
        let text = format!("all:\n  hosts: {{ h: }}\n  vars: {{ {vars} }}\n");
        std::fs::write(&path, text).expect("written");
        let inv = crate::inventory::load(&path, &[]).expect("good").inventory;
        let values = kept.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let kept = KeptFiles {
            values: values.collect(),
            data: Some(KeptData {
                version: "17".to_owned(),
                ..KeptData::default()
            }),
            etcd: true,
            etcd_cluster: None,
        };
        let typed = Typed::new(&inv.hosts["h"].vars);
        let mut found = differences(&kept, &typed, Module::Pgsql);
        found.extend(differences(&kept, &typed, Module::Etcd));
        found
    }

    #[test]
    fn what_a_member_is_cannot_be_edited() {
        let kept = [
            ("pg_cluster", "pg-meta"),
            ("pg_namespace", "/pg/"),
            ("pg_checksum", "true"),
            ("etcd_seq", "1"),
        ];
        let same = "pg_cluster: pg-meta, pg_version: 17, etcd_seq: 1, pg_port: 5544";
        assert_eq!(edits(&kept, same), []);
        let other = "pg_cluster: pg-main, pg_version: 18, etcd_seq: 2, pg_checksum: false";
        let names: Vec<&str> = edits(&kept, other).iter().map(|edit| edit.0).collect();
        assert_eq!(
            names,
            ["pg_cluster", "pg_version", "pg_checksum", "etcd_seq"]
        );
    }

    #[test]
    fn every_value_that_is_kept_has_a_way_out() {
        let kept = parameters::all().filter(|param| param.effect.is_kept());
        for param in kept {
            assert!(instead(param.name).starts_with("put the old value back"));
        }
    }
}
