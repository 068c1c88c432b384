//! `haproxy_services`: listens that are not PostgreSQL's.

use super::service_spec::Entry;
use crate::model::{Server, Service, ServiceKind, Timings};
use crate::source::Diagnostics;
use serde_json::Value;

/// An entry of `haproxy_services`.
pub(super) fn custom_service(entry: &Entry, problems: &mut Diagnostics) -> Option<Service> {
    let (Some(name), Some(port)) = (entry.text("name"), entry.port("port")) else {
        problems.push(entry.lacks("name` or `port"));
        return None;
    };
    let texts = |name: &str| entry.value.get(name).and_then(Value::as_array).cloned();
    let options = texts("options").unwrap_or_default();
    let servers = texts("servers").unwrap_or_default();
    Some(Service {
        name,
        kind: ServiceKind::Custom,
        port,
        bind: vec![entry.text("ip").unwrap_or_else(|| "*".into())],
        mode: entry.text("protocol").unwrap_or_else(|| "tcp".into()),
        check_path: None,
        check_port: None,
        check_ssl: false,
        check_method: "OPTIONS",
        check_expect: None,
        balance: entry.text("balance").unwrap_or_else(|| "roundrobin".into()),
        maxconn: entry.number("maxconn").unwrap_or(10_000),
        timings: custom_timings(),
        default_server: entry.text("default"),
        options: options
            .iter()
            .filter_map(|line| line.as_str().map(str::to_owned))
            .collect(),
        servers: servers.iter().filter_map(custom_server).collect(),
        fallback: None,
    })
}

/// Pigsty's times for services that are not PostgreSQL's.
fn custom_timings() -> Timings {
    Timings {
        inter: "3s".into(),
        fastinter: "1s".into(),
        downinter: "5s".into(),
        rise: 3,
        fall: 3,
    }
}

fn custom_server(value: &Value) -> Option<Server> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let number = |name: &str| value.get(name).and_then(Value::as_u64);
    Some(Server {
        name: text("name")?,
        instance: None,
        address: text("ip")?,
        port: u16::try_from(number("port")?).ok()?,
        check_port: None,
        weight: number("weight")
            .and_then(|weight| weight.try_into().ok())
            .unwrap_or(100),
        backup: value
            .get("backup")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        options: text("options"),
    })
}
