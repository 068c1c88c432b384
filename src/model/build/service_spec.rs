//! Reading `pg_default_services`, `pg_services` and `haproxy_services` from the inventory.

use crate::inventory::InvHost;
use crate::inventory::parameters::{self, DefaultValue, Typed};
use crate::model::selector::Selector;
use crate::names::words::is_plain;
use crate::source::{Diagnostic, Span};
use serde_json::Value;

/// One entry of `pg_default_services` or `pg_services`.
pub(crate) struct Spec {
    pub(crate) name: String,
    pub(crate) port: u16,
    pub(crate) ip: String,
    pub(crate) selector: Selector,
    /// Members that serve only while no selected one is up.
    pub(crate) backup: Option<Selector>,
    pub(crate) dest: String,
    pub(crate) check: Option<String>,
    pub(crate) maxconn: u32,
    pub(crate) balance: String,
    pub(crate) options: Option<String>,
    /// Whether it is a shipped entry, or one that the inventory copied from there.
    pub(crate) shipped: bool,
    pub(crate) span: Span,
}

/// All services of a host's cluster: the defaults first. Unusable entries come as problems.
pub(crate) fn read(host: &InvHost) -> Vec<Result<Spec, Diagnostic>> {
    ["pg_default_services", "pg_services"]
        .into_iter()
        .flat_map(|list| entries(host, list))
        .map(|entry| spec(&entry))
        .collect()
}

/// One entry of a list of services, with where it stands.
pub(crate) struct ServiceEntry {
    pub(crate) list: &'static str,
    pub(crate) value: Value,
    pub(crate) span: Span,
    pub(crate) shipped: bool,
}

/// The entries of one list.
pub(crate) fn entries(host: &InvHost, list: &'static str) -> Vec<ServiceEntry> {
    let typed = Typed::new(&host.vars);
    let written = host.vars.get(list);
    let items = written.and_then(|var| var.node.items()).unwrap_or_default();
    let Value::Array(values) = typed.json(list) else {
        return Vec::new();
    };
    let whole = written.map_or(host.span, |var| var.node.span);
    let entry = |(at, value): (usize, Value)| ServiceEntry {
        list,
        value,
        span: items.get(at).map_or(whole, |node| node.span),
        shipped: written.is_none(),
    };
    values.into_iter().enumerate().map(entry).collect()
}

fn spec(entry: &ServiceEntry) -> Result<Spec, Diagnostic> {
    let text = |name: &str| entry.text(name);
    Ok(Spec {
        name: entry.name().ok_or_else(|| entry.lacks("name"))?,
        port: entry.port("port").ok_or_else(|| entry.lacks("port"))?,
        ip: text("ip").unwrap_or_else(|| "*".into()),
        selector: entry
            .selector("selector")?
            .ok_or_else(|| entry.lacks("selector"))?,
        backup: entry.selector("backup")?,
        dest: text("dest").unwrap_or_else(|| "default".into()),
        check: text("check"),
        maxconn: entry.number("maxconn").unwrap_or(5000),
        balance: text("balance").unwrap_or_else(|| "roundrobin".into()),
        options: text("options"),
        shipped: entry.shipped || entry.like_shipped(),
        span: entry.span,
    })
}

/// The entries that are used where the inventory writes none.
fn defaults() -> Vec<Value> {
    let known = parameters::lookup("pg_default_services").map(|param| param.default);
    let text = match known {
        Some(DefaultValue::Json(text)) => text,
        Some(_) | None => "[]",
    };
    serde_json::from_str(text).unwrap_or_default()
}

/// Whether two texts of a service mean the same; spaces in selectors do not count.
fn alike(key: &str, one: &Value, other: &Value) -> bool {
    let selector = |value: &Value| {
        let text = value.get(key)?.as_str()?;
        Selector::parse(text).ok()
    };
    match key {
        "selector" | "backup" => selector(one) == selector(other),
        _ => one.get(key) == other.get(key),
    }
}

impl ServiceEntry {
    /// Whether it is one of the shipped entries, copied into the inventory.
    fn like_shipped(&self) -> bool {
        let same = |default: &Value| {
            let keys = ["name", "check", "selector", "backup"];
            keys.iter().all(|key| alike(key, default, &self.value))
        };
        defaults().iter().any(same)
    }

    /// A text of the entry; numbers are read as text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.value.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Its name, if a file and a section of HAProxy can be called so.
    pub(crate) fn name(&self) -> Option<String> {
        self.text("name").filter(|name| is_plain(name))
    }

    /// A whole number of the entry.
    pub(crate) fn number(&self, name: &str) -> Option<u32> {
        self.text(name)?.parse().ok()
    }

    /// A port of the entry.
    pub(crate) fn port(&self, name: &str) -> Option<u16> {
        self.text(name)?.parse().ok().filter(|port| *port > 0)
    }

    fn selector(&self, name: &str) -> Result<Option<Selector>, Diagnostic> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let parsed = Selector::parse(&text).map(Some);
        parsed.map_err(|error| {
            Diagnostic::error(
                "bad-selector",
                format!("the `{name}` of {self} cannot be read"),
            )
            .at(self.span, error.to_string())
            .help("known are `==`, `!=`, `&&`, `||`, `!`, parentheses, names and literals")
        })
    }

    /// The entry lacks a part, or the part is unusable.
    pub(crate) fn lacks(&self, part: &str) -> Diagnostic {
        Diagnostic::error("bad-service", format!("{self} has no usable `{part}`"))
            .at(
                self.span,
                format!("`{part}` is missing or not of the right kind"),
            )
            .help("a service is `{ name: ..., port: ..., selector: \"[]\", check: /primary }`; names have letters, digits, `_`, `.` and `-`")
    }
}

impl std::fmt::Display for ServiceEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.text("name") {
            Some(name) => write!(f, "service `{name}` of `{}`", self.list),
            None => write!(f, "a service of `{}`", self.list),
        }
    }
}
