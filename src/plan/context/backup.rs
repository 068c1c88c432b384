//! The parts of a context that backups are made of: what a member archives to, and what a repository host serves.

use super::{Builder, Contexts};
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::model::backup::{self, Backups, Repository, RepositoryPlace};
use crate::model::{Group, Instance};
use crate::pki::{LeafRequest, PkiError, Usage};
use crate::secret::Secret;
use crate::template::secret;
use serde_json::{Value, json};

/// An option of pgBackRest's configuration, secrets marked.
fn line(option: &str, value: &str) -> Value {
    let value = match backup::SECRETS.contains(&option) {
        true => secret(&Secret::new(value)),
        false => json!(value),
    };
    json!({ "option": format!("repo1-{option}"), "value": value })
}

impl Builder<'_> {
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
        contexts: &mut Contexts,
    ) -> Result<Value, PkiError> {
        let Backups::To(repository) = self.backups_of(group) else {
            return Ok(Value::Null);
        };
        let remote = matches!(repository.place, RepositoryPlace::Host { .. });
        let tls = match remote {
            true => self.backup_leaf(instance, contexts)?,
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
    fn backup_leaf(&self, instance: &Instance, contexts: &mut Contexts) -> Result<Value, PkiError> {
        let request = LeafRequest {
            name: format!("backup-{}", instance.name),
            common_name: instance.name.to_string(),
            sans: Vec::new(),
            usage: Usage::Client,
            lifetime: self.lifetime(),
        };
        self.pair(&request, contexts)
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
    pub(super) fn repository(&self, contexts: &mut Contexts) -> Result<Value, PkiError> {
        let groups = self.input.model.groups().map(|(_, group)| group);
        let served: Vec<(&Group, Repository, u16)> = groups
            .filter_map(|group| {
                let Backups::To(repository) = self.backups_of(group) else {
                    return None;
                };
                let RepositoryPlace::Host { host, port, .. } = &repository.place else {
                    return None;
                };
                let found = backup::repository_host(self.input.model, host)?;
                let port = *port;
                (found.name == self.host.name).then_some((group, repository, port))
            })
            .collect();
        let Some((_, _, port)) = served.first() else {
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
            "tls": self.pair(&request, contexts)?,
            "stanzas": served.iter().map(stanza).collect::<Vec<_>>(),
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

fn stanza((group, repository, _): &(&Group, Repository, u16)) -> Value {
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
