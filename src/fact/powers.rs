//! Who may do what in a group and what its sessions begin with, as the live leader tells it, held against what is declared.
//! One question and one judgement, for `status` and for the warnings of a plan. Knows nothing of how it is put right.

mod judge;
mod weak;

pub use judge::{Judged, judge, server_words};
pub use weak::{Weak, is_altered, is_weak_setting};

use super::postgres::bounded_session;
use crate::command::quote;
use crate::model::objects::{Database, Role};
use crate::model::{Formation, Instance};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use weak::weak_settings;

/// What the inventory declares for a group.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct DeclaredObjects {
    pub roles: Vec<Role>,
    pub databases: Vec<Database>,
    /// Names of parameters of the server, in any case.
    pub parameters: BTreeSet<String>,
}

/// What a server said: of itself, and the leader of its group besides.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Powers {
    /// It follows, and tells of itself alone.
    pub standby: bool,
    pub roles: BTreeMap<String, RolePowers>,
    /// Role and member.
    pub members: Vec<(String, String)>,
    /// Role (empty: all), database (empty: all), `name=value` texts.
    pub settings: Vec<(String, String, Vec<String>)>,
    pub databases: BTreeMap<String, Doors>,
    pub server: Vec<Weak>,
}

/// Attributes of a role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RolePowers {
    pub superuser: bool,
    pub login: bool,
    pub createrole: bool,
    pub replication: bool,
    pub bypassrls: bool,
}

/// Whom a database lets in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Doors {
    pub allowconn: bool,
    /// The public may connect.
    pub public: bool,
    /// Where it may not: roles that could log in and may not connect to this one.
    pub shut_out: Vec<String>,
}

/// The question. Names are found in `pg_catalog` alone.
pub fn powers_query() -> String {
    format!(
        r"SELECT json_build_object('standby', pg_is_in_recovery(), 'server', {}) WHERE pg_is_in_recovery()
 UNION ALL SELECT json_build_object(
 'roles', (SELECT coalesce(json_object_agg(rolname, json_build_object('superuser', rolsuper, 'login', rolcanlogin, 'createrole', rolcreaterole,
   'replication', rolreplication, 'bypassrls', rolbypassrls)), '{{}}') FROM pg_roles WHERE rolname !~ '^pg_'),
 'members', (SELECT coalesce(json_agg(DISTINCT jsonb_build_array(g.rolname, m.rolname)), '[]')
   FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member WHERE m.rolname !~ '^pg_'),
 'settings', (SELECT coalesce(json_agg(json_build_array(coalesce(r.rolname, ''), coalesce(d.datname, ''), s.setconfig)), '[]')
   FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase),
 'databases', (SELECT coalesce(json_object_agg(d.datname, json_build_object('allowconn', d.datallowconn, 'public', p.public,
   'shut_out', CASE WHEN NOT p.public THEN (SELECT coalesce(json_agg(r.rolname), '[]') FROM pg_roles r
     WHERE r.rolcanlogin AND NOT has_database_privilege(r.oid, d.oid, 'CONNECT')) ELSE '[]' END)), '{{}}')
   FROM pg_database d, LATERAL (SELECT EXISTS (SELECT FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x
     WHERE x.grantee = 0 AND x.privilege_type = 'CONNECT') AS public) p),
 'server', {}) WHERE NOT pg_is_in_recovery();",
        weak_settings(),
        weak_settings()
    )
}

/// Shell text for `status`, whose answer [`read_powers`] reads; it needs `mark`.
pub fn powers_question(formation: &Formation, member: &Instance) -> String {
    let psql = bounded_session(formation, member);
    format!(
        "mark powers; {} -c {} 2>/dev/null\n",
        psql.command(),
        quote(&powers_query())
    )
}

/// Reads an answer; nothing from a server that did not give one.
pub fn read_powers(text: &str) -> Option<Powers> {
    serde_json::from_str(text.trim()).ok()
}
