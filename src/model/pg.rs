//! Formations, their groups, and the instances in them.

use super::Rto;
use crate::command::{Psql, as_user, connection, quote, session_options};
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::names::{ClusterName, FormationName, GroupName, HostName, InstanceName};
use serde::Serialize;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// All groups that belong together: a Citus formation (one `pg_shard`), or one plain cluster.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Formation {
    /// `pg_shard`, or `pg_cluster` where there is no Citus.
    pub name: FormationName,
    pub mode: Mode,
    /// By group number.
    pub groups: Vec<Group>,
    /// The database that Citus lives in (`pg_primary_db`).
    pub primary_db: String,
    /// Major version of PostgreSQL, that of the first host.
    pub version: u32,
    /// First part of all keys in etcd (`pg_namespace`), without a slash at the end.
    pub namespace: String,
    /// How its hosts reach their own PostgreSQL.
    #[serde(skip)]
    pub local: LocalPostgres,
}

/// Where a host has PostgreSQL's programs: `pg_bin_dir`, or where Debian's packages of this version put them.
pub fn bin_dir(typed: &Typed<'_>, version: u32) -> String {
    let stated = typed.get(param::PG_BIN_DIR).filter(|dir| !dir.is_empty());
    stated.unwrap_or_else(|| format!("/usr/lib/postgresql/{version}/bin"))
}

/// The directory that a data directory outside of `/pg` lies in. It has to be the account's own: initdb and Patroni make,
/// move and remove the data directory in it.
pub fn data_parent(data: &str) -> Option<&str> {
    let (parent, _) = data.trim_end_matches('/').rsplit_once('/')?;
    (!data.starts_with("/pg/")).then_some(parent)
}

/// What a host needs to ask its own PostgreSQL, and to read what Patroni said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalPostgres {
    /// The superuser, also the operating system's account (`pg_dbsu`).
    pub dbsu: String,
    /// As [`bin_dir`] says.
    pub bin_dir: String,
    /// `pg_localhost`.
    pub socket_dir: String,
    /// `patroni_log_dir`.
    pub patroni_log_dir: String,
    /// `pg_log_dir`: PostgreSQL's own log.
    pub log_dir: String,
}

/// Whether Patroni runs Citus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    Citus,
    /// Called `pgsql`, as in Pigsty's `pg_mode`.
    #[serde(rename = "pgsql")]
    Plain,
}

/// One Patroni cluster: all hosts with one `pg_cluster`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// Citus's group, 0 being the coordinator; `None` in a plain cluster.
    pub number: Option<u32>,
    pub cluster: ClusterName,
    /// By `pg_seq`.
    pub members: Vec<Instance>,
    /// Where Patroni keeps this group in etcd: `<namespace>/<scope>/[<group>/]`.
    pub dcs_prefix: String,
    /// Patroni's scope, which is also the name of the etcd user: `pg_shard` or `pg_cluster`.
    pub scope: String,
    pub vip: Option<Vip>,
    /// Where this cluster follows another one (`pg_upstream` on its primary).
    pub standby: Option<Standby>,
    pub rto: Rto,
    /// Some host of the cluster could not be modelled, so counts of members mean nothing.
    #[serde(skip)]
    pub incomplete: bool,
}

/// The leader of a standby cluster follows this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Standby {
    pub host: String,
    pub port: u16,
}

/// One PostgreSQL server under Patroni.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Instance {
    /// `<pg_cluster>-<pg_seq>`: Patroni's member name, the certificate's common name.
    pub name: InstanceName,
    pub cluster: ClusterName,
    pub formation: FormationName,
    /// As [`Group::number`].
    pub group: Option<u32>,
    pub host: HostName,
    pub address: IpAddr,
    /// The groups of the inventory that the host is in, for rules that name them.
    #[serde(skip)]
    pub host_groups: Vec<GroupName>,
    pub seq: u32,
    pub role: PgRole,
    /// The member that it replicates from instead of the leader (cascading): a NAME, because that
    /// is what Patroni looks up (Pigsty hands it an address, and Patroni ignores it silently).
    pub upstream: Option<InstanceName>,
    /// HAProxy's weight, 0 to 256.
    pub weight: u32,
    pub offline_query: bool,
    pub port: u16,
    pub patroni_port: u16,
    /// PgBouncer beside it (`pgbouncer_port`); `None` where `pgbouncer_enabled` is off.
    pub pgbouncer_port: Option<u16>,
    /// Whether Patroni's REST API speaks TLS.
    pub patroni_ssl: bool,
    /// How far it stays behind on purpose (`pg_delay`), as in `1h`.
    pub delay: Option<String>,
    pub tags: PatroniTags,
    /// Names and addresses under which clients reach it: all of them stand in its certificate, so
    /// that `verify-full` holds through every HAProxy and VIP.
    pub sans: Vec<String>,
}

impl Instance {
    /// Where Patroni's REST API answers, as in `https://10.0.0.1:8008`.
    pub fn patroni_url(&self) -> String {
        let scheme = if self.patroni_ssl { "https" } else { "http" };
        let place = std::net::SocketAddr::new(self.address, self.patroni_port);
        format!("{scheme}://{place}")
    }
}

/// Patroni's tags of one member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PatroniTags {
    pub nofailover: bool,
    /// Also keeps the member out of Citus's secondaries (Patroni 4).
    pub noloadbalance: bool,
    pub nosync: bool,
    pub clonefrom: bool,
    pub replicatefrom: Option<InstanceName>,
}

/// An address that follows a group's leader (`pg_vip_*`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Vip {
    pub address: IpAddr,
    /// Bits of the network part; 24 if the inventory gives none, as in Pigsty.
    pub prefix: u8,
    /// `None` is the interface that carries the host's own address.
    pub interface: Option<String>,
}

/// What an instance is meant to be. It says who bootstraps; afterwards the live cluster decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PgRole {
    Primary,
    Replica,
    /// For long reports: serves no ordinary reads and is never promoted.
    Offline,
    Standby,
    /// Stays behind on purpose, and is never promoted.
    Delayed,
}

impl PgRole {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Primary,
        Self::Replica,
        Self::Offline,
        Self::Standby,
        Self::Delayed,
    ];

    /// As the inventory writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Replica => "replica",
            Self::Offline => "offline",
            Self::Standby => "standby",
            Self::Delayed => "delayed",
        }
    }

    /// Whether such an instance may become the leader.
    pub fn is_candidate(self) -> bool {
        match self {
            Self::Primary | Self::Replica | Self::Standby => true,
            Self::Offline | Self::Delayed => false,
        }
    }
}

impl fmt::Display for PgRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text is not one of Pigsty's five roles.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown `pg_role`: `{0}`")]
pub struct UnknownRole(pub String);

impl FromStr for PgRole {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

impl PatroniTags {
    /// The tags that follow from a role: Pigsty gives every role the same ones, so that an offline
    /// or delayed instance of it can be promoted.
    pub fn of(role: PgRole, upstream: Option<InstanceName>) -> Self {
        let apart = !role.is_candidate();
        Self {
            nofailover: apart,
            noloadbalance: apart,
            nosync: apart,
            clonefrom: role != PgRole::Delayed,
            replicatefrom: upstream,
        }
    }
}

impl Group {
    /// The member that bootstraps: the one whose `pg_role` is `primary`.
    pub fn primary(&self) -> Option<&Instance> {
        self.members
            .iter()
            .find(|member| member.role == PgRole::Primary)
    }

    /// Members that may become the leader.
    pub fn candidates(&self) -> impl Iterator<Item = &Instance> {
        self.members
            .iter()
            .filter(|member| member.role.is_candidate())
    }

    /// Whether it is the coordinator of a formation.
    pub fn is_coordinator(&self) -> bool {
        self.number == Some(0)
    }
}

impl Formation {
    /// Shell text that asks the database of Citus, on the host of a member; the query follows it.
    pub fn psql(&self, port: u16) -> String {
        let local = &self.local;
        let psql = Psql {
            before: as_user(&quote(&local.dbsu)),
            bin: quote(&local.bin_dir),
            host: quote(&local.socket_dir),
            port: port.to_string(),
            database: quote(&connection(&self.primary_db)),
            user: None,
            options: session_options(self.version),
            lenient: false,
        };
        format!("{} -c", psql.command())
    }

    /// All instances, group by group.
    pub fn members(&self) -> impl Iterator<Item = &Instance> {
        self.groups.iter().flat_map(|group| group.members.iter())
    }

    /// Group 0, or the only group of a plain cluster.
    pub fn coordinator(&self) -> Option<&Group> {
        match self.mode {
            Mode::Citus => self.groups.iter().find(|group| group.is_coordinator()),
            Mode::Plain => self.groups.first(),
        }
    }

    /// All groups but the coordinator.
    pub fn workers(&self) -> impl Iterator<Item = &Group> {
        self.groups
            .iter()
            .filter(|group| group.number.is_some_and(|number| number > 0))
    }

    /// Whether it is a Citus formation.
    pub fn is_citus(&self) -> bool {
        self.mode == Mode::Citus
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Citus => "citus",
            Self::Plain => "pgsql",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_candidates_can_be_promoted() {
        for role in PgRole::ALL {
            let tags = PatroniTags::of(role, None);
            assert_eq!(tags.nofailover, !role.is_candidate(), "{role}");
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert!(PatroniTags::of(PgRole::Offline, None).clonefrom);
        assert!(!PatroniTags::of(PgRole::Delayed, None).clonefrom);
    }
}
