//! What HAProxy listens for.

use crate::names::InstanceName;
use serde::Serialize;

/// One `listen` section of one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Service {
    /// As in `pg-citus0-primary`; also the name of its file.
    pub name: String,
    pub kind: ServiceKind,
    pub port: u16,
    /// Addresses to bind, `*` being all.
    pub bind: Vec<String>,
    /// `tcp` or `http`.
    pub mode: String,
    /// Path of the health check; `None` is no HTTP check at all.
    pub check_path: Option<String>,
    /// Port of the health check where a server names none of its own.
    pub check_port: Option<u16>,
    /// Whether the check speaks TLS.
    pub check_ssl: bool,
    /// `OPTIONS`, or `GET` where [`Service::check_expect`] or [`Service::check_roles`] want to see a body.
    pub check_method: &'static str,
    /// A string that the body of the answer must contain, besides status 200.
    pub check_expect: Option<String>,
    /// The roles of which the body must name one, besides status 200; empty is any.
    pub check_roles: &'static [&'static str],
    pub balance: String,
    pub maxconn: u32,
    pub timings: Timings,
    /// A whole tail of `default-server` from the inventory, instead of [`Service::timings`].
    pub default_server: Option<String>,
    /// Raw lines of `haproxy_services`.
    pub options: Vec<String>,
    pub servers: Vec<Server>,
    /// Who serves while none of [`Service::servers`] is up.
    pub fallback: Option<Fallback>,
}

/// A second backend behind a service, with a check of its own: the roles of its servers are asked live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fallback {
    /// `<service>-fallback`.
    pub name: String,
    pub check_path: String,
    pub servers: Vec<Server>,
}

/// Where a service comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceKind {
    /// `pg_default_services`, `pg_services`: a service of one cluster.
    Cluster,
    /// The coordinator's leader, on every host of the formation.
    Coordinator,
    /// Any worker's leader, on every host of the formation.
    Any,
    /// `haproxy_services`: whatever the user wants.
    Custom,
}

/// How often and how patiently servers are checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Timings {
    pub inter: String,
    pub fastinter: String,
    pub downinter: String,
    pub rise: u32,
    pub fall: u32,
}

/// One `server` line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Server {
    /// The instance's name, or that of `haproxy_services`.
    pub name: String,
    /// The instance behind it, where it is one of ours.
    pub instance: Option<InstanceName>,
    pub address: String,
    pub port: u16,
    pub check_port: Option<u16>,
    pub weight: u32,
    /// Used only while no other server is up.
    pub backup: bool,
    /// A raw tail from `haproxy_services`.
    pub options: Option<String>,
}
