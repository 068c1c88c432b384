//! `haproxy_services`: listens that are not PostgreSQL's.

use super::service_spec::ServiceEntry;
use crate::inventory::parameters::boolean;
use crate::model::{Server, Service, ServiceKind, Timings};
use crate::source::Diagnostics;
use serde_json::Value;

/// An entry of `haproxy_services`.
pub(super) fn custom_service(entry: &ServiceEntry, problems: &mut Diagnostics) -> Option<Service> {
    let (Some(name), Some(port)) = (entry.name(), entry.port("port")) else {
        problems.push(entry.lacks("name` or `port"));
        return None;
    };
    let servers = entry.value.get("servers").and_then(Value::as_array);
    if servers.into_iter().flatten().any(is_torn) {
        problems.push(entry.lacks("servers"));
    }
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
        check_roles: &[],
        balance: entry.text("balance").unwrap_or_else(|| "roundrobin".into()),
        maxconn: entry.number("maxconn").unwrap_or(10_000),
        timings: custom_timings(),
        default_server: entry.text("default"),
        options: lines(entry.value.get("options")),
        servers: servers
            .into_iter()
            .flatten()
            .filter_map(custom_server)
            .collect(),
        fallback: None,
    })
}

/// Whether a server's name or address would be several words of HAProxy's line, or something else in it.
fn is_torn(server: &Value) -> bool {
    let text = |key: &str| server.get(key).and_then(Value::as_str).unwrap_or_default();
    let fine = |c: char| c.is_ascii_alphanumeric() || "_.-:/@[]".contains(c);
    ["name", "ip"]
        .into_iter()
        .any(|key| !text(key).chars().all(fine))
}

/// Raw lines: a list, or one text.
fn lines(written: Option<&Value>) -> Vec<String> {
    match written {
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(Value::as_str)
            .flat_map(str::lines)
            .map(str::to_owned)
            .collect(),
        Some(Value::String(text)) => text.lines().map(str::to_owned).collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
            Vec::new()
        }
    }
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
    let number = |name: &str| {
        let written = value.get(name)?;
        written
            .as_u64()
            .or_else(|| written.as_str()?.trim().parse().ok())
    };
    Some(Server {
        name: text("name")?,
        instance: None,
        address: text("ip")?,
        port: u16::try_from(number("port")?).ok()?,
        check_port: None,
        weight: number("weight")
            .and_then(|weight| weight.try_into().ok())
            .unwrap_or(100),
        backup: value.get("backup").and_then(boolean).unwrap_or(false),
        options: text("options").map(|options| weighted(options, number("weight"))),
    })
}

/// Raw options say all there is to say of a server, but for a weight that stands beside them.
fn weighted(options: String, weight: Option<u64>) -> String {
    match weight.filter(|_| !options.split_whitespace().any(|word| word == "weight")) {
        Some(weight) => format!("{options} weight {weight}"),
        None => options,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_may_be_texts_and_options_one_text() {
        let server =
            json!({"name": "a", "ip": "10.0.0.1", "port": "80", "weight": "7", "backup": "yes"});
        let server = custom_server(&server).unwrap();
        assert_eq!((server.port, server.weight, server.backup), (80, 7, true));
        assert_eq!(weighted("check".into(), Some(100)), "check weight 100");
        assert_eq!(
            weighted("check weight 7".into(), Some(100)),
            "check weight 7"
        );
        assert_eq!(
            lines(Some(&json!("option tcplog\ntimeout client 1h"))).len(),
            2
        );
        assert_eq!(lines(Some(&json!(["option tcplog"]))), ["option tcplog"]);
    }
}
