//! What the inventory wants inside of PostgreSQL: roles (`pg_default_roles`, `pg_users`), databases (`pg_databases`),
//! and what every database begins with (`pg_default_schemas`, `pg_default_extensions`, `pg_default_privileges`).
//!
//! Knows the inventory's words and says what is wrong with them, with places. Knows nothing of SQL or of what is there.

mod content;
mod database;
mod entry;
mod expiry;
mod privilege;
mod role;
mod roles;
#[cfg(test)]
mod tests;

pub use content::{Content, Extension, Schema};
pub use database::{Baseline, Database, Settings, databases};
pub use expiry::Expiry;
pub use privilege::{Privilege, Privileges};
pub use role::{Grant, Role};
pub use roles::roles;

use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::inventory::{InvHost, expand};
use crate::source::Diagnostic;
use time::OffsetDateTime;

/// What was read, and what is wrong with the rest.
#[derive(Debug)]
pub struct Read<T> {
    pub found: Vec<T>,
    pub problems: Vec<Diagnostic>,
}

/// Names of the four users that a cluster cannot do without.
#[derive(Clone, Debug)]
pub struct SystemUsers {
    pub dbsu: String,
    pub replication: String,
    pub monitor: String,
    pub admin: String,
}

impl SystemUsers {
    /// The names as a host's variables have them.
    pub fn read(typed: &Typed<'_>) -> Self {
        Self {
            dbsu: typed.get(param::PG_DBSU),
            replication: typed.get(param::PG_REPLICATION_USERNAME),
            monitor: typed.get(param::PG_MONITOR_USERNAME),
            admin: typed.get(param::PG_ADMIN_USERNAME),
        }
    }

    /// Each of them, the superuser first.
    pub fn all(&self) -> [&str; 4] {
        [&self.dbsu, &self.replication, &self.monitor, &self.admin]
    }

    /// A name with `${dbsu}`, `${repl}`, `${monitor}` and `${admin}` replaced.
    fn expand(&self, text: &str) -> String {
        expand(text, &|name| match name {
            "dbsu" => Some(self.dbsu.clone()),
            "repl" => Some(self.replication.clone()),
            "monitor" => Some(self.monitor.clone()),
            "admin" => Some(self.admin.clone()),
            _ => None,
        })
    }
}

/// Who PgBouncer asks as for users that are in no list of its own (`pgbouncer_auth_query`): it may call one function.
pub const POOLER_ROLE: &str = "citusctl_pgbouncer";

/// Whether PgBouncer asks the database for users.
pub fn pooler_asks(typed: &Typed<'_>) -> bool {
    typed.get(param::PGBOUNCER_ENABLED) && typed.get(param::PGBOUNCER_AUTH_QUERY)
}

/// Whether PostgreSQL keeps a name as it is, and files with a line for each name can hold it.
fn is_name(name: &str) -> bool {
    name.len() <= 63 && !name.chars().any(char::is_control)
}

/// Roles and databases of a host's cluster that are ours to make: with `pg_provision` off the users of the system alone.
pub fn provided(scene: &Scene<'_>) -> (Vec<Role>, Vec<Database>) {
    let mut roles = roles(scene).found;
    let names = roles.iter().map(|role| role.name.clone()).collect();
    let mut databases = databases(scene, &names).found;
    if !scene.typed().get(param::PG_PROVISION) {
        let ours = |name: &str| scene.users.all().contains(&name) || name == POOLER_ROLE;
        roles.retain(|role| ours(&role.name));
        databases.clear();
    }
    (roles, databases)
}

/// What a host's lists are read against.
#[derive(Clone, Debug)]
pub struct Scene<'a> {
    pub host: &'a InvHost,
    pub users: SystemUsers,
    /// Major version of PostgreSQL.
    pub version: u32,
    /// The database that Citus lives in, under Citus.
    pub citus_db: Option<String>,
    /// Number of the Citus group; `None` without Citus.
    pub group: Option<u32>,
    /// What `expire_in` is counted from.
    pub now: OffsetDateTime,
}

impl<'a> Scene<'a> {
    /// The scene of a host.
    pub fn new(host: &'a InvHost, now: OffsetDateTime) -> Self {
        let typed = Typed::new(&host.vars);
        let citus = typed.get(param::PG_MODE) == "citus";
        let number = |name: &str| typed.opt_int(name).and_then(|n| u32::try_from(n).ok());
        Self {
            users: SystemUsers::read(&typed),
            version: number("pg_version").unwrap_or_default(),
            citus_db: citus.then(|| typed.get(param::PG_PRIMARY_DB)),
            group: citus.then(|| number("pg_group").unwrap_or_default()),
            host,
            now,
        }
    }

    fn typed(&self) -> Typed<'a> {
        Typed::new(&self.host.vars)
    }

    /// Whether this is the group that Citus plans queries in, or there is no Citus.
    pub fn coordinates(&self) -> bool {
        self.group.unwrap_or_default() == 0
    }
}
