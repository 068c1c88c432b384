//! Shared addresses.

use super::{LintRule, Placed, Scope, once, text};
use crate::inventory::InvHost;
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::model::build::place_of;
use crate::model::{Group, Vip};
use crate::source::{Diagnostic, Span};
use ipnet::IpNet;
use std::net::IpAddr;

pub(super) const RULES: &[LintRule] = &[
    bad_vip,
    differing_vip,
    vip_outside,
    vip_twice,
    vip_is_host,
    vip_unheard,
    members_unheard,
    bad_node_vip,
];

const WAY_OUT: &str = "write a free address of the hosts' own network, as in `10.10.10.2/24`";

fn vip_place(scope: &Scope<'_>, group: &Group) -> Option<Span> {
    let mut members = group.members.iter();
    members.find_map(|member| {
        Some(
            scope
                .host(&member.host)?
                .vars
                .get("pg_vip_address")?
                .node
                .span,
        )
    })
}

/// Groups that have a usable VIP.
fn vips<'a>(scope: &Scope<'a>) -> impl Iterator<Item = (&'a Group, &'a Vip)> {
    scope
        .model
        .groups()
        .filter_map(|(_, group)| Some((group, group.vip.as_ref()?)))
}

/// Enabled, but no address, or the loopback that Pigsty has by default.
fn bad_vip(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let found = scope.model.groups().filter_map(|(_, group)| {
        let hosts = group
            .members
            .iter()
            .filter_map(|member| scope.host(&member.host));
        let host = hosts.into_iter().find(|host| is_bad(host))?;
        let written = text(host, "pg_vip_address");
        let place = match host.vars.contains("pg_vip_address") {
            true => place_of(host, "pg_vip_address"),
            false => place_of(host, "pg_vip_enabled"),
        };
        let message = format!("`{}` has no usable `pg_vip_address`", group.cluster);
        let why = match written.as_str() {
            "" => "needs an address".to_owned(),
            _ => format!("`{written}` is no address that could move between hosts"),
        };
        Some(
            Diagnostic::error("bad-vip", message)
                .at(place, why)
                .help(WAY_OUT),
        )
    });
    found.collect()
}

fn is_bad(host: &InvHost) -> bool {
    let written = text(host, "pg_vip_address");
    let (address, prefix) = written.split_once('/').unwrap_or((&written, "24"));
    let usable = address.parse::<IpAddr>().is_ok_and(|ip| {
        let longest = if ip.is_ipv4() { 32 } else { 128 };
        let fits = prefix.parse::<u8>().is_ok_and(|prefix| prefix <= longest);
        fits && !ip.is_loopback() && !ip.is_unspecified() && !ip.is_multicast()
    });
    Typed::new(&host.vars).get(param::PG_VIP_ENABLED) && !usable
}

fn differing_vip(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let found = scope.model.groups().filter_map(|(_, group)| {
        let hosts: Vec<_> = group
            .members
            .iter()
            .filter_map(|m| scope.host(&m.host))
            .collect();
        let (first, rest) = hosts.split_first()?;
        let vip = |host: &InvHost| (text(host, "pg_vip_address"), enabled(host));
        let odd = rest.iter().find(|host| vip(host) != vip(first))?;
        if !hosts.iter().any(|host| enabled(host)) {
            return None;
        }
        let name = if enabled(first) == enabled(odd) {
            "pg_vip_address"
        } else {
            "pg_vip_enabled"
        };
        let message = format!("the hosts of `{}` do not agree on `{name}`", group.cluster);
        Some(
            Diagnostic::error("differs-in-cluster", message)
                .at(place_of(odd, name), "differs")
                .see(place_of(first, name), format!("what `{}` has", first.name))
                .help("a cluster has one VIP, which follows its leader"),
        )
    });
    found.collect()
}

fn enabled(host: &InvHost) -> bool {
    Typed::new(&host.vars).get(param::PG_VIP_ENABLED)
}

fn vip_outside(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (group, vip) in vips(scope) {
        let Ok(network) = IpNet::new(vip.address, vip.prefix) else {
            continue;
        };
        let single = network.prefix_len() == network.max_prefix_len();
        let outside = group
            .members
            .iter()
            .find(|member| !network.contains(&member.address));
        let Some(member) = outside.filter(|_| !single) else {
            continue;
        };
        let message = format!(
            "the VIP of `{}` is not in the network of its hosts",
            group.cluster
        );
        let host = scope.host(&member.host).map(|host| host.span);
        found.push(
            Diagnostic::error("vip-outside-subnet", message)
                .at_if(
                    vip_place(scope, group),
                    format!("the network {}", network.trunc()),
                )
                .see_if(host, format!("`{}` has {}", member.name, member.address))
                .help(WAY_OUT),
        );
    }
    found
}

/// Clients of the VIP come to PostgreSQL and PgBouncer themselves, which must listen there.
fn vip_unheard(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (group, vip) in vips(scope) {
        let hosts = group.members.iter().filter_map(|m| scope.host(&m.host));
        let Some(host) = hosts.into_iter().find(|host| !hears(host, vip)) else {
            continue;
        };
        let message = format!("a member of `{}` does not listen on its VIP", group.cluster);
        found.push(
            Diagnostic::warning("vip-unheard", message)
                .at(
                    place_of(host, "pg_listen"),
                    format!("{} is not among these", vip.address),
                )
                .help("add `${vip}`, or leave `pg_listen` out to listen everywhere"),
        );
    }
    once(found)
}

/// Members of a formation come to each other's PostgreSQL: nothing would follow, and the restart that ends it would wait for that.
fn members_unheard(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let formations = scope.model.formations.iter();
    let several = formations.filter(|formation| formation.members().count() > 1);
    let members = several.flat_map(|formation| formation.members());
    let found = members.filter_map(|member| {
        let host = scope.host(&member.host)?;
        let listen = text(host, "pg_listen");
        let mut words = listen.split(',').map(str::trim);
        let here =
            |word: &str| matches!(word, "localhost" | "::1" | "${lo}") || word.starts_with("127.");
        words.all(here).then(|| {
            let message = format!(
                "`{}` listens on its own host alone: no other member reaches it",
                member.name
            );
            Diagnostic::error("loopback-listen", message)
                .at(place_of(host, "pg_listen"), "add `${ip}` here")
                .help("write `${ip},${lo}`, or leave `pg_listen` out to listen everywhere")
        })
    });
    once(found)
}

fn hears(host: &InvHost, vip: &Vip) -> bool {
    let address = vip.address.to_string();
    let all = if vip.address.is_ipv4() {
        "0.0.0.0"
    } else {
        "::"
    };
    let listen = text(host, "pg_listen");
    let mut words = listen.split(',').map(str::trim);
    words.any(|word| ["*", "${vip}", all, address.as_str()].contains(&word))
}

fn vip_twice(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let all: Vec<_> = vips(scope).collect();
    let mut found = Vec::new();
    for (at, (group, vip)) in all.iter().enumerate() {
        let earlier = all[..at]
            .iter()
            .find(|(_, other)| other.address == vip.address);
        if let Some((other, _)) = earlier {
            let message = format!(
                "`{}` and `{}` have the same VIP {}",
                other.cluster, group.cluster, vip.address
            );
            found.push(
                Diagnostic::error("duplicate-vip", message)
                    .at_if(vip_place(scope, group), "used again")
                    .see_if(vip_place(scope, other), "first here")
                    .help("each group's leader needs an address of its own"),
            );
        } else if scope
            .model
            .node_vips
            .iter()
            .any(|node| node.address == vip.address)
        {
            let message = format!(
                "{} is both a `pg_vip_address` and a `vip_address`",
                vip.address
            );
            found.push(
                Diagnostic::error("duplicate-vip", message)
                    .at_if(
                        vip_place(scope, group),
                        "vip-manager and keepalived would fight",
                    )
                    .help("use two addresses"),
            );
        }
    }
    found
}

fn vip_is_host(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let hosts: Vec<_> = scope.model.hosts().collect();
    let found = vips(scope).filter_map(|(group, vip)| {
        let host = hosts.iter().find(|host| host.address == vip.address)?;
        let message = format!("the VIP of `{}` is the address of a host", group.cluster);
        Some(
            Diagnostic::error("vip-is-host", message)
                .at_if(vip_place(scope, group), format!("`{}` has it", host.name))
                .see_if(scope.host(&host.name).map(|host| host.span), "this host")
                .help(WAY_OUT),
        )
    });
    found.collect()
}

/// `vip_enabled` needs an address without a mask and a number from 1 to 254.
fn bad_node_vip(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let hosts = scope.hosts();
    let hosts = hosts.filter(|host| Typed::new(&host.vars).get(param::VIP_ENABLED));
    let found = hosts.filter_map(|host| {
        let typed = Typed::new(&host.vars);
        let address = text(host, "vip_address").parse::<IpAddr>().is_ok();
        let vrid = typed
            .get(param::VIP_VRID)
            .is_some_and(|vrid| (1..=254).contains(&vrid));
        let name = match (address, vrid) {
            (true, true) => return None,
            (false, _) => "vip_address",
            (true, false) => "vip_vrid",
        };
        let place = if host.vars.contains(name) {
            name
        } else {
            "vip_enabled"
        };
        let message = format!("`vip_enabled` without a usable `{name}`");
        Some(
            Diagnostic::error("bad-vip", message)
                .at(place_of(host, place), "a node VIP needs both")
                .help("write `vip_address` without a mask, and a `vip_vrid` from 1 to 254"),
        )
    });
    once(found)
}
