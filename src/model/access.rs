//! Ways into a group for clients: addresses and ports, and how to write them down.

use super::{Group, Host, Model, Service, ServiceKind};
use serde::Serialize;
use std::net::{IpAddr, SocketAddr};

/// What a client wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    ReadWrite,
    ReadOnly,
    Admin,
}

/// Through what a client comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// PostgreSQL itself: the client finds the right member.
    Members,
    /// HAProxy on any host, which leads to the right member.
    Haproxy,
    /// HAProxy to any worker: every node of Citus answers queries.
    AnyNode,
    /// The address that follows the leader.
    Vip,
    /// HAProxy behind an address that hosts share.
    HostVip,
}

/// One way in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Route {
    pub via: Via,
    pub places: Vec<SocketAddr>,
}

/// All ways into a group. In a formation the coordinator's are also those of the formation.
pub fn routes(model: &Model, group: &Group, purpose: Purpose) -> Vec<Route> {
    let members = group.members.iter();
    let members: Vec<SocketAddr> = members
        .map(|member| SocketAddr::new(member.address, member.port))
        .collect();
    let mut routes = vec![Route {
        via: Via::Members,
        places: members,
    }];
    let leads = purpose != Purpose::ReadOnly;
    let haproxy = places(model, |service| serves(service, group, purpose));
    let shared = behind_vip(model, &haproxy);
    routes.push(Route {
        via: Via::Haproxy,
        places: haproxy,
    });
    if leads && group.number == Some(0) {
        let any = |service: &Service| service.kind == ServiceKind::Any && of_scope(service, group);
        routes.push(Route {
            via: Via::AnyNode,
            places: places(model, any),
        });
    }
    let vip = group.vip.iter().filter(|_| leads);
    let port = group.members.first().map_or(5432, |member| member.port);
    routes.push(Route {
        via: Via::Vip,
        places: vip.map(|vip| SocketAddr::new(vip.address, port)).collect(),
    });
    routes.push(Route {
        via: Via::HostVip,
        places: shared,
    });
    routes.retain(|route| !route.places.is_empty());
    routes
}

/// Services of a formation carry its name.
fn of_scope(service: &Service, group: &Group) -> bool {
    service.name.starts_with(&format!("{}-", group.scope))
}

/// Whether a service leads to the group for a purpose. The coordinator's own service is on every host of the formation.
fn serves(service: &Service, group: &Group, purpose: Purpose) -> bool {
    let coordinator = service.kind == ServiceKind::Coordinator && of_scope(service, group);
    if group.number == Some(0) && purpose == Purpose::ReadWrite {
        return coordinator;
    }
    let name = match purpose {
        Purpose::ReadWrite => "primary",
        Purpose::ReadOnly => "replica",
        Purpose::Admin => "default",
    };
    service.kind == ServiceKind::Cluster && service.name == format!("{}-{name}", group.cluster)
}

fn places(model: &Model, wanted: impl Fn(&Service) -> bool) -> Vec<SocketAddr> {
    let each = |host: &Host| {
        let service = host.services.iter().find(|service| wanted(service))?;
        Some(SocketAddr::new(host.address, service.port))
    };
    model.hosts().filter_map(each).collect()
}

/// Shared addresses of the hosts that serve, with the port that they serve on.
fn behind_vip(model: &Model, places: &[SocketAddr]) -> Vec<SocketAddr> {
    let shared = model.node_vips.iter().filter_map(|vip| {
        let addresses: Vec<IpAddr> = vip
            .hosts
            .iter()
            .filter_map(|name| Some(model.hosts.get(name)?.address))
            .collect();
        let place = places
            .iter()
            .find(|place| addresses.contains(&place.ip()))?;
        Some(SocketAddr::new(vip.address, place.port()))
    });
    shared.collect()
}

/// One connection, to be written down.
#[derive(Clone, Debug)]
pub struct Address<'a> {
    pub route: &'a Route,
    pub purpose: Purpose,
    pub user: &'a str,
    /// As it is to be shown.
    pub password: Option<&'a str>,
    pub database: &'a str,
    /// File with the authority's certificate.
    pub ca_file: &'a str,
}

impl Address<'_> {
    /// Whether the client chooses among members by what they are.
    fn chooses(&self) -> bool {
        self.route.via == Via::Members
    }

    /// As libpq takes it (PostgreSQL 14 and later for `prefer-standby`).
    pub fn libpq(&self) -> String {
        let who = match self.password {
            Some(password) => format!("{}:{}", encoded(self.user), encoded(password)),
            None => encoded(self.user),
        };
        let mut url = format!(
            "postgresql://{who}@{}/{}?sslmode=verify-full&sslrootcert={}",
            self.hosts(),
            encoded(self.database),
            path(self.ca_file)
        );
        if self.chooses() {
            let attributes = match self.purpose {
                Purpose::ReadWrite | Purpose::Admin => "read-write",
                Purpose::ReadOnly => "prefer-standby",
            };
            url.push_str(&format!("&target_session_attrs={attributes}"));
        }
        url
    }

    /// As the JDBC driver takes it.
    pub fn jdbc(&self) -> String {
        let mut url = format!(
            "jdbc:postgresql://{}/{}?user={}",
            self.hosts(),
            encoded(self.database),
            encoded(self.user)
        );
        if let Some(password) = self.password {
            url.push_str(&format!("&password={}", encoded(password)));
        }
        url.push_str(&format!(
            "&sslmode=verify-full&sslrootcert={}",
            path(self.ca_file)
        ));
        if self.chooses() {
            let kind = match self.purpose {
                Purpose::ReadWrite | Purpose::Admin => "primary",
                Purpose::ReadOnly => "preferSecondary",
            };
            url.push_str(&format!("&targetServerType={kind}"));
        }
        url
    }

    fn hosts(&self) -> String {
        let places = self.route.places.iter().map(ToString::to_string);
        places.collect::<Vec<_>>().join(",")
    }
}

/// Percent-encoded, except for what is plain everywhere. A masked password stays readable.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'*' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A path stays readable.
fn path(text: &str) -> String {
    encoded(text).replace("%2F", "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(via: Via, places: &[&str]) -> Route {
        let places = places.iter().map(|place| place.parse().unwrap()).collect();
        Route { via, places }
    }

    #[test]
    fn urls_hold_every_character() {
        let route = route(Via::Members, &["10.1.1.1:5432", "[fd00::2]:5432"]);
        let address = Address {
            route: &route,
            purpose: Purpose::ReadOnly,
            user: "a b",
            password: Some("p@ss:w/#ö"),
            database: "d?b",
            ca_file: "/x y/ca.crt",
        };
        assert_eq!(
            address.libpq(),
            "postgresql://a%20b:p%40ss%3Aw%2F%23%C3%B6@10.1.1.1:5432,[fd00::2]:5432/d%3Fb\
             ?sslmode=verify-full&sslrootcert=/x%20y/ca.crt&target_session_attrs=prefer-standby"
        );
        assert!(address.jdbc().starts_with(
            "jdbc:postgresql://10.1.1.1:5432,[fd00::2]:5432/d%3Fb?user=a%20b&password=p%40ss"
        ));
        assert!(
            address
                .jdbc()
                .ends_with("&targetServerType=preferSecondary")
        );
    }

    #[test]
    fn behind_haproxy_there_is_nothing_to_choose() {
        let route = route(Via::Haproxy, &["10.1.1.1:5433"]);
        let address = Address {
            route: &route,
            purpose: Purpose::ReadWrite,
            user: "a",
            password: None,
            database: "d",
            ca_file: "/ca",
        };
        assert_eq!(
            address.libpq(),
            "postgresql://a@10.1.1.1:5433/d?sslmode=verify-full&sslrootcert=/ca"
        );
    }
}
