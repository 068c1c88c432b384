//! `pg_parameters` against PostgreSQL's own settings and what Patroni makes of them.

use super::{LintRule, Scope, once};
use crate::inventory::InvHost;
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::model::Formation;
use crate::model::settings::{For, SettingFault, fault};
use crate::source::{Diagnostic, Node, Severity};

pub(super) const RULES: &[LintRule] = &[parameters];

/// Each value that PostgreSQL or Patroni would refuse, or that has no effect.
fn parameters(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let found = scope.model.groups().flat_map(|(formation, group)| {
        let hosts = group
            .members
            .iter()
            .filter_map(|member| scope.host(&member.host));
        hosts
            .flat_map(|host| judged(formation, host))
            .collect::<Vec<_>>()
    });
    once(found)
}

fn judged(formation: &Formation, host: &InvHost) -> Vec<Diagnostic> {
    let Some(var) = host.vars.get("pg_parameters") else {
        return Vec::new();
    };
    let libraries = libraries(formation, host, &var.node);
    let of = For {
        version: formation.version,
        libraries: &libraries,
    };
    let pairs = var.node.pairs().unwrap_or_default().iter();
    let judged = pairs.filter_map(|(key, value)| {
        let name = key.as_str()?;
        let fault = match text(value) {
            Some(text) => fault(name, &text, of)?,
            // Null takes a parameter out.
            None => return None,
        };
        Some(told(fault, value))
    });
    judged.collect()
}

fn told(fault: SettingFault, value: &Node) -> Diagnostic {
    let problem = match fault.weight {
        Severity::Error => Diagnostic::error("bad-pg-parameter", fault.message),
        Severity::Warning => Diagnostic::warning("pg-parameter", fault.message),
        Severity::Note => Diagnostic::note("pg-parameter", fault.message),
    };
    let problem = problem.at(value.span, "in `pg_parameters`");
    match fault.help {
        Some(help) => problem.help(help),
        None => problem,
    }
}

/// The text of a value as PostgreSQL reads it; `None` for null.
fn text(value: &Node) -> Option<String> {
    match value.to_json() {
        serde_json::Value::Null => None,
        serde_json::Value::Bool(true) => Some("on".to_owned()),
        serde_json::Value::Bool(false) => Some("off".to_owned()),
        serde_json::Value::Array(items) => {
            let items: Vec<&str> = items.iter().filter_map(|item| item.as_str()).collect();
            Some(items.join(", "))
        }
        serde_json::Value::Number(number) => Some(number.to_string()),
        serde_json::Value::String(text) => Some(text),
        serde_json::Value::Object(_) => None,
    }
}

/// Libraries that are loaded at the start: `pg_libs`, those that `pg_parameters` names, and Citus in a formation.
fn libraries(formation: &Formation, host: &InvHost, parameters: &Node) -> Vec<String> {
    let named = parameters
        .get("shared_preload_libraries")
        .and_then(Node::as_str);
    let libs = Typed::new(&host.vars).get(param::PG_LIBS);
    let all = libs.split(',').chain(named.unwrap_or_default().split(','));
    let mut all: Vec<String> = all
        .map(|lib| lib.trim().to_owned())
        .filter(|lib| !lib.is_empty())
        .collect();
    all.extend(formation.is_citus().then(|| "citus".to_owned()));
    all
}
