//! What a repository is: other words under the same name would leave the backups behind, or make them unreadable.

use crate::inventory::param;
use crate::inventory::parameters::Typed;
use ring::digest::{SHA256, digest};
use serde_json::Value;

/// The name under which hosts keep it.
pub const KEPT: &str = "pgbackrest_repo";

/// Keys that say where a repository is and what closes it.
const IDENTITY: [&str; 8] = [
    "type",
    "host",
    "path",
    "s3_bucket",
    "s3_endpoint",
    "s3_region",
    "cipher_type",
    "cipher_pass",
];

/// The repository in use, in one line: its name, its place and what closes it, the passphrase as a digest. Empty where there
/// is none.
pub fn kept(typed: &Typed<'_>) -> String {
    let name = typed.get(param::PGBACKREST_METHOD);
    let all: Value = typed.json(KEPT);
    let Some(repository) = all
        .get(&name)
        .filter(|_| typed.get(param::PGBACKREST_ENABLED))
    else {
        return String::new();
    };
    let said = IDENTITY.iter().filter_map(|key| {
        let value = match repository.get(*key)? {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Some(match *key {
            "cipher_pass" => format!("{key}#{}", short(&value)),
            _ => format!("{key}={value}"),
        })
    });
    let words: Vec<String> = std::iter::once(name).chain(said).collect();
    words.join(" ")
}

fn short(value: &str) -> String {
    let whole = digest(&SHA256, value.as_bytes());
    let bytes = whole.as_ref().iter().take(6);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a repository of that name would become another one. Another name is another repository, and meant.
pub fn becomes_another(old: &str, new: &str) -> bool {
    let name = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
    !old.is_empty() && !new.is_empty() && name(old) == name(new) && old != new
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::load;

    fn line(repository: &str) -> String {
        let path = format!("{}/inventory/single.yml", env!("CARGO_MANIFEST_DIR"));
        let extra = format!("{{pgbackrest_repo: {{local: {repository}}}}}");
        let inventory = load(path.as_ref(), &[extra]).unwrap().inventory;
        kept(&Typed::new(&inventory.hosts["10.10.10.10"].vars))
    }

    #[test]
    fn place_and_passphrase_are_kept_and_no_secret_is() {
        let one =
            line("{path: /b, cipher_type: aes-256-cbc, cipher_pass: Secret-1, retention_full: 2}");
        assert!(
            one.starts_with("local path=/b cipher_type=aes-256-cbc cipher_pass#"),
            "{one}"
        );
        assert!(!one.contains("Secret-1"));
        let more =
            line("{path: /b, cipher_type: aes-256-cbc, cipher_pass: Secret-1, retention_full: 9}");
        assert!(!becomes_another(&one, &more));
        for other in [
            "{path: /c, cipher_type: aes-256-cbc, cipher_pass: Secret-1}",
            "{path: /b, cipher_type: aes-256-cbc, cipher_pass: Secret-2}",
            "{path: /b}",
        ] {
            assert!(becomes_another(&one, &line(other)), "{other}");
        }
        assert!(
            !becomes_another("", &one)
                && !becomes_another(&one, "")
                && !becomes_another(&one, "second path=/c")
        );
    }
}
