//! What is there already in PostgreSQL, as one answer of the live leader for all roles and databases, and one more
//! for the inside of each database.

use super::{GroupVerdict, PgAccess, sql};
use crate::fact::{GroupSeen, Probe};
use crate::resource::sha256_hex;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

/// Roles and databases of a group.
#[derive(Debug, Deserialize)]
pub(super) struct Live {
    /// As `server_version_num`.
    pub(super) version: u32,
    pub(super) roles: BTreeMap<String, LiveRole>,
    pub(super) members: Vec<LiveMember>,
    pub(super) databases: BTreeMap<String, LiveDatabase>,
    /// Units of parameters that have one, as `8kB`, `ms`; `bool` for those that are true or false.
    #[serde(default)]
    pub(super) units: Units,
}

/// Units by the parameter's name.
pub(super) type Units = BTreeMap<String, String>;

/// A role.
#[derive(Debug, Deserialize)]
pub(super) struct LiveRole {
    pub(super) superuser: bool,
    pub(super) login: bool,
    pub(super) inherit: bool,
    pub(super) createdb: bool,
    pub(super) createrole: bool,
    pub(super) replication: bool,
    pub(super) bypassrls: bool,
    pub(super) connlimit: i64,
    pub(super) password: Option<String>,
    /// In UTC; none for never.
    pub(super) until: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) settings: Option<Vec<String>>,
}

/// A membership.
#[derive(Debug, Deserialize)]
pub(super) struct LiveMember {
    pub(super) role: String,
    pub(super) member: String,
    /// PostgreSQL 16 and later: each grantor has a row of his own.
    pub(super) grantor: Option<String>,
    pub(super) admin: bool,
    /// PostgreSQL 16 and later.
    pub(super) inherit: Option<bool>,
    pub(super) set: Option<bool>,
}

/// A database.
#[derive(Debug, Deserialize)]
pub(super) struct LiveDatabase {
    pub(super) owner: String,
    pub(super) encoding: String,
    pub(super) collate: String,
    pub(super) ctype: String,
    /// `c`, `i`, `b`; none before PostgreSQL 15.
    pub(super) provider: Option<String>,
    pub(super) locale: Option<String>,
    pub(super) tablespace: String,
    pub(super) template: bool,
    pub(super) allowconn: bool,
    pub(super) connlimit: i64,
    pub(super) comment: Option<String>,
    pub(super) settings: Option<Vec<String>>,
    /// Those of the superuser's sessions in it.
    #[serde(default)]
    pub(super) superuser: Option<Vec<String>>,
    pub(super) acl: Vec<Acl>,
}

/// Grantee (empty: the public), privilege, whether it may be passed on.
pub(super) type Acl = (String, String, bool);

/// The inside of a database.
#[derive(Debug, Default, Deserialize)]
pub(super) struct LiveContent {
    pub(super) schemas: BTreeMap<String, LiveSchema>,
    pub(super) extensions: BTreeMap<String, LiveExtension>,
    /// Extensions that could be made, and their newest version.
    pub(super) available: BTreeMap<String, Option<String>>,
    pub(super) privileges: Vec<LivePrivilege>,
    /// Creator, schema, kind of objects: where there are default privileges at all.
    pub(super) stated: Vec<(String, String, String)>,
}

/// A schema.
#[derive(Debug, Deserialize)]
pub(super) struct LiveSchema {
    pub(super) owner: String,
    pub(super) holds: bool,
    pub(super) acl: Vec<Acl>,
}

/// An extension.
#[derive(Debug, Deserialize)]
pub(super) struct LiveExtension {
    pub(super) schema: String,
    pub(super) version: String,
}

/// One default privilege: creator, schema (empty: all), letter, grantee, privilege, grant option.
pub(super) type LivePrivilege = (String, String, String, String, String, bool);

const OBJECTS: &str = r"SELECT json_build_object(
 'version', current_setting('server_version_num')::int,
 'units', (SELECT json_object_agg(name, coalesce(unit, vartype)) FROM pg_settings WHERE unit IS NOT NULL OR vartype = 'bool'),
 'roles', (SELECT coalesce(json_object_agg(a.rolname, json_build_object('superuser', a.rolsuper, 'login', a.rolcanlogin,
   'inherit', a.rolinherit, 'createdb', a.rolcreatedb, 'createrole', a.rolcreaterole, 'replication', a.rolreplication,
   'bypassrls', a.rolbypassrls, 'connlimit', a.rolconnlimit, 'password', a.rolpassword,
   'until', CASE WHEN isfinite(a.rolvaliduntil) THEN to_char(a.rolvaliduntil AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') END,
   'comment', shobj_description(a.oid, 'pg_authid'),
   'settings', (SELECT setconfig FROM pg_db_role_setting s WHERE s.setrole = a.oid AND s.setdatabase = 0))), '{}')
   FROM pg_authid a),
 'members', (SELECT coalesce(json_agg(json_build_object('role', g.rolname, 'member', m.rolname, 'admin', a.admin_option,
   'grantor', CASE WHEN to_jsonb(a) ? 'set_option' THEN pg_get_userbyid(a.grantor) END,
   'inherit', (to_jsonb(a) ->> 'inherit_option')::bool, 'set', (to_jsonb(a) ->> 'set_option')::bool)), '[]')
   FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member),
 'databases', (SELECT coalesce(json_object_agg(d.datname, json_build_object('owner', pg_get_userbyid(d.datdba),
   'encoding', pg_encoding_to_char(d.encoding), 'collate', d.datcollate, 'ctype', d.datctype,
   'provider', to_jsonb(d) ->> 'datlocprovider',
   'locale', coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'),
   'tablespace', t.spcname, 'template', d.datistemplate, 'allowconn', d.datallowconn, 'connlimit', d.datconnlimit,
   'comment', shobj_description(d.oid, 'pg_database'),
   'settings', (SELECT setconfig FROM pg_db_role_setting s WHERE s.setrole = 0 AND s.setdatabase = d.oid),
   'superuser', (SELECT setconfig FROM pg_db_role_setting s JOIN pg_authid u ON u.oid = s.setrole WHERE s.setdatabase = d.oid AND u.rolname = SESSION_USER),
   'acl', (SELECT json_agg(json_build_array(CASE WHEN x.grantee = 0 THEN '' ELSE pg_get_userbyid(x.grantee) END, x.privilege_type, x.is_grantable))
     FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x))), '{}')
   FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace));";

const CONTENT: &str = r"SELECT json_build_object(
 'schemas', (SELECT coalesce(json_object_agg(n.nspname, json_build_object('owner', pg_get_userbyid(n.nspowner),
   'holds', EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid) OR EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = n.oid),
   'acl', (SELECT coalesce(json_agg(json_build_array(CASE WHEN x.grantee = 0 THEN '' ELSE pg_get_userbyid(x.grantee) END, x.privilege_type, x.is_grantable)), '[]')
     FROM aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) x))), '{}')
   FROM pg_namespace n WHERE n.nspname !~ '^pg_(toast|temp)'),
 'extensions', (SELECT coalesce(json_object_agg(e.extname, json_build_object('schema', n.nspname, 'version', e.extversion)), '{}')
   FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace),
 'available', (SELECT coalesce(json_object_agg(name, default_version), '{}') FROM pg_available_extensions),
 'privileges', (SELECT coalesce(json_agg(json_build_array(pg_get_userbyid(d.defaclrole), coalesce(n.nspname, ''), d.defaclobjtype::text,
   CASE WHEN x.grantee = 0 THEN '' ELSE pg_get_userbyid(x.grantee) END, x.privilege_type, x.is_grantable)), '[]')
   FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace, aclexplode(d.defaclacl) x),
 'stated', (SELECT coalesce(json_agg(json_build_array(pg_get_userbyid(d.defaclrole), coalesce(n.nspname, ''), d.defaclobjtype::text)), '[]')
   FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace));";

const OBJECTS_PROBE: &str = "pg_objects";
const AUTHINFO_PROBE: &str = "pg_authinfo";

/// The question about all roles and databases. All resources ask the same one, so it travels once.
pub(super) fn objects(access: &PgAccess) -> Probe {
    sql::ask_leader(access, "postgres", OBJECTS_PROBE.to_owned(), OBJECTS)
}

/// The question about the inside of a database.
pub(super) fn content(access: &PgAccess, database: &str) -> Probe {
    sql::ask_leader(access, database, content_name(database), CONTENT)
}

/// The question about what roles authenticate with between nodes.
pub(super) fn authinfo(access: &PgAccess, citus_db: &str) -> Probe {
    let query = "SELECT coalesce(json_object_agg(rolename, authinfo), '{}') FROM pg_dist_authinfo WHERE nodeid = 0;";
    sql::ask_leader(access, citus_db, AUTHINFO_PROBE.to_owned(), query)
}

/// One word, whatever the name holds.
fn content_name(database: &str) -> String {
    format!("pg_content:{}", &sha256_hex(database.as_bytes())[..16])
}

/// What a group answered; or why there is nothing to compare with.
pub(super) fn read(seen: &GroupSeen) -> Result<Live, GroupVerdict> {
    let Some(leader) = seen.leader() else {
        return Err(GroupVerdict::Unknown(
            "nobody leads the group yet".to_owned(),
        ));
    };
    if leader.role == "standby_leader" {
        return Err(GroupVerdict::Same(
            "a standby cluster has what its upstream has".to_owned(),
        ));
    }
    answer(seen, OBJECTS_PROBE).ok_or_else(|| {
        GroupVerdict::Unknown(format!("PostgreSQL on {} did not answer", leader.host))
    })
}

/// Names of all databases of a group, if its leader answered.
pub fn databases_of(seen: &GroupSeen) -> Option<BTreeSet<String>> {
    let live: Live = answer(seen, OBJECTS_PROBE)?;
    Some(live.databases.into_keys().collect())
}

/// The inside of a database, if it could be looked into.
pub(super) fn read_content(seen: &GroupSeen, database: &str) -> Option<LiveContent> {
    answer(seen, &content_name(database))
}

/// Extensions that could be made, the same in every database. Not known while packages are about to come.
pub(super) fn available(seen: &GroupSeen, database: &str) -> Option<BTreeSet<String>> {
    let asked = [database, "template1", "postgres"].into_iter();
    let mut answers = asked.filter_map(|database| read_content(seen, database));
    let known = answers.find(|content| !content.available.is_empty())?;
    let names = known.available.into_keys().collect();
    (!seen.installing).then_some(names)
}

/// Authentication between nodes, by role.
pub(super) fn read_authinfo(seen: &GroupSeen) -> BTreeMap<String, String> {
    answer(seen, AUTHINFO_PROBE).unwrap_or_default()
}

fn answer<T: DeserializeOwned>(seen: &GroupSeen, probe: &str) -> Option<T> {
    let text = seen.answers.get(probe)?;
    serde_json::from_str(text).ok()
}

/// The value of one setting in `name=value` texts.
pub(super) fn setting<'a>(settings: Option<&'a [String]>, name: &str) -> Option<&'a str> {
    let mut pairs = settings?.iter().filter_map(|text| text.split_once('='));
    pairs
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}
