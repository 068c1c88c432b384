//! What a host keeps of what it is, and what proves that its data is there: read at every look.
//!
//! `/etc/citusctl/pg_identity` and `etcd_identity` hold the values of parameters that cannot change on a live member
//! (`inventory::parameters::kept`). A host that was set up before there were such files is read by Patroni's and etcd's own.

mod wal;

use std::collections::BTreeMap;

/// Shell text. No process on a host without data; two on one with data, one more for etcd's.
pub(super) const PROGRAM: &str = include_str!("scripts/kept.sh");

/// What a host keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptFiles {
    /// Values of parameters by name.
    pub values: BTreeMap<String, String>,
    /// The data directory that is ours and holds data.
    pub data: Option<KeptData>,
    /// Whether etcd's data directory holds a member's data.
    pub etcd: bool,
    /// The identifier of the cluster that this data is of; `None` where it could not be read.
    pub etcd_cluster: Option<u64>,
}

/// A data directory with data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptData {
    /// Major version of PostgreSQL.
    pub version: String,
    /// Where it really is.
    pub path: String,
    /// The database system's identifier, as pg_control has it; empty where that could not be read.
    pub system: String,
}

/// Reads the answer to [`PROGRAM`].
pub(super) fn read(text: &str) -> KeptFiles {
    let mut kept = KeptFiles::default();
    let mut data = KeptData::default();
    let mut file = KeptFile::Own;
    let mut yaml = Yaml::default();
    for line in text.lines() {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("=", "patroni") => (file, yaml) = (KeptFile::Patroni, Yaml::default()),
            ("=", _) => (file, yaml) = (KeptFile::Etcd, Yaml::default()),
            ("!", fact) => note(fact, &mut data, &mut kept),
            (name, value) => match file {
                KeptFile::Own => keep(&mut kept.values, name, value.trim()),
                KeptFile::Patroni => yaml.patroni(line, &mut kept.values),
                KeptFile::Etcd => yaml.etcd(line, &mut kept.values),
            },
        }
    }
    kept.data = (!data.version.is_empty()).then_some(data);
    kept
}

enum KeptFile {
    Own,
    Patroni,
    Etcd,
}

fn note(fact: &str, data: &mut KeptData, kept: &mut KeptFiles) {
    let (name, value) = fact.split_once(' ').unwrap_or((fact, ""));
    let value = value.trim().to_owned();
    match name {
        "etcd" => kept.etcd = true,
        "wal" => kept.etcd_cluster = wal::cluster(&value),
        "version" => data.version = value,
        "data" => data.path = value,
        "system" => data.system = value,
        _ => {}
    }
}

fn keep(values: &mut BTreeMap<String, String>, name: &str, value: &str) {
    if !name.is_empty() && name != "#" {
        values.insert(name.to_owned(), value.to_owned());
    }
}

/// As much of YAML as the files that we write ourselves need: keys by indentation.
#[derive(Default)]
struct Yaml {
    section: String,
    below: String,
    scope: String,
}

impl Yaml {
    /// `section`, `below`, key and value of a line; nothing for comments.
    fn entry<'l>(&mut self, line: &'l str) -> Option<(&'l str, &'l str)> {
        let depth = line.len() - line.trim_start().len();
        let (key, value) = line.trim().trim_start_matches("- ").split_once(':')?;
        if line.trim_start().starts_with('#') {
            return None;
        }
        match depth {
            0 => (self.section, self.below) = (key.to_owned(), String::new()),
            2 | 4 if value.trim().is_empty() => self.below = key.to_owned(),
            _ => {}
        }
        Some((key, value.trim().trim_matches(['\'', '"'])))
    }

    fn patroni(&mut self, line: &str, values: &mut BTreeMap<String, String>) {
        let Some((key, value)) = self.entry(line) else {
            return;
        };
        let port = value.rsplit(':').next().unwrap_or_default();
        let mut set = |name: &str, value: &str| keep(values, name, value);
        match (self.section.as_str(), key) {
            ("scope", _) => {
                self.scope = value.to_owned();
                set("pg_mode", "pgsql");
            }
            ("namespace", _) => set("pg_namespace", value),
            ("name", _) => {
                if let Some((cluster, seq)) = value.rsplit_once('-') {
                    set("pg_cluster", cluster);
                    set("pg_seq", seq);
                }
            }
            ("citus", "group") => {
                set("pg_group", value);
                set("pg_mode", "citus");
                set("pg_shard", &self.scope);
            }
            ("citus", "database") => set("pg_primary_db", value),
            ("restapi", "listen") => set("patroni_port", port),
            ("postgresql", "listen") => set("pg_port", port),
            ("postgresql", "data_dir") => set("pg_data", value),
            ("postgresql", "username") if self.below == "superuser" => set("pg_dbsu", value),
            ("postgresql", "username") if self.below == "replication" => {
                set("pg_replication_username", value);
            }
            ("bootstrap", "encoding") => set("pg_encoding", value),
            ("bootstrap", "locale") => set("pg_locale", value),
            ("bootstrap", "lc-collate") => set("pg_lc_collate", value),
            ("bootstrap", "lc-ctype") => set("pg_lc_ctype", value),
            _ => {}
        }
    }

    fn etcd(&mut self, line: &str, values: &mut BTreeMap<String, String>) {
        let Some((key, value)) = self.entry(line) else {
            return;
        };
        let port = value.rsplit(':').next().unwrap_or_default();
        match key {
            "name" => {
                if let Some((_, seq)) = value.rsplit_once('-') {
                    keep(values, "etcd_seq", seq);
                }
            }
            "initial-cluster-token" => keep(values, "etcd_cluster", value),
            "data-dir" => keep(values, "etcd_data", value),
            "advertise-client-urls" => keep(values, "etcd_port", port),
            "initial-advertise-peer-urls" => keep(values, "etcd_peer_port", port),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_keeps_what_it_is_and_what_its_data_is() {
        let text = "pg_cluster pg-meta\npg_shard \netcd_data /data/etcd\n! etcd\n\
                    ! version 17\n! data /data/postgres/pg-meta-17/data\n! system  7500000000000000001\n";
        let kept = read(text);
        assert_eq!(kept.values["pg_cluster"], "pg-meta");
        assert_eq!(kept.values["pg_shard"], "");
        let data = kept.data.expect("data");
        assert_eq!(
            (data.version.as_str(), data.system.as_str()),
            ("17", "7500000000000000001")
        );
        assert!(kept.etcd);
        assert_eq!(read(""), KeptFiles::default());
    }

    #[test]
    fn a_host_of_an_older_version_is_read_by_its_own_files() {
        let text = "= patroni\n# Managed by citusctl: changes\nscope: pg-citus\nnamespace: /pg\nname: pg-citus1-2\n\
                    citus:\n  group: 1\n  database: app\nrestapi:\n  listen: '10.0.0.1:8008'\n\
                    bootstrap:\n  initdb:\n    - data-checksums\n    - encoding: UTF8\n    - locale: C\n\
                    \x20 dcs:\n    postgresql:\n      parameters:\n        port: 1\n\
                    postgresql:\n  listen: '0.0.0.0:5432'\n  data_dir: /pg/data\n  authentication:\n\
                    \x20   superuser:\n      username: postgres\n    replication:\n      username: 'replicator'\n\
                    = etcd\nname: etcd-3\ndata-dir: /data/etcd\n\
                    initial-advertise-peer-urls: https://10.0.0.1:2380\nadvertise-client-urls: https://10.0.0.1:2379\n";
        let kept = read(text);
        let wanted = [
            ("etcd_data", "/data/etcd"),
            ("etcd_peer_port", "2380"),
            ("etcd_port", "2379"),
            ("etcd_seq", "3"),
            ("patroni_port", "8008"),
            ("pg_cluster", "pg-citus1"),
            ("pg_data", "/pg/data"),
            ("pg_dbsu", "postgres"),
            ("pg_encoding", "UTF8"),
            ("pg_group", "1"),
            ("pg_locale", "C"),
            ("pg_mode", "citus"),
            ("pg_namespace", "/pg"),
            ("pg_port", "5432"),
            ("pg_primary_db", "app"),
            ("pg_replication_username", "replicator"),
            ("pg_seq", "2"),
            ("pg_shard", "pg-citus"),
        ];
        let wanted = wanted.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(kept.values, wanted.into());
    }
}
