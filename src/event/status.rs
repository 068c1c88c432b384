//! The state of a formation as plain data, for the status view and for `-o json`.

use crate::names::{ClusterName, FormationName, HostName, InstanceName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What `status` found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StatusReport {
    pub formation: Option<FormationName>,
    pub healthy: bool,
    /// Automatic failover is switched off.
    pub paused: bool,
    pub etcd: Vec<EtcdStatus>,
    pub groups: Vec<GroupStatus>,
    /// `pg_dist_node` against Patroni's view.
    pub nodes: Vec<NodeStatus>,
    pub services: Vec<ServiceStatus>,
    pub certificates: Vec<CertificateStatus>,
    /// Addresses that follow a group's leader or a working HAProxy, and who has them.
    #[serde(default)]
    pub vips: Vec<VipStatus>,
    /// What is wrong, one sentence each, the host first.
    pub problems: Vec<String>,
    /// What is worth knowing and makes nothing unhealthy: pending restarts, failover switched off.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// One shared address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VipStatus {
    pub address: IpAddr,
    /// The group whose leader it follows (`pg_vip_address`); `None` where it follows a working HAProxy (`vip_address`).
    pub cluster: Option<ClusterName>,
    /// The hosts that carry it; one when all is well.
    pub holders: Vec<HostName>,
}

/// One etcd member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EtcdStatus {
    pub name: String,
    pub host: HostName,
    pub healthy: bool,
    pub leader: bool,
    /// Without a vote.
    #[serde(default)]
    pub learner: bool,
    pub version: Option<String>,
    /// Bytes.
    pub db_size: Option<u64>,
}

/// One Patroni cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupStatus {
    /// `None` for a plain cluster.
    pub number: Option<u32>,
    pub cluster: ClusterName,
    pub members: Vec<MemberStatus>,
    /// `None`: no repository is named.
    #[serde(default)]
    pub backup: Option<BackupStatus>,
}

/// What a group's repository holds, and whether its WAL gets there. What was not seen is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BackupStatus {
    /// Its key in `pgbackrest_repo`.
    pub repository: String,
    pub archiving: Option<bool>,
    /// When a segment was archived last, in seconds since 1970.
    pub archived: Option<i64>,
    /// Segments that wait to be archived.
    pub waiting: Option<u64>,
    /// How many backups there are.
    pub sets: Option<usize>,
    /// When the last full backup and the last one of any kind ended, in seconds since 1970.
    pub last_full: Option<i64>,
    pub last: Option<i64>,
}

/// One instance as Patroni sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberStatus {
    pub name: InstanceName,
    pub host: HostName,
    /// `leader`, `sync_standby`, `replica`, ...
    pub role: String,
    /// `running`, `streaming`, `stopped`, ...
    pub state: String,
    pub timeline: Option<u64>,
    /// Bytes that the leader has written and this member has not received; `None` when unknown or the leader itself.
    pub lag: Option<u64>,
    /// Bytes that it has received and not replayed.
    #[serde(default)]
    pub replay_lag: Option<u64>,
    /// Whether it leads or follows by the evidence of the servers; `None` where none of them was asked.
    #[serde(default)]
    pub sound: Option<bool>,
    pub pending_restart: bool,
    pub tags: BTreeMap<String, String>,
}

/// One row of `pg_dist_node` beside what Patroni says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeStatus {
    pub group: u32,
    /// `host:port` that Citus uses.
    pub citus: Option<String>,
    /// `host:port` that Patroni names.
    pub patroni: Option<String>,
    /// `primary` or `secondary`.
    pub role: String,
    pub ok: bool,
}

/// One HAProxy service on one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceStatus {
    pub host: HostName,
    pub service: String,
    pub port: Option<u16>,
    pub servers: Vec<ServerStatus>,
}

/// One server of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServerStatus {
    pub name: String,
    pub up: bool,
    /// HAProxy's word: `UP`, `DOWN`, `MAINT`, `DRAIN`, ...
    #[serde(default)]
    pub state: String,
    /// What it runs with, where HAProxy says so.
    #[serde(default)]
    pub weight: Option<u32>,
}

/// One certificate on a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CertificateStatus {
    pub host: HostName,
    pub name: String,
    /// Days until it expires; negative when it has.
    pub days: i64,
}
