//! Paths and addresses.

use super::refuse;
use minijinja::{Environment, Error};
use std::net::IpAddr;

pub(super) fn register(env: &mut Environment<'static>) {
    env.add_filter("basename", |path: &str| {
        path.rsplit('/').next().unwrap_or("").to_owned()
    });
    env.add_filter("dirname", dirname);
    env.add_filter("splitext", splitext);
    env.add_filter("ipaddr", ipaddr);
    env.add_filter("ipwrap", ipwrap);
}

fn dirname(path: &str) -> String {
    match path.rsplit_once('/') {
        Some(("", _)) => "/".to_owned(),
        Some((directory, _)) => directory.to_owned(),
        None => String::new(),
    }
}

fn splitext(path: &str) -> Vec<String> {
    let start = path.rfind('/').map_or(0, |at| at + 1);
    match path[start..].rfind('.') {
        Some(at) if at > 0 => {
            let (stem, extension) = path.split_at(start + at);
            vec![stem.to_owned(), extension.to_owned()]
        }
        Some(_) | None => vec![path.to_owned(), String::new()],
    }
}

/// The part of an address or network that is asked for.
fn ipaddr(text: &str, part: Option<&str>) -> Result<String, Error> {
    let bad = || refuse(format!("`{text}` is not an address or a network"));
    let address: Option<IpAddr> = text.parse().ok();
    let network: ipnet::IpNet = match address {
        Some(address) => address.into(),
        None => text.parse().map_err(|_| bad())?,
    };
    Ok(match part.unwrap_or("") {
        "" => text.to_owned(),
        "address" => network.addr().to_string(),
        "prefix" => network.prefix_len().to_string(),
        "netmask" => network.netmask().to_string(),
        "network" => network.network().to_string(),
        "broadcast" => network.broadcast().to_string(),
        "subnet" => network.trunc().to_string(),
        other => return Err(refuse(format!("`ipaddr` does not know `{other}`"))),
    })
}

/// An address as it stands before `:port`: IPv6 in brackets, all else as it is.
fn ipwrap(text: &str) -> String {
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V6(_)) => format!("[{text}]"),
        Ok(IpAddr::V4(_)) | Err(_) => text.to_owned(),
    }
}
