//! What a lab is made of.

use super::error::LabError;
use crate::names::HostName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// One machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabHost {
    /// What the inventory and the lab's commands call it.
    pub name: HostName,
    /// Its address on the lab's network: the inventory's.
    pub address: IpAddr,
    /// What the machine calls itself at first boot.
    pub hostname: String,
}

/// A release of Debian.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Suite {
    #[default]
    Debian13,
    Debian12,
}

impl Suite {
    /// The name in the archive.
    pub fn codename(self) -> &'static str {
        match self {
            Self::Debian13 => "trixie",
            Self::Debian12 => "bookworm",
        }
    }

    /// The major version of PostgreSQL that the release packages.
    pub fn postgresql(self) -> u32 {
        match self {
            Self::Debian13 => 17,
            Self::Debian12 => 15,
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Debian13 => "debian13",
            Self::Debian12 => "debian12",
        })
    }
}

impl FromStr for Suite {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "debian13" | "trixie" => Ok(Self::Debian13),
            "debian12" | "bookworm" => Ok(Self::Debian12),
            _ => Err(format!("`{text}` is neither debian13 nor debian12")),
        }
    }
}

/// What is installed before the first boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Image {
    /// A minimal system with sshd.
    Base,
    /// The base and the packages of the database stack, none of them configured or enabled.
    #[default]
    Baked,
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Base => "base",
            Self::Baked => "baked",
        })
    }
}

impl FromStr for Image {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "base" => Ok(Self::Base),
            "baked" => Ok(Self::Baked),
            _ => Err(format!("`{text}` is neither base nor baked")),
        }
    }
}

/// Where the Citus extension comes from. Debian does not package it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CitusSource {
    #[default]
    None,
    /// Catalog tables and node functions under the name `citus`, for tests: nothing is distributed.
    StandIn,
    /// A directory of `.deb` files, or a file tree that is laid over the image.
    Files(PathBuf),
}

impl fmt::Display for CitusSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("no Citus"),
            Self::StandIn => f.write_str("a STAND-IN for Citus (nothing is distributed)"),
            Self::Files(path) => write!(f, "Citus from {}", path.display()),
        }
    }
}

impl FromStr for CitusSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            "stand-in" => Ok(Self::StandIn),
            _ if text.contains('/') || text == "." => Ok(Self::Files(PathBuf::from(text))),
            _ => Err(format!(
                "`{text}` is neither `none`, `stand-in` nor a path with a `/`"
            )),
        }
    }
}

/// A lab to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabSpec {
    /// Unique on this computer: `a-z`, `0-9`, `-`.
    pub name: String,
    pub hosts: Vec<LabHost>,
    #[serde(default)]
    pub suite: Suite,
    #[serde(default)]
    pub image: Image,
    #[serde(default)]
    pub citus: CitusSource,
    /// Length of the network prefix of IPv4 hosts, in bits. IPv6 hosts always have 64.
    pub prefix_len: u8,
    /// Addresses that belong to no host but are not free (VIPs).
    #[serde(default)]
    pub reserved: Vec<IpAddr>,
}

impl LabSpec {
    /// Length of an IPv4 prefix unless said otherwise, in bits.
    pub const PREFIX_LEN: u8 = 24;
    /// Longest name of a lab: it is part of a machine name, which has 64 characters at most.
    const LONGEST_NAME: usize = 24;

    /// A baked lab of the newest suite without Citus.
    pub fn new(name: impl Into<String>, hosts: Vec<LabHost>) -> Self {
        Self {
            name: name.into(),
            hosts,
            suite: Suite::default(),
            image: Image::default(),
            citus: CitusSource::default(),
            prefix_len: Self::PREFIX_LEN,
            reserved: Vec::new(),
        }
    }

    /// Whether a lab can be made of it.
    ///
    /// # Errors
    /// Names that cannot name a directory or a machine, addresses that cannot be on a bridge, addresses used twice.
    pub fn validate(&self) -> Result<(), LabError> {
        check_name(&self.name)?;
        if self.hosts.is_empty() {
            return Err(bad_host(&self.name, "a lab needs a host"));
        }
        if !(8..=30).contains(&self.prefix_len) {
            return Err(bad_host(
                &self.name,
                "the prefix length must be from 8 to 30",
            ));
        }
        let mut names = BTreeMap::new();
        let mut addresses = BTreeMap::new();
        for host in &self.hosts {
            check_host(host)?;
            if names.insert(host.name.as_str(), ()).is_some() {
                return Err(bad_host(host.name.as_str(), "is there twice"));
            }
            if let Some(first) = addresses.insert(host.address, host.name.to_string()) {
                let second = host.name.to_string();
                return Err(LabError::SameAddress {
                    first,
                    second,
                    address: host.address,
                });
            }
        }
        Ok(())
    }
}

/// Whether a lab can have this name (it names directories and namespaces).
pub(super) fn check_name(name: &str) -> Result<(), LabError> {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let fits = !name.is_empty() && name.len() <= LabSpec::LONGEST_NAME;
    if fits && name.chars().all(word) && !name.starts_with('-') && !name.ends_with('-') {
        Ok(())
    } else {
        Err(LabError::BadName {
            name: name.to_owned(),
        })
    }
}

fn bad_host(host: &str, problem: &str) -> LabError {
    LabError::BadHost {
        host: host.to_owned(),
        problem: problem.to_owned(),
    }
}

fn check_host(host: &LabHost) -> Result<(), LabError> {
    let name = host.name.as_str();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    if name.is_empty() || name.starts_with('.') || name.starts_with('-') || !name.chars().all(plain)
    {
        return Err(bad_host(name, "this name cannot name a directory"));
    }
    let hostname = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if host.hostname.is_empty()
        || host.hostname.len() > 63
        || host.hostname.starts_with(['-', '.'])
        || !host.hostname.chars().all(hostname)
    {
        return Err(bad_host(
            name,
            &format!("`{}` is no host name", host.hostname),
        ));
    }
    let address = host.address;
    if address.is_loopback() || address.is_unspecified() || address.is_multicast() {
        return Err(bad_host(
            name,
            &format!("`{address}` cannot be the address of a lab host"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str, address: &str) -> LabHost {
        LabHost {
            name: name.into(),
            address: address.parse().unwrap(),
            hostname: name.into(),
        }
    }

    #[test]
    fn refuses_what_cannot_be_a_lab() {
        let ok = LabSpec::new("demo", vec![host("a", "10.0.0.1"), host("b", "10.0.0.2")]);
        assert!(ok.validate().is_ok());
        for name in ["", "Demo", "-x", "a/b", "a_b", "0123456789012345678901234"] {
            assert!(
                LabSpec::new(name, ok.hosts.clone()).validate().is_err(),
                "{name}"
            );
        }
        let hosts = [
            vec![],
            vec![host("a", "127.0.0.1")],
            vec![host("a", "10.0.0.1"), host("b", "10.0.0.1")],
            vec![host("a", "10.0.0.1"), host("a", "10.0.0.2")],
            vec![host("../a", "10.0.0.1")],
            vec![host("a b", "10.0.0.1")],
        ];
        for hosts in hosts {
            assert!(
                LabSpec::new("demo", hosts.clone()).validate().is_err(),
                "{hosts:?}"
            );
        }
    }

    #[test]
    fn reads_what_the_command_line_offers() {
        assert_eq!("trixie".parse(), Ok(Suite::Debian13));
        assert_eq!("stand-in".parse(), Ok(CitusSource::StandIn));
        assert_eq!("./debs".parse(), Ok(CitusSource::Files("./debs".into())));
        assert!("citus".parse::<CitusSource>().is_err());
    }
}
