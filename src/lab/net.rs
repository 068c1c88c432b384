//! The network of a lab: one namespace with a bridge, one namespace for each host, and no way out.

use super::error::LabError;
use super::process::Pid;
use super::record::Record;
use super::tool;
use std::collections::BTreeSet;
use std::net::IpAddr;

fn ip(args: &[&str]) -> Result<String, LabError> {
    tool::run("ip", args)
}

/// Makes all of it. What exists already under these names is an error: nobody else's is taken over.
pub(super) fn up(record: &Record) -> Result<(), LabError> {
    let control = record.control_ns();
    ip(&["netns", "add", &control])?;
    ip(&["-n", &control, "link", "set", "lo", "up"])?;
    ip(&["-n", &control, "link", "add", "br0", "type", "bridge"])?;
    for address in control_addresses(record)? {
        ip(&[
            "-n", &control, "addr", "add", &address, "dev", "br0", "nodad",
        ])
        .or_else(|_| ip(&["-n", &control, "addr", "add", &address, "dev", "br0"]))?;
    }
    ip(&["-n", &control, "link", "set", "br0", "up"])?;
    for index in 0..record.spec.hosts.len() {
        host(record, index)?;
    }
    Ok(())
}

fn host(record: &Record, index: usize) -> Result<(), LabError> {
    let (control, ns) = (record.control_ns(), record.host_ns(index));
    let (outer, inner) = (record.veth(index), format!("{}p", record.veth(index)));
    let address = with_prefix(record.spec.hosts[index].address, record.spec.prefix_len);
    ip(&["netns", "add", &ns])?;
    ip(&["-n", &ns, "link", "set", "lo", "up"])?;
    ip(&[
        "link", "add", &outer, "netns", &control, "type", "veth", "peer", "name", &inner, "netns",
        &ns,
    ])?;
    ip(&["-n", &control, "link", "set", &outer, "master", "br0", "up"])?;
    ip(&["-n", &ns, "link", "set", &inner, "name", "eth0"])?;
    ip(&["-n", &ns, "addr", "add", &address, "dev", "eth0"])?;
    ip(&["-n", &ns, "link", "set", "eth0", "up"]).map(drop)
}

/// Ends whatever still runs in a host's namespace: a machine outlives the nspawn that watches over it.
pub(super) fn clear(record: &Record, index: usize) -> Result<(), LabError> {
    let ns = record.host_ns(index);
    if !names()?.contains(&ns) {
        return Ok(());
    }
    let pids = ip(&["netns", "pids", &ns])?;
    let left = pids.split_whitespace().filter_map(|pid| pid.parse().ok());
    left.filter_map(Pid::of).try_for_each(Pid::kill)
}

fn names() -> Result<BTreeSet<String>, LabError> {
    let list = ip(&["netns", "list"])?;
    let first = |line: &str| line.split_whitespace().next().map(str::to_owned);
    Ok(list.lines().filter_map(first).collect())
}

/// Removes the lab's namespaces; links go with them.
pub(super) fn down(record: &Record) -> Result<(), LabError> {
    let there = names()?;
    let hosts = (0..record.spec.hosts.len()).map(|index| record.host_ns(index));
    for ns in hosts
        .chain([record.control_ns()])
        .filter(|ns| there.contains(ns))
    {
        ip(&["netns", "del", &ns])?;
    }
    Ok(())
}

fn with_prefix(address: IpAddr, prefix: u8) -> String {
    match address {
        IpAddr::V4(_) => format!("{address}/{prefix}"),
        IpAddr::V6(_) => format!("{address}/64"),
    }
}

/// One free address of our own in each subnet that hosts are in: the highest that nobody uses.
fn control_addresses(record: &Record) -> Result<Vec<String>, LabError> {
    let spec = &record.spec;
    let taken: BTreeSet<IpAddr> = spec
        .hosts
        .iter()
        .map(|host| host.address)
        .chain(spec.reserved.iter().copied())
        .collect();
    let mut subnets = BTreeSet::new();
    for host in &spec.hosts {
        let prefix = if host.address.is_ipv4() {
            spec.prefix_len
        } else {
            64
        };
        let net = ipnet::IpNet::new(host.address, prefix).map(|net| net.trunc());
        subnets.extend(net.ok());
    }
    let free = |net: &ipnet::IpNet| match net {
        ipnet::IpNet::V4(net) => {
            let last = u32::from(net.broadcast());
            let candidates = (u32::from(net.network()) + 1..last).rev();
            candidates
                .map(|bits| IpAddr::V4(bits.into()))
                .find(|address| !taken.contains(address))
        }
        ipnet::IpNet::V6(net) => {
            let first = u128::from(net.network());
            (1..=255u128)
                .rev()
                .map(|n| IpAddr::V6((first + n).into()))
                .find(|address| !taken.contains(address))
        }
    };
    subnets
        .iter()
        .map(|net| {
            let address = free(net).ok_or_else(|| LabError::NoControlAddress {
                name: spec.name.clone(),
                address: net.addr(),
            })?;
            Ok(with_prefix(address, net.prefix_len()))
        })
        .collect()
}
