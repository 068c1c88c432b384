//! Repositories of packages: those of `node_repos`, and those of `repo_upstream` that fit a host.

use super::Builder;
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::model::Os;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Where keys of repositories lie that come with the inventory.
const KEYRINGS: &str = "/etc/apt/keyrings";

impl Builder<'_> {
    /// All repositories of a host. One of `node_repos` stands for one of the same name in `repo_upstream`.
    pub(super) fn repos(&self, typed: &Typed<'_>) -> Vec<Value> {
        let own = typed.get(param::NODE_REPOS);
        let own = own.as_array().cloned().unwrap_or_default();
        let named: BTreeSet<&str> = own.iter().map(|entry| text(entry, "name")).collect();
        let fitting = Fitting {
            modules: typed.get(param::NODE_REPO_MODULES),
            region: typed.get(param::REGION),
            os: self.facts().os,
            machine: self
                .input
                .traits
                .get(&self.host.name)
                .map(|t| t.machine.clone()),
        };
        let upstream = self.expanded(typed.get(param::REPO_UPSTREAM));
        let upstream = upstream.as_array().cloned().unwrap_or_default();
        let upstream = upstream.iter().filter_map(|entry| fitting.repo(entry));
        let upstream = upstream.filter(|entry| !named.contains(text(entry, "name")));
        own.iter()
            .map(repo)
            .chain(upstream.map(|entry| repo(&entry)))
            .collect()
    }
}

fn text<'a>(entry: &'a Value, name: &str) -> &'a str {
    entry.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// What an entry of `repo_upstream` is measured by.
struct Fitting {
    modules: String,
    region: String,
    os: Os,
    /// Not known before a host was seen.
    machine: Option<String>,
}

impl Fitting {
    /// The entry as one of `node_repos`, if it is of a module that is asked for, and for this system.
    fn repo(&self, entry: &Value) -> Option<Value> {
        let module = text(entry, "module");
        let asked = self.modules.split(',').any(|asked| asked.trim() == module);
        let release = |listed: &Value| listed.as_u64() == Some(self.os.release().into());
        let machine = |listed: &Value| {
            let known = self.machine.as_deref();
            known.is_none_or(|machine| listed.as_str() == Some(machine))
        };
        if !asked || !lists(entry, "releases", release) || !lists(entry, "arch", machine) {
            return None;
        }
        let line = format!("deb {}", self.named(self.baseurl(entry)?));
        Some(json!({ "name": text(entry, "name"), "line": line, "key": text(entry, "key") }))
    }

    fn baseurl<'a>(&self, entry: &'a Value) -> Option<&'a str> {
        let url = entry.get("baseurl")?;
        let of = |region: &str| url.get(region).and_then(Value::as_str);
        url.as_str()
            .or_else(|| of(&self.region))
            .or_else(|| of("default"))
    }

    /// With the names of the distribution, as Pigsty writes them.
    fn named(&self, url: &str) -> String {
        let (family, codename) = self.os.names();
        url.trim()
            .replace("${distro_codename}", codename)
            .replace("${distro_name}", family)
    }
}

/// Whether a list names what is there; without one it fits everything.
fn lists(entry: &Value, name: &str, fits: impl Fn(&Value) -> bool) -> bool {
    let listed = entry.get(name).and_then(Value::as_array);
    listed.is_none_or(|listed| listed.iter().any(fits))
}

/// One entry of `node_repos`: its line as apt reads it, and the key that signs it. A key that is a path is on the host
/// already; one that is a text is put there.
fn repo(entry: &Value) -> Value {
    let text = |name: &str| text(entry, name);
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

    #[test]
    fn one_to_choose_from_is_taken_where_it_fits() {
        let fitting = Fitting {
            modules: "node, pgsql".into(),
            region: "china".into(),
            os: Os::Debian13,
            machine: Some("x86_64".into()),
        };
        let entry = json!({
            "name": "p", "module": "pgsql", "releases": [12, 13], "arch": ["x86_64"], "key": "/k",
            "baseurl": { "default": "https://a.example/${distro_name} ${distro_codename}-p main", "europe": "x" },
        });
        let found = fitting.repo(&entry).unwrap_or_default();
        assert_eq!(found["line"], "deb https://a.example/debian trixie-p main");
        let with = |name: &str, value: Value| {
            let mut entry = entry.clone();
            entry[name] = value;
            fitting.repo(&entry)
        };
        assert!(with("module", json!("infra")).is_none());
        assert!(with("releases", json!([22, 24])).is_none());
        assert!(with("arch", json!(["aarch64"])).is_none());
        assert!(with("baseurl", json!({ "europe": "x" })).is_none());
        let regional = with("baseurl", json!({ "default": "a", "china": "b ./" }));
        assert_eq!(regional.unwrap_or_default()["line"], "deb b ./");
    }
}
