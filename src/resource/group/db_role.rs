//! A login role in the database, with its password as a verifier. In a Citus formation also what its
//! connections between nodes authenticate with (`pg_dist_authinfo`).

use super::{GroupChange, GroupKind, GroupVerdict, Operation, PgAccess, scram, sql};
use crate::fact::{GroupSeen, Probe};
use crate::resource::{Action, Impact, Step};
use serde::Deserialize;

/// `db_role: {name, password, superuser, member_of, between_nodes}`.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DbRole {
    pub name: String,
    pub password: String,
    #[serde(default)]
    pub superuser: bool,
    #[serde(default)]
    pub member_of: Vec<String>,
    /// Whether queries of this role travel between Citus nodes.
    #[serde(default)]
    pub between_nodes: bool,
}

impl std::fmt::Debug for DbRole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DbRole({})", self.name)
    }
}

impl DbRole {
    fn probe_name(&self) -> String {
        format!("db_role:{}", self.name)
    }

    fn authinfo_probe(&self) -> String {
        format!("authinfo:{}", self.name)
    }

    fn wanted_authinfo(&self) -> String {
        let escaped = self.password.replace('\\', "\\\\").replace('\'', "\\'");
        format!("password='{escaped}'")
    }

    /// What is not as wanted, in words.
    fn differences(&self, answer: &str) -> Vec<String> {
        let mut fields = answer.trim_end().splitn(3, '|');
        let (exists, superuser) = (fields.next() == Some("role"), fields.next() == Some("t"));
        let rest = fields.next().unwrap_or_default();
        let (members, stored) = rest.split_once('|').unwrap_or((rest, ""));
        if !exists {
            return vec!["does not exist".to_owned()];
        }
        let mut found = Vec::new();
        if superuser != self.superuser {
            found.push(format!("superuser {superuser} -> {}", self.superuser));
        }
        if !scram::matches(&self.password, stored) {
            found.push("password".to_owned());
        }
        let missing = |role: &&String| !members.split(',').any(|member| member == role.as_str());
        found.extend(
            self.member_of
                .iter()
                .filter(missing)
                .map(|role| format!("member of {role}")),
        );
        found
    }

    fn authinfo_differs(&self, access: &PgAccess, seen: &GroupSeen) -> bool {
        self.between_nodes
            && access.citus_db.is_some()
            && seen
                .answers
                .get(&self.authinfo_probe())
                .map(|a| a.trim_end())
                != Some(&self.wanted_authinfo())
    }

    fn role_sql(&self) -> String {
        let (role, name) = (sql::name(&self.name), sql::literal(&self.name));
        let superuser = if self.superuser {
            "SUPERUSER"
        } else {
            "NOSUPERUSER"
        };
        let verifier = sql::literal(&scram::verifier(&self.password, &scram::fresh_salt()));
        let mut text = format!(
            "SET log_statement = 'none'; SET log_min_duration_statement = -1; SET log_min_error_statement = 'panic';\n\
             DO $citusctl$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {name}) THEN CREATE ROLE {role}; END IF; END $citusctl$;\n\
             ALTER ROLE {role} LOGIN {superuser} PASSWORD {verifier};\n"
        );
        for group in &self.member_of {
            text.push_str(&format!("GRANT {} TO {role};\n", sql::name(group)));
        }
        text
    }

    fn authinfo_sql(&self) -> String {
        let (name, info) = (
            sql::literal(&self.name),
            sql::literal(&self.wanted_authinfo()),
        );
        format!(
            "SET log_statement = 'none'; SET log_min_error_statement = 'panic';\n\
             INSERT INTO pg_dist_authinfo (nodeid, rolename, authinfo) VALUES (0, {name}, {info})\n\
             ON CONFLICT (nodeid, rolename) DO UPDATE SET authinfo = EXCLUDED.authinfo;\n"
        )
    }

    fn operations(&self, access: &PgAccess, role: bool, authinfo: bool) -> Vec<Operation> {
        let mut operations = Vec::new();
        if role {
            let script = sql::psql(access, "postgres", &self.role_sql());
            operations.push(Operation::OnLeader(Step::new(
                format!("role {}", self.name),
                script,
            )));
        }
        if let (true, Some(db)) = (authinfo, &access.citus_db) {
            let script = sql::psql(access, db, &self.authinfo_sql());
            operations.push(Operation::OnLeader(Step::new(
                format!("authinfo of {}", self.name),
                script,
            )));
        }
        operations
    }
}

impl GroupKind for DbRole {
    fn probes(&self, access: &PgAccess) -> Vec<Probe> {
        let name = sql::literal(&self.name);
        let members = "(SELECT coalesce(string_agg(g.rolname, ','), '') FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = a.oid)";
        let query = format!(
            "SELECT 'role', rolsuper, {members}, coalesce(rolpassword, '') FROM pg_authid a WHERE rolname = {name};"
        );
        let mut probes = vec![Probe::Script {
            name: self.probe_name(),
            text: sql::ask_leader(access, "postgres", &query),
        }];
        if let (true, Some(db)) = (self.between_nodes, &access.citus_db) {
            let query = format!(
                "SELECT authinfo FROM pg_dist_authinfo WHERE nodeid = 0 AND rolename = {name};"
            );
            probes.push(Probe::Script {
                name: self.authinfo_probe(),
                text: sql::ask_leader(access, db, &query),
            });
        }
        probes
    }

    fn diff(&self, access: &PgAccess, seen: &GroupSeen) -> GroupVerdict {
        if seen.leader().is_none() {
            return GroupVerdict::Unknown("nobody leads the group yet".to_owned());
        }
        let answer = seen
            .answers
            .get(&self.probe_name())
            .map(String::as_str)
            .unwrap_or_default();
        let mut details = self.differences(answer);
        let (role, authinfo) = (!details.is_empty(), self.authinfo_differs(access, seen));
        if authinfo {
            details.push("pg_dist_authinfo".to_owned());
        }
        if details.is_empty() {
            return GroupVerdict::Same("attributes and password are as wanted".to_owned());
        }
        let action = if answer.is_empty() {
            Action::Create
        } else {
            Action::Update
        };
        GroupVerdict::Differs(Box::new(GroupChange {
            action,
            summary: format!("role {} ({})", self.name, details.join(", ")),
            impact: Impact::None,
            cause: None,
            details: Vec::new(),
            operations: self.operations(access, role, authinfo),
        }))
    }
}
