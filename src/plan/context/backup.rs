//! The parts of a context that backups are made of: what a member archives to, and what a repository host serves.

use super::{Builder, ContextNotes};
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::model::backup::{self, Backups, Repository, RepositoryPlace};
use crate::model::{Group, Instance, Model};
use crate::names::{ClusterName, HostName};
use crate::pki::{LeafRequest, PkiError, Usage};
use crate::secret::Secret;
use crate::template::secret;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// An option of pgBackRest's configuration, secrets marked.
fn line(option: &str, value: &str) -> Value {
    let value = match backup::SECRETS.contains(&option) {
        true => secret(&Secret::new(value)),
        false => json!(value),
    };
    json!({ "option": format!("repo1-{option}"), "value": value })
}

/// What a repository host keeps of a group.
#[derive(Debug)]
pub(super) struct ServedGroup {
    cluster: ClusterName,
    repository: Repository,
    port: u16,
}

/// The groups that each repository host serves.
pub(super) fn served(model: &Model) -> BTreeMap<HostName, Vec<ServedGroup>> {
    let mut served: BTreeMap<HostName, Vec<ServedGroup>> = BTreeMap::new();
    for (_, group) in model.groups() {
        let Ok(Backups::To(repository)) = backup::of_group(model, group) else {
            continue;
        };
        let RepositoryPlace::Host { host, port, .. } = &repository.place else {
            continue;
        };
        if let Some(found) = backup::repository_host(model, host) {
            let (host, port) = (found.name.clone(), *port);
            served.entry(host).or_default().push(ServedGroup {
                cluster: group.cluster.clone(),
                repository,
                port,
            });
        }
    }
    served
}

impl Builder<'_> {
    fn stanza(&self, served: &ServedGroup) -> Option<Value> {
        let (_, group) = self.input.model.group(&served.cluster)?;
        Some(stanza(group, &served.repository))
    }

    /// The repository of a group, as its first member's variables name it. What is wrong with it has been said by the lints.
    pub(super) fn backups_of(&self, group: &Group) -> Backups {
        let found = backup::of_group(self.input.model, group);
        found.unwrap_or(Backups::Unnamed)
    }

    /// What PostgreSQL calls for each segment; `None` where no repository is named.
    pub(super) fn archive_command(&self, group: &Group) -> Option<String> {
        match self.backups_of(group) {
            Backups::To(_) => Some(backup::archive_command(&group.cluster)),
            Backups::Off | Backups::Unnamed => None,
        }
    }

    /// What a member of a group archives to and makes backups in; null where no repository is named.
    pub(super) fn pg_backup(
        &self,
        typed: &Typed<'_>,
        instance: &Instance,
        group: &Group,
        told: &mut ContextNotes,
    ) -> Result<Value, PkiError> {
        let Backups::To(repository) = self.backups_of(group) else {
            return Ok(Value::Null);
        };
        let remote = matches!(repository.place, RepositoryPlace::Host { .. });
        let tls = match remote {
            true => self.backup_leaf(instance, told)?,
            false => Value::Null,
        };
        let directory = match &repository.place {
            RepositoryPlace::Directory { path, .. } => json!(path),
            RepositoryPlace::Host { .. } | RepositoryPlace::S3 { .. } => Value::Null,
        };
        Ok(json!({
            "stanza": backup::stanza(&group.cluster),
            "repository": repository.name,
            "remote": remote,
            "directory": directory,
            "server": self.server(&repository),
            "lines": member_lines(&repository, remote),
            "log_dir": typed.get(param::PGBACKREST_LOG_DIR),
            "processes": self.facts().cpu.div_ceil(4).clamp(2, 4),
            "init": typed.get(param::PGBACKREST_INIT_BACKUP),
            "tls": tls,
        }))
    }

    /// pgBackRest's server judges a client by the CN of its certificate, which etcd would refuse: hence one of its own.
    fn backup_leaf(&self, instance: &Instance, told: &mut ContextNotes) -> Result<Value, PkiError> {
        let request = LeafRequest {
            name: format!("backup-{}", instance.name),
            common_name: instance.name.to_string(),
            sans: Vec::new(),
            usage: Usage::Client,
            lifetime: self.lifetime(),
        };
        self.pair(&request, told)
    }

    /// Where the repository's server answers; null where there is none.
    fn server(&self, repository: &Repository) -> Value {
        let RepositoryPlace::Host { host, port, .. } = &repository.place else {
            return Value::Null;
        };
        let found = backup::repository_host(self.input.model, host);
        json!({ "host": found.map_or(host.clone(), |host| host.address.to_string()), "port": port })
    }

    /// What this host serves as a repository host; null where no group names it.
    pub(super) fn repository(&self, told: &mut ContextNotes) -> Result<Value, PkiError> {
        let served = self.common.served(self.input).get(&self.host.name);
        let Some((served, port)) = served.and_then(|all| Some((all, all.first()?.port))) else {
            return Ok(Value::Null);
        };
        let request = LeafRequest {
            name: format!("repository-{}", self.host.name),
            common_name: self.host.nodename.clone(),
            sans: vec![
                self.host.address.to_string(),
                self.host.nodename.clone(),
                "localhost".to_owned(),
                "127.0.0.1".to_owned(),
            ],
            usage: Usage::Both,
            lifetime: self.lifetime(),
        };
        Ok(json!({
            "port": port,
            "address": self.host.address.to_string(),
            "tls": self.pair(&request, told)?,
            "stanzas": served.iter().filter_map(|one| self.stanza(one)).collect::<Vec<_>>(),
        }))
    }
}

/// What a member's configuration says of the repository: the passphrase and the path are the repository host's, where there
/// is one.
fn member_lines(repository: &Repository, remote: bool) -> Vec<Value> {
    let theirs = |option: &str| remote && backup::ON_ITS_HOST.contains(&option);
    let own = repository
        .options
        .iter()
        .filter(|(option, _)| !theirs(option));
    own.map(|(option, value)| line(option, value)).collect()
}

fn stanza(group: &Group, repository: &Repository) -> Value {
    let ours = |option: &str| backup::ON_ITS_HOST.contains(&option);
    let options = repository.options.iter().filter(|(option, _)| ours(option));
    let members = group.members.iter().map(|member| member.name.as_str());
    let path = match &repository.place {
        RepositoryPlace::Host { path, .. } | RepositoryPlace::Directory { path, .. } => {
            path.clone()
        }
        RepositoryPlace::S3 { .. } => String::new(),
    };
    json!({
        "name": backup::stanza(&group.cluster),
        "path": path,
        "lines": options.map(|(option, value)| line(option, value)).collect::<Vec<_>>(),
        "members": members.collect::<Vec<_>>(),
    })
}
