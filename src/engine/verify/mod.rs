//! Proves a formation end to end: logs in through every service's port as a client would, and with leave
//! writes through every port that takes writes, and reads it back.

pub(super) mod client;
mod write;

pub use client::Login;

use super::Run;
use super::fleet::chain;
use crate::event::status::{ServiceStatus, StatusReport};
use crate::model::{Host, Model, Service, ServiceKind};
use crate::names::{FormationName, HostName};
use client::{Client, ClientError};
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

/// A service of a host that is to be tried.
#[derive(Clone, Copy)]
struct Door<'a> {
    host: &'a Host,
    service: &'a Service,
    login: &'a Login,
    formation: &'a FormationName,
}

/// Tries all services in which HAProxy has a server that is up: `status` has judged the others.
/// `logins` says who logs in to each formation. With `write`, a table is made, filled and dropped again.
pub async fn verify(
    run: &Run<'_>,
    status: &StatusReport,
    logins: &BTreeMap<FormationName, Login>,
    write: bool,
) -> VerifyReport {
    let doors = doors(run, status, logins);
    let looks = stream::iter(&doors).map(|door| look(run, *door));
    let mut checks: Vec<Check> = looks.buffered(AT_ONCE).collect().await;
    let mut problems = status.problems.clone();
    let sound = problems.is_empty() && checks.iter().all(|check| check.ok);
    if write && !sound {
        // A formation in that state may keep what could not be dropped.
        problems.push("nothing was written: what is wrong must be mended first".to_owned());
    }
    if write && sound {
        for (formation, login) in logins {
            let own: Vec<Door<'_>> = doors
                .iter()
                .filter(|door| door.formation == formation && door.writes())
                .copied()
                .collect();
            let tried = write::write(run, login, &own).await;
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

fn doors<'a>(
    run: &Run<'a>,
    status: &StatusReport,
    logins: &'a BTreeMap<FormationName, Login>,
) -> Vec<Door<'a>> {
    let open = |host: &Host, service: &Service| {
        let line = |line: &&ServiceStatus| line.host == host.name && line.service == service.name;
        let found = status.services.iter().find(line);
        found.is_some_and(|line| line.servers.iter().any(|server| server.up))
    };
    let model: &'a Model = run.model;
    let mut doors = Vec::new();
    for host in model.hosts() {
        for service in host.services.iter().filter(|service| open(host, service)) {
            let name = service.servers.iter().find_map(|s| s.instance.as_ref());
            let instance = name.and_then(|name| model.instance(name));
            let login = instance.and_then(|instance| logins.get_key_value(&instance.formation));
            if let (Some((formation, login)), true) = (login, service.kind != ServiceKind::Custom) {
                doors.push(Door {
                    host,
                    service,
                    login,
                    formation,
                });
            }
        }
    }
    doors
}

impl Door<'_> {
    /// What the service's health check demands of `pg_is_in_recovery()`, if anything.
    fn recovery(&self) -> Option<bool> {
        let path = self.service.check_path.as_deref().unwrap_or_default();
        match path.split('?').next().unwrap_or_default() {
            "/primary" | "/read-write" | "/leader" | "/master" => Some(false),
            "/replica" => Some(true),
            _ => self.service.check_expect.as_ref().map(|_| true),
        }
    }

    /// Which server of the service lives at an address. Its port may be that of a pooler.
    fn server(&self, address: &str) -> Option<String> {
        let mut servers = self.service.servers.iter();
        servers
            .find(|server| server.address == address)
            .map(|server| server.name.clone())
    }

    fn writes(&self) -> bool {
        self.recovery() == Some(false)
    }

    async fn connect(&self, run: &Run<'_>) -> Result<Client, String> {
        let via = run.fleet.get(&self.host.name);
        let via = via.ok_or_else(|| format!("{} is not connected", self.host.name))?;
        let address = self.host.address.to_string();
        Client::connect(via.as_ref(), &address, self.service.port, self.login)
            .await
            .map_err(|error| words(&error))
    }

    fn check(&self, started: Instant, outcome: Result<String, String>) -> Check {
        Check {
            host: self.host.name.clone(),
            service: self.service.name.clone(),
            port: self.service.port,
            ok: outcome.is_ok(),
            detail: outcome.unwrap_or_else(|why| why),
            millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }
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
async fn look(run: &Run<'_>, door: Door<'_>) -> Check {
    let started = Instant::now();
    let outcome = async {
        let client = door.connect(run).await?;
        let sql = "SELECT pg_is_in_recovery(), host(inet_server_addr()), s.version \
                   FROM pg_stat_ssl s WHERE s.pid = pg_backend_pid() AND s.ssl";
        let row = client.row(sql).await.map_err(|error| words(&error))?;
        judge(&row, door.recovery(), |address| door.server(address))
    };
    let outcome = outcome.await;
    door.check(started, outcome)
}

/// `server` names who is behind an address, if the service has such a server.
fn judge(
    row: &[String],
    wanted: Option<bool>,
    server: impl Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let [recovery, address, tls] = row else {
        return Err("PostgreSQL does not take this connection for one over TLS".to_owned());
    };
    let Some(name) = server(address) else {
        return Err(format!("{address} answers, which is none of its servers"));
    };
    let recovery = recovery == "t";
    let role = if recovery { "standby" } else { "primary" };
    match wanted {
        Some(wanted) if wanted != recovery => Err(format!("it leads to {name}, a {role}")),
        Some(_) | None => Ok(format!("{name}, {role}, {tls}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_and_its_role_must_fit_the_service() {
        let row = |recovery: &str| [recovery, "10.0.0.1", "TLSv1.3"].map(str::to_owned);
        let server = |address: &str| (address == "10.0.0.1").then(|| "a-1".to_owned());
        let good = judge(&row("f"), Some(false), server);
        assert_eq!(good, Ok("a-1, primary, TLSv1.3".to_owned()));
        let wrong = judge(&row("t"), Some(false), server);
        assert_eq!(wrong, Err("it leads to a-1, a standby".to_owned()));
        assert!(judge(&row("t"), None, server).is_ok());
        assert!(judge(&row("f"), Some(false), |_| None).is_err());
        assert!(judge(&[], None, server).is_err());
    }
}
