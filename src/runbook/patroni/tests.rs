//! Plans and refusals by their words, on the shipped inventories.

use super::*;
use crate::fact::Homes;
use crate::model::Model;
use crate::runbook::{Consent, Runbook, Work};
use serde_json::json;

mod source;

fn model(name: &str) -> Model {
    let path = format!("{}/inventory/{name}.yml", env!("CARGO_MANIFEST_DIR"));
    let loaded = crate::inventory::load(path.as_ref(), &[]).expect("a good inventory");
    crate::model::build(&loaded.inventory).0.expect("a model")
}

/// Members in order: role, state, lag.
fn seen(group: &Group, members: &[(&str, &str, i64)]) -> GroupSeen {
    let listed = group.members.iter().zip(members);
    let listed = listed.map(|(member, (role, state, lag))| {
        json!({"name": member.name, "role": role, "state": state, "lag": lag, "timeline": 3})
    });
    let listed: Vec<Value> = listed.collect();
    let mut seen = GroupSeen::from_cluster(&json!({ "members": listed }), &Homes::of(group));
    for (index, member) in seen.members.iter_mut().enumerate() {
        member.learn(
            &json!({"state": "running", "postmaster_start_time": "t0", "xlog": {"received_location": 100 - index}}),
        );
    }
    seen
}

const TRIO: [(&str, &str, i64); 3] = [
    ("leader", "running", 0),
    ("replica", "streaming", 10),
    ("replica", "streaming", 0),
];

fn trio() -> (Model, GroupSeen) {
    let model = model("ha-trio");
    let seen = seen(model.groups().next().expect("a group").1, &TRIO);
    (model, seen)
}

fn group(model: &Model) -> &Group {
    group_named(model, None).expect("the only group")
}

fn titles(book: &Runbook) -> Vec<&str> {
    book.steps.iter().map(|step| step.title.as_str()).collect()
}

#[test]
fn haproxy_is_told_before_patroni_is_asked() {
    let (model, seen) = trio();
    let reachable = ["10.10.10.11", "10.10.10.12"]
        .map(crate::names::HostName::new)
        .into();
    let view = GroupView {
        proxies: Some(Proxies {
            model: &model,
            reachable: &reachable,
        }),
        ..GroupView::of(group(&model), &seen)
    };
    let book = switchover(&view, None).expect("a plan");
    assert_eq!(
        titles(&book)[0],
        "let new connections wait in HAProxy until pg-test-3 leads"
    );
    assert_eq!(book.steps[0].hosts(), reachable);
    assert!(!book.steps[0].must);
    let Work::Hosts(scripts) = &book.steps[0].work else {
        panic!("no scripts")
    };
    let text = scripts
        .values()
        .next()
        .expect("a script")
        .act
        .expose()
        .to_owned();
    assert!(text.contains("https://10.10.10.13:8008/primary"), "{text}");
    assert!(
        text.contains(r#"["pg-test-primary/pg-test-3","up"]"#),
        "{text}"
    );
    assert!(
        text.contains(r#"["pg-test-primary/pg-test-1","down"]"#),
        "{text}"
    );
    assert!(text.contains(r#""pg-test-primary":"#), "{text}");
    assert!(!text.contains("pg-test-replica"), "{text}");
    assert!(book.risks[0].contains("through HAProxy up to 0.3 s more"));
}

#[test]
fn the_least_behind_takes_over() {
    let (model, seen) = trio();
    let view = GroupView::of(group(&model), &seen);
    let book = switchover(&view, None).expect("a plan");
    assert_eq!(
        titles(&book),
        [
            "switch over from pg-test-1 to pg-test-3",
            "pg-test-1 follows the new leader"
        ]
    );
    assert_eq!(
        book.risks[0],
        "writes stop for about 1.5 s; through HAProxy up to 4.0 s more, until it knows of the new leader"
    );
    let to = InstanceName::new("pg-test-2");
    let book = switchover(&view, Some(&to)).expect("a plan");
    assert_eq!(titles(&book)[0], "switch over from pg-test-1 to pg-test-2");
    let to = InstanceName::new("pg-test-1");
    assert!(
        switchover(&view, Some(&to))
            .expect("a plan")
            .steps
            .is_empty()
    );
}

#[test]
fn a_switchover_is_refused_with_words() {
    let (model, good) = trio();
    let group = group(&model);
    let to = InstanceName::new("pg-test-2");
    let reason = |seen: &GroupSeen, to| {
        let refused = switchover(&GroupView::of(group, seen), to).expect_err("refused");
        assert!(!refused.hint.is_empty());
        refused.reason
    };
    let mut behind = good.clone();
    behind.members[1].lag = Some(2 << 20);
    assert_eq!(
        reason(&behind, Some(&to)),
        "pg-test-2 is 2097152 bytes behind, more than the 1048576 that may be lost (maximum_lag_on_failover)"
    );
    behind.members[2].state = "stopped".to_owned();
    assert!(
        reason(&behind, None)
            .starts_with("pg-test: nobody can take over: pg-test-2 is 2097152 bytes behind")
    );
    assert!(reason(&behind, None).ends_with("pg-test-3 does not follow: it is stopped"));
    let paused = GroupSeen {
        paused: true,
        ..good.clone()
    };
    assert_eq!(
        reason(&paused, None),
        "pg-test: automatic failover is switched off (paused), so Patroni hands nothing over"
    );
    let mut headless = good.clone();
    headless.members[0].role = "replica".to_owned();
    assert!(reason(&headless, None).starts_with("pg-test has no leader: pg-test-1 is running"));
    let synchronous = GroupSeen {
        dynamic: Some(json!({"synchronous_mode": true, "ttl": 30})),
        ..good
    };
    assert_eq!(
        reason(&synchronous, Some(&to)),
        "pg-test-2 is no synchronous standby at this moment, so Patroni does not hand over to it"
    );
}

#[test]
fn two_members_under_quorum_wait_for_the_old_leader() {
    let model = model("citus-ha");
    let group = group_named(&model, Some("1")).expect("group 1");
    let two = [("leader", "running", 0), ("quorum_standby", "streaming", 0)];
    let seen = seen(group, &two);
    let view = GroupView::of(group, &seen);
    let gap = Gap::of(&view, &seen.members[1].name);
    assert!(gap.waits_for_old_leader);
    assert!((gap.seconds - 3.5).abs() < 0.01);
    let asynchronous = GroupSeen {
        dynamic: Some(json!({"synchronous_mode": false})),
        ..seen.clone()
    };
    let gap = Gap::of(&GroupView::of(group, &asynchronous), &seen.members[1].name);
    assert!((gap.seconds - 1.5).abs() < 0.01);
}

#[test]
fn citus_is_asked_at_the_coordinators_leader() {
    let model = model("citus-ha");
    let group = group_named(&model, Some("1")).expect("group 1");
    let (formation, _) = model.group(&group.cluster).expect("its formation");
    let two = [("leader", "running", 0), ("quorum_standby", "streaming", 0)];
    let seen = seen(group, &two);
    let coordinator = formation.coordinator().expect("a coordinator");
    let mut view = GroupView {
        citus: Some(CitusFormation {
            formation,
            leader: coordinator.members.first(),
        }),
        ..GroupView::of(group, &seen)
    };
    let book = switchover(&view, None).expect("a plan");
    let step = &book.steps[1];
    assert_eq!(step.id, "registered");
    assert!(step.hosts().contains(&coordinator.members[0].host));
    view.citus = Some(CitusFormation {
        formation,
        leader: None,
    });
    let book = switchover(&view, None).expect("a plan");
    assert!(
        book.risks
            .iter()
            .any(|risk| risk.starts_with("the coordinator has no leader"))
    );
}

#[test]
fn replicas_restart_first_and_one_at_a_time() {
    let (model, seen) = trio();
    let group = group(&model);
    let all = RestartScope::default();
    let book = restart(&GroupView::of(group, &seen), &all).expect("a plan");
    assert_eq!(
        titles(&book),
        [
            "restart PostgreSQL of pg-test-2",
            "restart PostgreSQL of pg-test-3",
            "switch over from pg-test-1 to pg-test-3",
            "pg-test-1 follows the new leader",
            "restart PostgreSQL of pg-test-1",
        ]
    );
    let Work::Group(ask) = &book.steps[0].work else {
        panic!("a request");
    };
    assert!((ask.holds)(&seen).is_err());
    let mut down = seen.clone();
    down.members[2].state = "stopped".to_owned();
    assert_eq!(
        (ask.require)(&down),
        Err("pg-test-3 is stopped, and no second member may be down meanwhile".to_owned())
    );
    let refused = restart(&GroupView::of(group, &down), &all).expect_err("refused");
    assert!(
        refused
            .reason
            .contains("pg-test-3 is stopped, and a restart")
    );
    let one = RestartScope {
        member: Some(InstanceName::new("pg-test-3")),
        pending: false,
    };
    assert_eq!(
        restart(&GroupView::of(group, &down), &one)
            .expect("a plan")
            .steps
            .len(),
        1
    );
    let pending = RestartScope {
        member: None,
        pending: true,
    };
    assert!(
        restart(&GroupView::of(group, &seen), &pending)
            .expect("a plan")
            .steps
            .is_empty()
    );
}

#[test]
fn a_leader_that_waits_for_a_restart_is_restarted_for_standbys_that_cannot_follow() {
    let model = model("ha-trio");
    let group = group(&model);
    let stopped = |state: &'static str| [TRIO[0], ("replica", state, 0), ("replica", "stopped", 0)];
    let scope = |name: &str| RestartScope {
        member: Some(InstanceName::new(name)),
        pending: false,
    };
    let planned = |state: &'static str, waits: bool, name: &str| {
        let mut seen = seen(group, &stopped(state));
        seen.members[0].pending_restart = waits;
        restart(&GroupView::of(group, &seen), &scope(name))
    };
    let book = planned("stopped", true, "pg-test-1").expect("a plan");
    assert_eq!(titles(&book), ["restart PostgreSQL of pg-test-1"]);
    assert!(book.risks[0].contains("they may be waiting for this restart"));
    // It does not wait for one; somebody follows; somebody else is meant.
    assert!(planned("stopped", false, "pg-test-1").is_err());
    assert!(planned("streaming", true, "pg-test-1").is_err());
    assert!(planned("stopped", true, "pg-test-2").is_err());
}

#[test]
fn a_failover_that_may_lose_rows_wants_the_name() {
    let (model, mut seen) = trio();
    let group = group(&model);
    let refused = failover(&GroupView::of(group, &seen), None).expect_err("refused");
    assert_eq!(refused.reason, "pg-test-1 leads and is healthy");
    seen.members[0].role = "replica".to_owned();
    seen.members[0].state = "stopped".to_owned();
    seen.members[0].position = None;
    let book = failover(&GroupView::of(group, &seen), None).expect("a plan");
    assert_eq!(
        titles(&book),
        ["let pg-test-2 lead", "fail over to pg-test-2"]
    );
    let to = InstanceName::new("pg-test-3");
    let book = failover(&GroupView::of(group, &seen), Some(&to)).expect("a plan");
    assert_eq!(book.consent, Consent::Name);
    assert_eq!(
        book.risks[0],
        "pg-test-3 lacks 1 bytes that pg-test-2 has; they are lost"
    );
}

#[test]
fn the_only_standby_is_not_remade_lightly() {
    let (model, mut seen) = trio();
    let group = group(&model);
    let name = InstanceName::new("pg-test-2");
    let book = reinit(&GroupView::of(group, &seen), &name).expect("a plan");
    assert_eq!(book.consent, Consent::Yes);
    let leader = InstanceName::new("pg-test-1");
    assert!(reinit(&GroupView::of(group, &seen), &leader).is_err());
    seen.members.remove(2);
    let book = reinit(&GroupView::of(group, &seen), &name).expect("a plan");
    assert_eq!(book.consent, Consent::Name);
}

#[test]
fn names_are_explained() {
    let model = model("citus-ha");
    let words = |error: TargetError| error.to_string();
    assert!(
        words(group_named(&model, None).expect_err("several")).starts_with("no group is named")
    );
    assert_eq!(
        words(group_named(&model, Some("7")).expect_err("none")),
        "there is no group `7`"
    );
    assert_eq!(
        words(member_named(&model, "pg-citus1-9").expect_err("none"))
            .split("; ")
            .next(),
        Some("there is no member `pg-citus1-9`")
    );
    let error = group_of(&model, Some("0"), Some("pg-citus1-1")).expect_err("elsewhere");
    assert_eq!(
        words(error),
        "pg-citus1-1 is a member of pg-citus1, not of pg-citus0"
    );
}

mod lost;

#[test]
fn a_restarted_standby_is_synchronous_again_before_somebody_takes_over() {
    let (model, _) = trio();
    let group = group(&model);
    let before = seen(
        group,
        &[("leader", "running", 0), ("quorum_standby", "streaming", 0)],
    );
    let step = steps::restart(group, &before.members[1], false);
    let Work::Group(ask) = &step.work else {
        panic!("a request");
    };
    let restarted = |role: &str| {
        let mut now = seen(group, &[("leader", "running", 0), (role, "streaming", 0)]);
        now.members[1].learn(&json!({"state": "running", "postmaster_start_time": "t1"}));
        now
    };
    assert_eq!(
        (ask.holds)(&restarted("replica")),
        Err("no standby is synchronous again yet".to_owned())
    );
    assert_eq!((ask.holds)(&restarted("quorum_standby")), Ok(()));

    let switch = steps::switchover(
        group,
        &before.members[0],
        &before.members[1],
        &before.members[1],
    );
    let Work::Group(ask) = &switch.work else {
        panic!("a request");
    };
    assert_eq!((ask.require)(&before), Ok(()));
    let three = [
        ("leader", "running", 0),
        ("replica", "streaming", 0),
        ("sync_standby", "streaming", 0),
    ];
    assert_eq!(
        (ask.require)(&seen(group, &three)),
        Err("pg-test-2 is no synchronous standby by now".to_owned())
    );
}
