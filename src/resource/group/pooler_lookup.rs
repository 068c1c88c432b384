//! How PgBouncer asks for the verifier of somebody who is in no list of its own: by one function in each database that it
//! serves, which only the role that it asks as may call. That role can do nothing else, and whoever owns the database can neither change
//! the function nor put another in its place: it is in a schema of the superuser's.

use super::{GroupChange, GroupKind, GroupVerdict, Operation, PgAccess, live, sql};
use crate::command::{grantees, own_schema_only};
use crate::fact::{GroupSeen, Probe};
use crate::resource::{Action, Impact, Step, sha256_hex};
use serde::Deserialize;
use serde_json::{Value, json};

/// `pooler_lookup: {lookup}`: the function in one database, for one role.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolerLookup {
    pub lookup: Lookup,
}

/// Where, and for whom.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    pub database: String,
    pub role: String,
}

/// Superusers and replication do not come through PgBouncer, nor does who may not log in, or no longer. Every name and operator
/// is PostgreSQL's own, whatever the session's settings are.
const SOURCE: &str = "\
SELECT a.rolname::pg_catalog.text, a.rolpassword FROM pg_catalog.pg_authid a \
WHERE a.rolname::pg_catalog.text OPERATOR(pg_catalog.=) $1 AND a.rolcanlogin AND NOT a.rolsuper AND NOT a.rolreplication \
AND (a.rolvaliduntil IS NULL OR a.rolvaliduntil OPERATOR(pg_catalog.>) pg_catalog.now())";

const CONFIG: &str = "search_path=pg_catalog, pg_temp";

impl GroupKind for PoolerLookup {
    fn probes(&self, access: &PgAccess) -> Vec<Probe> {
        let query = "SELECT pg_catalog.json_build_object('schema', (SELECT pg_catalog.pg_get_userbyid(n.nspowner) FROM pg_catalog.pg_namespace n \
             WHERE n.nspname = 'citusctl'), 'there', (SELECT pg_catalog.json_build_array(p.prosrc, p.prosecdef, p.proconfig, \
             pg_catalog.pg_get_userbyid(p.proowner), (SELECT pg_catalog.array_agg(DISTINCT pg_catalog.pg_get_userbyid(x.grantee) \
             ORDER BY pg_catalog.pg_get_userbyid(x.grantee)) FROM pg_catalog.aclexplode(p.proacl) x WHERE x.grantee <> p.proowner)) \
             FROM pg_catalog.pg_proc p WHERE p.oid = pg_catalog.to_regprocedure('citusctl.pgbouncer_user(pg_catalog.text)')), \
             'schema_for', (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(pg_catalog.pg_get_userbyid(x.grantee), x.privilege_type)) \
             FROM pg_catalog.pg_namespace n, pg_catalog.aclexplode(n.nspacl) x WHERE n.nspname = 'citusctl' AND x.grantee <> n.nspowner));";
        vec![
            live::objects(access),
            sql::ask_leader(access, &self.lookup.database, self.probe_name(), query),
        ]
    }

    fn diff(&self, access: &PgAccess, seen: &GroupSeen) -> GroupVerdict {
        let live = match live::read(seen) {
            Ok(live) => live,
            Err(verdict) => return verdict,
        };
        let answer = seen.answers.get(&self.probe_name());
        let answer = answer.and_then(|text| serde_json::from_str::<Value>(text).ok());
        let name = &self.lookup.database;
        let there = live.databases.get(name);
        match (there.map(|there| there.allowconn), answer) {
            (Some(false), _) => GroupVerdict::Same("nobody may connect".to_owned()),
            (Some(true), None) => {
                GroupVerdict::Unknown(format!("what is inside of database {name} is not known"))
            }
            (Some(true), Some(answer)) => self.compare(access, &answer),
            // It is about to be made.
            (None, _) => self.differs(access, Action::Create),
        }
    }
}

impl PoolerLookup {
    fn probe_name(&self) -> String {
        let name = &self.lookup.database;
        format!("pg_lookup:{}", &sha256_hex(name.as_bytes())[..16])
    }

    fn compare(&self, access: &PgAccess, answer: &Value) -> GroupVerdict {
        let Lookup { database, role } = &self.lookup;
        if let Some(owner) = answer["schema"].as_str()
            && owner != access.dbsu
        {
            return GroupVerdict::Refused {
                reason: format!(
                    "database {database} has a schema `citusctl` that belongs to {owner}"
                ),
                hint: "rename or drop it: PgBouncer's function for passwords has its place there, and belongs to the superuser alone"
                    .to_owned(),
            };
        }
        let wanted = json!([SOURCE, true, [CONFIG], access.dbsu, [role]]);
        let schema = json!([[role, "USAGE"]]);
        match answer["there"] == wanted && answer["schema_for"] == schema {
            true => GroupVerdict::Same("it is as wanted".to_owned()),
            false if answer["there"].is_null() => self.differs(access, Action::Create),
            false => self.differs(access, Action::Update),
        }
    }

    fn differs(&self, access: &PgAccess, action: Action) -> GroupVerdict {
        let Lookup { database, role } = &self.lookup;
        let step = Step::new(
            format!("PgBouncer's function in {database}"),
            sql::psql(access, database, &self.script(access)),
        );
        GroupVerdict::Differs(Box::new(GroupChange {
            action,
            summary: format!("PgBouncer's function for passwords in database {database}"),
            impact: Impact::None,
            cause: None,
            details: vec![format!("citusctl.pgbouncer_user, for {role} alone")],
            operations: vec![Operation::OnLeader(step)],
        }))
    }

    /// All or nothing: PgBouncer never meets half of it, and nobody what default privileges give away.
    fn script(&self, access: &PgAccess) -> String {
        let (role, owner) = (sql::name(&self.lookup.role), sql::literal(&access.dbsu));
        let function = "citusctl.pgbouncer_user(pg_catalog.text)";
        format!(
            "{}BEGIN;\nCREATE SCHEMA IF NOT EXISTS citusctl;\n\
             DO $$BEGIN IF (SELECT pg_catalog.pg_get_userbyid(nspowner) FROM pg_catalog.pg_namespace WHERE nspname = 'citusctl') <> {owner} THEN\n\
             RAISE EXCEPTION 'the schema citusctl belongs to somebody else'; END IF; END$$;\n\
             {};\nGRANT USAGE ON SCHEMA citusctl TO {role};\n\
             DROP FUNCTION IF EXISTS {function};\n\
             CREATE FUNCTION citusctl.pgbouncer_user(pg_catalog.text, OUT name pg_catalog.text, OUT password pg_catalog.text) RETURNS SETOF record\n\
             LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $user${SOURCE}$user$;\n\
             DO $own$DECLARE other pg_catalog.text; BEGIN FOR other IN {} LOOP\n\
             EXECUTE 'REVOKE ALL ON FUNCTION {function} FROM ' || other; END LOOP; END$own$;\n\
             REVOKE ALL ON FUNCTION {function} FROM PUBLIC;\nGRANT EXECUTE ON FUNCTION {function} TO {role};\nCOMMIT;\n",
            sql::HERE_ONLY,
            own_schema_only("citusctl"),
            grantees(
                "pg_catalog.pg_proc o",
                "o.proacl",
                "o.proowner",
                &format!("o.oid = pg_catalog.to_regprocedure('{function}')")
            )
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind() -> PoolerLookup {
        PoolerLookup {
            lookup: Lookup {
                database: "shop".into(),
                role: "asker".into(),
            },
        }
    }

    fn compare(answer: Value) -> GroupVerdict {
        let access = PgAccess {
            dbsu: "postgres".into(),
            ..PgAccess::default()
        };
        kind().compare(&access, &answer)
    }

    fn there(roles: Value) -> Value {
        json!({"schema": "postgres", "schema_for": [["asker", "USAGE"]], "there": [SOURCE, true, [CONFIG], "postgres", roles]})
    }

    #[test]
    fn only_the_one_role_may_ask() {
        assert!(matches!(
            compare(there(json!(["asker"]))),
            GroupVerdict::Same(_)
        ));
        let GroupVerdict::Differs(change) = compare(there(json!(["asker", "unknown (OID=0)"])))
        else {
            panic!("the public may ask");
        };
        assert_eq!(change.action, Action::Update);
        let [Operation::OnLeader(step)] = change.operations.as_slice() else {
            panic!("{change:?}");
        };
        let text = step.script.expose();
        for part in [
            "SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS",
            "REVOKE ALL ON FUNCTION citusctl.pgbouncer_user(pg_catalog.text) FROM PUBLIC;",
            "GRANT EXECUTE ON FUNCTION citusctl.pgbouncer_user(pg_catalog.text) TO \"asker\";",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn a_function_that_was_changed_is_made_again() {
        let mut other = there(json!(["asker"]));
        other["there"][0] = json!("SELECT 'x', 'y'");
        assert!(matches!(compare(other), GroupVerdict::Differs(_)));
        // As default privileges have it.
        let mut given = there(json!(["asker"]));
        given["schema_for"] = json!([["asker", "USAGE"], ["dbrole_admin", "CREATE"]]);
        assert!(matches!(compare(given), GroupVerdict::Differs(_)));
        let mut open = there(json!(["asker"]));
        open["there"][2] = Value::Null;
        assert!(matches!(compare(open), GroupVerdict::Differs(_)));
    }

    #[test]
    fn a_schema_of_somebody_else_is_refused() {
        let GroupVerdict::Refused { reason, .. } = compare(json!({"schema": "app"})) else {
            panic!("not refused");
        };
        assert_eq!(
            reason,
            "database shop has a schema `citusctl` that belongs to app"
        );
    }
}
