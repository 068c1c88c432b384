//! `pg_hba.conf` as lines of patroni.yml: Pigsty's rules (v4.5), with the lines that replication and
//! Citus cannot do without.
//!
//! Differences from Pigsty, and why: the lines live in patroni.yml, so Patroni distributes and
//! reloads them; IPv6, host names and networks by name (`samenet`) are valid addresses; `cluster`
//! is the whole formation under Citus; `ssl` asked for on `localhost` is kept for its TCP lines; a
//! rule for `primary` or `replica` stands on every member that may become one, since the file does
//! not know who leads.

mod address;
mod env;
mod raw;
mod rule;

pub use rule::RuleList;

use super::objects::POOLER_ROLE;
use rule::Rule;
use serde_json::Value;
use std::net::IpAddr;

/// The map of `pg_ident.conf` by which PgBouncer's system user is let in as the role that asks.
pub const POOLER_MAP: &str = "citusctl";

/// Whom and what the placeholders of rules stand for on one host.
#[derive(Clone, Debug)]
pub struct HbaEnv {
    /// `pg_dbsu`, `pg_replication_username`, `pg_monitor_username`, `pg_admin_username`.
    pub dbsu: String,
    pub replication: String,
    pub monitor: String,
    pub admin: String,
    pub admin_ip: Option<IpAddr>,
    /// Hosts of the group `infra`.
    pub infra: Vec<IpAddr>,
    /// Members of this Patroni cluster.
    pub group: Vec<IpAddr>,
    /// Members of all groups of the formation; those of [`HbaEnv::group`] in a plain cluster.
    pub formation: Vec<IpAddr>,
    /// The database that Citus lives in, under Citus.
    pub citus_db: Option<String>,
    /// PgBouncer asks this PostgreSQL for users, as a role of its own.
    pub pooler_asks: bool,
    /// `node_firewall_intranet`: networks that `intra` stands for.
    pub intranet: Vec<String>,
    /// `pg_pwd_enc`: `scram-sha-256` or `md5`.
    pub password_method: String,
    /// `pg_role` of this host.
    pub role: String,
    pub offline_query: bool,
}

/// A rule that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rule {} of `{}`: {message}", index + 1, list.parameter())]
pub struct HbaError {
    /// The parameter that the rule stands in.
    pub list: RuleList,
    /// Its place there, from 0.
    pub index: usize,
    /// The key of the rule that is wrong, where it is one key.
    pub key: Option<&'static str>,
    pub message: String,
}

/// All lines of a host: ours for the cluster itself, then the rules by `order`, then ours that must
/// not hide a rule.
///
/// # Errors
/// Every rule that cannot be understood, not only the first.
pub fn expand(defaults: &Value, rules: &Value, env: &HbaEnv) -> Result<Vec<String>, Vec<HbaError>> {
    let mut errors = Vec::new();
    let mut parsed = Vec::new();
    for (list, rules) in [(RuleList::Default, defaults), (RuleList::User, rules)] {
        for (index, value) in rules.as_array().into_iter().flatten().enumerate() {
            match Rule::parse(list, index, value, env) {
                Ok(rule) => parsed.push(rule),
                Err(error) => errors.push(error),
            }
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    // Rules without an order come last, in the order written.
    parsed.sort_by_key(|rule| (rule.order.is_none(), rule.order));
    let mut lines = cluster_lines(env);
    lines.extend(parsed.iter().flat_map(Rule::lines));
    lines.extend(closing_lines(env));
    Ok(lines)
}

/// Without these the cluster itself does not work: Patroni, replication, pg_rewind, Citus.
fn cluster_lines(env: &HbaEnv) -> Vec<String> {
    let (dbsu, replication) = (rule::word(&env.dbsu), rule::word(&env.replication));
    let method = &env.password_method;
    let mut lines = vec![
        "# the cluster itself".to_owned(),
        format!("local all {dbsu} peer"),
        format!("local replication {dbsu} peer"),
        // Patroni asks for the timeline over a replication connection through the socket.
        format!("local replication {replication} {method}"),
    ];
    if env.pooler_asks {
        // It comes as the system user that PgBouncer runs as, and by no other way.
        lines.push(format!("local all {POOLER_ROLE} peer map={POOLER_MAP}"));
        lines.push(format!("host all {POOLER_ROLE} all reject"));
    }
    for member in sorted(&env.group) {
        let member = address::of(member);
        lines.push(format!(
            "hostssl replication {replication} {member} {method}"
        ));
        lines.push(format!("hostssl postgres {replication} {member} {method}"));
    }
    if let Some(db) = &env.citus_db {
        lines.push("# the formation: nodes connect to each other as the superuser and as the user of a query".to_owned());
        for local in ["127.0.0.1/32", "::1/128"] {
            lines.push(format!("hostssl all {dbsu} {local} {method}"));
        }
        let db = rule::word(db);
        for member in sorted(&env.formation) {
            let member = address::of(member);
            lines.push(format!("hostssl all {dbsu} {member} {method}"));
            lines.push(format!("hostssl {db} all {member} {method}"));
        }
    }
    lines
}

/// Citus connects a node to itself, through the socket, as the user of a query.
fn closing_lines(env: &HbaEnv) -> Vec<String> {
    let Some(db) = &env.citus_db else {
        return Vec::new();
    };
    vec![
        "# the formation: a node connects to itself".to_owned(),
        format!("local {} all {}", rule::word(db), env.password_method),
    ]
}

/// Stable whatever the order of the inventory: a line that moves would be a change.
fn sorted(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let mut sorted = addresses.to_vec();
    sorted.sort();
    sorted.dedup();
    sorted
}

#[cfg(test)]
mod tests;
