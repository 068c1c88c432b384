//! Every variable of an inventory against the catalogue.

use super::{Kind, Support, is_noted, lookup, suggest};
use crate::inventory::{Inventory, Vars};
use crate::source::{Diagnostic, Diagnostics, Span};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Wrong types, misspelt names, names of modules we do not have, older names.
pub fn check_vars(inventory: &Inventory) -> Diagnostics {
    let mut check = Check::default();
    for group in inventory.groups.values() {
        check.vars(&group.vars);
    }
    for host in inventory.hosts.values() {
        check.vars(&host.vars);
    }
    check.finish()
}

#[derive(Default)]
struct Check {
    seen: BTreeSet<Span>,
    noted: BTreeMap<&'static str, (Span, BTreeSet<String>)>,
    found: Diagnostics,
}

impl Check {
    fn vars(&mut self, vars: &Vars) {
        for (name, var) in vars.iter() {
            if self.seen.insert(var.node.span) {
                self.one(
                    name,
                    &var.node.to_json(),
                    var.node.span,
                    var.node.tag.as_deref(),
                );
            }
        }
    }

    fn one(&mut self, name: &str, value: &Value, span: Span, tag: Option<&str>) {
        if tag.is_some_and(|tag| tag.contains("vault")) {
            self.found.push(
                Diagnostic::error("vault", format!("`{name}` is encrypted with ansible-vault"))
                    .at(span, "this version cannot decrypt it yet")
                    .help("give it in the clear, or with `-e` from a file of mode 0600, until vaults are supported"),
            );
            return;
        }
        let Some(param) = lookup(name) else {
            return self.unknown(name, span);
        };
        match param.support {
            Support::Legacy(now) => self.found.push(
                Diagnostic::warning("legacy-parameter", format!("`{name}` is an older form"))
                    .at(span, "still understood")
                    .help(now),
            ),
            Support::Planned => self.planned(name, param.module, span),
            Support::Used | Support::Ignored => {}
        }
        if let (false, Some(problem)) = (value.is_null(), mismatch(param.kind, value)) {
            self.found.push(
                Diagnostic::error("wrong-type", format!("`{name}` {problem}"))
                    .at(span, format!("wants {}", param.kind.words()))
                    .help(param.doc),
            );
        }
    }

    fn planned(&mut self, name: &str, module: super::Module, span: Span) {
        let key = match module {
            super::Module::Pgbouncer => "pgbouncer",
            super::Module::Backup => "backup",
            super::Module::Removal => "removal",
            super::Module::NodeVip => "keepalived",
            _ => "later versions",
        };
        let entry = self
            .noted
            .entry(key)
            .or_insert_with(|| (span, BTreeSet::new()));
        entry.1.insert(name.to_owned());
    }

    fn unknown(&mut self, name: &str, span: Span) {
        if let Some(module) = is_noted(name) {
            let entry = self
                .noted
                .entry(module)
                .or_insert_with(|| (span, BTreeSet::new()));
            entry.1.insert(name.to_owned());
            return;
        }
        if let Some(near) = suggest(name) {
            self.found.push(
                Diagnostic::error(
                    "unknown-parameter",
                    format!("there is no parameter `{name}`"),
                )
                .at(span, "its value")
                .help(format!("did you mean `{near}`?")),
            );
        }
        // Any other name may be a variable of the user's own, for templates.
    }

    fn finish(mut self) -> Diagnostics {
        for (module, (span, names)) in self.noted {
            let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
            self.found.push(
                Diagnostic::note(
                    "noted-module",
                    format!(
                        "parameters of `{module}` have no effect here: {}",
                        names.join(", ")
                    ),
                )
                .at(span, "the first of them"),
            );
        }
        self.found
    }
}

/// As [`Kind::mismatch`], without the value of a secret.
fn mismatch(kind: Kind, value: &Value) -> Option<String> {
    match (kind, kind.mismatch(value)) {
        (Kind::Secret, Some(_)) => Some("wants a text".to_owned()),
        (_, found) => found,
    }
}
