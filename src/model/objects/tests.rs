use super::*;
use crate::inventory::load;
use std::collections::BTreeSet;

/// The scene of the only host of an inventory with these variables.
fn with<T>(vars: &str, test: impl FnOnce(&Scene<'_>) -> T) -> T {
    let text = format!(
        "all:\n  vars:\n{}\n  children:\n    a: {{ hosts: {{ 10.1.1.1: {{ pg_cluster: a, pg_seq: 1, pg_role: primary }} }} }}\n",
        vars.lines()
            .map(|line| format!("    {line}\n"))
            .collect::<String>()
    );
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("inventory.yml");
    std::fs::write(&path, text).unwrap();
    let inventory = load(&path, &[]).unwrap().inventory;
    let host = inventory.hosts.values().next().unwrap();
    test(&Scene::new(host, OffsetDateTime::UNIX_EPOCH))
}

fn codes<T>(read: &Read<T>) -> Vec<&'static str> {
    read.problems.iter().map(|problem| problem.code).collect()
}

#[test]
fn the_defaults_are_pigstys_and_come_in_an_order_that_works() {
    with(
        "pg_users: [{name: app, roles: [team]}, {name: team, login: no}]",
        |scene| {
            let read = roles(scene);
            assert!(read.problems.is_empty());
            let names: Vec<&str> = read.found.iter().map(|role| role.name.as_str()).collect();
            assert_eq!(
                names,
                [
                    "dbrole_readonly",
                    "dbrole_offline",
                    "dbrole_readwrite",
                    "dbrole_admin",
                    "postgres",
                    "replicator",
                    "dbuser_dba",
                    "dbuser_monitor",
                    "team",
                    "app"
                ]
            );
            let admin = &read.found[6];
            assert!(admin.superuser && admin.createdb.is_none() && admin.password.is_some());
            assert!(!read.found[8].login && read.found[9].login);
        },
    );
}

#[test]
fn users_of_the_system_are_there_in_any_case_and_by_their_names() {
    let vars = "pg_admin_username: boss\npg_default_roles: []\npg_users: [{name: '${admin}', connlimit: 3}]";
    with(vars, |scene| {
        let read = roles(scene);
        let boss = read.found.iter().find(|role| role.name == "boss").unwrap();
        assert!(boss.superuser && boss.connlimit == 3);
        assert_eq!(read.found.len(), 4);
        let monitor = read.found.iter().find(|role| role.name == "dbuser_monitor");
        assert_eq!(monitor.unwrap().grants[0].role, "pg_monitor");
    });
}

#[test]
fn texts_stay_as_they_were_written() {
    with(
        "pg_users: [{name: app, password: 0012, expire_in: 30, parameters: {search_path: [a, b], work_mem: null}}]",
        |scene| {
            let read = roles(scene);
            let app = read.found.iter().find(|role| role.name == "app").unwrap();
            assert_eq!(app.password.as_deref(), Some("0012"));
            assert_eq!(
                app.expiry,
                Expiry::In {
                    days: 30,
                    until: "1970-01-31 00:00:00".into()
                }
            );
            assert_eq!(app.parameters[0].1.as_deref(), Some("a, b"));
            assert_eq!(app.parameters[1].1, None);
        },
    );
}

#[test]
fn bad_roles_are_reported() {
    let cases = [
        ("pg_users: [{name: a}, {name: a}]", "duplicate-role"),
        (
            "pg_users: [{name: postgres, state: absent}]",
            "protected-role",
        ),
        ("pg_users: [{name: pg_x}]", "bad-role-name"),
        ("pg_users: [{name: a, password: ''}]", "bad-password"),
        ("pg_users: [{name: a, expire_at: soon}]", "bad-expiry"),
        (
            "pg_users: [{name: a, roles: [b]}, {name: b, roles: [a]}]",
            "role-circle",
        ),
        ("pg_users: [{name: a, roles: [nobody]}]", "unknown-role"),
        (
            "pg_version: 15\npg_users: [{name: a, roles: [{name: pg_monitor, set: no}]}]",
            "too-old-for-option",
        ),
    ];
    for (vars, code) in cases {
        assert_eq!(with(vars, |scene| codes(&roles(scene))), [code], "{vars}");
    }
}

#[test]
fn databases_begin_with_the_defaults() {
    let names = BTreeSet::from(["dbrole_admin".to_owned(), "app".to_owned()]);
    let vars = "pg_mode: citus\npg_shard: a\npg_group: 1\npg_primary_db: shop\n\
                pg_databases: [{name: shop, owner: app, baseline: x.sql, extensions: [citus, {name: pg_trgm, schema: app}]}, {name: other}]";
    with(vars, |scene| {
        let read = databases(scene, &names);
        assert!(read.problems.is_empty());
        let found: Vec<&str> = read.found.iter().map(|db| db.name.as_str()).collect();
        assert_eq!(found, ["template1", "postgres", "shop", "other"]);
        let shop = &read.found[2];
        let settings = shop.settings.as_ref().unwrap();
        assert!(settings.baseline.is_none(), "only the coordinator runs it");
        let trgm: Vec<_> = shop
            .content
            .extensions
            .iter()
            .filter(|ext| ext.name == "pg_trgm")
            .collect();
        assert_eq!((trgm.len(), trgm[0].schema.as_deref()), (1, Some("app")));
        assert_eq!(
            shop.content.privileges.creators,
            ["postgres", "dbuser_dba", "dbrole_admin", "app"]
        );
        assert!(read.found[3].content.extensions.is_empty());
    });
}

#[test]
fn bad_databases_are_reported() {
    let cases = [
        ("pg_databases: [{name: a}, {name: a}]", "duplicate-database"),
        (
            "pg_databases: [{name: postgres, state: absent}]",
            "protected-database",
        ),
        ("pg_databases: [{name: template0}]", "bad-database-name"),
        (
            "pg_databases: [{name: a, state: recreate}]",
            "recreate-database",
        ),
        ("pg_databases: [{name: a, owner: nobody}]", "unknown-role"),
        (
            "pg_databases: [{name: a, schemas: [{owner: x}]}]",
            "missing-field",
        ),
        (
            "pg_default_privileges: [GRANT SELECT ON TABLES TO nobody]",
            "unknown-role",
        ),
        (
            "pg_default_privileges: [GRANT EVERYTHING]",
            "bad-default-privilege",
        ),
        (
            "pg_mode: citus\npg_shard: a\npg_primary_db: c\npg_databases: [{name: a, extensions: [citus]}]",
            "second-citus-database",
        ),
    ];
    for (vars, code) in cases {
        let found = with(vars, |scene| codes(&databases(scene, &BTreeSet::new())));
        assert_eq!(found, [code], "{vars}");
    }
}
