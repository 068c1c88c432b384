//! What the contexts of all hosts have in common, made once: the names of the hosts, etcd's users, the certificate of
//! etcd's root. Every host's copy of them would cost the square of the hosts.

use super::backup::{ServedGroup, served};
use super::{Builder, ContextInput, ContextNotes, etcd_password};
use crate::inventory::parameters::{self, Typed};
use crate::model::Host;
use crate::model::guard::{homes, seats};
use crate::names::HostName;
use crate::pki::PkiError;
use crate::secret::Secret;
use crate::template::{Shared, secret};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use time::Duration;

/// Values that many contexts share.
#[derive(Debug, Default)]
pub(super) struct InCommon {
    hosts: OnceLock<Shared>,
    users: OnceLock<(Shared, Vec<Secret>)>,
    root_tls: Mutex<BTreeMap<Duration, Shared>>,
    parameters: Mutex<Parameters>,
    served: OnceLock<BTreeMap<HostName, Vec<ServedGroup>>>,
}

/// Values of parameters by name and by where they were written; `None` is each host's own.
type Parameters = HashMap<(&'static str, Option<usize>), Option<Shared>>;

impl InCommon {
    /// The names of all hosts, for /etc/hosts.
    pub(super) fn hosts(&self, input: &ContextInput<'_>) -> &Shared {
        self.hosts
            .get_or_init(|| Shared::from(&input.model.hosts().map(names).collect::<Value>()))
    }

    /// What repository hosts serve.
    pub(super) fn served(&self, input: &ContextInput<'_>) -> &BTreeMap<HostName, Vec<ServedGroup>> {
        self.served.get_or_init(|| served(input.model))
    }

    /// One etcd user for each formation, with the prefix that is its own.
    pub(super) fn users(&self, input: &ContextInput<'_>) -> &Shared {
        &self.users.get_or_init(|| users(input)).0
    }

    /// The passwords of etcd's users.
    pub(super) fn secrets(&self) -> &[Secret] {
        self.users.get().map_or(&[], |(_, secrets)| secrets)
    }

    /// All parameters by Pigsty's names, `${...}` expanded. What hosts have from one place, as a group's value or a default,
    /// they share.
    pub(super) fn vars(&self, host: &Builder<'_>, typed: &Typed<'_>) -> Shared {
        let stated = &host.host.stated.vars;
        let mut known = self
            .parameters
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let catalog = parameters::all().map(|param| {
            let node = stated
                .get(param.name)
                .map(|var| Arc::as_ptr(&var.node).addr());
            let shared = known.entry((param.name, node)).or_insert_with(|| {
                let value = typed.json(param.name);
                (!is_open(&value)).then(|| Shared::from(&value))
            });
            let own = || Shared::from(&host.expanded(typed.json(param.name)));
            (param.name.to_owned(), shared.clone().unwrap_or_else(own))
        });
        let others = stated
            .iter()
            .filter(|(name, _)| parameters::lookup(name).is_none())
            .map(|(name, var)| {
                let value = host.expanded(var.node.to_json());
                (name.to_owned(), Shared::from(&value))
            });
        catalog.chain(others).collect()
    }

    /// The certificate of etcd's root; all that differs between hosts is how long it lasts.
    pub(super) fn root_tls(
        &self,
        builder: &Builder<'_>,
        told: &mut ContextNotes,
    ) -> Result<Shared, PkiError> {
        let mut made = self.root_tls.lock().unwrap_or_else(PoisonError::into_inner);
        let lifetime = builder.lifetime();
        if let Some(known) = made.get(&lifetime) {
            return Ok(known.clone());
        }
        let pair = Shared::from(&builder.etcd_root(told)?);
        made.insert(lifetime, pair.clone());
        Ok(pair)
    }
}

/// Whether a placeholder stands in a value: it may mean something else on each host.
fn is_open(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("${"),
        Value::Array(items) => items.iter().any(is_open),
        Value::Object(map) => map.values().any(is_open),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A line of /etc/hosts.
pub(super) fn names(host: &Host) -> Value {
    let mut names = vec![host.nodename.clone()];
    names.extend(host.pg.as_ref().map(|pg| pg.name.to_string()));
    names.dedup();
    json!({ "address": host.address.to_string(), "names": names })
}

fn users(input: &ContextInput<'_>) -> (Shared, Vec<Secret>) {
    let mut secrets = Vec::new();
    let users = input.model.formations.iter().filter_map(|formation| {
        let member = formation.members().next()?;
        let host = input.model.hosts.get(&member.host)?;
        let password = etcd_password(&host.typed(), formation.name.as_str());
        let prefix = format!(
            "{}/{}/",
            formation.namespace.trim_end_matches('/'),
            formation.name
        );
        let user = json!({
            "name": formation.name,
            "password": secret(&password),
            "prefix": prefix,
            "seats": seats(formation),
            "members": homes(formation),
        });
        secrets.push(password);
        Some(user)
    });
    let users = Shared::from(&users.collect::<Value>());
    (users, secrets)
}
