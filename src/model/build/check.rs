//! How HAProxy asks Patroni whether a member may serve.

use super::service_spec::Spec;
use crate::inventory::parameters::Typed;

/// The health check of a service.
pub(super) struct Check {
    pub(super) path: String,
    /// What the answer must contain, besides status 200.
    pub(super) expect: Option<String>,
}

/// The shipped checks are made safe; those that the inventory writes are taken as they are.
///
/// - Ordinary reads go only to replicas that are not further behind than a replica may be to be
///   promoted (`pg_rpo`): without a limit one that stopped replicating still takes traffic.
/// - Offline instances carry `noloadbalance`, for which Patroni's `/replica` answers 503 always. So
///   they are asked for their health, and must say that they are a replica.
pub(super) fn check(spec: &Spec, typed: &Typed<'_>) -> Check {
    let written = spec.check.clone().unwrap_or_else(|| "/".into());
    let plain = |path| Check { path, expect: None };
    if !spec.shipped {
        return plain(written);
    }
    match written.as_str() {
        "/read-only" => plain(format!("/read-only?lag={}", lag(typed))),
        "/replica" if spec.name == "offline" => Check {
            path: "/health".into(),
            expect: Some("\"role\": \"replica\"".into()),
        },
        "/replica" => plain(format!("/replica?lag={}", lag(typed))),
        other => plain(other.to_owned()),
    }
}

/// How many bytes a replica may be behind and still serve reads: `pg_rpo`, at least 1 MiB.
fn lag(typed: &Typed<'_>) -> i64 {
    typed.int("pg_rpo").max(1 << 20)
}
