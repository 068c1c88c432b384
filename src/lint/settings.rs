//! `pg_parameters` against PostgreSQL's own settings and what Patroni makes of them.

use super::{LintRule, Scope, once};
use crate::inventory::InvHost;
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::model::settings::{For, SettingFault, fault, session_fault};
use crate::model::{Formation, Group};
use crate::source::{Diagnostic, Node, Severity};

pub(super) const RULES: &[LintRule] = &[parameters, of_sessions];

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
    let libraries = libraries(formation, host);
    let of = For {
        version: formation.version,
        libraries: &libraries,
    };
    each(&var.node, "in `pg_parameters`", |name, text| {
        fault(name, text, of)
    })
}

/// Roles and databases, whose `parameters` are set in their sessions.
const WITH_PARAMETERS: [&str; 3] = ["pg_users", "pg_default_roles", "pg_databases"];

/// What a role or a database asks of its sessions, and PostgreSQL would refuse when the run comes to it.
fn of_sessions(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let first = |group: &Group| scope.host(&group.members.first()?.host);
    let groups = scope.model.groups();
    let found = groups.filter_map(|(formation, group)| Some((formation, first(group)?)));
    once(found.flat_map(|(formation, host)| sessions(formation, host)))
}

fn sessions(formation: &Formation, host: &InvHost) -> Vec<Diagnostic> {
    let libraries = libraries(formation, host);
    let of = For {
        version: formation.version,
        libraries: &libraries,
    };
    let mut found = Vec::new();
    for (name, var) in WITH_PARAMETERS
        .iter()
        .filter_map(|name| Some((name, host.vars.get(name)?)))
    {
        let items = var.node.items().unwrap_or_default().iter();
        for parameters in items.filter_map(|item| item.get("parameters")) {
            let place = format!("in `parameters` of `{name}`");
            found.extend(each(parameters, &place, |name, text| {
                session_fault(name, text, of)
            }));
        }
    }
    found
}

/// The faults of a mapping of settings. Null takes a setting out.
fn each(
    node: &Node,
    place: &str,
    fault: impl Fn(&str, &str) -> Option<SettingFault>,
) -> Vec<Diagnostic> {
    let pairs = node.pairs().unwrap_or_default().iter();
    let judged = pairs.filter_map(|(key, value)| {
        let fault = fault(key.as_str()?, &text(value)?)?;
        Some(told(fault, value, place))
    });
    judged.collect()
}

fn told(fault: SettingFault, value: &Node, place: &str) -> Diagnostic {
    let problem = match fault.weight {
        Severity::Error => Diagnostic::error("bad-pg-parameter", fault.message),
        Severity::Warning => Diagnostic::warning("pg-parameter", fault.message),
        Severity::Note => Diagnostic::note("pg-parameter", fault.message),
    };
    let problem = problem.at(value.span, place);
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
fn libraries(formation: &Formation, host: &InvHost) -> Vec<String> {
    let parameters = host.vars.get("pg_parameters");
    let named = parameters
        .and_then(|var| var.node.get("shared_preload_libraries"))
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
