//! What a group's repository holds, in pgBackRest's own words, and what PostgreSQL says of its archiving.
//!
//! `info` ends with 0 whatever it found, also where the repository cannot be reached: only the codes inside tell.

use crate::command::{as_user, quote};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Shell text that asks a repository as `dbsu`: silent on a standby unless `ANYWAY` is set; `none` where pgBackRest is not installed; else its version,
/// the server's system identifier, and `info`.
pub fn repository_question(dbsu: &str, bin_dir: &str, data_dir: &str, stanza: &str) -> String {
    let (data, become_dbsu) = (quote(data_dir), as_user(&quote(dbsu)));
    format!(
        "cd /; [ -z \"${{ANYWAY:-}}\" ] && {{ [ -e {data}/standby.signal ] || [ -e {data}/recovery.signal ]; }} || \
         if [ ! -x /usr/bin/pgbackrest ] || [ ! -e /etc/pgbackrest/pgbackrest.conf ]; then echo none; else\n\
         /usr/bin/pgbackrest version 2>&1\n\
         LC_ALL=C {become_dbsu} {bin}/pg_controldata -D {data} 2>/dev/null | sed -n 's/^Database system identifier: *//p'\n\
         timeout 25 {become_dbsu} /usr/bin/pgbackrest --stanza={stanza} --io-timeout=4 --log-level-console=off --log-level-stderr=error --output=json info 2>&1\nfi\n",
        bin = quote(bin_dir),
        stanza = quote(stanza),
    )
}

/// What PostgreSQL says of its archiving, as one line of JSON.
pub const ARCHIVER_QUERY: &str = "SELECT pg_catalog.json_build_object('mode', pg_catalog.current_setting('archive_mode'), 'command', pg_catalog.current_setting('archive_command'), \
     'archived', pg_catalog.extract('epoch', last_archived_time)::pg_catalog.int8, 'failed', pg_catalog.extract('epoch', last_failed_time)::pg_catalog.int8, \
     'last_failed', last_failed_wal, 'last_archived', last_archived_wal, \
     'waiting', w.number, 'oldest', w.seconds) FROM (SELECT pg_catalog.count(*) AS number, pg_catalog.extract('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) pg_catalog.min(modification))::pg_catalog.int8 AS seconds \
     FROM pg_catalog.pg_ls_archive_statusdir() WHERE name LIKE '%.ready') AS w, pg_catalog.pg_stat_archiver";

/// PostgreSQL's own words of its archiving.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Archiver {
    pub mode: String,
    pub command: String,
    /// When a segment was archived last, in seconds since 1970.
    pub archived: Option<i64>,
    pub failed: Option<i64>,
    pub last_failed: Option<String>,
    pub last_archived: Option<String>,
    /// Segments that wait to be archived.
    pub waiting: u64,
    /// How long the first of them has waited, in seconds.
    pub oldest: Option<i64>,
}

impl Archiver {
    /// Reads the line.
    pub fn read(text: &str) -> Option<Self> {
        let line = text
            .lines()
            .map(str::trim)
            .find(|line| line.starts_with('{'))?;
        serde_json::from_str(line).ok()
    }

    /// Whether the last attempt failed.
    pub fn fails(&self) -> bool {
        match (self.failed, self.archived) {
            (Some(failed), Some(archived)) => failed > archived,
            (failed, None) => failed.is_some(),
            (None, Some(_)) => false,
        }
    }
}

/// What was seen of a repository.
#[derive(Clone, Debug, PartialEq)]
pub enum RepositorySeen {
    /// pgBackRest is not installed.
    NotInstalled,
    /// It could not be asked, in its own words.
    Unknown(String),
    Known(Box<StanzaSeen>),
}

/// A stanza as `info` shows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StanzaSeen {
    /// As in `2.55.1`.
    pub version: String,
    /// The system identifier of the server that was asked.
    pub server: String,
    pub exists: bool,
    /// The system identifier that the stanza is for.
    pub system: Option<String>,
    pub sets: Vec<BackupSet>,
    /// The newest archived segment.
    pub newest_wal: Option<String>,
}

/// One backup.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BackupSet {
    pub label: String,
    /// `full`, `diff` or `incr`.
    pub kind: String,
    /// In seconds since 1970.
    pub start: i64,
    pub stop: i64,
    /// Where it ends in the log, as a number.
    pub lsn_stop: u64,
    pub wal_start: String,
    pub wal_stop: String,
    /// Bytes of the database.
    pub size: u64,
    /// Bytes that it added to the repository.
    pub added: u64,
    /// Pages whose checksum did not hold.
    pub error: bool,
    /// The backups whose files it needs besides its own.
    pub needs: Vec<String>,
    /// It was looked for, and its manifest, or the directory of a backup that it needs, is not in the repository.
    pub gone: bool,
    pub annotations: BTreeMap<String, String>,
}

impl StanzaSeen {
    /// Notes which backups are there: `asked`, then a line for each directory, LABEL and `whole`, `bare` (no manifest) or
    /// `unknown`. Without `asked` nothing is known, and `verify` tells.
    pub fn note_manifests(&mut self, text: &str) {
        let lines = text.lines().filter_map(|line| line.trim().split_once(' '));
        let found: BTreeMap<&str, &str> = lines.collect();
        if text.lines().next().map(str::trim) != Some("asked") {
            return;
        }
        for set in &mut self.sets {
            let own = found.get(set.label.as_str());
            let lacks = |label: &String| !found.contains_key(label.as_str());
            set.gone = matches!(own, None | Some(&"bare")) || set.needs.iter().any(lacks);
        }
    }

    /// The newest full backup without errors.
    pub fn last_full(&self) -> Option<&BackupSet> {
        let full = self
            .sets
            .iter()
            .filter(|set| set.kind == "full" && !set.error && !set.gone);
        full.max_by_key(|set| set.stop)
    }

    /// The newest backup of any kind without errors.
    pub fn last(&self) -> Option<&BackupSet> {
        self.sets
            .iter()
            .filter(|set| !set.error && !set.gone)
            .max_by_key(|set| set.stop)
    }
}

/// `0/3000090` as a number.
pub fn lsn(text: &str) -> Option<u64> {
    let (high, low) = text.split_once('/')?;
    let high = u64::from_str_radix(high, 16).ok()?;
    let low = u64::from_str_radix(low, 16).ok()?;
    Some((high << 32) | low)
}

/// Reads the answer to [`repository_question`]; `None`: a standby was asked.
pub fn read_repository(text: &str) -> Option<RepositorySeen> {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let first = lines.first()?;
    if *first == "none" {
        return Some(RepositorySeen::NotInstalled);
    }
    let words = || {
        let last = lines.last().copied().unwrap_or_default();
        RepositorySeen::Unknown(match lines.len() {
            0..=2 => "pgBackRest did not answer within 25 s".to_owned(),
            _ => last.to_owned(),
        })
    };
    let json = lines.iter().find(|line| line.starts_with('['));
    let stanzas: Option<Vec<Value>> = json.and_then(|line| serde_json::from_str(line).ok());
    let Some(stanzas) = stanzas else {
        return Some(words());
    };
    let version = first.rsplit(' ').next().unwrap_or_default();
    let server = lines
        .iter()
        .find(|line| line.bytes().all(|byte| byte.is_ascii_digit()));
    let seen = StanzaSeen {
        version: version.to_owned(),
        server: server.map(|line| (*line).to_owned()).unwrap_or_default(),
        ..StanzaSeen::default()
    };
    Some(match stanzas.first() {
        Some(stanza) => read_stanza(stanza, seen),
        None => RepositorySeen::Known(Box::new(seen)),
    })
}

fn read_stanza(stanza: &Value, mut seen: StanzaSeen) -> RepositorySeen {
    // Each repository has a code of its own, and only it has words.
    let repositories = stanza.get("repo").and_then(Value::as_array);
    let status = repositories
        .and_then(|all| all.first())
        .and_then(|repo| repo.get("status"));
    let status = status.or(stanza.get("status"));
    let code = status
        .and_then(|status| status.get("code"))
        .and_then(Value::as_i64);
    let message = status
        .and_then(|status| status.get("message"))
        .and_then(Value::as_str);
    let message = message.unwrap_or("it says nothing").replace('\n', " ");
    match code {
        Some(0 | 2) => seen.exists = true,
        Some(1 | 3) => seen.exists = false,
        Some(_) | None => return RepositorySeen::Unknown(message),
    }
    let systems = stanza.get("db").and_then(Value::as_array);
    let system = systems.and_then(|all| all.last()?.get("system-id")?.as_u64());
    seen.system = system.map(|id| id.to_string());
    let sets = stanza.get("backup").and_then(Value::as_array);
    seen.sets = sets.into_iter().flatten().map(read_set).collect();
    let archives = stanza.get("archive").and_then(Value::as_array);
    let newest = archives.and_then(|all| all.last()?.get("max")?.as_str());
    seen.newest_wal = newest.map(str::to_owned);
    RepositorySeen::Known(Box::new(seen))
}

fn read_set(set: &Value) -> BackupSet {
    let text = |at: &str| {
        set.pointer(at)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let number = |at: &str| set.pointer(at).and_then(Value::as_i64).unwrap_or_default();
    let bytes = |at: &str| set.pointer(at).and_then(Value::as_u64).unwrap_or_default();
    let annotations = set.get("annotation").and_then(Value::as_object);
    let annotations = annotations.into_iter().flatten();
    BackupSet {
        label: text("/label"),
        kind: text("/type"),
        start: number("/timestamp/start"),
        stop: number("/timestamp/stop"),
        lsn_stop: lsn(&text("/lsn/stop")).unwrap_or_default(),
        wal_start: text("/archive/start"),
        wal_stop: text("/archive/stop"),
        size: bytes("/info/size"),
        added: bytes("/info/repository/delta"),
        needs: set
            .get("reference")
            .and_then(Value::as_array)
            .map(|all| all.iter().filter_map(Value::as_str))
            .map(|all| all.map(str::to_owned).collect())
            .unwrap_or_default(),
        gone: false,
        // What is not said is not known to be sound.
        error: set.get("error").and_then(Value::as_bool).unwrap_or(true),
        annotations: annotations
            .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "pgBackRest 2.55.1\n7713895887897909935\n";
    const INFO: &str = r#"[{"archive":[{"database":{"id":1,"repo-key":1},"id":"17-1","max":"000000010000000000000007","min":"000000010000000000000005"}],"backup":[{"annotation":{"citusctl-run":"r1"},"archive":{"start":"000000010000000000000006","stop":"000000010000000000000007"},"error":false,"info":{"delta":34441725,"repository":{"delta":4172032},"size":34441725},"label":"20261130-093659F","lsn":{"start":"0/6000028","stop":"0/7001308"},"timestamp":{"start":1796031419,"stop":1796031424},"type":"full"}],"db":[{"id":1,"repo-key":1,"system-id":7713895887897909935,"version":"17"}],"name":"pg-test","repo":[{"cipher":"aes-256-cbc","key":1,"status":{"code":0,"message":"ok"}}],"status":{"code":0,"message":"ok"}}]"#;

    fn known(text: &str) -> StanzaSeen {
        match read_repository(text) {
            Some(RepositorySeen::Known(seen)) => *seen,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn reads_what_pgbackrest_says() {
        let seen = known(&format!("{HEAD}{INFO}\n"));
        assert_eq!((seen.version.as_str(), seen.exists), ("2.55.1", true));
        assert_eq!(seen.system.as_deref(), Some(seen.server.as_str()));
        let full = seen.last_full().unwrap();
        assert_eq!(
            (full.label.as_str(), full.lsn_stop),
            ("20261130-093659F", 0x0700_1308)
        );
        assert_eq!(full.annotations["citusctl-run"], "r1");
        assert_eq!(seen.newest_wal.as_deref(), Some("000000010000000000000007"));
    }

    #[test]
    fn a_repository_that_cannot_be_read_is_unknown_and_not_empty() {
        let away = r#"[{"archive":[],"backup":[],"db":[],"name":"pg-test","repo":[{"key":1,"status":{"code":99,"message":"[HostConnectError] unable to connect"}}],"status":{"code":99,"message":"other"}}]"#;
        let words = "[HostConnectError] unable to connect".to_owned();
        assert_eq!(
            read_repository(&format!("{HEAD}{away}")),
            Some(RepositorySeen::Unknown(words))
        );
        let silent = RepositorySeen::Unknown("pgBackRest did not answer within 25 s".to_owned());
        assert_eq!(read_repository(HEAD), Some(silent));
        let refused = "ERROR: [042]: unable to open".to_owned();
        assert_eq!(
            read_repository(&format!("{HEAD}{refused}")),
            Some(RepositorySeen::Unknown(refused))
        );
        assert_eq!(
            read_repository("none\n"),
            Some(RepositorySeen::NotInstalled)
        );
        assert_eq!(read_repository(" \n"), None);
        let absent = away.replace("99", "1");
        assert!(!known(&format!("{HEAD}{absent}")).exists);
    }

    #[test]
    fn a_backup_with_bad_pages_does_not_count() {
        let seen = known(&format!(
            "{HEAD}{}",
            INFO.replace("\"error\":false", "\"error\":true")
        ));
        assert_eq!((seen.sets.len(), seen.last_full()), (1, None));
    }

    #[test]
    fn a_backup_whose_files_are_gone_leads_nowhere() {
        let mut seen = known(&format!("{HEAD}{INFO}"));
        for (text, gone) in [
            ("", false),
            ("asked\n20261130-093659F whole", false),
            ("asked\n20261130-093659F unknown", false),
            ("asked\n20261130-093659F bare", true),
            ("asked\n", true),
        ] {
            seen.note_manifests(text);
            assert_eq!(seen.last().is_none(), gone, "{text}");
        }
        seen.sets[0].needs = vec!["20261129-000000F".to_owned()];
        seen.note_manifests("asked\n20261130-093659F whole");
        assert!(seen.sets[0].gone);
    }

    #[test]
    fn archiving_fails_when_its_last_attempt_did() {
        let said = |archived, failed| {
            Archiver {
                archived,
                failed,
                ..Archiver::default()
            }
            .fails()
        };
        assert!(said(None, Some(1)) && said(Some(1), Some(2)));
        assert!(!said(Some(2), Some(1)) && !said(None, None) && !said(Some(1), None));
        let line = r#"{"mode" : "on", "command" : "/bin/true", "archived" : 5, "failed" : null, "last_failed" : null, "last_archived" : "0001", "waiting" : 2}"#;
        let read = Archiver::read(&format!("\n{line}\n")).unwrap();
        assert_eq!((read.archived, read.waiting), (Some(5), 2));
    }
}
