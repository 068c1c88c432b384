//! Where backups and WAL go: `pgbackrest_enabled`, `pgbackrest_method` and `pgbackrest_repo`, read.
//!
//! `pgbackrest_repo` holds repositories by name, `pgbackrest_method` names the one in use. A key of a repository is an option
//! of pgBackRest's without `repo1-` and with `_` for `-`, as in Pigsty. What is not built yet is refused here, in words.

mod fit;
mod kept;
#[cfg(test)]
mod tests;

pub use fit::{misfit, repository_host};
pub use kept::{KEPT, becomes_another, kept};

use crate::inventory::expand;
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::names::ClusterName;
use serde_json::Value;

use super::{Group, Model};

/// The port of a repository host, unless `host_port` says another.
pub const PORT: u16 = 8432;

/// What an inventory says of a group's backups.
#[derive(Clone, Debug, PartialEq)]
pub enum Backups {
    /// `pgbackrest_enabled: false`: somebody decided it.
    Off,
    /// Enabled, and no repository is named: nothing is kept.
    Unnamed,
    To(Repository),
}

/// A repository.
#[derive(Clone, Debug, PartialEq)]
pub struct Repository {
    /// Its key in `pgbackrest_repo`.
    pub name: String,
    pub place: RepositoryPlace,
    /// Options of pgBackRest's without `repo1-`, as its configuration has them.
    pub options: Vec<(String, String)>,
}

/// Where a repository is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RepositoryPlace {
    /// A directory of each member's own host; `shared`: a file system that all of them have mounted there.
    Directory { path: String, shared: bool },
    /// A directory on a host of the inventory, behind pgBackRest's TLS server.
    Host {
        host: String,
        path: String,
        port: u16,
    },
    /// An S3-like store.
    S3 { path: String },
}

/// Why a repository cannot be used, and the way out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct RepositoryFault {
    pub words: String,
    pub help: String,
}

fn fault(words: impl Into<String>, help: impl Into<String>) -> RepositoryFault {
    RepositoryFault {
        words: words.into(),
        help: help.into(),
    }
}

/// Options that a repository may have, beside those that only we write.
const OPTIONS: &[&str] = &[
    "block",
    "bundle",
    "bundle-limit",
    "bundle-size",
    "cipher-pass",
    "cipher-type",
    "hardlink",
    "host",
    "host-port",
    "path",
    "retention-archive",
    "retention-archive-type",
    "retention-diff",
    "retention-full",
    "retention-full-type",
    "retention-history",
    "s3-bucket",
    "s3-endpoint",
    "s3-key",
    "s3-key-secret",
    "s3-key-type",
    "s3-kms-key-id",
    "s3-region",
    "s3-role",
    "s3-sse-customer-key",
    "s3-token",
    "s3-uri-style",
    "shared",
    "storage-ca-file",
    "storage-ca-path",
    "storage-host",
    "storage-port",
    "storage-tag",
    "storage-upload-chunk-size",
    "storage-verify-tls",
    "symlink",
    "type",
];

/// Options whose values are secrets.
pub const SECRETS: &[&str] = &[
    "cipher-pass",
    "s3-key-secret",
    "s3-token",
    "s3-sse-customer-key",
];

/// Options that the repository's own host needs, and nobody else.
pub const ON_ITS_HOST: &[&str] = &["path", "cipher-type", "cipher-pass"];

/// What an inventory says of a group's backups: by its first member, since all of them agree (`lint::agreement`).
///
/// # Errors
/// As [`backups`].
pub fn of_group(model: &Model, group: &Group) -> Result<Backups, RepositoryFault> {
    let member = group.members.first();
    let Some(host) = member.and_then(|member| model.hosts.get(&member.host)) else {
        return Ok(Backups::Unnamed);
    };
    let fill = |text: &str| {
        expand(text, &|name| match name {
            "pg_cluster" => Some(group.cluster.to_string()),
            "admin_ip" => model.admin_ip.map(|ip| ip.to_string()),
            _ => None,
        })
    };
    backups(&host.typed(), &fill)
}

/// What a host's variables say. `expand` fills in `${...}`.
///
/// # Errors
/// A repository that cannot be used as it is written.
pub fn backups(
    typed: &Typed<'_>,
    expand: &dyn Fn(&str) -> String,
) -> Result<Backups, RepositoryFault> {
    if !typed.get(param::PGBACKREST_ENABLED) {
        return Ok(Backups::Off);
    }
    let method = typed.get(param::PGBACKREST_METHOD);
    let all = match typed.get(param::PGBACKREST_REPO) {
        Value::Object(all) => all,
        Value::Null => return Ok(Backups::Unnamed),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return Err(fault(
                "`pgbackrest_repo` is no mapping of repositories",
                "write `pgbackrest_repo: { NAME: { path: ... } }`",
            ));
        }
    };
    if all.is_empty() {
        return Ok(Backups::Unnamed);
    }
    let known: Vec<&str> = all.keys().map(String::as_str).collect();
    let Some(Value::Object(written)) = all.get(&method) else {
        return Err(fault(
            format!("`pgbackrest_method: {method}` names no repository of `pgbackrest_repo`"),
            format!("it has {}", known.join(", ")),
        ));
    };
    let mut options = Vec::new();
    for (key, value) in written {
        options.push(option(&method, key, value, expand)?);
    }
    repository(method, options).map(Backups::To)
}

/// One option: its name as pgBackRest has it, and its value as text.
fn option(
    name: &str,
    key: &str,
    value: &Value,
    expand: &dyn Fn(&str) -> String,
) -> Result<(String, String), RepositoryFault> {
    let option = key.replace('_', "-");
    if !OPTIONS.contains(&option.as_str()) {
        let near = crate::names::nearest(&option, OPTIONS.iter().copied());
        let near = near.map(|near| format!("; did you mean `{}`?", near.replace('-', "_")));
        return Err(fault(
            format!(
                "repository `{name}` has `{key}`, which is not built, or no option of pgBackRest's"
            ),
            format!("take it out{}", near.unwrap_or_default()),
        ));
    }
    let text = match value {
        Value::String(text) => expand(text),
        Value::Bool(true) => "y".to_owned(),
        Value::Bool(false) => "n".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    };
    let sound = !text.is_empty() && text.trim() == text && !text.contains(char::is_control);
    match sound {
        true => Ok((option, text)),
        false => Err(fault(
            format!(
                "repository `{name}`: `{key}` must be one line, a number, or true or false, and not be empty"
            ),
            "give it a value, or take it out",
        )),
    }
}

fn repository(
    name: String,
    mut options: Vec<(String, String)>,
) -> Result<Repository, RepositoryFault> {
    let get = |wanted: &str| {
        let found = options.iter().find(|(key, _)| key == wanted);
        found.map(|(_, value)| value.clone())
    };
    let shared = get("shared").is_some_and(|value| value == "y");
    let (kind, host) = (
        get("type").unwrap_or_else(|| "posix".to_owned()),
        get("host"),
    );
    let path = get("path");
    let place = match (kind.as_str(), host) {
        ("posix", Some(host)) => {
            let port = get("host-port").map_or(Ok(PORT), |port| port.parse());
            RepositoryPlace::Host {
                host,
                path: absolute(&name, path, "/data/backups/pgbackrest")?,
                port: port.map_err(|_| {
                    fault(
                        format!("repository `{name}`: `host_port` is no port"),
                        "it is 8432 unless you say so",
                    )
                })?,
            }
        }
        ("posix", None) => RepositoryPlace::Directory {
            path: absolute(&name, path, "/pg/backup")?,
            shared,
        },
        ("s3", None) => {
            for needed in ["s3-bucket", "s3-endpoint", "s3-region"] {
                get(needed).ok_or_else(|| missing(&name, needed))?;
            }
            RepositoryPlace::S3 {
                path: absolute(&name, path, "/pgbackrest")?,
            }
        }
        ("s3", Some(_)) => {
            return Err(fault(
                format!(
                    "repository `{name}` has `host` and `type: s3`: a store behind a repository host is not built"
                ),
                "leave `host` out: all members reach the store themselves",
            ));
        }
        (other, _) => {
            return Err(fault(
                format!("repository `{name}` has `type: {other}`, which is not built"),
                "types are posix (a directory, or a repository host with `host`) and s3",
            ));
        }
    };
    encrypted(
        &name,
        get("cipher-type").as_deref(),
        get("cipher-pass").as_deref(),
    )?;
    // Without a limit all backups are kept until the file system is full.
    if get("retention-full").is_none() {
        options.push(("retention-full".to_owned(), "14".to_owned()));
        options.retain(|(key, _)| key != "retention-full-type");
        options.push(("retention-full-type".to_owned(), "time".to_owned()));
    }
    options.retain(|(key, _)| {
        !matches!(
            key.as_str(),
            "shared" | "type" | "host" | "host-port" | "path"
        )
    });
    options.sort();
    let mut own = match &place {
        RepositoryPlace::Directory { path, .. } | RepositoryPlace::Host { path, .. } => {
            vec![("path".to_owned(), path.clone())]
        }
        RepositoryPlace::S3 { path } => vec![
            ("type".to_owned(), "s3".to_owned()),
            ("path".to_owned(), path.clone()),
        ],
    };
    own.extend(options);
    Ok(Repository {
        name,
        place,
        options: own,
    })
}

fn missing(name: &str, option: &str) -> RepositoryFault {
    let key = option.replace('-', "_");
    fault(format!("repository `{name}` has no `{key}`"), "give it one")
}

fn absolute(name: &str, path: Option<String>, default: &str) -> Result<String, RepositoryFault> {
    let path = path.unwrap_or_else(|| default.to_owned());
    let sound =
        path.starts_with('/') && path.len() > 1 && !path.split('/').any(|part| part == "..");
    match sound {
        true => Ok(path),
        false => Err(fault(
            format!("repository `{name}`: `path` is no absolute path: `{path}`"),
            "it begins with `/` and has no `..`",
        )),
    }
}

/// A passphrase without encryption, and encryption without one, are both mistakes that are found out too late.
fn encrypted(name: &str, kind: Option<&str>, pass: Option<&str>) -> Result<(), RepositoryFault> {
    match (kind, pass) {
        (None | Some("none"), None) | (Some("aes-256-cbc"), Some(_)) => Ok(()),
        (Some("aes-256-cbc"), None) => Err(fault(
            format!("repository `{name}` is to be encrypted and has no `cipher_pass`"),
            "make one with `openssl rand -base64 48` and keep it where the repository is not: without it nothing can be restored",
        )),
        (None | Some("none"), Some(_)) => Err(fault(
            format!("repository `{name}` has a `cipher_pass` and is not encrypted"),
            "say `cipher_type: aes-256-cbc` as well",
        )),
        (Some(other), _) => Err(fault(
            format!("repository `{name}`: `cipher_type: {other}` is not known"),
            "it is aes-256-cbc or none",
        )),
    }
}

/// The stanza of a group: all of its members write there.
pub fn stanza(cluster: &ClusterName) -> String {
    cluster.to_string()
}

/// What PostgreSQL calls for each segment of WAL.
pub fn archive_command(cluster: &ClusterName) -> String {
    format!(
        "/usr/bin/pgbackrest --stanza={} archive-push %p",
        stanza(cluster)
    )
}
