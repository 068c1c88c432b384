//! What differs, and what a difference means.

use super::*;
use serde_json::json;

fn differences(wanted: Value, now: Value) -> Vec<KeyDifference> {
    let mut found = Vec::new();
    compare(
        wanted.as_object().expect("map"),
        now.as_object().expect("map"),
        &[],
        &mut found,
    );
    found
}

#[test]
fn equal_values_in_other_spelling_do_not_differ() {
    let wanted =
        json!({"ttl": 30, "postgresql": {"parameters": {"max_connections": 100, "ssl": true}}});
    let now = json!({"ttl": 30, "pause": true, "postgresql": {"parameters": {"max_connections": "100", "ssl": "on"}}});
    assert_eq!(differences(wanted, now), []);
}

#[test]
fn a_key_that_we_wrote_goes_with_the_inventory_and_one_of_another_hand_stays() {
    let upstream = json!({"host": "10.0.0.9", "port": 5432});
    let of = |now: Value| {
        let mut found = Vec::new();
        let wanted = json!({"ttl": 30});
        left(
            wanted.as_object().expect("map"),
            now.as_object().expect("map"),
            &mut found,
        );
        found
    };
    assert_eq!(of(json!({"ttl": 30, "standby_cluster": upstream})), []);
    let ours = of(json!({"ttl": 30, "standby_cluster": upstream, OWNED: ["standby_cluster"]}));
    assert_eq!(patch(&ours), json!({"standby_cluster": null, OWNED: null}));
    assert!(ours[0].promotes());
    assert!(ours[0].describe(false).ends_with("takes writes"));
}

#[test]
fn a_cluster_of_its_own_is_not_made_a_standby_cluster() {
    let of = |now: Value| {
        let wanted = json!({"standby_cluster": {"host": "10.0.0.9", "port": 5432}});
        differences(wanted, now).iter().any(KeyDifference::demotes)
    };
    assert!(of(json!({"ttl": 30})));
    assert!(of(json!({"ttl": 30, "standby_cluster": {"slot": "x"}})));
    assert!(!of(
        json!({"standby_cluster": {"host": "10.0.0.8", "port": 1}})
    ));
}

#[test]
fn a_lowered_limit_restarts_the_leader_where_it_is() {
    let said = |before: i64, after: i64| {
        let of = |value: i64| json!({"postgresql": {"parameters": {"max_connections": value}}});
        differences(of(after), of(before))[0].describe(true)
    };
    assert!(said(100, 60).ends_with(LOWERED));
    assert_eq!(
        said(60, 100),
        "max_connections: 60 -> 100  # needs a restart"
    );
}

#[test]
fn a_parameter_that_left_is_unset_and_others_stay() {
    let wanted = json!({"postgresql": {"parameters": {"a": 1}}});
    let now =
        json!({"pause": true, "postgresql": {"use_slots": true, "parameters": {"a": 2, "b": 3}}});
    let patch = patch(&differences(wanted, now));
    assert_eq!(
        patch,
        json!({"postgresql": {"parameters": {"a": 1, "b": null}}})
    );
}
