//! How HAProxy asks Patroni whether a member may serve.

use super::service_spec::Spec;
use crate::inventory::param;
use crate::inventory::parameters::Typed;

/// The health check of a service.
pub(super) struct HealthCheck {
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
pub(super) fn check(spec: &Spec, typed: &Typed<'_>) -> HealthCheck {
    let written = spec.check.clone().unwrap_or_else(|| "/".into());
    let check = |path, expect| HealthCheck {
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
        "/read-only" if spec.backup.is_some() => HealthCheck {
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

/// What the body of the answer must call the member's role, where only a leader passes.
///
/// Patroni answers 200 from the moment a member has the leader key, while PostgreSQL is still to be promoted, or comes
/// back read-only after a crash. The role in the body is PostgreSQL's own (`pg_is_in_recovery`): `replica` until it takes
/// writes, then `primary`, or `master` before Patroni 4. A standby cluster's leader never takes any.
pub(super) fn roles(path: &str) -> &'static [&'static str] {
    match path.split('?').next().unwrap_or_default() {
        "/" | "/primary" | "/master" | "/read-write" => &["primary", "master"],
        "/leader" => &["primary", "master", "standby_leader"],
        _ => &[],
    }
}

/// How many bytes a replica may be behind and still serve reads: `pg_rpo`, at least 1 MiB.
fn lag(typed: &Typed<'_>) -> i64 {
    typed.get(param::PG_RPO).max(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::roles;

    #[test]
    fn a_check_that_only_the_leader_passes_asks_for_its_role() {
        for path in ["/", "/primary", "/master", "/read-write?x=1"] {
            assert_eq!(roles(path), ["primary", "master"], "{path}");
        }
        assert_eq!(roles("/leader"), ["primary", "master", "standby_leader"]);
        for path in ["/standby-leader", "/replica?lag=1", "/read-only", "/health"] {
            assert!(roles(path).is_empty(), "{path}");
        }
    }
}
