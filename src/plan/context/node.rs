//! The part of a context that every host has: names of its neighbours, packages.

use super::Builder;
use super::pg::texts;
use crate::inventory::param;
use crate::inventory::parameters::{self, Module, Typed};
use crate::model::Host;
use serde_json::{Value, json};

impl Builder<'_> {
    /// Lines of /etc/hosts: this host, or all of them with `nodename_exchange`, and the static records.
    pub(super) fn node(&self, typed: &Typed<'_>) -> Value {
        let all = typed.get(param::NODENAME_EXCHANGE) || self.host.pg.is_some();
        let hosts = self
            .input
            .model
            .hosts()
            .filter(|host| all || host.name == self.host.name);
        let row = |host: &Host| {
            let mut names = vec![host.nodename.clone()];
            names.extend(host.pg.as_ref().map(|pg| pg.name.to_string()));
            names.dedup();
            json!({ "address": host.address.to_string(), "names": names })
        };
        let mut extra = Vec::new();
        for list in ["node_default_etc_hosts", "node_etc_hosts"] {
            if let Value::Array(items) = self.expanded(typed.json(list)) {
                extra.extend(items);
            }
        }
        let named = self.named(typed).of_hosts();
        let packages = |list: &str| named.all(texts(&typed.json(list)).iter().map(String::as_str));
        json!({
            "hosts": hosts.map(row).collect::<Vec<_>>(),
            "extra_hosts": extra,
            "repos": self.repos(typed),
            "default_packages": packages("node_default_packages"),
            "packages": packages("node_packages"),
        })
    }
}

/// What the host keeps of an instance and of a member of etcd, as lines.
pub(super) fn kept(typed: &Typed<'_>) -> Value {
    let lines = |module| -> String {
        let values = parameters::kept(typed, module);
        let lines = values
            .iter()
            .map(|(name, value)| format!("{name} {value}\n"));
        lines.collect()
    };
    json!({ "pgsql": lines(Module::Pgsql), "etcd": lines(Module::Etcd) })
}
