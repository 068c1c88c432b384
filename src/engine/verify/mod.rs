//! Proves a formation end to end: logs in through every service's port as a client would, and with leave
//! writes through every port that takes writes, and reads it back.

pub(super) mod client;
mod door;
mod write;

pub use client::Login;

use super::Run;
use super::fleet::chain;
use crate::event::status::StatusReport;
use crate::names::{FormationName, HostName, InstanceName};
use client::ClientError;
use door::{Door, doors};
use futures_util::stream::{self, StreamExt};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Instant;

/// How many logins are under way at once: each costs both sides a handshake and a slow password hash.
const AT_ONCE: usize = 8;

/// What was tried, and how it went.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct VerifyReport {
    pub healthy: bool,
    pub checks: Vec<Check>,
    /// What failed, one sentence each; those of `status` are among them.
    pub problems: Vec<String>,
}

/// One proof.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    pub host: HostName,
    pub service: String,
    pub port: u16,
    pub ok: bool,
    /// What was found, or what went wrong.
    pub detail: String,
    pub millis: u64,
}

/// Who logs in to each formation.
#[derive(Clone, Debug)]
pub struct Logins {
    /// Whoever is tried.
    pub clients: BTreeMap<FormationName, Login>,
    /// Who makes the table to write to, and drops it.
    pub admins: BTreeMap<FormationName, Login>,
}

/// Tries all services in which HAProxy has a server that is up, PgBouncer, and shared addresses.
/// With `write`, a table is made, filled and dropped again.
pub async fn verify(
    run: &Run<'_>,
    status: &StatusReport,
    logins: &Logins,
    write: bool,
) -> VerifyReport {
    let doors = doors(run, status, &logins.clients);
    let looks = stream::iter(&doors).map(|door| look(run, door));
    let mut checks: Vec<Check> = looks.buffered(AT_ONCE).collect().await;
    let mut problems = status.problems.clone();
    problems.extend(untried(run, &doors));
    let sound = problems.is_empty() && checks.iter().all(|check| check.ok);
    if write && !sound {
        // A formation in that state may keep what could not be dropped.
        problems.push("nothing was written: what is wrong must be mended first".to_owned());
    }
    if write && sound {
        for (formation, login) in &logins.clients {
            if let Some(check) = only_follows(run, status, formation) {
                checks.push(check);
                continue;
            }
            let own: Vec<&Door<'_>> = doors
                .iter()
                .filter(|door| door.formation == formation && door.writes())
                .collect();
            let admin = logins.admins.get(formation).unwrap_or(login);
            let tried = write::write(run, admin, &own).await;
            checks.extend(tried.checks);
            problems.extend(tried.problems);
        }
    }
    let failed = checks.iter().filter(|check| !check.ok);
    problems.extend(failed.map(|check| {
        format!(
            "{}: {} (port {}): {}",
            check.host, check.service, check.port, check.detail
        )
    }));
    VerifyReport {
        healthy: problems.is_empty(),
        checks,
        problems,
    }
}

/// A formation whose groups all follow a server elsewhere, as they are meant to: nothing is written to it.
fn only_follows(run: &Run<'_>, status: &StatusReport, name: &FormationName) -> Option<Check> {
    let formation = run.model.formation(name)?;
    let meant = formation.groups.iter().all(|group| group.standby.is_some());
    let own = |name: &InstanceName| formation.members().find(|member| member.name == *name);
    let mut members = status.groups.iter().flat_map(|group| &group.members);
    let leader =
        members.find(|member| member.role == "standby_leader" && own(&member.name).is_some())?;
    meant.then(|| Check {
        host: leader.host.clone(),
        service: name.to_string(),
        port: own(&leader.name).map_or(0, |member| member.port),
        ok: true,
        detail: format!(
            "{} follows a server elsewhere: it takes no writes, and none was tried",
            leader.name
        ),
        millis: 0,
    })
}

/// Formations of which nothing was proved: no service, no PgBouncer and no address led to them from the hosts of this run.
fn untried(run: &Run<'_>, doors: &[Door<'_>]) -> Vec<String> {
    if run.model.formations.is_empty() {
        return vec!["nothing was verified: the inventory has no PostgreSQL".to_owned()];
    }
    let tried = |name: &FormationName| doors.iter().any(|door| door.formation == name);
    let names = run.model.formations.iter().map(|formation| &formation.name);
    let untried = names.filter(|name| !tried(name));
    untried.map(nothing_of).collect()
}

fn nothing_of(name: &FormationName) -> String {
    format!(
        "{name}: nothing was verified: no service, PgBouncer or address on the hosts of this run leads to a server that is up (was it `-l` that left them out?)"
    )
}

/// A server's own words, else the library's.
fn words(error: &ClientError) -> String {
    if let ClientError::Postgres(inner) = error
        && let Some(said) = inner.as_db_error()
    {
        return format!("PostgreSQL says: {}", said.message());
    }
    chain(error)
}

/// Logs in and asks who answers.
async fn look(run: &Run<'_>, door: &Door<'_>) -> Check {
    let started = Instant::now();
    let outcome = async {
        let client = door.connect(run).await?;
        let sql = "SELECT pg_is_in_recovery(), host(inet_server_addr()), \
                   (SELECT s.version FROM pg_stat_ssl s WHERE s.pid = pg_backend_pid() AND s.ssl)";
        let row = client.row(sql).await.map_err(|error| words(&error))?;
        judge(&row, door)
    };
    let outcome = outcome.await;
    door.check(started, outcome)
}

/// Whoever answers must be one of the door's servers, in the role that it promises, over TLS. The way from a pooler
/// to PostgreSQL beside it is not the client's, and has no address.
fn judge(row: &[String], door: &Door<'_>) -> Result<String, String> {
    let [recovery, address, tls] = row else {
        return Err("PostgreSQL does not say who it is".to_owned());
    };
    let recovery = recovery == "t";
    let role = if recovery { "standby" } else { "primary" };
    let name = match door.servers.get(address) {
        Some(name) => name.as_str(),
        None if door.pooled && address.is_empty() => "PgBouncer",
        None => return Err(format!("{address} answers, which is none of its servers")),
    };
    if tls.is_empty() && !door.pooled {
        return Err("PostgreSQL does not take this connection for one over TLS".to_owned());
    }
    match door.recovery {
        Some(wanted) if wanted != recovery => Err(format!("it leads to {name}, a {role}")),
        Some(_) | None if door.pooled => Ok(format!("{name}, {role}, pooled")),
        Some(_) | None => Ok(format!("{name}, {role}, {tls}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn the_server_and_its_role_must_fit_the_door() {
        let login = Login {
            user: "u".into(),
            password: Secret::new("p"),
            database: "d".into(),
            pooled: true,
            ca_pem: String::new(),
        };
        let (host, formation) = (HostName::new("h"), FormationName::new("f"));
        let door = |recovery, pooled| Door {
            host: &host,
            name: "a-primary".into(),
            address: "10.0.0.9".into(),
            port: 5433,
            recovery,
            coordinator: false,
            servers: [("10.0.0.1".to_owned(), "a-1".to_owned())].into(),
            pooled,
            login: &login,
            formation: &formation,
        };
        let row =
            |recovery: &str, address: &str, tls: &str| [recovery, address, tls].map(str::to_owned);
        let one = |recovery: &str| row(recovery, "10.0.0.1", "TLSv1.3");
        let good = judge(&one("f"), &door(Some(false), false));
        assert_eq!(good, Ok("a-1, primary, TLSv1.3".to_owned()));
        let wrong = judge(&one("t"), &door(Some(false), false));
        assert_eq!(wrong, Err("it leads to a-1, a standby".to_owned()));
        assert!(judge(&one("t"), &door(None, false)).is_ok());
        assert!(judge(&row("f", "10.0.0.2", "TLSv1.3"), &door(None, false)).is_err());
        assert!(judge(&row("f", "10.0.0.1", ""), &door(None, false)).is_err());
        let pooled = judge(&row("f", "", ""), &door(Some(false), true));
        assert_eq!(pooled, Ok("PgBouncer, primary, pooled".to_owned()));
        assert!(judge(&row("f", "", ""), &door(None, false)).is_err());
        assert!(judge(&[], &door(None, false)).is_err());
    }
}
