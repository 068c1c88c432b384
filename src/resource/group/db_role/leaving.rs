//! A role that is to go. What it owns goes to somebody else first, or it stays: nothing that anybody made is dropped.

use crate::fact::{GroupSeen, Probe};
use crate::model::objects::Role;
use crate::resource::group::live::Live;
use crate::resource::group::{GroupChange, GroupVerdict, Operation, PgAccess, sql};
use crate::resource::{Action, Impact, Step, sha256_hex};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What keeps a role.
#[derive(Debug, Default, Deserialize)]
struct Ties {
    /// Objects that it owns, by database.
    owns: BTreeMap<String, u64>,
    /// Databases and tablespaces that it owns.
    shared: Vec<String>,
    /// Databases in which something names it.
    named_in: Vec<String>,
    sessions: u64,
}

fn probe_name(role: &str) -> String {
    format!("pg_role_ties:{}", &sha256_hex(role.as_bytes())[..16])
}

/// The question what a role owns. Default privileges count as owned by PostgreSQL, and are nothing to keep.
pub(super) fn probe(access: &PgAccess, role: &str) -> Probe {
    let query = format!(
        "WITH ties AS (SELECT s.*, d.datname FROM pg_shdepend s JOIN pg_authid a ON a.oid = s.refobjid LEFT JOIN pg_database d ON d.oid = s.dbid\n\
         WHERE s.refclassid = 'pg_authid'::regclass AND a.rolname = {role})\n\
         SELECT json_build_object(\n\
         'owns', (SELECT coalesce(json_object_agg(datname, n), '{{}}') FROM (SELECT datname, count(*) AS n FROM ties\n\
         WHERE deptype = 'o' AND datname IS NOT NULL AND classid <> 'pg_default_acl'::regclass GROUP BY datname) x),\n\
         'shared', (SELECT coalesce(json_agg(name), '[]') FROM (SELECT datname AS name FROM pg_database WHERE pg_get_userbyid(datdba) = {role}\n\
         UNION ALL SELECT spcname FROM pg_tablespace WHERE pg_get_userbyid(spcowner) = {role}) y),\n\
         'named_in', (SELECT coalesce(json_agg(DISTINCT datname), '[]') FROM ties WHERE datname IS NOT NULL),\n\
         'sessions', (SELECT count(*) FROM pg_stat_activity WHERE usename = {role}));",
        role = sql::literal(role)
    );
    sql::ask_leader(access, "postgres", probe_name(role), query)
}

/// Gone already, in the way, or to be dropped.
pub(super) fn diff(
    role: &Role,
    without: &[String],
    access: &PgAccess,
    live: &Live,
    seen: &GroupSeen,
) -> GroupVerdict {
    if !live.roles.contains_key(&role.name) {
        return GroupVerdict::Same("it is not there".to_owned());
    }
    let answer = seen.answers.get(&probe_name(&role.name));
    let Some(mut ties) = answer.and_then(|text| serde_json::from_str::<Ties>(text).ok()) else {
        return GroupVerdict::Unknown(format!("what role {} owns is not known", role.name));
    };
    ties.owns.retain(|db, _| !without.contains(db));
    ties.shared.retain(|name| !without.contains(name));
    ties.named_in.retain(|db| !without.contains(db));
    match (role.reassign_to.as_deref(), ties.words()) {
        (None, Some(words)) => GroupVerdict::Refused {
            reason: format!("role {} cannot be dropped: it owns {words}", role.name),
            hint: "add `reassign_to: OWNER` to its entry: that role takes over what it owns"
                .to_owned(),
        },
        (_, words) => GroupVerdict::Differs(Box::new(change(role, &ties, access, words))),
    }
}

impl Ties {
    /// What it owns, in words.
    fn words(&self) -> Option<String> {
        let objects = self.owns.iter().map(|(db, n)| match n {
            1 => format!("1 object in {db}"),
            n => format!("{n} objects in {db}"),
        });
        let words: Vec<String> = self.shared.iter().cloned().chain(objects).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}

fn change(role: &Role, ties: &Ties, access: &PgAccess, owned: Option<String>) -> GroupChange {
    let mut details = Vec::new();
    if let (Some(owned), Some(to)) = (owned, &role.reassign_to) {
        details.push(format!("{owned}: to {to}"));
    }
    if ties.sessions > 0 {
        details.push(format!("{} sessions are ended", ties.sessions));
    }
    let step = Step::new(
        format!("drop role {}", role.name),
        script(role, ties, access),
    );
    GroupChange {
        action: Action::Remove,
        summary: format!("role {}", role.name),
        impact: Impact::None,
        cause: None,
        details,
        operations: vec![Operation::OnLeader(step)],
    }
}

fn script(role: &Role, ties: &Ties, access: &PgAccess) -> String {
    let (name, text) = (sql::name(&role.name), sql::literal(&role.name));
    let closed = format!(
        "ALTER ROLE {name} NOLOGIN;\nSELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = {text};\n"
    );
    let mut script = sql::psql(access, "postgres", &closed);
    let mut databases: BTreeSet<&str> = ties.named_in.iter().map(String::as_str).collect();
    databases.insert("postgres");
    databases.extend(access.citus_db.as_deref());
    for database in databases {
        let citus = access.citus_db.as_deref() == Some(database);
        script.push_str(&sql::psql(access, database, &inside(role, citus)));
    }
    script.push_str(&sql::psql(
        access,
        "postgres",
        &format!("DROP ROLE IF EXISTS {name};"),
    ));
    script
}

/// In each database: hands over, makes sure, takes privileges away. All or nothing.
fn inside(role: &Role, citus: bool) -> String {
    let (name, text) = (sql::name(&role.name), sql::literal(&role.name));
    let mut statements = format!("{}BEGIN;\n", sql::HERE_ONLY);
    if let Some(to) = &role.reassign_to {
        statements.push_str(&format!("REASSIGN OWNED BY {name} TO {};\n", sql::name(to)));
    }
    // What was made since the look is not dropped with the privileges.
    statements.push_str(&format!(
        "SELECT EXISTS (SELECT FROM pg_shdepend s JOIN pg_authid a ON a.oid = s.refobjid JOIN pg_database d ON d.oid = s.dbid\n\
         WHERE a.rolname = {text} AND d.datname = current_database() AND s.refclassid = 'pg_authid'::regclass AND s.deptype = 'o'\n\
         AND s.classid <> 'pg_default_acl'::regclass) AS owns \\gset\n\\if :owns\n\
         DO $$BEGIN RAISE EXCEPTION 'it owns objects that were made since it was looked at'; END$$;\n\\endif\nDROP OWNED BY {name};\n"
    ));
    if citus {
        // Citus would miss a role that it lists among its objects when it adds a node.
        let forget = format!(
            "DELETE FROM pg_dist_object WHERE classid = 'pg_authid'::regclass AND objid = (SELECT oid FROM pg_authid WHERE rolname = {text})"
        );
        statements.push_str(&format!(
            "DELETE FROM pg_dist_authinfo WHERE rolename = {text};\n\
             SELECT {} WHERE to_regclass('pg_catalog.pg_dist_object') IS NOT NULL \\gexec\n",
            sql::literal(&forget)
        ));
    }
    statements.push_str("COMMIT;\n");
    statements
}
