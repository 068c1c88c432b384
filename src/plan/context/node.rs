//! The part of a context that every host has: names of its neighbours, repositories of packages.

use super::Builder;
use super::pg::texts;
use crate::inventory::parameters::Typed;
use crate::model::Host;
use serde_json::{Value, json};

/// Where keys of repositories lie that come with the inventory.
const KEYRINGS: &str = "/etc/apt/keyrings";

impl Builder<'_> {
    /// Lines of /etc/hosts: this host, or all of them with `nodename_exchange`, and the static records.
    pub(super) fn node(&self, typed: &Typed<'_>) -> Value {
        let all = typed.bool("nodename_exchange") || self.host.pg.is_some();
        let hosts = self
            .input
            .model
            .hosts()
            .filter(|host| all || host.name == self.host.name);
        let row = |host: &Host| {
            let mut names = vec![host.nodename.clone()];
            names.extend(host.pg.as_ref().map(|pg| pg.name.to_string()));
            names.dedup();
            json!({ "address": host.address.to_string(), "names": names })
        };
        let mut extra = Vec::new();
        for list in ["node_default_etc_hosts", "node_etc_hosts"] {
            if let Value::Array(items) = self.expanded(typed.json(list)) {
                extra.extend(items);
            }
        }
        let named = self.named(typed);
        let packages = |list: &str| named.all(texts(&typed.json(list)).iter().map(String::as_str));
        let repos = typed.json("node_repos");
        let repos: Vec<Value> = repos.as_array().into_iter().flatten().map(repo).collect();
        json!({
            "hosts": hosts.map(row).collect::<Vec<_>>(),
            "extra_hosts": extra,
            "repos": repos,
            "default_packages": packages("node_default_packages"),
            "packages": packages("node_packages"),
        })
    }
}

/// One entry of `node_repos`: its line as apt reads it, and the key that signs it. A key that is a path is on the host
/// already; one that is a text is put there.
fn repo(entry: &Value) -> Value {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
    let (name, line, key) = (text("name"), text("line").trim(), text("key").trim());
    let path = match key.starts_with('/') {
        true => key.to_owned(),
        false => format!("{KEYRINGS}/citusctl-{name}.asc"),
    };
    let line = match key.is_empty() {
        true => line.to_owned(),
        false => signed(line, &path),
    };
    let own = if key.starts_with('/') { "" } else { key };
    json!({ "name": name, "line": line, "key": own, "key_path": path })
}

/// The line with `signed-by`, unless it has one.
fn signed(line: &str, path: &str) -> String {
    let Some((kind, rest)) = line.split_once(char::is_whitespace) else {
        return line.to_owned();
    };
    match rest.trim_start().strip_prefix('[') {
        Some(options) if options.contains("signed-by") => line.to_owned(),
        Some(options) => format!("{kind} [signed-by={path} {}", options.trim_start()),
        None => format!("{kind} [signed-by={path}] {}", rest.trim_start()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_signed_by_its_key() {
        let line = |entry: Value| repo(&entry)["line"].as_str().unwrap_or_default().to_owned();
        let plain = "deb https://example.com/apt trixie main";
        assert_eq!(line(json!({"name": "a", "line": plain})), plain);
        assert_eq!(
            line(json!({"name": "a", "line": plain, "key": "/usr/share/keyrings/a.gpg"})),
            "deb [signed-by=/usr/share/keyrings/a.gpg] https://example.com/apt trixie main"
        );
        assert_eq!(
            line(
                json!({"name": "a", "line": "deb [arch=amd64] file:/srv ./", "key": "-----BEGIN"})
            ),
            "deb [signed-by=/etc/apt/keyrings/citusctl-a.asc arch=amd64] file:/srv ./"
        );
        let own = "deb [signed-by=/k] file:/srv ./";
        assert_eq!(
            line(json!({"name": "a", "line": own, "key": "/other"})),
            own
        );
        let on_host = repo(&json!({"name": "a", "line": plain, "key": "/k"}));
        assert_eq!(
            (on_host["key"].as_str(), on_host["key_path"].as_str()),
            (Some(""), Some("/k"))
        );
    }
}
