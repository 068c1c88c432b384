//! All roles of a cluster, each once, in an order in which they can be made.

use super::entry::{ListEntry, entries};
use super::role::{Role, role};
use super::{POOLER_ROLE, Read, Scene, pooler_asks};
use crate::source::{Diagnostic, Span};
use std::collections::BTreeSet;

/// All roles of a host's cluster: those of the system, `pg_default_roles`, `pg_users`. A user of the same name as a
/// default role takes its place. Whoever is granted comes before whom it is granted to.
pub fn roles(scene: &Scene<'_>) -> Read<Role> {
    let mut problems = Vec::new();
    let mut all: Vec<(Role, Span)> = Vec::new();
    for list in ["pg_default_roles", "pg_users"] {
        let mut names = BTreeSet::new();
        for entry in entries(scene, list) {
            let Some(role) = role(scene, &entry, &mut problems) else {
                continue;
            };
            if !names.insert(role.name.clone()) {
                problems.push(twice(&entry, &role.name));
            }
            put(&mut all, role, entry.place("name"));
        }
    }
    system(scene, &mut all);
    pooler(scene, &mut all);
    problems.extend(strangers(&all));
    Read {
        found: ordered(all, &mut problems),
        problems,
    }
}

fn twice(entry: &ListEntry, name: &str) -> Diagnostic {
    entry
        .problem(
            "duplicate-role",
            "name",
            format!("`{}` has two entries for `{name}`", entry.list),
            "the second",
        )
        .help("write one entry with all that is wanted")
}

fn put(all: &mut Vec<(Role, Span)>, role: Role, span: Span) {
    match all.iter_mut().find(|(known, _)| known.name == role.name) {
        Some(known) => *known = (role, span),
        None => all.push((role, span)),
    }
}

/// The users of the system, where no list names them.
fn system(scene: &Scene<'_>, all: &mut Vec<(Role, Span)>) {
    let known: Vec<String> = all.iter().map(|(role, _)| role.name.clone()).collect();
    let span = scene.host.span;
    for name in scene.users.all() {
        let node = crate::source::Node::string(name, span);
        let entry = ListEntry {
            list: "pg_default_roles",
            node,
        };
        if known.iter().any(|known| known == name) {
            continue;
        }
        if let Some(mut role) = role(scene, &entry, &mut Vec::new()) {
            if name == scene.users.monitor {
                role.grants.push(super::Grant {
                    role: "pg_monitor".to_owned(),
                    revoked: false,
                    admin: None,
                    inherit: None,
                    set: None,
                });
            }
            all.push((role, span));
        }
    }
}

/// Who PgBouncer asks as: no password, no membership, nothing inherited.
fn pooler(scene: &Scene<'_>, all: &mut Vec<(Role, Span)>) {
    if !pooler_asks(&scene.typed()) {
        return;
    }
    let span = scene.host.span;
    let entry = ListEntry {
        list: "pg_default_roles",
        node: crate::source::Node::string(POOLER_ROLE, span),
    };
    if let Some(role) = role(scene, &entry, &mut Vec::new()) {
        let role = Role {
            inherit: false,
            comment: Some("PgBouncer asks for passwords".to_owned()),
            ..role
        };
        all.retain(|(known, _)| known.name != role.name);
        all.push((role, span));
    }
}

/// Memberships in roles that nobody declares.
fn strangers(all: &[(Role, Span)]) -> Vec<Diagnostic> {
    let known: BTreeSet<&str> = all.iter().map(|(role, _)| role.name.as_str()).collect();
    let mut found = Vec::new();
    for (role, span) in all.iter().filter(|(role, _)| !role.absent) {
        let unknown = role.grants.iter().filter(|grant| {
            !grant.revoked && !grant.role.starts_with("pg_") && !known.contains(grant.role.as_str())
        });
        for grant in unknown {
            found.push(
                Diagnostic::warning(
                    "unknown-role",
                    format!("`{}` is to be a member of `{}`, which is declared nowhere", role.name, grant.role),
                )
                .at(*span, "a member of it")
                .help("add it to `pg_users` with `login: false`; the run fails if the role is not there"),
            );
        }
    }
    found
}

/// Granted roles first; otherwise as written. Those in a circle stay where they are, and are reported.
fn ordered(mut left: Vec<(Role, Span)>, problems: &mut Vec<Diagnostic>) -> Vec<Role> {
    let mut done: Vec<Role> = Vec::new();
    while !left.is_empty() {
        let waits = |role: &Role| {
            role.grants.iter().any(|grant| {
                !grant.revoked && left.iter().any(|(other, _)| other.name == grant.role)
            })
        };
        match left.iter().position(|(role, _)| !waits(role)) {
            Some(at) => done.push(left.remove(at).0),
            None => {
                problems.extend(circle(&left));
                done.extend(left.drain(..).map(|(role, _)| role));
            }
        }
    }
    done
}

fn circle(left: &[(Role, Span)]) -> Option<Diagnostic> {
    let names: Vec<&str> = left.iter().map(|(role, _)| role.name.as_str()).collect();
    let (_, span) = left.first()?;
    let message = format!("memberships go round in a circle: {}", names.join(", "));
    let problem = Diagnostic::error("role-circle", message).at(*span, "one of them");
    Some(
        problem.help("PostgreSQL allows no role to be a member of itself, also not through others"),
    )
}
