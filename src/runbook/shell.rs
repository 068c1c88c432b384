//! Shell functions for steps on a host: etcd as root, PostgreSQL as its own superuser. Secrets are in the text,
//! which travels on standard input; programs get them by environment.

use crate::command::{Psql, as_user, given, quote, session_options};
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::model::etcd;
use crate::model::pg::bin_dir;
use crate::model::{Host, Model};
use crate::secret::Secret;

/// The functions of a host, beside those of [`etcd::FUNCTIONS`]:
///
/// - `etcd_ctl ...` speaks to the member on this host as root; `etcd_ctl_at ENDPOINT ...` to another;
/// - `etcd_majority` succeeds when this member takes part in a majority; it needs no password, and says no at once
///   where no leader is known;
/// - `etcd_stop` ends the member on this host at once: asked politely, one without a majority looks for somebody to hand
///   the lead to, for the 90 s of its unit;
/// - `etcd_start_with FILE` names the configuration of the next start of etcd.service, `etcd_start_ordinary` takes that
///   back: without a look of systemd at its files where the unit is of this version;
/// - `patroni_says leader` asks Patroni on this host, and prints why where the answer is no;
/// - `sql DATABASE SQL` asks PostgreSQL on this host as its superuser, unaligned, without a header;
/// - `as_dbsu ...` runs a program as PostgreSQL's own user;
/// - `pg_control ...` is pg_ctl on this host's data; `pg_is_stopping` says whether the server has been asked to end: it then
///   waits for standbys that are gone, for up to wal_sender_timeout, and may be ended at once, since all that it
///   acknowledged is in its log;
/// - variables `ETCD_DATA`, `ETCD_CONF`, `ETCD_URL`, `ETCD_PEER`, `ETCD_NAME`, `PG_DATA`, `PG_BIN`, `PG_PORT`, `PG_USER`, `PG_SOCKET`.
pub fn host_functions(model: &Model, host: &Host) -> Secret {
    // psql complains of a directory that its user cannot enter, and that would be taken for an answer.
    let mut text = format!("cd /\n{}", etcd::FUNCTIONS);
    let typed = host.typed();
    text.push_str(&etcd_functions(&typed, model, host));
    text.push_str(&pg_functions(&typed, model, host));
    Secret::new(text)
}

fn etcd_functions(typed: &Typed<'_>, model: &Model, host: &Host) -> String {
    let (Some(etcd), Some(member)) = (&model.etcd, &host.etcd) else {
        return String::new();
    };
    let password = typed.get(param::ETCD_ROOT_PASSWORD);
    let peer = std::net::SocketAddr::new(member.address, etcd.peer_port);
    let values = [
        ("ETCD_DATA", typed.get(param::ETCD_DATA)),
        ("ETCD_CONF", "/etc/etcd/etcd.conf.yml".to_owned()),
        ("ETCD_NAME", member.name.clone()),
        ("ETCD_URL", member.client_url(etcd.client_port)),
        ("ETCD_PEER", format!("https://{peer}")),
        ("ETCD_PASSWORD", password.expose().to_owned()),
    ];
    let values = values
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    given(&values, include_str!("scripts/etcd.sh"))
}

fn pg_functions(typed: &Typed<'_>, model: &Model, host: &Host) -> String {
    let Some(member) = &host.pg else {
        return String::new();
    };
    let version = model
        .formation(&member.formation)
        .map_or(0, |formation| formation.version);
    let bin = bin_dir(typed, version);
    let values = [
        ("PG_DATA", typed.get(param::PG_DATA)),
        ("PG_BIN", bin),
        ("PG_PORT", member.port.to_string()),
        ("PG_USER", typed.get(param::PG_DBSU)),
        ("PG_SOCKET", typed.get(param::PG_LOCALHOST)),
        ("PATRONI_URL", member.patroni_url()),
    ];
    let values = values
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    // How to become another user and how to open a session is said in one place each.
    format!(
        "as_dbsu() {{ {become_dbsu} \"$@\"; }}\nsql() {{ {psql} -c \"$2\"; }}\nsql_below() {{ {below}; }}\n{functions}",
        become_dbsu = as_user("\"$PG_USER\""),
        psql = psql(quote(&typed.get(param::PG_LOCALHOST)), "\"$1\"", version),
        below = psql("\"$1\"".to_owned(), "postgres", version),
        functions = given(&values, include_str!("scripts/postgres.sh")),
    )
}

/// With a socket directory and a database, beside `as_dbsu` and the variables. `sql DATABASE STATEMENT` asks the server that
/// Patroni runs; `sql_below DIRECTORY` takes statements on its standard input, for a server whose socket is there.
fn psql(host: String, database: &str, version: u32) -> String {
    let psql = Psql {
        before: "as_dbsu".to_owned(),
        bin: "\"$PG_BIN\"".to_owned(),
        host,
        port: "\"$PG_PORT\"".to_owned(),
        database: database.to_owned(),
        user: None,
        options: session_options(version),
        lenient: false,
    };
    psql.command()
}
