//! Hosts: address, name, way in, facts.

use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::inventory::{InvHost, Inventory};
use crate::model::{Connection, Facts, Host, Os};
use crate::names::HostName;
use crate::source::{Diagnostic, Diagnostics};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// All hosts that have an address.
pub(super) fn build(inv: &Inventory, problems: &mut Diagnostics) -> BTreeMap<HostName, Host> {
    let hosts = inv.hosts.values().filter_map(|host| match address(host) {
        Some(address) => Some((host.name.clone(), read(host, address))),
        None => {
            problems.push(no_address(host));
            None
        }
    });
    hosts.collect()
}

fn read(host: &InvHost, address: IpAddr) -> Host {
    let typed = Typed::new(&host.vars);
    let (nodename, named) = nodename(host, address);
    Host {
        name: host.name.clone(),
        address,
        nodename,
        nodename_managed: named && typed.get(param::NODENAME_OVERWRITE),
        groups: host.groups.clone(),
        pg: None,
        etcd: None,
        haproxy: false,
        connection: Connection::read(&host.name, &host.vars),
        services: Vec::new(),
        facts: facts(&typed),
        data_root: data_root(&typed),
        stated: Arc::new(host.clone()),
    }
}

fn data_root(typed: &Typed<'_>) -> String {
    let database = typed.get(param::PG_CLUSTER).is_some();
    typed.str(if database { "pg_fs_main" } else { "node_data" })
}

/// The key if it is an address, else `ansible_host` (or its older name); `localhost` is the loopback.
pub(super) fn address(host: &InvHost) -> Option<IpAddr> {
    let key = host.name.as_str();
    let typed = Typed::new(&host.vars);
    let names = ["ansible_host", "ansible_ssh_host"];
    let written = || {
        names
            .iter()
            .find_map(|name| typed.opt_str(name))?
            .parse()
            .ok()
    };
    let loopback = || (key == "localhost").then_some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    key.parse().ok().or_else(written).or_else(loopback)
}

fn no_address(host: &InvHost) -> Diagnostic {
    let message = format!("host `{}` has no address", host.name);
    let written = host.vars.get("ansible_host");
    let problem = match written.or_else(|| host.vars.get("ansible_ssh_host")) {
        Some(var) => Diagnostic::error("no-address", message)
            .at(var.node.span, "a name, where other hosts need an address")
            .see(host.span, "this host"),
        None => Diagnostic::error("no-address", message).at(host.span, "not an IP address"),
    };
    problem.help(
        "use its IP address as the key, or set `ansible_host` to it: etcd, Patroni and HAProxy \
         write the address into their own files",
    )
}

/// The short name, and whether the inventory gave it (directly or through an identity).
///
/// An explicit `nodename` wins, as Pigsty's documentation has it (its code does the opposite).
fn nodename(host: &InvHost, address: IpAddr) -> (String, bool) {
    let typed = Typed::new(&host.vars);
    let given = |name: &str| typed.opt_str(name).filter(|text| !text.is_empty());
    if let Some(name) = given("nodename") {
        return (name, true);
    }
    let pg = given("pg_cluster").zip(typed.get(param::PG_SEQ));
    if let Some((cluster, seq)) = pg.filter(|_| typed.get(param::NODE_ID_FROM_PG)) {
        return (format!("{cluster}-{seq}"), true);
    }
    if let Some(seq) = typed.get(param::ETCD_SEQ) {
        return (format!("{}-{seq}", typed.get(param::ETCD_CLUSTER)), true);
    }
    match host.name.as_str().parse::<IpAddr>() {
        Ok(_) => (format!("node-{}", dashed(address)), false),
        Err(_) => (host.name.as_str().to_owned(), false),
    }
}

fn dashed(address: IpAddr) -> String {
    address.to_string().replace(['.', ':'], "-")
}

/// `node_facts`, with defaults for what it leaves out.
fn facts(typed: &Typed<'_>) -> Facts {
    let stated = typed.get(param::NODE_FACTS);
    let number = |name: &str| stated.get(name).and_then(Value::as_u64).filter(|n| *n > 0);
    let os = stated.get("os").and_then(Value::as_str);
    let default = Facts::default();
    Facts {
        cpu: number("cpu")
            .and_then(|cpu| cpu.try_into().ok())
            .unwrap_or(default.cpu),
        mem_mb: number("mem_mb").unwrap_or(default.mem_mb),
        disk_gb: number("disk_gb").unwrap_or(default.disk_gb),
        os: os
            .and_then(|os| os.parse::<Os>().ok())
            .unwrap_or(default.os),
        stated: stated.as_object().is_some_and(|facts| !facts.is_empty()),
    }
}
