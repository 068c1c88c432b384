//! Whom an HBA rule is about: aliases, addresses, networks, host names.

use super::HbaEnv;
use ipnet::IpNet;
use std::net::IpAddr;

/// One end that a line may stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// The Unix socket.
    Socket,
    /// An address column as PostgreSQL reads it.
    Net(String),
}

/// An address with a mask, as `pg_hba.conf` wants it.
pub(super) fn of(address: IpAddr) -> String {
    IpNet::from(address).to_string()
}

/// All that an `addr` of a rule stands for.
pub(super) fn peers(addr: &str, env: &HbaEnv) -> Result<Vec<Peer>, String> {
    let net = |text: &str| Peer::Net(text.to_owned());
    let each = |addresses: &[IpAddr]| {
        super::sorted(addresses)
            .into_iter()
            .map(|ip| Peer::Net(of(ip)))
            .collect()
    };
    Ok(match addr {
        "local" => vec![Peer::Socket],
        "localhost" => vec![Peer::Socket, net("127.0.0.1/32"), net("::1/128")],
        "admin" => match env.admin_ip {
            Some(ip) => vec![Peer::Net(of(ip))],
            None => return Err("`admin` stands for `admin_ip`, which is not set".to_owned()),
        },
        "infra" => each(&env.infra),
        "cluster" => each(&env.formation),
        "intra" | "intranet" => networks(&env.intranet)?,
        "world" | "all" => vec![net("0.0.0.0/0"), net("::/0")],
        "samehost" | "samenet" => vec![net(addr)],
        other => vec![Peer::Net(literal(other)?)],
    })
}

fn networks(list: &[String]) -> Result<Vec<Peer>, String> {
    list.iter()
        .map(|text| Ok(Peer::Net(literal(text)?)))
        .collect()
}

/// A network, an address, or a host name (`.example.com` is every host of a domain).
fn literal(text: &str) -> Result<String, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(of(address));
    }
    if let Ok(network) = text.parse::<IpNet>() {
        return Ok(network.trunc().to_string());
    }
    if is_host_name(text) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "`{text}` is no address: use an address, a network, a host name, or one of `local`, `localhost`, \
         `admin`, `infra`, `cluster`, `intra`, `world`, `samenet`"
    ))
}

/// All-numeric names are addresses with a mistake in them.
fn is_host_name(text: &str) -> bool {
    let name = text.strip_prefix('.').unwrap_or(text);
    let valid = |label: &str| {
        !label.is_empty()
            && label
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    name.split('.').all(valid) && name.chars().any(|c| c.is_ascii_alphabetic())
}
