//! How HAProxy asks Patroni whether a member may serve.

use super::service_spec::Spec;
use crate::inventory::param;
use crate::inventory::parameters::Typed;

/// The health check of a service.
pub(super) struct Check {
    pub(super) path: String,
    /// What the answer must contain, besides status 200.
    pub(super) expect: Option<String>,
    /// What the members are asked while none of them passes the check.
    pub(super) fallback: Option<String>,
}

/// The shipped checks are made safe; those that the inventory writes are taken as they are, but for one: the
/// leader passes `/read-only` too. Where backups are named beside it, replicas are meant first, and the leader
/// only while none of them serves. Who leads is asked live, not read from `pg_role`.
///
/// - Ordinary reads go only to replicas that are not further behind than a replica may be to be
///   promoted (`pg_rpo`): without a limit one that stopped replicating still takes traffic.
/// - Offline instances carry `noloadbalance`, for which Patroni's `/replica` answers 503 always. So
///   they are asked for their health, and must say that they are a replica.
pub(super) fn check(spec: &Spec, typed: &Typed<'_>) -> Check {
    let written = spec.check.clone().unwrap_or_else(|| "/".into());
    let check = |path, expect| Check {
        path,
        expect,
        fallback: None,
    };
    let (path, query) = written.split_once('?').unwrap_or((&written, ""));
    let query = match query {
        "" if spec.shipped => format!("?lag={}", lag(typed)),
        "" => String::new(),
        query => format!("?{query}"),
    };
    match path {
        "/read-only" if spec.backup.is_some() => Check {
            path: format!("/replica{query}"),
            expect: None,
            fallback: Some(format!("/read-only{query}")),
        },
        "/replica" if spec.shipped && spec.name == "offline" => {
            check("/health".into(), Some("\"role\": \"replica\"".into()))
        }
        "/read-only" | "/replica" => check(format!("{path}{query}"), None),
        _ => check(written, None),
    }
}

/// How many bytes a replica may be behind and still serve reads: `pg_rpo`, at least 1 MiB.
fn lag(typed: &Typed<'_>) -> i64 {
    typed.get(param::PG_RPO).max(1 << 20)
}
