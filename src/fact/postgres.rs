//! One PostgreSQL in its own words: what it is, how far its log reaches, from whom it receives, and who receives from it.
//!
//! Patroni's list says what Patroni believes. This asks the server itself, through its socket, with short limits.

use crate::command::{Psql, Sections, as_user, given, quote, session_options};
use crate::model::{Formation, Instance};
use serde::Deserialize;

/// What one server said.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct PostgresSeen {
    /// Equal for all copies of one cluster.
    pub system: String,
    /// Whether it is a standby.
    pub recovery: bool,
    /// End of its log (bytes); a primary's alone.
    pub written: Option<u64>,
    /// How far it has received, and how far it has replayed (bytes); a standby's alone.
    pub received: Option<u64>,
    pub replayed: Option<u64>,
    /// Replay is paused, or about to be.
    #[serde(default)]
    pub paused: bool,
    /// Milliseconds that it stays behind on purpose.
    #[serde(default)]
    pub delay: u64,
    /// Seconds since the commit that was replayed last.
    pub age: Option<f64>,
    /// The process that receives; `None`: there is none.
    pub receiver: Option<Receiver>,
    /// Who receives from it.
    #[serde(default)]
    pub standbys: Vec<Sender>,
    /// For whom its commits wait (`synchronous_standby_names`).
    #[serde(default)]
    pub synchronous: String,
    #[serde(skip)]
    pub timeline: Timeline,
    /// Where its timelines began: the lines of the history file, or nothing where there is none.
    #[serde(skip)]
    pub history: Vec<String>,
    /// The last complaint in its log, where it does not receive.
    #[serde(skip)]
    pub complaint: Option<String>,
}

/// `pg_stat_wal_receiver`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Receiver {
    pub status: String,
    pub host: Option<String>,
    pub port: Option<u16>,
}

/// A row of `pg_stat_replication`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Sender {
    /// `application_name`: with Patroni the member's name.
    pub name: String,
    pub state: Option<String>,
    /// `async`, `potential`, `sync`, `quorum`.
    pub sync: Option<String>,
    /// How far the standby has written its log to disk (bytes), as it told.
    pub flushed: Option<u64>,
}

/// The timeline of what a server holds, by `IDENTIFY_SYSTEM`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timeline {
    Known(u32),
    /// In the words of whoever did not tell.
    Unknown(String),
}

impl Default for Timeline {
    fn default() -> Self {
        Self::Unknown("it was not asked".to_owned())
    }
}

/// One row of JSON, and where the log is if nothing is received.
const QUERY: &str = "SELECT json_build_object(\
 'system', (SELECT system_identifier::text FROM pg_control_system()), \
 'recovery', pg_is_in_recovery(), \
 'written', CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_lsn() - '0/0' END, \
 'received', CASE WHEN pg_is_in_recovery() THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '0/0' END, \
 'replayed', CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() - '0/0' END, \
 'paused', CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END, \
 'delay', (SELECT setting::bigint FROM pg_settings WHERE name = 'recovery_min_apply_delay'), \
 'age', CASE WHEN pg_is_in_recovery() THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END, \
 'receiver', (SELECT json_build_object('status', status, 'host', sender_host, 'port', sender_port) FROM pg_stat_wal_receiver), \
 'standbys', (SELECT coalesce(json_agg(json_build_object('name', application_name, 'state', state, 'sync', sync_state, \
 'flushed', flush_lsn - '0/0')), '[]') FROM pg_stat_replication), \
 'synchronous', current_setting('synchronous_standby_names')), \
 CASE WHEN pg_is_in_recovery() AND NOT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') \
 THEN coalesce(regexp_replace(pg_current_logfile(), '^([^/])', current_setting('data_directory') || '/\\1'), '') END, \
 current_setting('data_directory')";

/// A session with the server of a member, as its superuser: ended after four seconds where PostgreSQL hangs.
pub(super) fn bounded_session(formation: &Formation, member: &Instance) -> Psql {
    let local = &formation.local;
    Psql {
        before: format!("timeout 4 {}", as_user(&quote(&local.dbsu))),
        bin: quote(&local.bin_dir),
        host: quote(&local.socket_dir),
        port: member.port.to_string(),
        database: "postgres".to_owned(),
        user: None,
        options: format!(
            "{} -c statement_timeout=3s",
            session_options(formation.version)
        ),
        lenient: false,
    }
}

/// Shell text whose answer [`read`] reads; it needs `mark`. Two short connections, at most nine seconds where PostgreSQL hangs.
pub fn postgres_question(formation: &Formation, member: &Instance) -> String {
    let local = &formation.local;
    let (bin, socket) = (quote(&local.bin_dir), quote(&local.socket_dir));
    let (user, port) = (as_user(&quote(&local.dbsu)), member.port);
    let session = bounded_session(formation, member);
    let ask = session.command();
    let identify = format!(
        r#"PGCONNECT_TIMEOUT=3 timeout 4 {user} {bin}/psql -XAtq -h {socket} -p {port} -d " replication=true" -c IDENTIFY_SYSTEM"#
    );
    let program = given(&[("PG_QUERY", QUERY)], include_str!("scripts/postgres.sh"));
    format!("pg_ask() {{ {ask} \"$@\"; }}\npg_identify() {{ {identify} \"$@\"; }}\n{program}")
}

/// Reads the answer to [`postgres_question`]; an error is why it is not known.
pub fn read_postgres(sections: &Sections) -> Result<PostgresSeen, String> {
    let of = |word: &str| {
        let mut found = sections.starting_with("postgres");
        found.find_map(|(rest, text)| Some((rest.strip_prefix(word)?.trim(), text.trim())))
    };
    let Some((code, text)) = of("said") else {
        return Err("its host did not say".to_owned());
    };
    if code != "0" {
        return Err(words(code, text));
    }
    let mut seen: PostgresSeen = serde_json::from_str(text)
        .map_err(|error| format!("its answer is not readable: {error}"))?;
    seen.timeline = match of("timeline") {
        Some(("0", text)) => match text.parse() {
            Ok(timeline) => Timeline::Known(timeline),
            Err(_) => Timeline::Unknown(format!("`{text}` is no timeline")),
        },
        Some((code, text)) => Timeline::Unknown(words(code, text)),
        None => Timeline::default(),
    };
    let history = of("history").map_or("", |(_, text)| text);
    seen.history = history.lines().filter_map(branch).collect();
    let complaint = of("log").map(|(_, text)| text.to_owned());
    seen.complaint = complaint.filter(|text| !text.is_empty());
    Ok(seen)
}

fn words(code: &str, text: &str) -> String {
    match (code, text.lines().next_back()) {
        // `timeout` ends what hangs.
        ("124", _) => "it accepts a connection and gives no answer within 4 s".to_owned(),
        (_, Some(last)) if !last.is_empty() => last.to_owned(),
        (code, _) => format!("psql ends with {code} and no words"),
    }
}

/// `PARENT LSN` of a line of a history file; comments and reasons say nothing about where a timeline began.
fn branch(line: &str) -> Option<String> {
    let mut fields = line.split_whitespace();
    let parent: u32 = fields.next()?.parse().ok()?;
    Some(format!("{parent} {}", fields.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Frame;

    fn read(output: &str) -> Result<PostgresSeen, String> {
        read_postgres(&Frame::new("n").sections(output))
    }

    #[test]
    fn reads_a_standby() {
        let seen = read(
            "@@n postgres said 0\n{\"system\":\"7\",\"recovery\":true,\"written\":null,\"received\":50331648,\"replayed\":50331000,\
             \"paused\":true,\"delay\":0,\"age\":3.5,\"receiver\":{\"status\":\"streaming\",\"host\":\"10.0.0.1\",\"port\":5432},\
             \"standbys\":[],\"synchronous\":\"\"}\n@@n postgres timeline 0\n3\n@@n postgres history\n1\t0/3000000\tno recovery target specified\n\n\
             2\t0/5000000\tbefore\n# planted\n",
        )
        .expect("an answer");
        assert_eq!(seen.timeline, Timeline::Known(3));
        assert_eq!(seen.history, ["1 0/3000000", "2 0/5000000"]);
        assert_eq!((seen.received, seen.paused), (Some(50_331_648), true));
        assert_eq!(
            seen.receiver.map(|it| it.status).as_deref(),
            Some("streaming")
        );
    }

    #[test]
    fn what_is_not_told_is_an_error_with_its_words() {
        let refused =
            "@@n postgres said 2\npsql: error: connection to server failed: No such file\n";
        assert_eq!(
            read(refused),
            Err("psql: error: connection to server failed: No such file".to_owned())
        );
        let hangs = read("@@n postgres said 124\n\n").unwrap_err();
        assert!(hangs.contains("no answer within 4 s"), "{hangs}");
        assert_eq!(read(""), Err("its host did not say".to_owned()));
        assert!(read("@@n postgres said 0\nnonsense\n").is_err());
        let half = read(
            "@@n postgres said 0\n{\"system\":\"7\",\"recovery\":false,\"written\":1}\n@@n postgres timeline 1\nFATAL: too many\n",
        )
        .expect("an answer");
        assert_eq!(
            half.timeline,
            Timeline::Unknown("FATAL: too many".to_owned())
        );
    }
}
