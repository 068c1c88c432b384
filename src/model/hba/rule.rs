//! One rule: the alias form (`user`, `db`, `addr`, `auth`) or raw lines (`rules`).

use super::address::{Peer, peers};
use super::{HbaEnv, HbaError, raw};
use serde_json::Value;

/// Where a rule was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleList {
    Default,
    User,
}

impl RuleList {
    /// The parameter's name.
    pub fn parameter(self) -> &'static str {
        match self {
            Self::Default => "pg_default_hba_rules",
            Self::User => "pg_hba_rules",
        }
    }
}

/// A rule, expanded for one host.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) order: Option<i64>,
    title: Option<String>,
    /// Whether it is about this host's role.
    active: bool,
    body: Vec<String>,
}

/// How somebody proves who they are, and over what.
struct Auth {
    /// The first column of TCP lines.
    tcp: &'static str,
    /// Method over TCP, `None` where there is none.
    over_tcp: Option<String>,
    /// Method over the socket, `None` where there is none.
    over_socket: Option<String>,
}

/// A key that is wrong, and why.
type Wrong = (Option<&'static str>, String);

impl Rule {
    pub(super) fn parse(
        list: RuleList,
        index: usize,
        value: &Value,
        env: &HbaEnv,
    ) -> Result<Self, HbaError> {
        Self::read(value, env).map_err(|(key, message)| HbaError {
            list,
            index,
            key,
            message,
        })
    }

    fn read(value: &Value, env: &HbaEnv) -> Result<Self, Wrong> {
        if !value.is_object() {
            return Err((
                None,
                "a rule is a mapping with `addr` or `rules`".to_owned(),
            ));
        }
        let order = match value.get("order") {
            None | Some(Value::Null) => None,
            Some(order) => Some(
                order
                    .as_i64()
                    .ok_or_else(|| (Some("order"), "`order` is a whole number".to_owned()))?,
            ),
        };
        let body = match (value.get("rules"), value.get("addr")) {
            (Some(raw), _) => raw_lines(raw)?,
            (None, Some(_)) => alias_lines(value, env)?,
            (None, None) => return Err((None, "it has neither `addr` nor `rules`".to_owned())),
        };
        Ok(Self {
            order,
            title: text(value, "title")?,
            active: active(value, env)?,
            body,
        })
    }

    /// Rules for other roles stay out: a commented line would only look like one. A rule for nobody
    /// (`infra` where there is none) leaves no title behind.
    pub(super) fn lines(&self) -> Vec<String> {
        if !self.active || self.body.is_empty() {
            return Vec::new();
        }
        let title = self
            .title
            .iter()
            .map(|title| format!("# {}", title.replace(['\n', '\r'], " ")));
        title.chain(self.body.iter().cloned()).collect()
    }
}

/// A word of `pg_hba.conf`, quoted where it would mean something else.
pub(super) fn word(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-$.".contains(c);
    let keyword = ["all", "replication", "sameuser", "samerole", "samegroup"].contains(&name);
    if !name.is_empty() && name.chars().all(plain) && !keyword {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn text(value: &Value, key: &'static str) -> Result<Option<String>, Wrong> {
    match value.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
            Err((Some(key), format!("`{key}` is a text")))
        }
    }
}

/// A text, or a list of texts: `pg_hba.conf` separates them by commas.
fn words(value: &Value, key: &'static str) -> Result<String, Wrong> {
    let joined = match value.get(key) {
        Some(Value::Array(items)) => {
            let items: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            items
                .ok_or_else(|| (Some(key), format!("`{key}` is a list of texts")))?
                .join(",")
        }
        None | Some(_) => text(value, key)?.unwrap_or_else(|| "all".to_owned()),
    };
    match joined.chars().any(|c| c.is_whitespace() || c == '#') && !joined.contains('"') {
        true => Err((
            Some(key),
            format!("`{joined}` holds a space or `#`: put it in double quotes"),
        )),
        false if joined.contains(['\n', '\r']) => {
            Err((Some(key), "it holds a line break".to_owned()))
        }
        false => Ok(joined),
    }
}

fn raw_lines(raw: &Value) -> Result<Vec<String>, Wrong> {
    let wrong = || {
        (
            Some("rules"),
            "`rules` is a list of lines of `pg_hba.conf`".to_owned(),
        )
    };
    let lines = match raw {
        Value::String(text) => text.lines().map(str::to_owned).collect(),
        Value::Array(items) => {
            let one = |item: &Value| item.as_str().map(str::to_owned).ok_or_else(wrong);
            items.iter().map(one).collect::<Result<Vec<_>, _>>()?
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return Err(wrong()),
    };
    if lines.iter().any(|line| line.contains(['\n', '\r'])) {
        return Err(wrong());
    }
    match lines
        .iter()
        .find_map(|line| Some((line, raw::fault(line)?)))
    {
        Some((line, why)) => Err((Some("rules"), format!("`{line}`: {why}"))),
        None => Ok(lines),
    }
}

fn alias_lines(value: &Value, env: &HbaEnv) -> Result<Vec<String>, Wrong> {
    let addr = text(value, "addr")?.unwrap_or_default();
    let peers = peers(&addr, env).map_err(|why| (Some("addr"), why))?;
    let method = text(value, "auth")?.unwrap_or_else(|| "pwd".to_owned());
    let auth = auth(&method, env).map_err(|why| (Some("auth"), why))?;
    let (user, db) = (users(&words(value, "user")?, env)?, words(value, "db")?);
    let line = |peer: &Peer| match (peer, &auth.over_socket, &auth.over_tcp) {
        (Peer::Socket, Some(how), _) => Some(format!("local {db} {user} {how}")),
        (Peer::Net(net), _, Some(how)) => Some(format!("{} {db} {user} {net} {how}", auth.tcp)),
        (Peer::Socket, None, _) | (Peer::Net(_), _, None) => None,
    };
    let lines: Vec<String> = peers.iter().filter_map(line).collect();
    match lines.is_empty() && !peers.is_empty() {
        true => Err((
            Some("auth"),
            format!("`{method}` does not work from `{addr}`"),
        )),
        false => Ok(lines),
    }
}

/// Each word that is a placeholder becomes the user's name.
fn users(text: &str, env: &HbaEnv) -> Result<String, Wrong> {
    let one = |name: &str| match name {
        "${dbsu}" => Ok(word(&env.dbsu)),
        "${repl}" => Ok(word(&env.replication)),
        "${monitor}" => Ok(word(&env.monitor)),
        "${admin}" => Ok(word(&env.admin)),
        other if other.starts_with("${") => {
            let known = "`${dbsu}`, `${repl}`, `${monitor}`, `${admin}`";
            Err((
                Some("user"),
                format!("`{other}` is unknown: there are {known}"),
            ))
        }
        other => Ok(other.to_owned()),
    };
    let names: Result<Vec<String>, Wrong> = text.split(',').map(one).collect();
    Ok(names?.join(","))
}

fn auth(method: &str, env: &HbaEnv) -> Result<Auth, String> {
    let both = |tcp, how: &str| Auth {
        tcp,
        over_tcp: Some(how.to_owned()),
        over_socket: Some(how.to_owned()),
    };
    let password = env.password_method.as_str();
    Ok(match method {
        "pwd" => both("host", password),
        "deny" | "reject" => both("host", "reject"),
        "trust" => both("host", "trust"),
        "md5" => both("host", "md5"),
        "sha" | "scram-sha-256" => both("host", "scram-sha-256"),
        "ssl" => both("hostssl", password),
        "ssl-md5" => both("hostssl", "md5"),
        "ssl-sha" => both("hostssl", "scram-sha-256"),
        "cert" => Auth {
            over_socket: None,
            ..both("hostssl", "cert")
        },
        "os" | "ident" => Auth {
            over_socket: Some("peer".to_owned()),
            ..both("host", "ident")
        },
        "peer" => Auth {
            over_tcp: None,
            ..both("host", "peer")
        },
        _ => {
            return Err(format!(
                "`{method}` is no authentication: there are `pwd`, `ssl`, `cert`, `os`, `peer`, `sha`, `md5`, \
                 `ssl-sha`, `ssl-md5`, `trust`, `deny`"
            ));
        }
    })
}

fn active(value: &Value, env: &HbaEnv) -> Result<bool, Wrong> {
    let role = text(value, "role")?.unwrap_or_else(|| "common".to_owned());
    let may_lead = ["primary", "replica"].contains(&env.role.as_str());
    match role.as_str() {
        "default" | "common" => Ok(true),
        "primary" | "replica" => Ok(may_lead),
        "offline" => Ok(env.role == "offline" || env.offline_query),
        "standby" | "delayed" => Ok(env.role == role),
        _ => Err((
            Some("role"),
            format!(
                "`{role}` is no role: there are `common`, `primary`, `replica`, `offline`, `standby`, `delayed`"
            ),
        )),
    }
}
