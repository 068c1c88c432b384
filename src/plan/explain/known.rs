//! What no comparison of two wanted states can find: values that a command reads by itself, and values that another one hides.

use super::place::Where;

/// Parameters that commands read when they run, and what for.
const READ_BY: &[(&str, &str)] = &[
    (
        "ca_create",
        "read by `apply` and `cert rotate-ca`: whether an authority may be made",
    ),
    (
        "citus_version",
        "read by `check`: versions of PostgreSQL and Citus that go together",
    ),
    (
        "patroni_version",
        "read by `check`: versions of Patroni and PostgreSQL that go together",
    ),
    (
        "etcd_safeguard",
        "read by `remove`: refused while it is true",
    ),
    ("etcd_rm_data", "read by `remove`: what becomes of the data"),
    ("etcd_rm_pkg", "read by `remove`: whether packages go"),
    ("pg_safeguard", "read by `remove`: refused while it is true"),
    ("pg_rm_data", "read by `remove`: what becomes of the data"),
    ("pg_rm_backup", "read by `remove`: what becomes of backups"),
    ("pg_fs_backup", "read by `remove`: where backups lie"),
    ("pg_rm_pkg", "read by `remove`: whether packages go"),
];

/// What hides a parameter where both are set.
const STRONGER: &[(&str, &str)] = &[
    ("ansible_host_key_checking", "ansible_ssh_host_key_checking"),
    ("ansible_ssh_host", "ansible_host"),
    ("ansible_ssh_port", "ansible_port"),
    ("ansible_ssh_user", "ansible_user"),
    ("ansible_ssh_pass", "ansible_password"),
    ("ansible_ssh_password", "ansible_password"),
    ("ansible_private_key_file", "ansible_ssh_private_key_file"),
    ("ansible_become_pass", "ansible_become_password"),
    ("node_hugepage_ratio", "node_hugepage_count"),
    ("node_id_from_pg", "nodename"),
];

/// Parameters that mean something only beside another one.
const BESIDE: &[(&str, &str)] = &[
    ("region", "repo_upstream"),
    ("node_repo_modules", "repo_upstream"),
    ("pg_vip_enabled", "pg_vip_address"),
    ("pg_vip_interface", "pg_vip_address"),
    ("vip_enabled", "vip_address"),
    ("vip_interface", "vip_address"),
    ("vip_vrid", "vip_address"),
    ("vip_role", "vip_address"),
    ("vip_preempt", "vip_address"),
    ("vip_auth_pass", "vip_address"),
    ("node_admin_enabled", "node_admin_pk_list"),
    ("node_admin_uid", "node_admin_pk_list"),
    ("node_admin_username", "node_admin_pk_list"),
    ("node_admin_sudo", "node_admin_pk_list"),
];

/// Parts of parameters that change nothing under circumstances which the model knows and no switch turns.
const CIRCUMSTANCES: &[(&str, &str)] = &[
    ("admin_ip", "nothing refers to `${admin_ip}`"),
    (
        "repo_upstream",
        "the entry is of another module, release or machine than these hosts, or this is a note for people",
    ),
    (
        "nodename_exchange",
        "hosts with PostgreSQL know all names anyway",
    ),
    (
        "pg_default_service_dest",
        "each service says its own `dest`",
    ),
    (
        "node_facts",
        "the versions that it would decide are given by other parameters",
    ),
    (
        "nodename_overwrite",
        "none of these hosts has a name to set: no `nodename`, and no member of a cluster on it",
    ),
    (
        "pg_dbsu_uid",
        "the account is the package's `postgres` in its own home, and has the package's number",
    ),
    (
        "pg_default_roles",
        "the system's own users are in PgBouncer's list anyway",
    ),
];

/// Values beside the nearest ones that some parameters are tried with; `[]` stands for any item.
const FURTHER: &[(&str, &[&str])] = &[
    ("pg_hba_rules[].auth", &["ssl", "pwd"]),
    ("pg_hba_rules[].addr", &["10.99.0.0/16"]),
    ("pgb_hba_rules[].auth", &["ssl", "pwd"]),
    ("pgb_hba_rules[].addr", &["10.99.0.0/16"]),
    ("pg_default_hba_rules[].auth", &["ssl", "pwd"]),
    ("pg_default_hba_rules[].addr", &["10.99.0.0/16"]),
    ("pgb_default_hba_rules[].auth", &["ssl", "pwd"]),
    ("pgb_default_hba_rules[].addr", &["10.99.0.0/16"]),
    ("node_facts.os", &["debian12", "debian13"]),
    ("patroni_version", &["3.0.2", "4.0.7"]),
];

/// Where a command reads it.
pub(super) fn read_by(variable: &str) -> Option<Where> {
    let found = READ_BY.iter().find(|(name, _)| *name == variable);
    found.map(|(_, what)| Where::Run(what))
}

/// The parameter that hides this one.
pub(super) fn stronger(variable: &str) -> Option<&'static str> {
    let found = STRONGER.iter().find(|(name, _)| *name == variable);
    found.map(|(_, stronger)| *stronger)
}

/// The parameter without which this one means nothing.
pub(super) fn needs(variable: &str) -> Option<&'static str> {
    let found = BESIDE.iter().find(|(name, _)| *name == variable);
    found.map(|(_, needed)| *needed)
}

/// Why it changes nothing.
pub(super) fn circumstance(variable: &str) -> Option<&'static str> {
    let found = CIRCUMSTANCES.iter().find(|(name, _)| *name == variable);
    found.map(|(_, why)| *why)
}

/// Further values to try.
pub(super) fn further(name: &str) -> impl Iterator<Item = String> {
    let digits = |part: &str| {
        part.trim_start_matches(|c: char| c.is_ascii_digit())
            .to_owned()
    };
    let parts: Vec<String> = name.split('[').map(digits).collect();
    let name = parts.join("[");
    let found = FURTHER.iter().filter(move |(known, _)| *known == name);
    found.flat_map(|(_, values)| values.iter().map(|value| (*value).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::parameters::lookup;

    #[test]
    fn all_of_them_are_parameters() {
        let all = READ_BY
            .iter()
            .chain(STRONGER)
            .chain(CIRCUMSTANCES)
            .chain(BESIDE);
        for name in all
            .map(|(name, _)| name)
            .chain(STRONGER.iter().map(|(_, name)| name))
        {
            assert!(lookup(name).is_some(), "{name}");
        }
    }
}
