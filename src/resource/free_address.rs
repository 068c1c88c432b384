//! An address that is to be ours must not be somebody else's.

use super::{ResourceKind, Verdict, digest_of};
use crate::command::given;
use crate::fact::{Observed, Probe};
use serde::Deserialize;
use std::net::IpAddr;

/// `free_address: {address, unless}`: looks whether somebody answers for an address of the host's network. A host alone
/// cannot tell a stranger from another host of the inventory, which may hold the address rightly: all of them are
/// compared before anything is planned (see [`FreeAddress::read`]).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FreeAddress {
    pub address: IpAddr,
    /// A path that proves that this host takes part in holding it already.
    pub unless: String,
}

/// What a host found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answering {
    /// This host takes part in holding it, or holds it.
    Ours,
    /// Another machine answers, by its hardware address.
    Other(String),
    Nobody,
}

impl FreeAddress {
    /// What that host found about an address; `None`: it was not asked.
    pub fn read(address: IpAddr, seen: &Observed) -> Option<Answering> {
        let said = seen.scripts.get(&name(address))?.trim();
        Some(match said {
            "" => Answering::Nobody,
            "ours" => Answering::Ours,
            other => Answering::Other(other.to_owned()),
        })
    }
}

fn name(address: IpAddr) -> String {
    format!("address-{address}")
}

impl ResourceKind for FreeAddress {
    /// A datagram makes the kernel ask who has the address, once what it remembers of it is gone: that may be a host that gave it
    /// up. Half a second is long for a neighbour.
    fn probes(&self) -> Vec<Probe> {
        let address = self.address.to_string();
        let values = [("ADDRESS", address.as_str()), ("UNLESS", &self.unless)];
        let text = given(&values, include_str!("scripts/free-address.sh"));
        let name = name(self.address);
        vec![Probe::Script { name, text }]
    }

    fn diff(&self, _seen: &Observed) -> Verdict {
        Verdict::same("nobody else answers for the address")
    }

    fn digest(&self) -> String {
        digest_of(&[&self.address.to_string()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_told_from_silence() {
        let address: IpAddr = "10.10.10.99".parse().unwrap();
        let found = |said: &str| {
            let scripts = [(name(address), said.to_owned())];
            let seen = Observed {
                scripts: scripts.into(),
                ..Observed::default()
            };
            FreeAddress::read(address, &seen)
        };
        assert_eq!(found("\n"), Some(Answering::Nobody));
        assert_eq!(found("ours\n"), Some(Answering::Ours));
        let other = Answering::Other("aa:bb:cc:00:11:22".to_owned());
        assert_eq!(found("aa:bb:cc:00:11:22\n"), Some(other));
        assert_eq!(FreeAddress::read(address, &Observed::default()), None);
    }
}
