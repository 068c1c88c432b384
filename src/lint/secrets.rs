//! Passwords that everybody knows.

use super::{LintRule, Placed, Scope, list};
use crate::inventory::InvHost;
use crate::inventory::parameters::{PASSWORDS, Typed};
use crate::model::build::place_of;
use crate::source::{Diagnostic, Span};

pub(super) const RULES: &[LintRule] = &[
    default_passwords,
    default_user_passwords,
    etcd_user_password,
    unfit_passwords,
];

/// Passwords with a default that Pigsty publishes, and what stands on a host that uses them.
const PUBLISHED: [(&str, &str, Needs); 7] = [
    ("pg_dbsu_password", "DBUser.Postgres", Needs::Pg),
    ("pg_replication_password", "DBUser.Replicator", Needs::Pg),
    ("pg_admin_password", "DBUser.DBA", Needs::Pg),
    ("pg_monitor_password", "DBUser.Monitor", Needs::Pg),
    ("patroni_password", "Patroni.API", Needs::Pg),
    ("haproxy_admin_password", "pigsty", Needs::Haproxy),
    ("etcd_root_password", "Etcd.Root", Needs::Etcd),
];

const ETCD_PASSWORDS: [&str; 2] = ["etcd_root_password", "pg_etcd_password"];
/// Those of roles that Patroni makes. It hands them to a driver that quotes Latin-1 and reads it as UTF-8 (Patroni 3.0 to
/// 4.0 with psycopg2): a cluster that is made with another one never comes up.
const PATRONI_ROLES: [&str; 2] = ["pg_dbsu_password", "pg_replication_password"];
const VRRP_PASSWORD: &str = "vip_auth_pass";

/// bcrypt, which etcd keeps passwords with, reads no further.
const ETCD_BYTES: usize = 72;

#[derive(Clone, Copy)]
enum Needs {
    Pg,
    Haproxy,
    Etcd,
}

/// All passwords of the built-in users that are still the published ones, as one warning.
fn default_passwords(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut names: Vec<&str> = Vec::new();
    let mut spans: Vec<Span> = Vec::new();
    for (name, published, needs) in PUBLISHED {
        let hosts = scope
            .inv
            .hosts
            .values()
            .filter(|host| concerns(scope, host, needs));
        for host in hosts.filter(|host| is(host, name, published)) {
            names.push(name);
            spans.extend(host.vars.get(name).map(|var| var.node.span));
        }
    }
    names.dedup();
    if names.is_empty() {
        return Vec::new();
    }
    spans.sort();
    spans.dedup();
    let message = format!("published default passwords: {}", list(&names));
    let mut problem = Diagnostic::warning("default-password", message);
    for span in &spans {
        problem = problem.at(*span, "everybody knows this one");
    }
    if spans.is_empty() {
        problem = problem.at_if(scope.whole(), "not set here, so the defaults hold");
    }
    vec![problem.help(
        "set your own before the first run, or begin with `citusctl init`, which generates them",
    )]
}

fn concerns(scope: &Scope<'_>, host: &InvHost, needs: Needs) -> bool {
    let Some(host) = scope.model.hosts.get(&host.name) else {
        return false;
    };
    match needs {
        Needs::Pg => host.pg.is_some(),
        Needs::Haproxy => host.haproxy,
        Needs::Etcd => host.etcd.is_some(),
    }
}

fn is(host: &InvHost, name: &str, published: &str) -> bool {
    Typed::new(&host.vars).secret(name).expose() == published
}

/// Users of the inventory with a password from Pigsty's examples.
fn default_user_passwords(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for host in scope.hosts() {
        let Some(users) = host.vars.get("pg_users").and_then(|var| var.node.items()) else {
            continue;
        };
        for user in users {
            let Some(password) = user.get("password") else {
                continue;
            };
            let example = password
                .as_str()
                .is_some_and(|text| text.starts_with("DBUser."));
            let name = user
                .get("name")
                .and_then(|name| name.as_str())
                .unwrap_or_default();
            let message = format!("user `{name}` has a password from an example");
            let problem = Diagnostic::warning("default-password", message)
                .at(password.span, "everybody knows this one")
                .help("set your own");
            if example && !found.contains(&problem) {
                found.push(problem);
            }
        }
    }
    found
}

/// A password of the etcd user that is the user's name, as Pigsty makes it. An empty one is derived from the root password.
fn etcd_user_password(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let found = scope.model.formations.iter().filter_map(|formation| {
        let name = formation.name.as_str();
        let host = scope
            .formation_hosts(formation)
            .into_iter()
            .find(|host| is(host, "pg_etcd_password", name))?;
        let message = format!("the etcd user `{name}` has its own name as password");
        Some(
            Diagnostic::warning("etcd-user-password", message)
                .at(
                    place_of(host, "pg_etcd_password"),
                    "everybody knows this one",
                )
                .help(
                    "set another one, or none: whoever can write there can take the leader's lock",
                ),
        )
    });
    found.collect()
}

/// Passwords that the program they are for could not read. All others may hold any letter.
fn unfit_passwords(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for host in scope.hosts() {
        for problem in own_passwords(host).chain(user_passwords(host)) {
            if !found.contains(&problem) {
                found.push(problem);
            }
        }
    }
    found
}

fn own_passwords(host: &InvHost) -> impl Iterator<Item = Diagnostic> {
    let typed = Typed::new(&host.vars);
    let names = PASSWORDS.into_iter().chain([VRRP_PASSWORD]);
    let judged = names.filter_map(move |name| {
        let why = unfit(name, typed.secret(name).expose())?;
        let message = format!("`{name}` {why}");
        let problem = Diagnostic::error("unfit-password", message);
        Some(problem.at(place_of(host, name), "this password"))
    });
    judged.map(|problem| problem.help("choose another one"))
}

fn user_passwords(host: &InvHost) -> impl Iterator<Item = Diagnostic> {
    let users = host.vars.get("pg_users").and_then(|var| var.node.items());
    users.into_iter().flatten().filter_map(|user| {
        let (name, password) = (user.get("name")?, user.get("password")?);
        let why = unfit("password", password.as_str()?)?;
        let message = format!("the password of `{}` {why}", name.as_str()?);
        let problem = Diagnostic::error("unfit-password", message);
        Some(
            problem
                .at(password.span, "this password")
                .help("choose another one"),
        )
    })
}

/// What stands in a password's way, if anything.
fn unfit(name: &str, password: &str) -> Option<String> {
    let vrrp = |c: char| c.is_ascii_alphanumeric() || "-_.:,/@+=*~^".contains(c);
    if password.chars().any(char::is_control) {
        return Some(
            "holds a line end, a tab or another control character, and stands on a line".to_owned(),
        );
    }
    if ETCD_PASSWORDS.contains(&name) && password.len() > ETCD_BYTES {
        let bytes = password.len();
        return Some(format!(
            "has {bytes} bytes, and etcd keeps {ETCD_BYTES} at most"
        ));
    }
    if ETCD_PASSWORDS.contains(&name) && password.trim() != password {
        return Some("begins or ends with a blank, which etcdctl takes off".to_owned());
    }
    if PATRONI_ROLES.contains(&name) && !password.is_ascii() {
        return Some(
            "has letters beyond ASCII, with which Patroni cannot make the role".to_owned(),
        );
    }
    if name == VRRP_PASSWORD && !password.chars().all(vrrp) {
        return Some(
            "is for keepalived, which takes letters, digits and -_.:,/@+=*~^ only".to_owned(),
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use super::unfit;

    #[test]
    fn a_password_may_hold_any_letter_but_control_characters() {
        let odd = " !\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~ \u{e4}\u{1f511} ";
        assert_eq!(unfit("patroni_password", odd), None);
        assert_eq!(unfit("etcd_root_password", odd.trim()), None);
        assert!(unfit("etcd_root_password", odd).is_some());
        assert!(unfit("password", "a\nb").is_some());
        assert!(unfit("pg_dbsu_password", "\u{e4}").is_some());
        assert_eq!(unfit("pg_admin_password", "\u{e4}"), None);
        assert!(unfit("pg_etcd_password", &"x".repeat(73)).is_some());
        assert!(unfit("pg_admin_password", &"x".repeat(73)).is_none());
        assert!(unfit("vip_auth_pass", "a b").is_some() && unfit("vip_auth_pass", "").is_none());
    }
}
