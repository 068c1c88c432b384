use super::*;
use crate::fact::powers::read_powers;
use serde_json::{Value, json};

fn declared() -> DeclaredObjects {
    let role = |name: &str, grants: Value, parameters: Value| {
        json!({"name": name, "absent": false, "password": null, "md5": false, "login": true, "inherit": true, "superuser": name == "postgres",
            "createdb": null, "createrole": null, "replication": null, "bypassrls": null, "connlimit": -1, "expiry": "never",
            "comment": null, "grants": grants, "parameters": parameters, "reassign_to": null})
    };
    let grant = json!([{"role": "pg_read_all_data", "revoked": false, "admin": null, "inherit": null, "set": null}]);
    let roles = json!([
        role("postgres", json!([]), json!([])),
        role("app", grant, json!([["search_path", "app"]]))
    ]);
    let mut database = Database {
        name: "shop".to_owned(),
        absent: false,
        settings: Some(crate::model::objects::Settings::default()),
        content: crate::model::objects::Content::default(),
    };
    if let Some(settings) = &mut database.settings {
        settings.allowconn = true;
    }
    DeclaredObjects {
        roles: serde_json::from_value(roles).expect("roles"),
        databases: vec![database],
        parameters: ["Autovacuum".to_owned()].into(),
    }
}

fn live() -> Value {
    json!({"roles": {"postgres": {"superuser": true, "login": true}, "app": {"login": true}, "other": {"login": true}},
        "members": [["pg_read_all_data", "app"]],
        "settings": [["app", "", ["search_path=app", "citusctl.expire_in=3 x"]], ["other", "", ["search_path=x"]],
            ["postgres", "shop", ["search_path=\"$user\", public", "role=none"]]],
        "databases": {"shop": {"allowconn": true, "public": true}}, "server": []})
}

fn said(edit: impl Fn(&mut Value)) -> Judged {
    let mut live = live();
    edit(&mut live);
    let powers = read_powers(&live.to_string()).expect("powers");
    judge(&declared(), &powers)
}

#[test]
fn what_is_declared_is_silent() {
    assert_eq!(said(|_| {}), Judged::default());
    let server = |live: &mut Value| live["server"] = json!([["autovacuum", "off", "default"]]);
    assert_eq!(said(server), Judged::default());
}

fn weak(edit: impl Fn(&mut Value)) -> String {
    said(edit).weak.join("\n")
}

#[test]
fn power_that_nobody_declared_weakens() {
    let superuser = weak(|live| live["roles"]["eve"] = json!({"superuser": true}));
    assert!(superuser.starts_with("role `eve` is a superuser, and nobody declared it"));
    let creator =
        weak(|live| live["roles"]["eve"] = json!({"createrole": true, "bypassrls": true}));
    assert!(creator.contains("`eve` may create roles, bypasses row level security"));
    let program =
        |live: &mut Value| live["members"] = json!([["pg_execute_server_program", "app"]]);
    assert!(weak(program).contains("which runs programs on the hosts, and nobody declared it"));
    let boss = |live: &mut Value| live["members"] = json!([["postgres", "other"]]);
    assert!(weak(boss).contains("`other` is a member of `postgres`"));
}

#[test]
fn what_sessions_begin_with_is_weighed() {
    let with = |row: Value| said(move |live| live["settings"] = json!([row]));
    let path = with(json!(["app", "shop", ["search_path=evil"]]));
    assert!(
        path.weak[0].contains("of role `app` in database `shop` begin with `search_path` = `evil`")
    );
    let read_only = with(json!(["", "shop", ["default_transaction_read_only=on"]]));
    assert!(
        read_only.weak[0].contains("`ALTER DATABASE shop RESET default_transaction_read_only`")
    );
    let memory = with(json!(["", "shop", ["work_mem=1GB"]]));
    assert_eq!((memory.weak.len(), memory.noted.len()), (0, 1));
    let all = with(json!(["", "", ["session_preload_libraries=x"]]));
    assert!(all.weak[0].starts_with("sessions of all roles begin with"));
}

#[test]
fn what_is_gone_or_shut_is_broken() {
    let gone = said(|live| live["databases"] = json!({}));
    assert_eq!(
        gone.broken,
        ["database `shop` is declared and is not there"]
    );
    let out = said(|live| live["roles"]["app"]["login"] = json!(false));
    assert!(out.broken[0].contains("role `app` may not log in (NOLOGIN)"));
    let shut = json!({"allowconn": true, "public": false, "shut_out": ["app", "other"]});
    let shut = said(|live| live["databases"]["shop"] = shut.clone());
    assert!(
        shut.weak[0].contains(
            "CONNECT was revoked from the public, which shuts out `app`, and nobody declared it"
        ),
        "{shut:?}"
    );
}

#[test]
fn a_weak_server_is_told_with_its_source() {
    let fsync = |live: &mut Value| {
        live["server"] = json!([
            ["fsync", "off", "command line"],
            ["fsync", "off", "/pg/data/postgresql.auto.conf"]
        ]);
    };
    assert!(
        weak(fsync).starts_with(
            "PostgreSQL runs with `fsync` = `off` (command line), which nobody declared"
        )
    );
    assert_eq!(weak(fsync).lines().count(), 1);
}
