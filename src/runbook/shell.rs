//! Shell functions for steps on a host: etcd as root, PostgreSQL as its own superuser. Secrets are in the text,
//! which travels on standard input; programs get them by environment.

use crate::command::{Psql, as_user, quote, session_options};
use crate::inventory::Inventory;
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
pub fn host_functions(inventory: &Inventory, model: &Model, host: &Host) -> Secret {
    // psql complains of a directory that its user cannot enter, and that would be taken for an answer.
    let mut text = format!("cd /\n{}", etcd::FUNCTIONS);
    if let Some(vars) = inventory.hosts.get(&host.name) {
        let typed = Typed::new(&vars.vars);
        text.push_str(&etcd_functions(&typed, model, host));
        text.push_str(&pg_functions(&typed, model, host));
    }
    Secret::new(text)
}

fn etcd_functions(typed: &Typed<'_>, model: &Model, host: &Host) -> String {
    let (Some(etcd), Some(member)) = (&model.etcd, &host.etcd) else {
        return String::new();
    };
    let password = typed.get(param::ETCD_ROOT_PASSWORD);
    let login = match password.is_empty() {
        true => String::new(),
        false => format!(
            "ETCDCTL_USER=root ETCDCTL_PASSWORD={} ",
            quote(password.expose())
        ),
    };
    let ports = (etcd.client_port, etcd.peer_port);
    let peer = std::net::SocketAddr::new(member.address, ports.1);
    format!(
        "ETCD_DATA={data} ETCD_CONF=/etc/etcd/etcd.conf.yml ETCD_NAME={name} ETCD_URL={url} ETCD_PEER=https://{peer}\n\
         etcd_ctl_at() {{ {login}etcd_plain \"$@\"; }}\n\
         etcd_ctl() {{ etcd_ctl_at \"$ETCD_URL\" \"$@\"; }}\n\
         etcd_stop() {{ systemctl kill -s KILL etcd.service 2>/dev/null || :; systemctl stop etcd.service || :; }}\n\
         ETCD_DROPIN=/run/systemd/system/etcd.service.d/zz-citusctl.conf\n\
         etcd_start_with() {{ if systemctl show -P EnvironmentFiles etcd.service | grep -q /run/citusctl/etcd-start; then\n\
           printf 'CITUSCTL_ETCD_CONF=%s\\n' \"$1\" >/run/citusctl/etcd-start\n\
         else\n\
           mkdir -p \"${{ETCD_DROPIN%/*}}\"; printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/etcd --config-file=%s\\n' \"$1\" >\"$ETCD_DROPIN\"; systemctl daemon-reload\n\
         fi; }}\n\
         etcd_start_ordinary() {{ rm -f /run/citusctl/etcd-start; [ ! -e \"$ETCD_DROPIN\" ] || {{ rm -f \"$ETCD_DROPIN\"; systemctl daemon-reload; }}; }}\n\
         etcd_starts_ordinary() {{ [ ! -e /run/citusctl/etcd-start ] && [ ! -e \"$ETCD_DROPIN\" ] || {{ echo 'the temporary configuration is still in place'; return 1; }}; }}\n\
         etcd_leader() {{ etcd_plain \"$ETCD_URL\" endpoint status -w json 2>/dev/null | json_text leader; }}\n\
         etcd_majority() {{ systemctl is-active -q etcd.service || return 1; case $(etcd_leader) in '' | 0) false ;; *) etcd_plain \"$ETCD_URL\" endpoint health 2>&1 | grep -q 'is healthy' ;; esac; }}\n",
        data = quote(&typed.get(param::ETCD_DATA)),
        name = quote(&member.name),
        url = quote(&member.client_url(etcd.client_port)),
    )
}

fn pg_functions(typed: &Typed<'_>, model: &Model, host: &Host) -> String {
    let Some(member) = &host.pg else {
        return String::new();
    };
    let version = model
        .formation(&member.formation)
        .map_or(0, |formation| formation.version);
    let bin = bin_dir(typed, version);
    format!(
        "patroni_says() {{ python3 -c 'import ssl, sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=3, context=ssl._create_unverified_context())' \\\n\
           \"{api}/$1\" 2>&1 | tail -n 1 | grep . && return 1; return 0; }}\n\
         PG_DATA={data} PG_BIN={bin} PG_PORT={port} PG_USER={user} PG_SOCKET={socket}\n\
         as_dbsu() {{ {become_dbsu} \"$@\"; }}\n\
         pg_control() {{ as_dbsu \"$PG_BIN/pg_ctl\" -D \"$PG_DATA\" \"$@\"; }}\n\
         pg_is_stopping() {{ as_dbsu sed -n 8p \"$PG_DATA/postmaster.pid\" 2>/dev/null | grep -q stopping && pg_control status >/dev/null 2>&1; }}\n\
         sql() {{ {psql} -c \"$2\"; }}\n",
        api = member.patroni_url(),
        data = quote(&typed.get(param::PG_DATA)),
        bin = quote(&bin),
        port = member.port,
        user = quote(&typed.get(param::PG_DBSU)),
        become_dbsu = as_user("\"$PG_USER\""),
        socket = quote(&typed.get(param::PG_LOCALHOST)),
        psql = psql(typed, version),
    )
}

/// Of a database that `$1` names, beside `as_dbsu` and the variables.
fn psql(typed: &Typed<'_>, version: u32) -> String {
    let psql = Psql {
        before: "as_dbsu".to_owned(),
        bin: "\"$PG_BIN\"".to_owned(),
        host: quote(&typed.get(param::PG_LOCALHOST)),
        port: "\"$PG_PORT\"".to_owned(),
        database: "\"$1\"".to_owned(),
        user: None,
        options: session_options(version),
        lenient: false,
    };
    psql.command()
}
