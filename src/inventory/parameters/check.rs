//! Every variable of an inventory against the catalogue.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::fault::{self, ValueFault};
use super::{Module, Param, Support, is_noted, lookup, suggest};
use crate::inventory::{Inventory, Var, Vars};
use crate::source::{Diagnostic, Diagnostics, Node, Span};

/// Wrong types, misspelt names, names of modules we do not have, older names.
///
/// Each value is judged once, however many hosts see it: one that holds references is another on each.
pub fn check_vars(inventory: &Inventory) -> Diagnostics {
    let mut check = ValueCheck::default();
    for host in inventory.hosts.values() {
        check.vars(&host.vars, true);
    }
    // What no host sees, because its group is empty or something stronger hides it.
    for group in inventory.groups.values() {
        check.vars(&group.vars, false);
    }
    check.finish()
}

#[derive(Default)]
struct ValueCheck {
    /// Names with the nodes that stand under them.
    seen: BTreeSet<(String, *const Node)>,
    noted: BTreeMap<&'static str, (Span, BTreeSet<String>)>,
    found: Diagnostics,
}

impl ValueCheck {
    /// Judges variables; those that are `merged` have all references replaced that can be.
    fn vars(&mut self, vars: &Vars, merged: bool) {
        for (name, var) in vars.iter() {
            if self.seen.insert((name.to_owned(), Arc::as_ptr(&var.node))) {
                self.one(name, var, merged);
            }
        }
    }

    fn one(&mut self, name: &str, var: &Var, merged: bool) {
        let Some(param) = lookup(name) else {
            return self.unknown(name, var);
        };
        match param.support {
            Support::Legacy(now) => self.found.push(legacy(name, now, var.key)),
            Support::Planned => self.note(planned(param.module), name, var.key),
            Support::Used | Support::Ignored => {}
        }
        if merged && param.support == Support::Used && fault::has_template(&var.node) {
            self.found.push(unresolved(name, var));
        }
        if name == "pg_rto" && is_seconds(var) {
            self.found.push(seconds(var));
        }
        let faults = fault::faults(param.kind, &var.node);
        self.found
            .extend(faults.into_iter().map(|fault| told(param, fault)));
    }

    fn note(&mut self, module: &'static str, name: &str, span: Span) {
        let entry = self
            .noted
            .entry(module)
            .or_insert_with(|| (span, BTreeSet::new()));
        entry.1.insert(name.to_owned());
    }

    /// Names without a known prefix may be variables of the user's own, for templates.
    fn unknown(&mut self, name: &str, var: &Var) {
        if let Some(module) = is_noted(name) {
            return self.note(module, name, var.key);
        }
        let message = format!("there is no parameter `{name}`");
        let near = suggest(name);
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`citusctl catalog vars` lists all parameters".to_owned(),
        };
        if near.is_some_and(|near| one_letter(name, near)) {
            let problem = Diagnostic::error("unknown-parameter", message).at(var.key, "not known");
            self.found.push(problem.help(help));
        } else if has_our_prefix(name) {
            let problem =
                Diagnostic::warning("unknown-parameter", message).at(var.key, "not known");
            self.found.push(problem.help(help));
        }
    }

    fn finish(mut self) -> Diagnostics {
        for (module, (span, names)) in self.noted {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            let names = names.join(", ");
            let message = format!("parameters of `{module}` have no effect here: {names}");
            self.found
                .push(Diagnostic::note("noted-module", message).at(span, "the first of them"));
        }
        let mut unique = Diagnostics::default();
        for problem in self.found {
            if !unique.iter().any(|known| *known == problem) {
                unique.push(problem);
            }
        }
        unique
    }
}

fn legacy(name: &str, now: &'static str, key: Span) -> Diagnostic {
    let label = match super::table_legacy::renamed(name) {
        Some(new) => format!("counts as `{new}`, unless that is given too"),
        None => "has no effect any more".to_owned(),
    };
    Diagnostic::warning("legacy-parameter", format!("`{name}` is an older form"))
        .at(key, label)
        .help(now)
}

/// `pg_rto: 30`, as Pigsty 3 has it.
fn is_seconds(var: &Var) -> bool {
    let text = var.node.as_str().unwrap_or_default();
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

fn seconds(var: &Var) -> Diagnostic {
    Diagnostic::warning("legacy-parameter", "`pg_rto` in seconds is an older form")
        .at(
            var.node.span,
            "counts as the quickest plan that is no quicker",
        )
        .help("write `pg_rto: fast`, `norm`, `safe` or `wide`")
}

fn unresolved(name: &str, var: &Var) -> Diagnostic {
    Diagnostic::error("unresolved-template", format!("`{name}` holds a template"))
        .at(
            var.node.span,
            "no plain reference to a variable of this host",
        )
        .help("`{{ name }}` is replaced when `name` is a variable; write out anything else")
}

/// What a parameter that is not acted on yet is counted under.
fn planned(module: Module) -> &'static str {
    match module {
        Module::Pgbouncer => "pgbouncer",
        Module::Backup => "backup",
        Module::Removal => "removal",
        Module::NodeVip => "keepalived",
        Module::Ansible
        | Module::Ca
        | Module::Node
        | Module::Haproxy
        | Module::Etcd
        | Module::Pgsql
        | Module::Access
        | Module::Citusctl => "later versions",
    }
}

/// Prefixes under which a name that nobody knows is more likely a mistake than a user's own.
const PREFIXES: &[&str] = &[
    "pg_",
    "pgb_",
    "pgbouncer_",
    "pgbackrest_",
    "patroni_",
    "etcd_",
    "haproxy_",
    "node_",
    "vip_",
    "citus_",
    "citusctl_",
    "ansible_",
];

/// Whether a name is one of ours but for one letter; a `_` more or less is how people name things of their own.
fn one_letter(name: &str, ours: &str) -> bool {
    let letters = |name: &str| name.replace('_', "");
    strsim::damerau_levenshtein(name, ours) == 1 && letters(name) != letters(ours)
}

fn has_our_prefix(name: &str) -> bool {
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn told(param: &Param, fault: ValueFault) -> Diagnostic {
    let (name, path) = (param.name, &fault.path);
    let message = format!("`{name}{path}` {}", fault.message);
    let problem = match fault.grave {
        true => Diagnostic::error(fault.code, message),
        false => Diagnostic::warning(fault.code, message),
    };
    problem
        .at(fault.span, fault.label)
        .help(fault.help.unwrap_or_else(|| param.doc.to_owned()))
}
