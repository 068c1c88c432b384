//! Servers that have to reach each other, and cannot by what the inventory says.

use super::{LintRule, Scope};
use crate::model::{Formation, Group, Instance};
use crate::source::Diagnostic;
use std::net::IpAddr;

pub(super) const RULES: &[LintRule] = &[families, outside];

/// A member reaches the others by their addresses, and they let it in by its own: with two families it comes from an
/// address that no rule knows.
fn families(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let formations = scope.model.formations.iter();
    formations
        .filter_map(|formation| mixed(scope, formation))
        .collect()
}

fn mixed(scope: &Scope<'_>, formation: &Formation) -> Option<Diagnostic> {
    let members: Vec<&Instance> = formation.members().collect();
    let of = |family: fn(&IpAddr) -> bool| members.iter().find(|member| family(&member.address));
    let (four, six) = (of(IpAddr::is_ipv4)?, of(IpAddr::is_ipv6)?);
    let message = format!(
        "`{}` has members with IPv4 and with IPv6 addresses: `{}` would reach `{}` from an address that `pg_hba.conf` does not know",
        formation.name, six.name, four.name
    );
    let host = |member: &Instance| scope.host(&member.host).map(|host| host.span);
    let problem = Diagnostic::error("mixed-families", message).at(host(six)?, "an IPv6 address");
    let problem = problem.see(host(four)?, "an IPv4 address");
    Some(problem.help("give all members of a formation addresses of one family (`ansible_host`)"))
}

/// A standby cluster of a server that this inventory does not make: nothing here can look whether it may be followed.
fn outside(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let groups = scope.model.groups().map(|(_, group)| group);
    groups.filter_map(|group| stranger(scope, group)).collect()
}

fn stranger(scope: &Scope<'_>, group: &Group) -> Option<Diagnostic> {
    let standby = group.standby.as_ref()?;
    let is_ours = |address: &str| {
        let mut hosts = scope.model.hosts.values();
        hosts.any(|host| host.address.to_string() == address)
    };
    if standby.host.split(',').all(is_ours) {
        return None;
    }
    let primary = group.primary()?;
    let message = format!(
        "`{}` follows `{}`, which this inventory does not set up",
        group.cluster, standby.host
    );
    let problem = Diagnostic::warning("upstream-outside", message).at(
        scope.place(primary, "pg_upstream")?,
        "what it must have is not looked at",
    );
    Some(problem.help(format!(
        "it must show a certificate for `{}` by the authority of this inventory (`.citusctl/NAME/pki/ca.crt`) and let `pg_replication_username` in with \
         `pg_replication_password`: a server with another authority's certificate is never followed",
        standby.host
    )))
}
