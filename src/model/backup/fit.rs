//! Whether a repository fits the hosts of a group.

use super::{Repository, RepositoryFault, RepositoryPlace, fault};
use crate::model::{Group, Host, Model, Os};
use crate::names::HostName;

/// The host of the inventory that a repository names, by its name or its address.
pub fn repository_host<'m>(model: &'m Model, named: &str) -> Option<&'m Host> {
    let known = |host: &&Host| host.name.as_str() == named || host.address.to_string() == named;
    model.hosts().find(known)
}

/// Why a repository does not fit the hosts of a group, if so.
pub fn misfit(model: &Model, group: &Group, repository: &Repository) -> Option<RepositoryFault> {
    let name = &repository.name;
    match &repository.place {
        RepositoryPlace::Directory { shared: false, path } if group.members.len() > 1 => Some(fault(
            format!("repository `{name}` is a directory of each host (`{path}`), and `{}` has {} members: after a failover neither of them has all WAL, so nothing can be restored", group.cluster, group.members.len()),
            "name a repository host (`host: ADDRESS`) or an S3 store; say `shared: true` if it is one file system mounted on all members; or decide against backups with `pgbackrest_enabled: false`",
        )),
        RepositoryPlace::Directory { .. } | RepositoryPlace::S3 { .. } => None,
        RepositoryPlace::Host { host, .. } => match repository_host(model, host) {
            None => Some(fault(
                format!("repository `{name}` names the host `{host}`, which is not in the inventory"),
                "add it, in a group of its own: citusctl sets up pgBackRest's server there",
            )),
            Some(found) if found.pg.is_some() => Some(fault(
                format!("repository `{name}` is on `{host}`, which carries PostgreSQL: a backup is not kept beside what it is for"),
                "name a host without `pg_cluster`",
            )),
            Some(found) => old(model, group, found).map(|old| fault(
                format!("repository `{name}`: pgBackRest 2.45 of Debian 12 (`{old}`) makes no backups on a database host that has a repository host"),
                "use an S3 store, or Debian 13 on all of these hosts",
            )),
        },
    }
}

/// The first host with Debian 12 among a group's and its repository's.
fn old(model: &Model, group: &Group, repository: &Host) -> Option<HostName> {
    let members = group.members.iter().map(|member| &member.host);
    let mut hosts = members.chain([&repository.name]);
    let is_old = |host: &&HostName| {
        model
            .hosts
            .get(*host)
            .is_some_and(|host| host.facts.os == Os::Debian12)
    };
    hosts.find(is_old).cloned()
}
