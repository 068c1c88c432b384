//! The superuser's sessions in the database of Citus. Patroni registers nodes there, and Citus's background work asks other nodes, all as the
//! superuser and with settings of the database's owner: Citus calls functions by their bare names (`current_database()`, in each
//! round of its two-phase recovery), so the owner of the database could become superuser by that alone. What is set for a role in a
//! database comes before what is set for the database.

use crate::resource::group::live::{LiveDatabase, setting};
use crate::resource::group::settings::Difference;
use crate::resource::group::{PgAccess, sql};

/// PostgreSQL's own defaults: nobody's habits change, and an operator's own value for these sessions stays. (An empty list of libraries
/// cannot be set like this: PostgreSQL keeps it as a list of one library without a name.)
const KEPT: [(&str, &str); 3] = [
    ("search_path", "\"$user\", public"),
    ("role", "none"),
    ("default_transaction_read_only", "off"),
];

/// What is not kept from the owner yet; nothing in a database that Citus does not live in.
pub(super) fn difference(
    name: &str,
    access: &PgAccess,
    there: Option<&LiveDatabase>,
) -> Option<Difference> {
    if access.citus_db.as_deref() != Some(name) {
        return None;
    }
    let settings = there.and_then(|there| there.superuser.as_deref());
    let missing = KEPT
        .into_iter()
        .filter(|(key, _)| setting(settings, key).is_none());
    let alter = format!(
        "ALTER ROLE {} IN DATABASE {}",
        sql::name(&access.dbsu),
        sql::name(name)
    );
    let statements: String = missing
        .map(|(key, value)| format!("{alter} SET {key} = {value};\n"))
        .collect();
    (!statements.is_empty()).then(|| {
        Difference::new(
            "the superuser's sessions",
            format!(
                "sessions of {} do not begin with settings of the owner",
                access.dbsu
            ),
            statements,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn there(superuser: serde_json::Value) -> LiveDatabase {
        serde_json::from_value(json!({"owner": "app", "encoding": "UTF8", "collate": "C", "ctype": "C", "provider": null, "locale": null,
            "tablespace": "pg_default", "template": false, "allowconn": true, "connlimit": -1, "comment": null, "settings": ["search_path=evil"],
            "superuser": superuser, "acl": []}))
        .unwrap()
    }

    fn access() -> PgAccess {
        PgAccess {
            dbsu: "postgres".into(),
            citus_db: Some("citus".into()),
            ..PgAccess::default()
        }
    }

    #[test]
    fn what_the_owner_sets_does_not_count_for_the_superuser() {
        let open = there(json!(null));
        let found = difference("citus", &access(), Some(&open)).unwrap();
        assert!(
            found.sql.contains(
                "ALTER ROLE \"postgres\" IN DATABASE \"citus\" SET search_path = \"$user\", public;"
            ),
            "{}",
            found.sql
        );
        assert!(difference("shop", &access(), Some(&open)).is_none());
    }

    #[test]
    fn a_value_of_the_operator_stays() {
        let kept = [
            "search_path=app",
            "role=none",
            "default_transaction_read_only=off",
            "local_preload_libraries=",
        ];
        assert!(difference("citus", &access(), Some(&there(json!(kept)))).is_none());
        let found =
            difference("citus", &access(), Some(&there(json!(["search_path=app"])))).unwrap();
        assert!(!found.sql.contains("search_path"), "{}", found.sql);
    }
}
