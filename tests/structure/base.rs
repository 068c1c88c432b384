//! An inventory that uses whatever can be written into a file, and the places for texts in it.

use citusctl::inventory::parameters::{self, Field, ParamKind, Support};
use serde_json::{Map, Value, json};

/// One host with everything switched on.
pub fn inventory() -> Value {
    json!({ "all": { "children": {
        "etcd": { "hosts": { "10.10.10.11": { "etcd_seq": 1 } } },
        "pg-test": { "hosts": { "10.10.10.11": { "pg_seq": 1, "pg_role": "primary" } }, "vars": vars() },
    } } })
}

fn vars() -> Value {
    serde_json::from_str(VARS).unwrap()
}

const VARS: &str = r#"{
 "pg_cluster": "pg-test",
 "admin_ip": "10.10.10.10",
 "pg_etcd_password": "s3cret",
 "pg_dbsu_password": "x",
 "vip_auth_pass": "x",
 "pg_version": 17,
 "node_crontab": [
  "0 1 * * * root true"
 ],
 "pg_crontab": [
  "0 1 * * * true"
 ],
 "node_sysctl_params": {
  "vm.max_map_count": "1"
 },
 "node_kernel_modules": [
  "softdog"
 ],
 "node_admin_pk_list": [
  "ssh-ed25519 AAAA me"
 ],
 "node_admin_username": "dba",
 "node_aliases": {
  "ll": "ls -l"
 },
 "node_timezone": "Europe/Paris",
 "node_ntp_enabled": true,
 "node_ntp_servers": [
  "pool pool.example iburst"
 ],
 "node_dns_method": "overwrite",
 "node_dns_servers": [
  "10.0.0.2"
 ],
 "node_dns_options": [
  "options timeout:1"
 ],
 "node_repos": [
  {
   "name": "pgdg",
   "line": "deb https://a.example x main",
   "key": "/usr/share/keyrings/a.gpg"
  }
 ],
 "node_repo_modules": "node",
 "repo_upstream": [
  {
   "name": "base",
   "module": "node",
   "releases": [
    12,
    13
   ],
   "arch": [
    "x86_64"
   ],
   "baseurl": {
    "default": "https://a.example x main"
   }
  }
 ],
 "pg_dbsu_sudo": "limit",
 "pg_parameters": {
  "work_mem": "4MB"
 },
 "pg_vip_enabled": true,
 "pg_vip_address": "10.10.10.2/24",
 "pg_vip_interface": "eth0",
 "vip_enabled": true,
 "vip_address": "10.10.10.3",
 "vip_vrid": 77,
 "vip_interface": "eth0",
 "pgbouncer_auth_query": true,
 "pgbouncer_ignore_param": [
  "search_path"
 ],
 "pg_users": [
  {
   "name": "app",
   "password": "x",
   "pgbouncer": true,
   "pool_mode": "session",
   "roles": [
    "dbrole_readonly"
   ],
   "comment": "c",
   "parameters": {
    "work_mem": "4MB"
   },
   "expire_at": "2030-01-01"
  }
 ],
 "pg_databases": [
  {
   "name": "app",
   "owner": "app",
   "pool_auth_user": "app",
   "pool_mode": "session",
   "comment": "c",
   "schemas": [
    "s"
   ],
   "extensions": [
    "citext"
   ],
   "parameters": {
    "work_mem": "4MB"
   }
  }
 ],
 "pg_services": [
  {
   "name": "more",
   "port": 5555,
   "ip": "*",
   "selector": "[]",
   "check": "/primary",
   "balance": "roundrobin",
   "options": "inter 1s"
  }
 ],
 "pg_hba_rules": [
  {
   "title": "t",
   "user": "app",
   "db": "app",
   "addr": "10.0.0.0/8",
   "auth": "pwd"
  }
 ],
 "pgb_hba_rules": [
  {
   "title": "t",
   "user": "app",
   "db": "app",
   "addr": "10.0.0.0/8",
   "auth": "pwd"
  }
 ],
 "haproxy_services": [
  {
   "name": "web",
   "port": 8080,
   "ip": "*",
   "balance": "roundrobin",
   "default": "inter 1s",
   "options": [
    "option tcplog"
   ],
   "servers": [
    {
     "name": "one",
     "ip": "10.10.10.11",
     "port": 80,
     "options": "check"
    }
   ]
  }
 ]
}"#;

/// A place for a text: a parameter, and a way into its value.
pub struct Spot {
    parameter: &'static str,
    way: Vec<Step>,
}

#[derive(Clone)]
enum Step {
    /// The first item of a list.
    First,
    /// A key of a mapping.
    Key(&'static str),
    /// The key itself, with a plain value.
    Name,
}

impl Spot {
    /// Whether an inventory has a value there already.
    pub fn is_set(&self, inventory: &Value) -> bool {
        let vars = &inventory["all"]["children"]["pg-test"]["vars"];
        let mut at = vars.get(self.parameter);
        for step in &self.way {
            at = at.and_then(|value| match step {
                Step::First => value.get(0),
                Step::Key(key) => value.get(*key),
                Step::Name => value.as_object()?.values().next(),
            });
        }
        at.is_some_and(|value| !value.is_null())
    }
}

impl std::fmt::Display for Spot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.parameter)?;
        for step in &self.way {
            match step {
                Step::First => f.write_str("[0]")?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Name => f.write_str(" (name)")?,
            }
        }
        Ok(())
    }
}

impl Spot {
    /// Puts a text there; what is beside it stays.
    pub fn put(&self, inventory: &mut Value, text: &str) {
        let vars = &mut inventory["all"]["children"]["pg-test"]["vars"];
        let old = vars.get(self.parameter).cloned().unwrap_or(Value::Null);
        vars[self.parameter] = put(old, &self.way, text);
    }
}

fn put(old: Value, way: &[Step], text: &str) -> Value {
    let Some((step, rest)) = way.split_first() else {
        return json!(text);
    };
    match step {
        Step::First => {
            let mut items = old.as_array().cloned().unwrap_or_default();
            let first = items.first().cloned().unwrap_or(Value::Null);
            let new = put(first, rest, text);
            match items.first_mut() {
                Some(item) => *item = new,
                None => items.push(new),
            }
            Value::Array(items)
        }
        Step::Key(key) => {
            let mut map = old.as_object().cloned().unwrap_or_default();
            let new = put(map.get(*key).cloned().unwrap_or(Value::Null), rest, text);
            map.insert((*key).to_owned(), new);
            Value::Object(map)
        }
        Step::Name => {
            // In the place of the one that is there.
            let value = old
                .as_object()
                .and_then(|map| map.values().next().cloned())
                .unwrap_or(json!("1"));
            Value::Object(Map::from_iter([(text.to_owned(), value)]))
        }
    }
}

/// Every place of the catalogue that a text can be written to.
pub fn spots() -> Vec<Spot> {
    let acting = parameters::all()
        .filter(|param| param.support == Support::Used && !param.name.starts_with("ansible_"));
    let mut found = Vec::new();
    for param in acting {
        let mut ways = Vec::new();
        ways_of(param.kind, &[], &mut ways);
        found.extend(ways.into_iter().map(|way| Spot {
            parameter: param.name,
            way,
        }));
    }
    found
}

fn ways_of(kind: ParamKind, before: &[Step], ways: &mut Vec<Vec<Step>>) {
    let with = |step: Step| {
        let mut way = before.to_vec();
        way.push(step);
        way
    };
    match kind {
        ParamKind::Texts(_)
        | ParamKind::TextOrTexts(_)
        | ParamKind::Networks
        | ParamKind::Ports => ways.push(with(Step::First)),
        ParamKind::Map(..) | ParamKind::PgSettings => {
            ways.push(with(Step::Name));
            ways.push(with(Step::Key(if kind == ParamKind::PgSettings {
                "work_mem"
            } else {
                "vm.max_map_count"
            })));
        }
        ParamKind::Names(fields) => {
            ways.push(with(Step::First));
            fields_of(fields, &with(Step::First), ways);
        }
        ParamKind::Records(fields) => fields_of(fields, &with(Step::First), ways),
        ParamKind::Record(fields) => fields_of(fields, before, ways),
        ParamKind::Bool
        | ParamKind::Int(..)
        | ParamKind::IntOr(..)
        | ParamKind::Float(..)
        | ParamKind::Text(_)
        | ParamKind::Secret
        | ParamKind::Port
        | ParamKind::Path
        | ParamKind::OneOf(_)
        | ParamKind::Ip
        | ParamKind::Cidr
        | ParamKind::Duration
        | ParamKind::Size
        | ParamKind::TextOrMap(_)
        | ParamKind::Any => ways.push(before.to_vec()),
    }
}

fn fields_of(fields: &'static [Field], before: &[Step], ways: &mut Vec<Vec<Step>>) {
    // A key of a repository is a file of its own, written whole.
    for field in fields.iter().filter(|field| field.name != "key") {
        let mut way = before.to_vec();
        way.push(Step::Key(field.name));
        ways_of(field.kind, &way, ways);
    }
}
