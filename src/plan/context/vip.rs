//! Addresses that a host may hold: that of its group's leader, and the one that HAProxy hosts share.

use super::Builder;
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::model::build::clusters;
use crate::model::{NodeVip, Vip};
use crate::secret::Secret;
use crate::template::secret;
use serde_json::{Value, json};

impl Builder<'_> {
    pub(super) fn vip(&self, typed: &Typed<'_>) -> Value {
        let group = self.input.model.group_on(&self.host.name);
        // The address is the group's, the interface each host's own.
        let own = clusters::vip(typed);
        let leader = group
            .and_then(|(_, group)| group.vip.as_ref())
            .map(|vip| Vip {
                interface: own.and_then(|own| own.interface),
                ..vip.clone()
            });
        let node = self.input.model.vips_of(&self.host.name).next();
        json!({ "leader": leader, "node": node.map(|vip| self.node_vip(typed, vip)) })
    }

    fn node_vip(&self, typed: &Typed<'_>, vip: &NodeVip) -> Value {
        let peers: Vec<String> = vip
            .hosts
            .iter()
            .filter(|name| **name != self.host.name)
            .filter_map(|name| Some(self.input.model.hosts.get(name)?.address.to_string()))
            .collect();
        let interface = typed.get(param::VIP_INTERFACE);
        let master = typed.get(param::VIP_ROLE).eq_ignore_ascii_case("master");
        json!({
            "name": format!("vip_{}", vip.address.to_string().replace(['.', ':'], "_")),
            "address": vip.address.to_string(),
            "prefix": if vip.address.is_ipv4() { 32 } else { 128 },
            "vrid": vip.vrid,
            "peers": peers,
            "priority": if master { 128 } else { 100 },
            "preempt": typed.get(param::VIP_PREEMPT),
            "interface": if interface == "auto" { "" } else { &interface },
            "auth": auth(&typed.get(param::VIP_AUTH_PASS)),
            // A host without HAProxy has nothing else to look at than itself.
            "track": self.host.haproxy,
        })
    }
}

/// The password is eight characters that go over the network in clear, so there is none where none is wanted: what keeps strangers
/// out is that adverts are taken from the named peers alone.
fn auth(given: &Secret) -> Value {
    match given.is_empty() {
        true => Value::Null,
        false => secret(given),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_made_up_for_vrrp() {
        assert_eq!(auth(&Secret::new("")), Value::Null);
        assert_ne!(auth(&Secret::new("given")), Value::Null);
    }
}
