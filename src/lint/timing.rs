//! How fast failures are noticed.

use super::{LintRule, Placed, Scope, text};
use crate::inventory::parameters::Typed;
use crate::model::Rto;
use crate::model::build::place_of;
use crate::source::Diagnostic;

pub(super) const RULES: &[LintRule] = &[ttl_too_short, unknown_rto];

/// Patroni refuses or stretches such times, depending on its version.
fn ttl_too_short(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for (_, group) in scope
        .model
        .groups()
        .filter(|(_, group)| !group.rto.is_consistent())
    {
        let rto = &group.rto;
        let host = group
            .members
            .first()
            .and_then(|member| scope.host(&member.host));
        let place = host.map(|host| match host.vars.contains("pg_rto_plan") {
            true => place_of(host, "pg_rto_plan"),
            false => place_of(host, "pg_rto"),
        });
        let needed = rto.loop_wait + 2 * rto.retry_timeout;
        let message = format!("`{}`: a `ttl` of {} s is too short", rto.name, rto.ttl);
        let why = format!(
            "`loop_wait` {} + 2 * `retry_timeout` {} = {needed} s",
            rto.loop_wait, rto.retry_timeout
        );
        let problem = Diagnostic::error("ttl-too-short", message).at_if(place, why).help(format!(
            "raise `ttl` to {needed} or lower the others: a leader that misses one answer of etcd \
             would lose its lock"
        ));
        if !found.contains(&problem) {
            found.push(problem);
        }
    }
    found
}

fn unknown_rto(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for (_, group) in scope.model.groups() {
        let Some(host) = group
            .members
            .first()
            .and_then(|member| scope.host(&member.host))
        else {
            continue;
        };
        let name = ["pg_rto", "pg_rto_plan"]
            .into_iter()
            .find(|name| host.vars.contains(name));
        let Some(name) = name.filter(|_| Rto::read(&Typed::new(&host.vars)).is_none()) else {
            continue;
        };
        let message = format!("`pg_rto: {}` names no usable plan", text(host, "pg_rto"));
        let problem = Diagnostic::error("bad-rto", message)
            .at(
                place_of(host, name),
                "ten values: ttl, loop_wait, retry_timeout, ... rise, fall",
            )
            .help("shipped are `fast`, `norm`, `safe` and `wide`");
        if !found.contains(&problem) {
            found.push(problem);
        }
    }
    found
}
