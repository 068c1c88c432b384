//! The part of a context that every host has: names of its neighbours, packages.

use super::Builder;
use super::pg::texts;
use super::shared::names;
use crate::inventory::param;
use crate::inventory::parameters::{self, Module, Typed};
use crate::model::backup;
use serde_json::{Value, json};

impl Builder<'_> {
    /// Whether the host knows all others by name.
    pub(super) fn knows_all(&self, typed: &Typed<'_>) -> bool {
        typed.get(param::NODENAME_EXCHANGE) || self.host.pg.is_some()
    }

    /// Lines of /etc/hosts: this host, or all of them with `nodename_exchange` (filled in later), and the static records.
    pub(super) fn node(&self, typed: &Typed<'_>) -> Value {
        let hosts = match self.knows_all(typed) {
            true => Value::Null,
            false => json!([names(self.host)]),
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
            "hosts": hosts,
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
    let repository = match backup::kept(typed).as_str() {
        "" => String::new(),
        line => format!("{} {line}\n", backup::KEPT),
    };
    json!({ "pgsql": lines(Module::Pgsql) + &repository, "etcd": lines(Module::Etcd) })
}
