//! Values that take either a word or a number, which the catalogue of parameters cannot check.

use super::{Rule, Scope, once};
use crate::model::build::place_of;
use crate::source::Diagnostic;

pub(super) const RULES: &[Rule] = &[max_conn];

/// `pg_max_conn` is `auto` or a number; Pigsty takes what is below 20 for `auto`.
fn max_conn(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let found = scope.inv.hosts.values().filter_map(|host| {
        let var = host.vars.get("pg_max_conn")?;
        let text = var.node.as_str().unwrap_or_default();
        if text == "auto" || text.parse::<u32>().is_ok() {
            return None;
        }
        let message = "`pg_max_conn` wants `auto` or a whole number";
        Some(
            Diagnostic::error("wrong-type", message)
                .at(place_of(host, "pg_max_conn"), "neither")
                .help("leave it out to have it computed from the host's memory"),
        )
    });
    once(found)
}
