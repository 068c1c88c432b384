//! A table that comes and goes: written and read through every port that takes writes. It has a schema of its own: whoever
//! may use or owns a schema could put triggers on it, or another table in its place, and they run as whoever writes.

use super::client::{Client, Login};
use super::{Check, Door, words};
use crate::command::own_schema;
use crate::engine::Run;
use std::time::Instant;

/// What writing showed.
#[derive(Default)]
pub(super) struct Tried {
    pub checks: Vec<Check>,
    pub problems: Vec<String>,
}

/// The schema's name is this run's own, so that it never meets another one.
fn schema(run: &Run<'_>) -> String {
    let plain = |c: char| match c.is_ascii_alphanumeric() {
        true => c.to_ascii_lowercase(),
        false => '_',
    };
    let id: String = run.id.as_str().chars().map(plain).collect();
    format!("citusctl_verify_{id}")
}

/// Makes the table as the administrator through the coordinator (in a plain cluster: through its first port), writes
/// and reads through all ports as whoever is tried, and drops the table whatever happened in between.
pub(super) async fn write(run: &Run<'_>, admin: &Login, doors: &[&Door<'_>]) -> Tried {
    let mut tried = Tried::default();
    // Through PostgreSQL itself: the table is made and dropped in one session.
    let direct = || doors.iter().filter(|door| !door.pooled);
    let coordinator = direct().find(|door| door.coordinator);
    let Some(first) = coordinator.or_else(|| direct().next()).or(doors.first()) else {
        tried.problems.push(format!(
            "{}: no service leads to a primary, so nothing was written",
            admin.database
        ));
        return tried;
    };
    let schema = schema(run);
    let table = format!("{schema}.written");
    let started = Instant::now();
    let citus = run.model.formation(first.formation);
    let citus = citus.is_some_and(|formation| formation.is_citus());
    let client = match first.connect_as(run, admin).await {
        Ok(client) => client,
        Err(why) => {
            tried.checks.push(first.check(started, Err(why)));
            return tried;
        }
    };
    let user = (first.login.user != admin.user).then_some(first.login.user.as_str());
    match create(&client, &schema, citus, user).await {
        Ok(()) => through_all(run, doors, &table, &mut tried).await,
        Err(why) => tried.checks.push(first.check(started, Err(why))),
    }
    if tried.checks.iter().all(|check| check.ok) {
        let started = Instant::now();
        let whole = whole(&client, &table, citus, tried.checks.len()).await;
        tried.checks.push(first.check(started, whole));
    }
    if let Err(error) = client.row(&remove(&schema)).await {
        tried.problems.push(format!(
            "{}: the schema {schema} is left behind: {}",
            first.host,
            words(&error)
        ));
    }
    tried
}

/// Only what was made here: what else is in the schema keeps it.
fn remove(schema: &str) -> String {
    format!("DROP TABLE IF EXISTS {schema}.written; DROP SCHEMA IF EXISTS {schema}")
}

/// In one message, which is one transaction: what fails leaves nothing behind.
async fn create(
    client: &Client,
    schema: &str,
    citus: bool,
    user: Option<&str>,
) -> Result<(), String> {
    let table = format!("{schema}.written");
    let mut sql = format!(
        "{}; CREATE TABLE {table} (id bigint PRIMARY KEY, said text NOT NULL)",
        own_schema(schema)
    );
    if citus {
        sql.push_str(&format!(
            "; SELECT create_distributed_table('{table}', 'id')"
        ));
    }
    if let Some(user) = user {
        let user = user.replace('"', "\"\"");
        sql.push_str(&format!(
            "; GRANT USAGE ON SCHEMA {schema} TO \"{user}\"; GRANT SELECT, INSERT ON {table} TO \"{user}\""
        ));
    }
    let created = client.row(&sql).await;
    created.map(|_| ()).map_err(|error| words(&error))
}

/// One after the other, each with a row of its own.
async fn through_all(run: &Run<'_>, doors: &[&Door<'_>], table: &str, tried: &mut Tried) {
    for (at, door) in doors.iter().enumerate() {
        let started = Instant::now();
        let outcome = through(run, door, table, at).await;
        tried.checks.push(door.check(started, outcome));
    }
}

async fn through(run: &Run<'_>, door: &Door<'_>, table: &str, id: usize) -> Result<String, String> {
    let client = door.connect(run).await?;
    let sql = format!("INSERT INTO {table} VALUES ({id}, '{}')", door.port);
    client.row(&sql).await.map_err(|error| words(&error))?;
    let sql = format!("SELECT said, (SELECT count(*) FROM {table}) FROM {table} WHERE id = {id}");
    let row = client.row(&sql).await.map_err(|error| words(&error))?;
    match row.as_slice() {
        [said, count] if *said == door.port.to_string() && *count == (id + 1).to_string() => {
            Ok(format!("wrote a row, read {count}"))
        }
        [_, count] => Err(format!("{} rows were written, {count} are read", id + 1)),
        _ => Err("the row that was written cannot be read".to_owned()),
    }
}

/// All rows at the end, and on how many nodes the shards are.
async fn whole(client: &Client, table: &str, citus: bool, wanted: usize) -> Result<String, String> {
    let row = client.row(&format!("SELECT count(*) FROM {table}")).await;
    let row = row.map_err(|error| words(&error))?;
    let count = row.first().cloned().unwrap_or_default();
    if count != wanted.to_string() {
        return Err(format!("{wanted} rows were written, {count} are read"));
    }
    if !citus {
        return Ok(format!("{count} rows in all"));
    }
    let sql = format!(
        "SELECT count(DISTINCT (nodename, nodeport)), count(DISTINCT shardid) FROM citus_shards \
         WHERE table_name = '{table}'::regclass"
    );
    let row = client.row(&sql).await.map_err(|error| words(&error))?;
    match row.as_slice() {
        [nodes, shards] => Ok(format!("{count} rows in {shards} shards on {nodes} nodes")),
        _ => Err("citus_shards does not know the table".to_owned()),
    }
}
