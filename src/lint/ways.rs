//! The ways into hosts: arguments of ssh that cannot be read, and those without effect.

use super::{LintRule, Scope};
use crate::model::connection::SSH_ARGS;
use crate::model::ssh_args::SshArgs;
use crate::source::{Diagnostic, Span};
use std::collections::BTreeSet;

pub(super) const RULES: &[LintRule] = &[arguments];

/// A value in a group's variables is judged once, not for each host.
fn arguments(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let written = scope.hosts().flat_map(|host| {
        let named = |name| host.vars.get(name).map(|var| (name, var));
        SSH_ARGS.into_iter().filter_map(named)
    });
    for (name, var) in written {
        if let Some(text) = var.node.as_str().filter(|_| seen.insert(var.node.span)) {
            found.extend(judged(name, text, var.node.span));
        }
    }
    found
}

fn judged(name: &str, text: &str, span: Span) -> Vec<Diagnostic> {
    let mut args = SshArgs::default();
    args.read(text);
    let problems = args.problems.iter().map(|problem| {
        Diagnostic::error("ssh-args", format!("`{name}`: {problem}"))
            .at(span, "arguments as ssh takes them")
            .help("for instance `-o ProxyJump=gate -o StrictHostKeyChecking=accept-new`")
    });
    let mut found: Vec<Diagnostic> = problems.collect();
    if !args.ignored.is_empty() {
        let names: Vec<String> = args.ignored.iter().map(|arg| format!("`{arg}`")).collect();
        let message = format!("`{name}`: without effect here: {}", names.join(", "));
        found.push(Diagnostic::note("ssh-args", message).at(
            span,
            "hosts are entered by a client of our own, which is not ssh",
        ));
    }
    found
}
