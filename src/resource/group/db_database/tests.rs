use super::*;
use crate::fact::MemberSeen;
use crate::model::objects::{
    Baseline, Content, Extension, Privilege, Privileges, Schema, Settings,
};
use crate::names::{HostName, InstanceName};
use serde_json::{Value, json};

fn database() -> Database {
    Database {
        name: "shop".into(),
        absent: false,
        settings: Some(Settings {
            owner: Some("app".into()),
            allowconn: true,
            connlimit: -1,
            ..Settings::default()
        }),
        content: Content::default(),
    }
}

fn live() -> Value {
    json!({"owner": "app", "encoding": "UTF8", "collate": "C", "ctype": "C", "provider": "b", "locale": "C.UTF-8",
        "tablespace": "pg_default", "template": false, "allowconn": true, "connlimit": -1, "comment": null, "settings": null,
        "acl": [["", "CONNECT", false], ["", "TEMPORARY", false], ["app", "CONNECT", false]]})
}

fn inside() -> Value {
    json!({"schemas": {"public": {"owner": "pg_database_owner", "holds": true, "acl": [["", "USAGE", false]]},
        "old": {"owner": "app", "holds": true, "acl": []}},
        "extensions": {"pg_trgm": {"schema": "public", "version": "1.6"}},
        "available": {"pg_trgm": "1.6", "citext": "1.6"}, "privileges": [], "stated": []})
}

fn seen(database: Option<Value>, inside: Option<Value>) -> GroupSeen {
    let postgres = |held: &str| {
        let mut postgres = self::live();
        postgres["settings"] = json!([format!("citusctl.databases={held}")]);
        postgres
    };
    let databases = match database {
        Some(database) => json!({ "shop": database, "postgres": postgres(r#"["shop"]"#) }),
        None => json!({ "postgres": postgres("[]") }),
    };
    let live = json!({"version": 170_000, "roles": {}, "members": [], "databases": databases});
    let Probe::Sql { name, .. } = live::content(&PgAccess::default(), "shop") else {
        panic!("a question in SQL");
    };
    let mut seen = GroupSeen {
        members: vec![MemberSeen {
            name: InstanceName::new("a-1"),
            host: HostName::new("h"),
            role: "leader".into(),
            elsewhere: None,
            state: "running".into(),
            timeline: None,
            lag: None,
            pending_restart: false,
            answers: false,
            started: None,
            position: None,
            verdict: None,
        }],
        answers: [("pg_objects".to_owned(), live.to_string())].into(),
        ..GroupSeen::default()
    };
    if let Some(inside) = inside {
        seen.answers.insert(name, inside.to_string());
    }
    seen
}

fn diff(database: &Database, seen: &GroupSeen) -> GroupVerdict {
    let database = database.clone();
    let recreate = false;
    DbDatabase { database, recreate }.diff(&PgAccess::default(), seen)
}

fn change(verdict: GroupVerdict) -> (GroupChange, String) {
    let GroupVerdict::Differs(change) = verdict else {
        panic!("{verdict:?}");
    };
    let steps = change.operations.iter().map(|operation| match operation {
        Operation::OnLeader(step) => step.script.expose().to_owned(),
        other => panic!("{other:?}"),
    });
    let text = steps.collect();
    (*change, text)
}

fn refused(verdict: GroupVerdict) -> String {
    match verdict {
        GroupVerdict::Refused { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_to_do_for_what_is_there() {
    let same = diff(&database(), &seen(Some(live()), Some(inside())));
    assert!(matches!(same, GroupVerdict::Same(_)), "{same:?}");
}

#[test]
fn a_missing_database_is_made_with_all_that_belongs_to_it() {
    let mut wanted = database();
    let settings = wanted.settings.as_mut().unwrap();
    settings.fixed = vec![("ENCODING".into(), "UTF8".into())];
    settings.making = vec![("TEMPLATE".into(), "template0".into())];
    settings.allowconn = false;
    settings.baseline = Some(Baseline {
        file: "a.sql".into(),
        sql: "CREATE TABLE t();".into(),
    });
    wanted.content.schemas = vec![Schema {
        name: "s".into(),
        owner: Some("app".into()),
        absent: false,
    }];
    let (change, text) = change(diff(&wanted, &seen(None, None)));
    assert_eq!(change.action, Action::Create);
    assert_eq!(
        change.summary,
        "database shop (schema s, owner, allowconn, baseline)"
    );
    let order = [
        "CREATE DATABASE \"shop\" TEMPLATE \"template0\" ENCODING ''UTF8''",
        "citusctl.baseline TO 'pending'",
        "CREATE SCHEMA IF NOT EXISTS \"s\"",
        "-c search_path=public -c role=none",
        "CREATE TABLE t();",
        "citusctl.baseline TO 'done'",
        // Nobody owns it while others' scripts run in it.
        "ALTER DATABASE \"shop\" OWNER TO \"app\"",
        "ALLOW_CONNECTIONS false",
    ];
    let places: Vec<usize> = order
        .iter()
        .map(|part| text.find(part).unwrap_or_else(|| panic!("{part}: {text}")))
        .collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn an_interrupted_baseline_is_run_and_a_finished_one_is_not() {
    let mut wanted = database();
    wanted.settings.as_mut().unwrap().baseline = Some(Baseline {
        file: "a.sql".into(),
        sql: "SELECT 1;".into(),
    });
    let with = |mark: &[&str]| {
        let mut live = live();
        live["settings"] = json!(mark);
        diff(&wanted, &seen(Some(live), Some(inside())))
    };
    assert!(matches!(
        with(&["citusctl.baseline=done"]),
        GroupVerdict::Same(_)
    ));
    assert!(matches!(with(&[]), GroupVerdict::Same(_)));
    let (change, _) = change(with(&["citusctl.baseline=pending"]));
    assert_eq!(change.summary, "database shop (baseline)");
}

#[test]
fn what_cannot_be_changed_is_said() {
    let mut wanted = database();
    let fixed = |word: &str, value: &str| vec![(word.to_owned(), value.to_owned())];
    let there = seen(Some(live()), Some(inside()));
    for (word, value) in [
        ("ENCODING", "utf-8"),
        ("LOCALE", "C"),
        ("LOCALE_PROVIDER", "builtin"),
        ("BUILTIN_LOCALE", "C.utf8"),
    ] {
        wanted.settings.as_mut().unwrap().fixed = fixed(word, value);
        assert!(
            matches!(diff(&wanted, &there), GroupVerdict::Same(_)),
            "{word}"
        );
    }
    wanted.settings.as_mut().unwrap().fixed = fixed("LC_COLLATE", "en_US.UTF-8");
    assert_eq!(
        refused(diff(&wanted, &there)),
        "database shop has lc_collate C, not en_US.UTF-8, and that cannot be changed"
    );
}

#[test]
fn extensions_and_schemas_are_made_moved_and_dropped() {
    let extension = |name: &str, schema: Option<&str>, version: Option<&str>| Extension {
        name: name.into(),
        schema: schema.map(str::to_owned),
        version: version.map(str::to_owned),
        absent: false,
    };
    let mut wanted = database();
    wanted.content.extensions = vec![
        extension("citext", None, None),
        extension("pg_trgm", Some("s"), Some("1.7")),
    ];
    let there = seen(Some(live()), Some(inside()));
    let (change, text) = change(diff(&wanted, &there));
    assert_eq!(
        change.details,
        [
            "extension citext: made",
            "extension pg_trgm: schema public -> s, version 1.6 -> 1.7"
        ]
    );
    let made = "SET search_path = \"public\";\nCREATE EXTENSION IF NOT EXISTS \"citext\" CASCADE;\nSET search_path = pg_catalog, pg_temp;\n";
    let guard = "it as the superuser; drop it";
    assert!(text.contains(made), "{text}");
    assert!(text.find(guard) < text.find(made), "{text}");
    wanted.content.extensions = vec![extension("postgis", None, None)];
    assert!(refused(diff(&wanted, &there)).contains("is not installed on the host"));
    // Its package is about to come: the same look is taken again when it is there.
    let coming = GroupSeen {
        installing: true,
        ..there.clone()
    };
    assert!(matches!(diff(&wanted, &coming), GroupVerdict::Differs(_)));
    // Of a database that is not there yet, the others tell.
    let Probe::Sql { name, .. } = live::content(&PgAccess::default(), "template1") else {
        panic!("a question in SQL");
    };
    let mut none = seen(None, None);
    none.answers.insert(name, inside().to_string());
    assert!(refused(diff(&wanted, &none)).contains("is not installed on the host"));
    wanted.content.extensions.clear();
    wanted.content.schemas = vec![Schema {
        name: "old".into(),
        owner: None,
        absent: true,
    }];
    assert!(refused(diff(&wanted, &there)).contains("is not empty"));
}

#[test]
fn default_privileges_are_compared_one_by_one() {
    let line = |grant, privileges: &[&str], objects: &str, role: &str| Privilege {
        grant,
        schema: None,
        privileges: privileges.iter().map(|p| (*p).to_owned()).collect(),
        objects: objects.into(),
        roles: vec![role.into()],
        grant_option: false,
    };
    let mut wanted = database();
    wanted.content.privileges = Privileges {
        creators: vec!["app".into()],
        lines: vec![
            line(true, &["SELECT"], "TABLES", "reader"),
            line(true, &["INSERT", "UPDATE"], "TABLES", "writer"),
            line(false, &["EXECUTE"], "FUNCTIONS", ""),
        ],
        admin_role: None,
    };
    let mut there = inside();
    there["privileges"] = json!([
        ["app", "", "r", "reader", "SELECT", false],
        ["app", "", "r", "writer", "INSERT", false]
    ]);
    there["stated"] = json!([["app", "", "r"]]);
    let (change, text) = change(diff(&wanted, &seen(Some(live()), Some(there.clone()))));
    assert_eq!(change.details, ["what app makes: 2 default privileges"]);
    assert!(text.contains("FOR ROLE \"app\" GRANT INSERT, UPDATE ON TABLES TO \"writer\";"));
    assert!(text.contains("FOR ROLE \"app\" REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;"));
    there["privileges"] = json!([
        ["app", "", "r", "reader", "SELECT", false],
        ["app", "", "r", "writer", "INSERT", false],
        ["app", "", "r", "writer", "UPDATE", true],
        ["app", "", "f", "app", "EXECUTE", false]
    ]);
    there["stated"] = json!([["app", "", "r"], ["app", "", "f"]]);
    let same = diff(&wanted, &seen(Some(live()), Some(there)));
    assert!(matches!(same, GroupVerdict::Same(_)), "{same:?}");
}

#[test]
fn doors_are_closed_last_and_a_closed_house_is_left_alone() {
    let mut wanted = database();
    let settings = wanted.settings.as_mut().unwrap();
    settings.allowconn = false;
    settings.revokeconn = Some(true);
    settings.connectors = vec!["dba".into()];
    let (change, text) = change(diff(&wanted, &seen(Some(live()), Some(inside()))));
    assert_eq!(change.summary, "database shop (revokeconn, allowconn)");
    assert!(text.contains("REVOKE CONNECT ON DATABASE \"shop\" FROM PUBLIC;"));
    assert!(text.contains("GRANT CONNECT ON DATABASE \"shop\" TO \"dba\";"));
    let mut closed = live();
    closed["allowconn"] = json!(false);
    closed["acl"] = json!([["app", "CONNECT", false], ["dba", "CONNECT", false]]);
    let same = diff(&wanted, &seen(Some(closed), None));
    assert!(matches!(same, GroupVerdict::Same(_)), "{same:?}");
}

#[test]
fn a_database_goes_with_a_warning() {
    let mut wanted = database();
    wanted.absent = true;
    let (change, text) = change(diff(&wanted, &seen(Some(live()), None)));
    assert_eq!(
        (change.action, change.impact),
        (Action::Remove, Impact::Destroys)
    );
    assert!(text.contains("DROP DATABASE IF EXISTS \"shop\" WITH (FORCE);"));
    assert!(matches!(
        diff(&wanted, &seen(None, None)),
        GroupVerdict::Same(_)
    ));
}

#[test]
fn a_database_that_was_there_is_not_made_again_without_a_word() {
    let mut gone = seen(Some(live()), None);
    let answer = gone.answers.get_mut("pg_objects").expect("objects");
    let mut objects: Value = serde_json::from_str(answer).expect("JSON");
    objects["databases"]
        .as_object_mut()
        .expect("databases")
        .remove("shop");
    *answer = objects.to_string();
    let GroupVerdict::Refused { reason, hint } = diff(&database(), &gone) else {
        panic!("it is made again");
    };
    assert!(
        reason.contains("database shop was there and is gone"),
        "{reason}"
    );
    assert!(hint.contains("pg_recreate_databases=true"));
    let again = DbDatabase {
        database: database(),
        recreate: true,
    };
    let (change, text) = change(again.diff(&PgAccess::default(), &gone));
    assert_eq!(change.action, Action::Create);
    assert!(change.cause.is_some_and(|cause| cause.contains("empty")));
    assert!(text.contains("ALTER DATABASE postgres SET citusctl.databases"));
}
