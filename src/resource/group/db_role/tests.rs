use super::*;
use crate::fact::MemberSeen;
use crate::model::objects::{Expiry, Grant};
use crate::names::{HostName, InstanceName};
use crate::resource::group::password;
use serde_json::{Value, json};

fn role() -> Role {
    Role {
        name: "app".into(),
        absent: false,
        password: Some("se'cret".into()),
        md5: false,
        login: true,
        inherit: true,
        superuser: false,
        createdb: Some(false),
        createrole: Some(false),
        replication: Some(false),
        bypassrls: Some(false),
        connlimit: -1,
        expiry: Expiry::Never,
        comment: None,
        grants: Vec::new(),
        parameters: Vec::new(),
        reassign_to: None,
    }
}

fn live_role() -> Value {
    json!({"superuser": false, "login": true, "inherit": true, "createdb": false, "createrole": false,
        "replication": false, "bypassrls": false, "connlimit": -1, "until": null, "comment": null, "settings": null,
        "password": password::stored_form("se'cret", "app", false)})
}

fn seen(role: Option<Value>, members: Value, authinfo: Value) -> GroupSeen {
    let roles = role.map_or(json!({}), |role| json!({ "app": role }));
    let live = json!({"version": 170_000, "roles": roles, "members": members, "databases": {}});
    GroupSeen {
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
        answers: [
            ("pg_objects".to_owned(), live.to_string()),
            ("pg_authinfo".to_owned(), authinfo.to_string()),
        ]
        .into(),
        ..GroupSeen::default()
    }
}

fn diff(role: Role, seen: &GroupSeen, access: &PgAccess) -> GroupVerdict {
    let without = Vec::new();
    DbRole { role, without }.diff(access, seen)
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

#[test]
fn nothing_to_do_for_what_is_there() {
    let seen = seen(Some(live_role()), json!([]), json!({}));
    assert!(matches!(
        diff(role(), &seen, &PgAccess::default()),
        GroupVerdict::Same(_)
    ));
}

#[test]
fn a_missing_role_is_made_whole_and_no_password_is_told() {
    let seen = seen(None, json!([]), json!({}));
    let (change, text) = change(diff(role(), &seen, &PgAccess::default()));
    assert_eq!(change.action, Action::Create);
    assert_eq!(change.summary, "role app (login, password)");
    assert!(change.details.is_empty());
    assert!(text.contains("CREATE ROLE \"app\"") && text.contains("PASSWORD 'SCRAM-SHA-256$"));
    assert!(!text.contains("cret"));
}

#[test]
fn each_attribute_is_told_from_what_to_what() {
    let mut live = live_role();
    live["createdb"] = json!(true);
    live["connlimit"] = json!(5);
    live["until"] = json!("2020-01-01 00:00:00");
    live["settings"] = json!(["work_mem=1MB"]);
    let mut wanted = role();
    wanted.password = Some("other".into());
    wanted.parameters = vec![("work_mem".into(), Some("2MB".into()))];
    wanted.comment = Some("an app".into());
    let members = json!([{"role": "old", "member": "app", "grantor": "postgres", "admin": false, "inherit": true, "set": true}]);
    let grant = |role: &str, revoked| Grant {
        role: role.into(),
        revoked,
        admin: None,
        inherit: None,
        set: (!revoked).then_some(false),
    };
    wanted.grants = vec![grant("new", false), grant("old", true)];
    let (change, text) = change(diff(
        wanted,
        &seen(Some(live), members, json!({})),
        &PgAccess::default(),
    ));
    assert_eq!(
        change.details,
        [
            "createdb: true -> false",
            "connlimit: 5 -> -1",
            "password",
            "expires: 2020-01-01 -> never",
            "member of new with set false",
            "no longer member of old",
            "work_mem: 1MB -> 2MB",
            "comment: (none) -> an app",
        ]
    );
    for part in [
        "ALTER ROLE \"app\" NOCREATEDB;",
        "VALID UNTIL 'infinity'",
        "GRANT \"new\" TO \"app\" WITH SET false;",
        "REVOKE \"old\" FROM \"app\" GRANTED BY \"postgres\";",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn days_are_counted_once() {
    let mut wanted = role();
    let until = |day: &str| Expiry::In {
        days: 30,
        until: format!("{day} 00:00:00"),
    };
    wanted.expiry = until("2026-12-21");
    let (_, text) = change(diff(
        wanted.clone(),
        &seen(Some(live_role()), json!([]), json!({})),
        &PgAccess::default(),
    ));
    assert!(text.contains("VALID UNTIL '2026-12-21 00:00:00+00'"));
    assert!(text.contains("SET citusctl.expire_in TO '30 2026-12-21 00:00:00'"));
    let mut live = live_role();
    live["until"] = json!("2026-12-21 00:00:00");
    live["settings"] = json!(["citusctl.expire_in=30 2026-12-21 00:00:00"]);
    let there = seen(Some(live), json!([]), json!({}));
    // Weeks later, also when the day has passed.
    wanted.expiry = until("2027-02-01");
    assert!(matches!(
        diff(wanted.clone(), &there, &PgAccess::default()),
        GroupVerdict::Same(_)
    ));
    wanted.expiry = Expiry::Never;
    let (change, text) = change(diff(wanted, &there, &PgAccess::default()));
    assert_eq!(change.details, ["expires: 2026-12-21 -> never"]);
    assert!(text.contains("RESET citusctl.expire_in"));
}

#[test]
fn queries_between_nodes_have_the_password_too() {
    let citus = PgAccess {
        citus_db: Some("citus".into()),
        ..PgAccess::default()
    };
    let with = |authinfo: Value| seen(Some(live_role()), json!([]), authinfo);
    let stale = with(json!({"app": "password='old'"}));
    let (change, text) = change(diff(role(), &stale, &citus));
    assert_eq!(change.summary, "role app (pg_dist_authinfo)");
    assert!(!text.contains("ALTER ROLE"));
    let right = with(json!({"app": "password='se\\'cret'"}));
    assert!(matches!(
        diff(role(), &right, &citus),
        GroupVerdict::Same(_)
    ));
    let mut standby = right.clone();
    standby.members[0].role = "standby_leader".into();
    assert!(matches!(
        diff(role(), &standby, &citus),
        GroupVerdict::Same(_)
    ));
}

#[test]
fn a_role_that_owns_something_stays_until_it_is_told_to_whom() {
    let mut wanted = role();
    wanted.absent = true;
    let mut there = seen(Some(live_role()), json!([]), json!({}));
    let ties =
        json!({"owns": {"shop": 3}, "shared": ["shop"], "named_in": ["shop"], "sessions": 2});
    let super::Probe::Sql { name, .. } = leaving::probe(&PgAccess::default(), "app") else {
        panic!("a question in SQL");
    };
    there.answers.insert(name, ties.to_string());
    let refused = diff(wanted.clone(), &there, &PgAccess::default());
    assert!(
        matches!(&refused, GroupVerdict::Refused { reason, .. } if reason.ends_with("it owns shop, 3 objects in shop")),
        "{refused:?}"
    );
    let gone = DbRole {
        role: wanted.clone(),
        without: vec!["shop".into()],
    };
    assert!(matches!(
        gone.diff(&PgAccess::default(), &there),
        GroupVerdict::Differs(_)
    ));
    wanted.reassign_to = Some("boss".into());
    let (change, text) = change(diff(wanted, &there, &PgAccess::default()));
    assert_eq!(
        change.details,
        ["shop, 3 objects in shop: to boss", "2 sessions are ended"]
    );
    assert!(text.contains("REASSIGN OWNED BY \"app\" TO \"boss\";"));
    assert!(
        text.trim_end().ends_with("CITUSCTL_SQL") && text.contains("DROP ROLE IF EXISTS \"app\";")
    );
}
