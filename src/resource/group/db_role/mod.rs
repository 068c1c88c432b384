//! A role in the database: attributes, password, expiry, memberships, parameters. In a Citus formation also what its
//! connections between nodes authenticate with.

mod differences;
mod leaving;
#[cfg(test)]
mod tests;

use super::live::{self, Live};
use super::settings::Difference;
use super::{GroupChange, GroupKind, GroupVerdict, Operation, PgAccess, authinfo, sql};
use crate::fact::{GroupSeen, Probe};
use crate::model::objects::Role;
use crate::resource::{Action, Impact, Step};
use serde::Deserialize;

/// `db_role: {role}`, a [`Role`] as the model reads it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DbRole {
    pub role: Role,
    /// Databases that go in the same run: what is in them does not keep a role from going.
    #[serde(default)]
    pub without: Vec<String>,
}

impl GroupKind for DbRole {
    fn probes(&self, access: &PgAccess) -> Vec<Probe> {
        let mut probes = vec![live::objects(access)];
        if self.role.absent {
            probes.push(leaving::probe(access, &self.role.name));
        }
        if let (Some(_), Some(db)) = (authinfo::password(&self.role), &access.citus_db) {
            probes.push(live::authinfo(access, db));
        }
        probes
    }

    fn diff(&self, access: &PgAccess, seen: &GroupSeen) -> GroupVerdict {
        let live = match live::read(seen) {
            Ok(live) => live,
            Err(verdict) => return verdict,
        };
        if self.role.absent {
            return leaving::diff(&self.role, &self.without, access, &live, seen);
        }
        self.present(access, &live, seen)
    }
}

impl DbRole {
    fn present(&self, access: &PgAccess, live: &Live, seen: &GroupSeen) -> GroupVerdict {
        let role = &self.role;
        let there = live.roles.get(&role.name);
        let found = differences::all(role, there, live);
        let between = self.between_nodes(access, seen);
        if there.is_some() && found.is_empty() && between.is_none() {
            return GroupVerdict::Same("attributes and password are as wanted".to_owned());
        }
        let mut words: Vec<String> = found.iter().map(|found| found.what.clone()).collect();
        words.extend(between.is_some().then(|| "pg_dist_authinfo".to_owned()));
        let words = match words.is_empty() {
            true => String::new(),
            false => format!(" ({})", words.join(", ")),
        };
        let details = match there {
            Some(_) => found.iter().map(|found| found.detail.clone()).collect(),
            None => Vec::new(),
        };
        GroupVerdict::Differs(Box::new(GroupChange {
            action: there.map_or(Action::Create, |_| Action::Update),
            summary: format!("role {}{words}", role.name),
            impact: Impact::None,
            cause: None,
            details,
            operations: self.operations(access, there.is_none(), &found, between),
        }))
    }

    /// The statements for `pg_dist_authinfo`, where the row differs.
    fn between_nodes(&self, access: &PgAccess, seen: &GroupSeen) -> Option<String> {
        access.citus_db.as_ref()?;
        let password = authinfo::password(&self.role)?;
        let stored = live::read_authinfo(seen);
        let stored = stored.get(&self.role.name).map(String::as_str);
        authinfo::differs(password, stored).then(|| authinfo::write(&self.role.name, password))
    }

    fn operations(
        &self,
        access: &PgAccess,
        make: bool,
        found: &[Difference],
        between: Option<String>,
    ) -> Vec<Operation> {
        let name = &self.role.name;
        let mut operations = Vec::new();
        if make || !found.is_empty() {
            let mut text = sql::SECRETLY.to_owned();
            if make {
                text.push_str(&format!(
                    "SELECT {} WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {}) \\gexec\n",
                    sql::literal(&format!("CREATE ROLE {}", sql::name(name))),
                    sql::literal(name)
                ));
            }
            text.extend(found.iter().map(|found| found.sql.as_str()));
            let script = sql::psql(access, "postgres", &text);
            operations.push(Operation::OnLeader(Step::new(
                format!("role {name}"),
                script,
            )));
        }
        if let (Some(text), Some(db)) = (between, &access.citus_db) {
            let script = sql::psql(access, db, &text);
            let step = Step::new(format!("authinfo of {name}"), script);
            operations.push(Operation::OnLeader(step));
        }
        operations
    }
}
