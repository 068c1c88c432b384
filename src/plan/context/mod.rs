//! What templates and roles see of a host: the model's values, all parameters with their defaults, and what was
//! computed for it. Templates print; everything that needs thought has been thought here or in the model.

mod backup;
mod bootstrap;
mod node;
mod objects;
mod pg;
mod pooler;
mod repos;
mod secrets;
mod shared;
mod vip;

pub use pooler::is_pooled;

use crate::fact::Traits;
use crate::inventory::param;
use crate::inventory::parameters::{self, Typed};
use crate::inventory::{Inventory, expand};
use crate::model::compat::{self, Compat};
use crate::model::{Facts, Host, Model, Os};
use crate::names::HostName;
use crate::pki::{Ca, LeafRequest, PkiError, Usage};
use crate::secret::{Masker, Secret};
use crate::source::Diagnostics;
use crate::template::{Context, secret};
use semver::Version;
use serde_json::{Map, Value, json};
use shared::InCommon;
use std::collections::BTreeMap;
use time::{Duration, OffsetDateTime};

/// What contexts are made of.
#[derive(Debug)]
pub struct ContextInput<'a> {
    pub inventory: &'a Inventory,
    pub model: &'a Model,
    pub ca: &'a Ca,
    pub now: OffsetDateTime,
    /// What was seen of each host; empty offline.
    pub traits: &'a BTreeMap<HostName, Traits>,
    /// Installed versions of Patroni, as the package manager says them.
    pub patroni: &'a BTreeMap<HostName, String>,
}

/// The contexts of hosts, one at a time: all of them at once would not fit into memory.
#[derive(Debug)]
pub struct Contexts<'a> {
    pub(super) input: &'a ContextInput<'a>,
    common: InCommon,
}

/// What was said while a context was made.
#[derive(Debug, Default)]
pub struct ContextNotes {
    pub diagnostics: Diagnostics,
    /// Secrets that the inventory does not hold itself: keys, lines of PgBouncer's list.
    pub secrets: Vec<Secret>,
    /// Certificates that were made or made anew, and why.
    pub issued: Vec<String>,
}

impl<'a> Contexts<'a> {
    /// Of these hosts.
    pub fn new(input: &'a ContextInput<'a>) -> Self {
        Self {
            input,
            common: InCommon::default(),
        }
    }

    /// Whether groups keep their backups on a host.
    pub fn keeps_backups(&self, host: &HostName) -> bool {
        self.common.served(self.input).contains_key(host)
    }

    /// Makes the context of a host.
    ///
    /// # Errors
    /// A certificate that cannot be read, made or kept.
    pub fn of(&self, host: &Host) -> Result<(Context, ContextNotes), PkiError> {
        let mut told = ContextNotes::default();
        let builder = Builder {
            input: self.input,
            common: &self.common,
            host,
        };
        let context = builder.build(&mut told)?;
        Ok((context, told))
    }

    /// What hides all secrets of the inventory, and those of the contexts that were made.
    pub fn masker(&self) -> Masker {
        let mut masker = Masker::among(parameters::names_of(self.input.inventory));
        secrets::hide(self.input.inventory, &mut masker);
        let users = self.common.secrets().iter().cloned();
        users.for_each(|secret| masker.add(secret));
        masker
    }
}

struct Builder<'a> {
    input: &'a ContextInput<'a>,
    common: &'a InCommon,
    host: &'a Host,
}

impl Builder<'_> {
    fn build(&self, told: &mut ContextNotes) -> Result<Context, PkiError> {
        let typed = self.host.typed();
        let mut context = Map::new();
        context.insert("vars".to_owned(), Value::Null);
        context.insert("kept".to_owned(), node::kept(&typed));
        context.insert("host".to_owned(), self.host_json());
        context.insert("node".to_owned(), self.node(&typed));
        context.insert("etcd".to_owned(), self.etcd(&typed, told)?);
        context.insert("services".to_owned(), self.services());
        context.insert("haproxy".to_owned(), haproxy(&typed, self.host));
        context.insert("ca".to_owned(), json!({ "cert": self.input.ca.cert_pem() }));
        context.insert("pg".to_owned(), self.pg(&typed, told)?);
        context.insert("pgbouncer".to_owned(), self.pgbouncer(&typed, told));
        context.insert("vip".to_owned(), self.vip(&typed));
        context.insert("repository".to_owned(), self.repository(told)?);
        let mut context = Context::from(&Value::Object(context));
        context.put(&["vars"], &self.common.vars(self, &typed));
        self.share(&typed, &mut context, told)?;
        Ok(context)
    }

    /// What many hosts have in common.
    fn share(
        &self,
        typed: &Typed<'_>,
        context: &mut Context,
        told: &mut ContextNotes,
    ) -> Result<(), PkiError> {
        if self.knows_all(typed) {
            context.put(&["node", "hosts"], self.common.hosts(self.input));
        }
        if self.input.model.etcd.is_some() {
            context.put(&["etcd", "users"], self.common.users(self.input));
            let root = self.common.root_tls(self, told)?;
            context.put(&["etcd", "root_tls"], &root);
        }
        Ok(())
    }

    fn expanded(&self, value: Value) -> Value {
        match value {
            Value::String(text) if text.contains("${") => {
                Value::from(expand(&text, &|name| self.placeholder(name)))
            }
            Value::Array(items) => items.into_iter().map(|item| self.expanded(item)).collect(),
            Value::Object(map) => map
                .into_iter()
                .map(|(key, value)| (key, self.expanded(value)))
                .collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
        }
    }

    fn placeholder(&self, name: &str) -> Option<String> {
        match name {
            "admin_ip" => self.input.model.admin_ip.map(|ip| ip.to_string()),
            "pg_cluster" => self.host.pg.as_ref().map(|pg| pg.cluster.to_string()),
            _ => None,
        }
    }

    fn facts(&self) -> Facts {
        facts(self.input.traits.get(&self.host.name), &self.host.facts)
    }

    fn host_json(&self) -> Value {
        let mut json = serde_json::to_value(self.host).unwrap_or_default();
        if let Value::Object(map) = &mut json {
            map.insert(
                "facts".to_owned(),
                serde_json::to_value(self.facts()).unwrap_or_default(),
            );
        }
        json
    }

    fn leaf(
        &self,
        name: &str,
        cn: &str,
        sans: &[String],
        told: &mut ContextNotes,
    ) -> Result<Value, PkiError> {
        let request = LeafRequest {
            name: name.to_owned(),
            common_name: cn.to_owned(),
            sans: sans.to_vec(),
            usage: Usage::Both,
            lifetime: self.lifetime(),
        };
        self.pair(&request, told)
    }

    /// A certificate that etcd takes for root's: the way in when it does not know the inventory's password for it.
    fn etcd_root(&self, told: &mut ContextNotes) -> Result<Value, PkiError> {
        let request = LeafRequest {
            name: "etcd-root".to_owned(),
            common_name: "root".to_owned(),
            sans: Vec::new(),
            usage: Usage::Client,
            lifetime: self.lifetime(),
        };
        self.pair(&request, told)
    }

    fn pair(&self, request: &LeafRequest, told: &mut ContextNotes) -> Result<Value, PkiError> {
        let leaf = self.input.ca.leaf(request, self.input.now)?;
        if let Some(reason) = &leaf.reissued {
            told.issued
                .push(format!("certificate of {}: {reason}", request.name));
        }
        told.secrets.push(leaf.key_pem.clone());
        Ok(
            json!({ "cert": leaf.cert_pem, "key": secret(&leaf.key_pem), "not_after": leaf.not_after.unix_timestamp() }),
        )
    }

    fn lifetime(&self) -> Duration {
        let text = self.host.typed().get(param::CERT_VALIDITY);
        lifetime(&text).unwrap_or(Duration::days(825))
    }

    fn etcd(&self, typed: &Typed<'_>, told: &mut ContextNotes) -> Result<Value, PkiError> {
        let Some(etcd) = &self.input.model.etcd else {
            return Ok(Value::Null);
        };
        let mut json = serde_json::to_value(etcd).unwrap_or_default();
        let Value::Object(map) = &mut json else {
            return Ok(json);
        };
        let root = typed.get(param::ETCD_ROOT_PASSWORD);
        map.insert("endpoints".to_owned(), json!(etcd.endpoints()));
        map.insert("initial_cluster".to_owned(), json!(etcd.initial_cluster()));
        map.insert("root_password".to_owned(), secret(&root));
        map.insert("users".to_owned(), Value::Null);
        map.insert("root_tls".to_owned(), Value::Null);
        map.insert("cert_dir".to_owned(), json!("/etc/etcd"));
        map.insert("data_dir".to_owned(), json!(typed.get(param::ETCD_DATA)));
        map.insert(
            "initial_state".to_owned(),
            json!(typed.get(param::ETCD_INIT)),
        );
        map.insert(
            "heartbeat_interval".to_owned(),
            json!(typed.get(param::ETCD_HEARTBEAT_INTERVAL)),
        );
        map.insert(
            "election_timeout".to_owned(),
            json!(typed.get(param::ETCD_ELECTION_TIMEOUT)),
        );
        if let Some(member) = &self.host.etcd {
            let mut me = serde_json::to_value(member).unwrap_or_default();
            if let Value::Object(me) = &mut me {
                me.insert(
                    "tls".to_owned(),
                    self.leaf(&member.name, "", &member.sans, told)?,
                );
            }
            map.insert("member".to_owned(), me);
        }
        Ok(json)
    }

    fn services(&self) -> Value {
        serde_json::to_value(&self.host.services).unwrap_or_default()
    }

    fn instance_version(&self, host: &HostName) -> Version {
        patroni_version(self.input, host)
    }
}

/// A lifetime in days, or with one of the catalogue's units.
fn lifetime(text: &str) -> Option<Duration> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let days = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "d" => 1.0,
        "y" => 365.0,
        "w" => 7.0,
        "h" => 1.0 / 24.0,
        "m" | "min" => 1.0 / 1440.0,
        "s" | "sec" => 1.0 / 86_400.0,
        _ => return None,
    };
    let seconds = number.parse::<f64>().ok()? * days * 86_400.0;
    (seconds > 0.0).then(|| Duration::seconds_f64(seconds))
}

/// Facts as seen, else as stated or assumed.
pub fn facts(seen: Option<&Traits>, stated: &Facts) -> Facts {
    let Some(seen) = seen else {
        return stated.clone();
    };
    if stated.stated {
        return stated.clone();
    }
    Facts {
        cpu: seen.cpus,
        mem_mb: seen.mem_mb,
        disk_gb: seen.disk_gb,
        os: Os::from_release(&seen.os_id, &seen.os_version).unwrap_or(stated.os),
        stated: false,
    }
}

/// The version of Patroni to render for: the installed one, else the stated one, else the distribution's.
fn patroni_version(input: &ContextInput<'_>, host: &HostName) -> Version {
    let installed = input
        .patroni
        .get(host)
        .and_then(|text| compat::version(text));
    let stated = || {
        let known = input.model.hosts.get(host)?;
        compat::version(&known.typed().get(param::PATRONI_VERSION)?)
    };
    let distribution = || {
        let known = input.model.hosts.get(host)?;
        let os = facts(input.traits.get(host), &known.facts).os;
        Compat::shipped()
            .distributions
            .get(&os)
            .map(|distribution| distribution.patroni.clone())
    };
    installed
        .or_else(stated)
        .or_else(distribution)
        .unwrap_or(Version::new(4, 0, 7))
}

/// The password of a formation's etcd user: as given, else derived, so that nobody's name is a password.
fn etcd_password(typed: &Typed<'_>, scope: &str) -> Secret {
    let given = typed.get(param::PG_ETCD_PASSWORD);
    if !given.is_empty() {
        return given;
    }
    let root = typed.get(param::ETCD_ROOT_PASSWORD);
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, root.expose().as_bytes());
    let tag = ring::hmac::sign(&key, format!("etcd user {scope}").as_bytes());
    Secret::new(
        tag.as_ref()[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>(),
    )
}

fn haproxy(typed: &Typed<'_>, host: &Host) -> Value {
    json!({
        // `*` is IPv4 alone.
        "stats_bind": if host.address.is_ipv6() { "[::]" } else { "*" },
        "stats_port": typed.get(param::HAPROXY_EXPORTER_PORT),
        "auth": typed.get(param::HAPROXY_AUTH_ENABLED),
        "page_remote": typed.get(param::HAPROXY_PAGE_REMOTE),
        "ca_file": "/etc/haproxy/ca.crt",
        "admin_username": typed.get(param::HAPROXY_ADMIN_USERNAME),
        "admin_password": secret(&typed.get(param::HAPROXY_ADMIN_PASSWORD)),
        "client_timeout": typed.get(param::HAPROXY_CLIENT_TIMEOUT),
        "server_timeout": typed.get(param::HAPROXY_SERVER_TIMEOUT),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_have_units() {
        for (text, days) in [
            ("7300d", 7300.0),
            ("365", 365.0),
            ("2y", 730.0),
            ("36h", 1.5),
            ("4 w", 28.0),
        ] {
            assert_eq!(
                lifetime(text),
                Some(Duration::seconds_f64(days * 86_400.0)),
                "{text}"
            );
        }
        for text in ["", "0d", "soon", "9us"] {
            assert_eq!(lifetime(text), None, "{text}");
        }
    }
}
