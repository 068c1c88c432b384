//! HBA rules that cannot be understood, and those that let everybody in.

use super::{LintRule, Scope, once};
use crate::inventory::InvHost;
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::model::build::place_of;
use crate::model::hba::{HbaEnv, HbaError, expand};
use crate::source::{Diagnostic, Span};

pub(super) const RULES: &[LintRule] = &[understood, open_doors];

/// PostgreSQL does not start with a line that it cannot read.
fn understood(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let found = scope.model.groups().flat_map(|(formation, group)| {
        group.members.iter().flat_map(move |member| {
            let Some(host) = scope.host(&member.host) else {
                return Vec::new();
            };
            let typed = Typed::new(&host.vars);
            let env = HbaEnv::of(scope.model, &typed, member, formation, group);
            let (defaults, rules) = (
                typed.get(param::PG_DEFAULT_HBA_RULES),
                typed.get(param::PG_HBA_RULES),
            );
            let errors = expand(&defaults, &rules, &env).err().unwrap_or_default();
            errors.iter().map(|error| problem(host, error)).collect()
        })
    });
    once(found)
}

fn problem(host: &InvHost, error: &HbaError) -> Diagnostic {
    Diagnostic::error("bad-hba-rule", error.to_string())
        .at(place(host, error), "not understood")
        .help("a rule is `{ user, db, addr, auth, order, role, title }`, or `{ rules: [lines of pg_hba.conf] }`")
}

/// The key that is wrong, else the rule, else the list.
fn place(host: &InvHost, error: &HbaError) -> Span {
    let list = error.list.parameter();
    let items = host.vars.get(list).and_then(|var| var.node.items());
    let Some(rule) = items.and_then(|items| items.get(error.index)) else {
        return place_of(host, list);
    };
    let key = error.key.and_then(|key| rule.get(key));
    key.map_or(rule.span, |node| node.span)
}

/// `trust` asks nobody for anything.
fn open_doors(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let lists = scope.hosts().flat_map(|host| {
        ["pg_default_hba_rules", "pg_hba_rules"]
            .into_iter()
            .filter_map(|list| host.vars.get(list)?.node.items())
            .flatten()
    });
    let found = lists.filter_map(|rule| {
        let text = |key: &str| rule.get(key).and_then(|node| node.as_str());
        let wide = matches!(text("addr"), Some("world" | "all" | "intra" | "intranet"));
        let auth = rule.get("auth").filter(|_| wide)?;
        (auth.as_str() == Some("trust")).then(|| {
            Diagnostic::warning(
                "open-hba-rule",
                "this rule lets everybody of a whole network in, as whomever they like",
            )
            .at(auth.span, "`trust` asks for no password")
            .help("`auth: ssl` asks for a password, over TLS")
        })
    });
    once(found)
}
