//! One role as it is wanted.

use super::entry::ListEntry;
use super::expiry::{Expiry, expiry};
use super::{POOLER_ROLE, Scene, SystemUsers, is_name};
use crate::inventory::param;
use crate::source::Diagnostic;
use serde::{Deserialize, Serialize};

/// A role, whole: what is not written has its default.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Role {
    pub name: String,
    /// It is to go.
    pub absent: bool,
    /// In clear, or a SCRAM or MD5 verifier. Without one the role keeps what it has.
    pub password: Option<String>,
    /// Passwords are stored as MD5 digests (`pg_pwd_enc: md5`).
    pub md5: bool,
    pub login: bool,
    pub inherit: bool,
    pub superuser: bool,
    /// `None` for what a superuser may do anyhow.
    pub createdb: Option<bool>,
    pub createrole: Option<bool>,
    pub replication: Option<bool>,
    pub bypassrls: Option<bool>,
    /// -1: no limit.
    pub connlimit: i64,
    pub expiry: Expiry,
    pub comment: Option<String>,
    pub grants: Vec<Grant>,
    /// `ALTER ROLE ... SET`; `None` resets one.
    pub parameters: Vec<(String, Option<String>)>,
    /// Who gets what a role that is to go owns.
    pub reassign_to: Option<String>,
}

impl std::fmt::Debug for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Role({})", self.name)
    }
}

/// A membership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The role that is granted.
    pub role: String,
    pub revoked: bool,
    pub admin: Option<bool>,
    /// PostgreSQL 16 and later.
    pub inherit: Option<bool>,
    /// PostgreSQL 16 and later.
    pub set: Option<bool>,
}

impl Role {
    /// Whether the password is a verifier, not a text to log in with.
    pub fn has_verifier(&self) -> bool {
        self.password.as_deref().is_some_and(is_verifier)
    }
}

/// Whether a password is stored as it is by PostgreSQL.
pub(super) fn is_verifier(password: &str) -> bool {
    let md5 = password.strip_prefix("md5").is_some_and(|hex| {
        hex.len() == 32
            && hex
                .chars()
                .all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
    });
    md5 || password.starts_with("SCRAM-SHA-256$")
}

/// Reads one entry.
pub(super) fn role(
    scene: &Scene<'_>,
    entry: &ListEntry,
    problems: &mut Vec<Diagnostic>,
) -> Option<Role> {
    let users = &scene.users;
    let name = users.expand(&entry.name()?);
    let superuser = entry
        .flag("superuser")
        .unwrap_or(name == users.dbsu || name == users.admin);
    let right = |key: &str, otherwise: bool| {
        entry
            .flag(key)
            .or((!superuser || otherwise).then_some(otherwise))
    };
    let expiry = expiry(entry, scene.now).unwrap_or_else(|problem| {
        problems.push(problem);
        Expiry::Never
    });
    problems.extend(faults(scene, entry, &name));
    Some(Role {
        absent: entry.absent(),
        password: password(scene, entry, &name),
        md5: scene.typed().get(param::PG_PWD_ENC) == "md5",
        login: entry.flag("login").unwrap_or(true),
        inherit: entry.flag("inherit").unwrap_or(true),
        superuser,
        createdb: right("createdb", false),
        createrole: right("createrole", false),
        replication: right("replication", name == users.replication),
        bypassrls: right("bypassrls", false),
        connlimit: entry.number("connlimit").unwrap_or(-1),
        expiry,
        comment: entry.text("comment"),
        grants: grants(users, entry),
        parameters: entry.pairs("parameters"),
        reassign_to: entry.text("reassign_to").map(|name| users.expand(&name)),
        name,
    })
}

fn grants(users: &SystemUsers, entry: &ListEntry) -> Vec<Grant> {
    let grants = entry.list("roles").into_iter().filter_map(|item| {
        Some(Grant {
            role: users.expand(&item.name()?),
            revoked: item.absent(),
            admin: item.flag("admin"),
            inherit: item.flag("inherit"),
            set: item.flag("set"),
        })
    });
    grants.collect()
}

/// The parameter that holds the password of a user of the system.
fn parameter_of(users: &SystemUsers, name: &str) -> Option<&'static str> {
    let parameters = [
        (&users.dbsu, "pg_dbsu_password"),
        (&users.replication, "pg_replication_password"),
        (&users.admin, "pg_admin_password"),
        (&users.monitor, "pg_monitor_password"),
    ];
    let found = parameters.into_iter().find(|(user, _)| *user == name);
    found.map(|(_, parameter)| parameter)
}

/// The entry's own, else the one that a parameter holds for a user of the system.
fn password(scene: &Scene<'_>, entry: &ListEntry, name: &str) -> Option<String> {
    let parameter = parameter_of(&scene.users, name);
    let held = || scene.typed().opt_str(parameter?);
    let own = entry.text("password");
    own.or_else(held).filter(|text| !text.is_empty())
}

/// An entry for a user of the system that would take away what the cluster works through.
fn system_faults(scene: &Scene<'_>, entry: &ListEntry, name: &str) -> Vec<Diagnostic> {
    let users = &scene.users;
    let Some(parameter) = parameter_of(users, name) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let held = scene.typed().str(parameter);
    let own = entry
        .text("password")
        .filter(|own| !own.is_empty() && *own != held);
    if own.is_some() {
        let message = format!("`{name}` has another password here than `{parameter}`");
        let mut problem = entry.problem(
            "system-user",
            "password",
            message,
            "one of the two would not hold",
        );
        if let Some(var) = scene.host.vars.get(parameter) {
            let used = "what Patroni, PgBouncer and monitoring use";
            problem = problem.see(var.node.span, used);
        }
        found.push(problem.help(format!(
            "leave `password` out here: `{parameter}` is where it is set"
        )));
    }
    let needs =
        |key: &'static str, who: bool| (who && entry.flag(key) == Some(false)).then_some(key);
    let needed = [
        needs("login", true),
        needs("superuser", name == users.dbsu),
        needs("replication", name == users.replication),
    ];
    found.extend(needed.into_iter().flatten().map(|key| {
        entry
            .problem(
                "system-user",
                key,
                format!("`{name}` cannot be without `{key}`"),
                "the cluster works through this user",
            )
            .help(format!("leave `{key}` out"))
    }));
    found
}

/// What is wrong with one entry.
fn faults(scene: &Scene<'_>, entry: &ListEntry, name: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let users = &scene.users;
    if entry.absent() && users.all().contains(&name) {
        found.push(
            entry
                .problem(
                    "protected-role",
                    "state",
                    format!("`{name}` cannot be dropped"),
                    "the cluster works through this user",
                )
                .help("take the entry out, or leave out its `state`"),
        );
    }
    if name == POOLER_ROLE {
        found.push(
            entry
                .problem(
                    "protected-role",
                    "name",
                    format!("`{name}` cannot be declared"),
                    "PgBouncer asks for passwords as this role, and it can do nothing else",
                )
                .help("choose another name"),
        );
    }
    if name.starts_with("pg_") || matches!(name, "public" | "none") || !is_name(name) {
        found.push(
            entry
                .problem(
                    "bad-role-name",
                    "name",
                    format!("`{name}` cannot be the name of a role"),
                    "PostgreSQL refuses it",
                )
                .help("names have at most 63 bytes, no line ends, do not begin with `pg_`, and are not `public` or `none`"),
        );
    }
    found.extend(entry.odd_pairs("parameters"));
    found.extend(system_faults(scene, entry, name));
    found.extend(password_faults(entry, name));
    found.extend(option_faults(scene, entry, name));
    found
}

fn password_faults(entry: &ListEntry, name: &str) -> Option<Diagnostic> {
    let text = entry.text("password")?;
    let (what, label) = match text.as_str() {
        "" => ("is empty", "PostgreSQL takes it for none"),
        text if text.contains('\0') => ("holds a zero byte", "no client can send it"),
        _ => return None,
    };
    let problem = entry.problem(
        "bad-password",
        "password",
        format!("the password of `{name}` {what}"),
        label,
    );
    Some(problem.help("leave `password` out to keep what the role has"))
}

fn option_faults(scene: &Scene<'_>, entry: &ListEntry, name: &str) -> Vec<Diagnostic> {
    let items = entry.list("roles");
    let newer = items.iter().flat_map(|item| {
        ["inherit", "set"]
            .into_iter()
            .filter(|key| item.flag(key).is_some())
            .map(move |key| (item, key))
    });
    newer
        .filter(|_| scene.version < 16)
        .map(|(item, key)| {
            item.problem(
                "too-old-for-option",
                key,
                format!(
                    "memberships of `{name}` have no `{key}` in PostgreSQL {}",
                    scene.version
                ),
                "PostgreSQL 16 and later",
            )
            .help("leave it out: memberships inherit as the member's `inherit` says")
        })
        .collect()
}
