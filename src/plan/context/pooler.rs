//! What PgBouncer is told: users, databases, rules. All of it comes from the inventory, so that it is the same on every
//! member whoever leads.
//!
//! `userlist.txt` holds passwords and not verifiers made from them: PgBouncer logs in to PostgreSQL with what it has,
//! and a verifier serves for that only where PostgreSQL stores the very same one. Where the inventory gives a
//! verifier, that is so. The file is the superuser's alone, as patroni.yml with its passwords is.

use super::pg::texts;
use super::{Builder, ContextNotes};
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::model::Instance;
use crate::model::hba::{self, HbaEnv, RuleList};
use crate::model::objects::{self, POOLER_ROLE, Scene, SystemUsers};
use crate::names::InstanceName;
use crate::names::words::is_plain;
use crate::secret::Secret;
use crate::source::{Diagnostic, Span};
use crate::template::secret;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

impl Builder<'_> {
    pub(super) fn pgbouncer(&self, typed: &Typed<'_>, told: &mut ContextNotes) -> Value {
        let off = json!({ "enabled": false });
        let (Some(instance), Some(_)) = (&self.host.pg, self.input.model.group_on(&self.host.name))
        else {
            return off;
        };
        if !typed.get(param::PGBOUNCER_ENABLED) {
            return off;
        }
        let users = SystemUsers::read(typed);
        json!({
            "enabled": true,
            "port": typed.get(param::PGBOUNCER_PORT),
            "listen": self.listen(typed, instance),
            "log_dir": typed.get(param::PGBOUNCER_LOG_DIR),
            "auth_query": typed.get(param::PGBOUNCER_AUTH_QUERY),
            "auth_user": POOLER_ROLE,
            "sslmode": typed.get(param::PGBOUNCER_SSLMODE),
            "pool_mode": typed.get(param::PGBOUNCER_POOLMODE),
            "ignore": texts(&typed.get(param::PGBOUNCER_IGNORE_PARAM)),
            "server_sslmode": self.server_sslmode(&typed.get(param::PGBOUNCER_REDIRECT_TO).unwrap_or_default()),
            "admins": [&users.dbsu, &users.admin],
            "stats_users": [&users.dbsu, &users.monitor],
            "databases": databases(typed, instance),
            "user_options": user_options(typed, &users),
            "userlist": self.userlist(typed, &users, told),
            "hba": self.pooler_hba(typed, instance, told),
        })
    }

    /// `pg_listen` with its placeholders filled in.
    pub(super) fn listen(&self, typed: &Typed<'_>, instance: &Instance) -> String {
        let listen = typed.get(param::PG_LISTEN);
        let address = instance.address.to_string();
        let vip = self
            .input
            .model
            .group_on(&self.host.name)
            .and_then(|(_, group)| group.vip.as_ref());
        let listen = crate::inventory::expand(&listen, &|name| match name {
            "ip" => Some(address.clone()),
            "lo" => Some("127.0.0.1".to_owned()),
            "vip" => Some(vip.map_or_else(|| address.clone(), |vip| vip.address.to_string())),
            _ => None,
        });
        let mut words: Vec<&str> = listen.split(',').map(str::trim).collect();
        // All of IPv4 is Pigsty's default, and its word for everywhere: a host of IPv6 is reached over that.
        if instance.address.is_ipv6() && words.contains(&"0.0.0.0") && !words.contains(&"::") {
            words.push("::");
        }
        words.join(",")
    }

    /// TLS to PostgreSQL: the socket of the same host needs none, one of ours shows our certificate, and of a stranger
    /// it is not known who signed his.
    fn server_sslmode(&self, redirect: &str) -> &'static str {
        match redirect {
            "" => "prefer",
            _ if self.input.model.has_instance_at(redirect) => "verify-full",
            _ => "require",
        }
    }

    /// One line for each user: the system's, and those marked `pgbouncer: true`.
    fn userlist(&self, typed: &Typed<'_>, users: &SystemUsers, told: &mut ContextNotes) -> Value {
        let wanted = pooled_users(typed, users);
        let roles = objects::roles(&Scene::new(&self.host.stated, self.input.now)).found;
        let mut passwords: BTreeMap<&str, &str> = roles
            .iter()
            .filter(|role| !role.absent && role.login && wanted.contains(&role.name))
            .map(|role| (role.name.as_str(), role.password.as_deref().unwrap_or("")))
            .collect();
        // It comes through the socket as its own system user; with an empty password nobody else can.
        passwords.insert(&users.dbsu, "");
        if objects::pooler_asks(typed) {
            passwords.insert(POOLER_ROLE, "");
        }
        let line = |(name, password): (&&str, &&str)| {
            let line = Secret::new(format!("{} {}", quoted(name), quoted(password)));
            told.secrets.push(Secret::new(quoted(password)));
            secret(&line)
        };
        passwords.iter().map(line).collect()
    }

    fn pooler_hba(
        &self,
        typed: &Typed<'_>,
        instance: &Instance,
        told: &mut ContextNotes,
    ) -> Vec<String> {
        let Some((formation, group)) = self.input.model.group_on(&self.host.name) else {
            return Vec::new();
        };
        let env = HbaEnv {
            // PgBouncer's file needs none of the lines that Citus does.
            citus_db: None,
            ..HbaEnv::of(self.input.model, typed, instance, formation, group)
        };
        // The lines that replication needs come first, always: they are not for PgBouncer.
        let own = hba::expand(&json!([]), &json!([]), &env).map_or(0, |lines| lines.len());
        let rules = (
            typed.get(param::PGB_DEFAULT_HBA_RULES),
            typed.get(param::PGB_HBA_RULES),
        );
        match hba::expand(&rules.0, &rules.1, &env) {
            Ok(lines) => {
                let lines: Vec<String> = lines.into_iter().skip(own).map(peer).collect();
                for line in lines.iter().filter(|line| !understood(line)) {
                    told.diagnostics.push(not_understood(typed, line));
                }
                lines
            }
            Err(errors) => {
                for error in &errors {
                    let list = match error.list {
                        RuleList::Default => "pgb_default_hba_rules",
                        RuleList::User => "pgb_hba_rules",
                    };
                    let problem = hba_problem(&instance.name, error, typed.place(list));
                    told.diagnostics
                        .push(problem.help(format!("it stands in `{list}`")));
                }
                Vec::new()
            }
        }
    }
}

/// A text as PgBouncer's files quote it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A value of a connection string.
fn value(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The entries of the lists of users, by name.
fn user_entries(typed: &Typed<'_>, users: &SystemUsers) -> Vec<(String, Value)> {
    let lists = ["pg_default_roles", "pg_users"].map(|list| typed.json(list));
    let items = lists.into_iter().flat_map(|list| match list {
        Value::Array(items) => items,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Vec::new()
        }
    });
    items
        .filter_map(|item| Some((system_name(item.get("name")?.as_str()?, users), item)))
        .collect()
}

/// A name with Pigsty's placeholders for the system's users.
fn system_name(name: &str, users: &SystemUsers) -> String {
    match name {
        "${dbsu}" => users.dbsu.clone(),
        "${repl}" => users.replication.clone(),
        "${monitor}" => users.monitor.clone(),
        "${admin}" => users.admin.clone(),
        other => other.to_owned(),
    }
}

/// Whether PgBouncer lets a role in: it is in its list, or is looked up.
pub fn is_pooled(typed: &Typed<'_>, role: &str) -> bool {
    typed.get(param::PGBOUNCER_AUTH_QUERY)
        || pooled_users(typed, &SystemUsers::read(typed)).contains(role)
}

fn pooled_users(typed: &Typed<'_>, users: &SystemUsers) -> BTreeSet<String> {
    let marked = user_entries(typed, users)
        .into_iter()
        .filter(|(_, entry)| entry.get("pgbouncer").and_then(Value::as_bool) == Some(true));
    let system = [&users.admin, &users.monitor].map(String::clone);
    marked.map(|(name, _)| name).chain(system).collect()
}

/// `NAME = pool_mode=... max_user_connections=...`: few slow sessions for the system's own users, as in Pigsty.
fn user_options(typed: &Typed<'_>, users: &SystemUsers) -> Vec<String> {
    let mut options: BTreeMap<String, (Option<String>, Option<i64>)> = BTreeMap::new();
    let session = || Some("session".to_owned());
    options.insert(users.admin.clone(), (session(), Some(16)));
    options.insert(users.monitor.clone(), (session(), Some(8)));
    for (name, entry) in user_entries(typed, users) {
        let mode = entry.get("pool_mode").and_then(Value::as_str);
        let limit = entry.get("pool_connlimit").and_then(Value::as_i64);
        if (mode.is_some() || limit.is_some()) && is_plain(&name) {
            options.insert(name, (mode.map(str::to_owned), limit.filter(|n| *n >= 0)));
        }
    }
    let line = |(name, (mode, limit)): (&String, &(Option<String>, Option<i64>))| {
        let mode = mode.iter().map(|mode| format!(" pool_mode={mode}"));
        let limit = limit.iter().map(|n| format!(" max_user_connections={n}"));
        let rest: String = mode.chain(limit).collect();
        format!("{name} ={rest}")
    };
    options
        .iter()
        .map(line)
        .filter(|line| !line.ends_with('='))
        .collect()
}

/// The databases of the inventory, but those marked `pgbouncer: false`, and the one the formation lives in.
fn databases(typed: &Typed<'_>, instance: &Instance) -> Vec<String> {
    let redirect = typed
        .get(param::PGBOUNCER_REDIRECT_TO)
        .filter(|host| !host.is_empty());
    let host = redirect.unwrap_or_else(|| typed.get(param::PG_LOCALHOST));
    let to = format!("host={host} port={}", instance.port);
    let line = |(name, entry): (String, Option<Value>)| {
        let pool = entry.as_ref().map(pool).unwrap_or_default();
        format!("{name} = {to}{pool}")
    };
    pooled_databases(typed).into_iter().map(line).collect()
}

/// Names of the databases that PgBouncer serves.
pub(super) fn served(typed: &Typed<'_>) -> Vec<String> {
    pooled_databases(typed).into_keys().collect()
}

/// With their entries, where they have one.
fn pooled_databases(typed: &Typed<'_>) -> BTreeMap<String, Option<Value>> {
    let mut found = BTreeMap::from([(typed.get(param::PG_PRIMARY_DB), None)]);
    let list = typed.get(param::PG_DATABASES);
    for entry in list.as_array().into_iter().flatten() {
        let Some(name) = entry.get("name").and_then(Value::as_str) else {
            continue;
        };
        let flag = |key: &str, text: &str| entry.get(key).and_then(Value::as_str) == Some(text);
        let pooled = entry.get("pgbouncer").and_then(Value::as_bool) != Some(false);
        if !is_plain(name) {
            continue;
        }
        match pooled && !flag("state", "absent") {
            true => drop(found.insert(name.to_owned(), Some(entry.clone()))),
            false => drop(found.remove(name)),
        };
    }
    found
}

/// Options of one database's pool, under PgBouncer's names.
fn pool(entry: &Value) -> String {
    let names = [
        ("pool_auth_user", "auth_user"),
        ("pool_mode", "pool_mode"),
        ("pool_size", "pool_size"),
        ("pool_size_min", "min_pool_size"),
        ("pool_reserve", "reserve_pool"),
        ("pool_connlimit", "max_db_connections"),
    ];
    let option = |(ours, theirs): (&str, &str)| match entry.get(ours)? {
        Value::String(text) => Some(format!(" {theirs}={}", value(text))),
        Value::Number(number) => Some(format!(" {theirs}={number}")),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    names.into_iter().filter_map(option).collect()
}

/// PgBouncer knows `ident` as `peer`, over the socket.
fn peer(line: String) -> String {
    match line.strip_suffix(" ident") {
        Some(rest) if line.starts_with("local ") => format!("{rest} peer"),
        Some(_) | None => line,
    }
}

/// Whether PgBouncer reads a line: no roles with `+`, no host names, no replication.
fn understood(line: &str) -> bool {
    if line.trim().is_empty() || line.trim_start().starts_with('#') || line.contains('"') {
        return true;
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let (Some(kind), Some(db), Some(user)) = (words.first(), words.get(1), words.get(2)) else {
        return false;
    };
    let address = words.get(3).copied().unwrap_or_default();
    let net =
        address.parse::<ipnet::IpNet>().is_ok() || address.parse::<std::net::IpAddr>().is_ok();
    !user.starts_with('+') && *db != "replication" && (*kind == "local" || net || address == "all")
}

fn not_understood(typed: &Typed<'_>, line: &str) -> Diagnostic {
    let message = format!("PgBouncer cannot read this rule: `{line}`");
    let problem = Diagnostic::error("bad-pgbouncer-rule", message)
        .help("its rules know users by name, addresses and networks; no `+role`, host names or replication");
    match typed
        .span(param::PGB_HBA_RULES)
        .or(typed.span(param::PGB_DEFAULT_HBA_RULES))
    {
        Some(span) => problem.at(span, "in this list"),
        None => problem,
    }
}

/// A rule that cannot be read, at its list.
pub(super) fn hba_problem(
    name: &InstanceName,
    error: &hba::HbaError,
    span: Option<Span>,
) -> Diagnostic {
    let diagnostic = Diagnostic::error("bad-hba-rule", format!("{name}: {error}"));
    match span {
        Some(span) => diagnostic.at(span, "in this list"),
        None => diagnostic,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_all_sorts_stay_one_word() {
        assert_eq!(quoted("a\"b\\c #:%$ é'"), "\"a\"\"b\\c #:%$ é'\"");
    }

    #[test]
    fn rules_that_pgbouncer_cannot_read_are_known() {
        assert!(understood("host all all 10.0.0.0/8 scram-sha-256"));
        assert!(understood("local pgbouncer postgres peer"));
        assert!(understood("# title") && understood("") && !understood("host all"));
        assert!(!understood(
            "host all +dbrole_readonly 10.0.0.0/8 scram-sha-256"
        ));
        assert!(!understood("host all all db.example.com scram-sha-256"));
        assert_eq!(
            peer("local all postgres ident".into()),
            "local all postgres peer"
        );
    }

    #[test]
    fn a_database_has_its_own_pool() {
        let entry =
            json!({"name": "x", "pool_size": 5, "pool_mode": "session", "pool_auth_user": "o'b"});
        assert_eq!(
            pool(&entry),
            " auth_user='o''b' pool_mode='session' pool_size=5"
        );
    }
}
