//! What a server says of its own copy, asked by plain SQL after a drill.

use super::{ListenAddress, connect};
use crate::engine::fleet::chain;
use crate::engine::verify::Login;
use crate::engine::verify::client::ClientError;
use std::time::Duration;
use tokio::time::timeout;

/// A copy by its server's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyFacts {
    /// The system identifier.
    pub system: String,
    /// Eight hexadecimal digits: of what is written now, or received.
    pub timeline: String,
    /// The history file of that timeline; empty for the first one.
    pub history: String,
    pub in_recovery: bool,
    /// The state of the WAL receiver; empty where there is none.
    pub receiver: String,
    /// Prepared transactions that are older than ten seconds.
    pub prepared: u64,
    /// A digest of `pg_dist_node`; `None` without Citus.
    pub nodes: Option<String>,
}

const LIMIT: Duration = Duration::from_secs(10);

const COPY: &str = "SELECT s.system_identifier::text, t.tli, coalesce(h.text, ''), pg_is_in_recovery()::text, \
    coalesce((SELECT status FROM pg_stat_wal_receiver), ''), \
    (SELECT count(*) FROM pg_prepared_xacts WHERE prepared < now() - interval '10 s')::text \
    FROM pg_control_system() s, \
    LATERAL (SELECT CASE WHEN pg_is_in_recovery() \
      THEN lpad(upper(to_hex(coalesce((SELECT received_tli FROM pg_stat_wal_receiver), (SELECT timeline_id FROM pg_control_checkpoint())))), 8, '0') \
      ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END AS tli) t, \
    LATERAL (SELECT CASE WHEN EXISTS (SELECT FROM pg_ls_waldir() WHERE name = t.tli || '.history') \
      THEN pg_read_file('pg_wal/' || t.tli || '.history') END AS text) h";

const NODES: &str = "SELECT CASE WHEN (SELECT extversion FROM pg_extension WHERE extname = 'citus') LIKE '%standin%' THEN '' \
    ELSE md5(coalesce(string_agg(concat_ws(' ', groupid, nodename, nodeport, noderole, isactive), ',' ORDER BY groupid, nodename, nodeport), 'none')) END FROM pg_dist_node";

/// Asks the server behind a door.
///
/// # Errors
/// Why it does not say.
pub async fn facts(door: &ListenAddress, login: &Login) -> Result<CopyFacts, String> {
    let login = Login {
        database: "postgres".to_owned(),
        ..login.clone()
    };
    let row = row(door, &login, COPY).await?;
    let [system, timeline, history, in_recovery, receiver, prepared] = row.as_slice() else {
        return Err(format!("{} values, not six", row.len()));
    };
    Ok(CopyFacts {
        system: system.clone(),
        timeline: timeline.clone(),
        history: history.clone(),
        in_recovery: in_recovery == "true",
        receiver: receiver.clone(),
        prepared: prepared
            .parse()
            .map_err(|_| format!("`{prepared}` is no number"))?,
        nodes: None,
    })
}

/// The digest of a server's `pg_dist_node`, in the formation's database; nothing with the lab's stand-in, which hands no lists out.
///
/// # Errors
/// Why it does not say.
pub async fn nodes(door: &ListenAddress, login: &Login) -> Result<Option<String>, String> {
    let row = row(door, login, NODES).await?;
    let digest = row.into_iter().next().ok_or_else(|| "no row".to_owned())?;
    Ok((!digest.is_empty()).then_some(digest))
}

/// Writes something that a standby cannot but replay, and says where it ends.
///
/// # Errors
/// Why it could not be written.
pub async fn mark(door: &ListenAddress, login: &Login) -> Result<String, String> {
    let sql = "SELECT pg_logical_emit_message(true, 'citusctl_drill', 'after the faults')::text";
    row(door, login, sql).await?;
    let end = row(door, login, "SELECT pg_current_wal_flush_lsn()::text").await?;
    end.into_iter().next().ok_or_else(|| "no row".to_owned())
}

/// Whether a standby's replay has passed a place in the log.
///
/// # Errors
/// Why it does not say.
pub async fn replayed(door: &ListenAddress, login: &Login, mark: &str) -> Result<bool, String> {
    let sql = format!("SELECT (pg_last_wal_replay_lsn() >= '{mark}'::pg_lsn)::text");
    Ok(row(door, login, &sql).await? == ["true"])
}

/// Whether commits wait for a standby, by the first of some doors that answers.
///
/// # Errors
/// The last door's words.
pub async fn synchronous(doors: &[ListenAddress], login: &Login) -> Result<bool, String> {
    let mut why = "there is no way in".to_owned();
    let sql = "SELECT (current_setting('synchronous_standby_names') <> '')::text";
    for door in doors {
        match row(door, login, sql).await {
            Ok(said) => return Ok(said == ["true"]),
            Err(error) => why = error,
        }
    }
    Err(why)
}

async fn row(door: &ListenAddress, login: &Login, sql: &str) -> Result<Vec<String>, String> {
    let asked = async {
        let client = connect(door, login, LIMIT).await?;
        client.row(sql).await
    };
    let answer = timeout(LIMIT, asked).await;
    let answer = answer.map_err(|_| ClientError::Timeout(LIMIT)).flatten();
    answer.map_err(|error| chain(&error))
}
