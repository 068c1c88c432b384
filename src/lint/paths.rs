//! Directories that are given to an account, and must not be everybody's.

use super::{LintRule, Scope, once, text};
use crate::inventory::InvHost;
use crate::model::build::place_of;
use crate::model::data_parent;
use crate::source::Diagnostic;

pub(super) const RULES: &[LintRule] = &[shared_directory];

/// Directories that `apply` gives to PostgreSQL's or etcd's account. Of the data directory it is the one around it.
const GIVEN: [(&str, &str); 8] = [
    ("pg_data", "PostgreSQL"),
    ("pg_log_dir", "PostgreSQL"),
    ("patroni_log_dir", "Patroni"),
    ("pgbouncer_log_dir", "PgBouncer"),
    ("pgbackrest_log_dir", "pgBackRest"),
    ("pg_localhost", "PostgreSQL"),
    ("pg_dbsu_home", "PostgreSQL"),
    ("etcd_data", "etcd"),
];

/// Below these no directory is for one program alone, and those of the system's own programs are nobody's to give away.
const SYSTEM: [&str; 12] = [
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/root", "/sbin", "/sys", "/usr",
    "/tmp",
];

/// Directories of the system that hold those of many programs.
const SHARED: [&str; 12] = [
    "/var/lib",
    "/var/log",
    "/var/run",
    "/var/tmp",
    "/var/cache",
    "/var/spool",
    "/run/lock",
    "/run/user",
    "/run/systemd",
    "/var/lib/dpkg",
    "/var/lib/apt",
    "/var/lib/systemd",
];

/// An account would own what many programs share: `pg_log_dir: /var/log` took the system's log away from everybody else.
fn shared_directory(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let hosts = scope.hosts();
    let found = hosts.flat_map(|host| {
        GIVEN.iter().filter_map(|(name, program)| {
            shared(host, name, program).filter(|_| acts(scope, host, name))
        })
    });
    once(found)
}

/// Whether the host has the program whose directory this is.
fn acts(scope: &Scope<'_>, host: &InvHost, name: &str) -> bool {
    match name {
        "etcd_data" => scope
            .etcd
            .is_some_and(|etcd| etcd.members.iter().any(|member| member.host == host.name)),
        _ => scope.model.group_on(&host.name).is_some(),
    }
}

fn shared(host: &InvHost, name: &str, program: &str) -> Option<Diagnostic> {
    let value = text(host, name);
    let directory = match name {
        "pg_data" => data_parent(&value)?,
        _ => value.trim_end_matches('/'),
    };
    // The socket's directory of PostgreSQL's own default build, which stays as it is.
    if !is_shared(directory) || (name == "pg_localhost" && directory == "/tmp") {
        return None;
    }
    let shown = if directory.is_empty() { "/" } else { directory };
    let message = format!("`{name}: {value}` would give `{shown}` to {program}'s account");
    Some(
        Diagnostic::error("shared-directory", message)
            .at(
                place_of(host, name),
                "other programs have their files there",
            )
            .help("name a directory of its own one level deeper, as `/srv/postgres/data`"),
    )
}

fn is_shared(directory: &str) -> bool {
    let below = |system: &str| {
        let rest = directory.strip_prefix(system);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    directory.matches('/').count() < 2
        || SHARED.contains(&directory)
        || SYSTEM.iter().any(|system| below(system))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_of_one_program_are_its_own() {
        for own in [
            "/var/lib/postgresql",
            "/srv/pg",
            "/pg/log/postgres",
            "/var/run/postgresql",
            "/data/etcd",
            "/run/pgroot",
        ] {
            assert!(!is_shared(own), "{own}");
        }
        for shared in [
            "",
            "/",
            "/srv",
            "/var/log",
            "/etc/postgresql",
            "/usr/local/pg",
            "/tmp/pg",
            "/var/lib",
        ] {
            assert!(is_shared(shared), "{shared}");
        }
    }
}
