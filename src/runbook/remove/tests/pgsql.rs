//! Members, groups, formations.

use super::*;
use crate::names::InstanceName;
use serde_json::json;

#[test]
fn a_replica_leaves_no_key_no_slot_and_no_file() {
    let world = World::new("ha-trio", &[]);
    let book = world.plan(&["10.10.10.13"], Removal::Pgsql).unwrap();
    let ids: Vec<_> = book.steps.iter().map(|step| step.id).collect();
    let wanted = [
        "routing",
        "patroni",
        "member-key",
        "slots-ttl",
        "slots",
        "slots-ttl",
        "postgres",
        "data",
        "files",
    ];
    assert_eq!(ids, wanted);
    assert_eq!(
        (book.consent, book.subject.as_str()),
        (Consent::Yes, "pg-test-3")
    );
    let data = &book.steps[7].title;
    assert_eq!(
        data,
        "put the data aside: /data/postgres/pg-test-17 becomes /data/postgres/pg-test-17.removed-r1"
    );
    // Of the four lines of the manifest two are of roles that leave.
    assert!(
        book.steps[8]
            .title
            .starts_with("move our files away (2 in all)"),
        "{}",
        book.steps[8].title
    );
}

#[test]
fn a_slot_is_left_alone_while_another_member_is_away() {
    let mut world = World::new("ha-trio", &[]);
    let group = world.groups.get_mut("pg-test").unwrap().as_mut().unwrap();
    group.members[1].state = "stopped".to_owned();
    assert!(
        !world
            .steps(&["10.10.10.13"], Removal::Pgsql)
            .contains(&"slots")
    );
}

#[test]
fn what_is_done_makes_no_step() {
    let mut world = World::new("ha-trio", &[]);
    for host in TRIO {
        let left = world.left(host);
        left.keys = left.keys.take().map(|keys| {
            keys.into_iter()
                .filter(|key| !key.ends_with("-3"))
                .collect()
        });
        left.slots = None;
    }
    *world.left("10.10.10.13") = Left {
        keys: Some(BTreeSet::new()),
        ..Left::default()
    };
    assert_eq!(
        world.steps(&["10.10.10.13"], Removal::Pgsql),
        Vec::<&str>::new()
    );
}

#[test]
fn a_leader_does_not_leave_while_others_stay() {
    let mut world = World::new("ha-trio", &[]);
    let (reason, hint) = world.refused(&["10.10.10.11"], Removal::Pgsql);
    assert_eq!(
        reason,
        "pg-test-1 on 10.10.10.11 leads pg-test now, and others stay"
    );
    assert_eq!(
        hint,
        "hand the lead over first: `citusctl switchover --group pg-test`"
    );
    let group = world.groups.get_mut("pg-test").unwrap().as_mut().unwrap();
    group.members[0].state = "stopped".to_owned();
    assert!(
        world
            .refused(&["10.10.10.13"], Removal::Pgsql)
            .0
            .contains("nobody leads now")
    );
    world
        .groups
        .insert(ClusterName::new("pg-test"), Err("refused".to_owned()));
    assert!(
        world
            .refused(&["10.10.10.13"], Removal::Pgsql)
            .0
            .contains("nobody tells who leads: refused")
    );
}

#[test]
fn the_last_standby_that_commits_wait_for_does_not_leave() {
    let mut world = World::new("ha-trio", &[]);
    let both = ["10.10.10.12", "10.10.10.13"];
    assert!(world.plan(&both, Removal::Pgsql).is_ok());
    let mut with = |config| {
        world
            .groups
            .get_mut("pg-test")
            .unwrap()
            .as_mut()
            .unwrap()
            .dynamic = config;
        (
            world.plan(&both, Removal::Pgsql).err(),
            world.plan(&both[..1], Removal::Pgsql).err(),
        )
    };
    let strict = json!({"synchronous_mode": true, "synchronous_mode_strict": true});
    let (all, one) = with(Some(strict));
    assert_eq!(
        all.expect("refused").reason,
        "pg-test: writes would stop: commits wait for a synchronous standby (synchronous_mode_strict), and none would be left beside pg-test-1"
    );
    assert!(one.is_none());
    let lax = json!({"synchronous_mode": "quorum", "synchronous_mode_strict": false});
    assert!(with(Some(lax)).0.is_none());
    let (all, one) = with(None);
    assert!(all.expect("refused").reason.contains("is not known") && one.is_none());
}

#[test]
fn nothing_leaves_a_patroni_whose_etcd_has_no_majority() {
    let mut world = World::new("ha-trio", &[]);
    world
        .seen
        .hosts
        .values_mut()
        .for_each(|seen| seen.etcd.majority = false);
    assert!(
        world
            .refused(&["10.10.10.13"], Removal::Pgsql)
            .0
            .contains("etcd has no majority")
    );
}

#[test]
fn a_silent_host_is_told_and_left() {
    let mut world = World::new("ha-trio", &[]);
    world.left.remove("10.10.10.13");
    let book = world.plan(&["10.10.10.13"], Removal::Pgsql).unwrap();
    let ids: Vec<_> = book.steps.iter().map(|step| step.id).collect();
    assert_eq!(ids, ["member-key", "slots-ttl", "slots", "slots-ttl"]);
    assert!(
        book.risks[0].contains("10.10.10.13 does not answer"),
        "{:?}",
        book.risks
    );
}

#[test]
fn a_whole_formation_needs_its_name() {
    let world = World::new("ha-trio", &[]);
    let book = world.plan(&TRIO, Removal::Pgsql).unwrap();
    assert_eq!(
        (book.consent, book.subject.as_str()),
        (Consent::Name, "pg-test")
    );
    let ids: Vec<_> = book.steps.iter().map(|step| step.id).collect();
    let wanted = [
        "routing",
        "pause",
        "paused",
        "patroni",
        "keys",
        "etcd-stamp",
        "etcd-user",
        "postgres",
        "data",
        "files",
    ];
    assert_eq!(ids, wanted);
}

#[test]
fn data_is_deleted_only_where_all_say_so() {
    let plan = |extra: &[&str]| {
        World::new("ha-trio", extra)
            .plan(&["10.10.10.13"], Removal::Pgsql)
            .unwrap()
    };
    let book = plan(&["pg_rm_data=true"]);
    let data = book.steps.iter().find(|step| step.id == "data").unwrap();
    assert_eq!(data.title, "DELETE the data: /data/postgres/pg-test-17");
    assert_eq!(
        (book.consent, data.impact),
        (Consent::Name, crate::resource::Impact::Destroys)
    );
    let book = plan(&["pg_rm_data=false"]);
    assert!(book.steps.iter().all(|step| step.id != "data"));
    // The link and the note that make it ours stay with it.
    assert!(
        book.steps
            .last()
            .unwrap()
            .title
            .starts_with("move our files away (1 in all)")
    );
}

#[test]
fn backups_go_only_when_told_so_and_with_their_group() {
    let backups = |hosts: &[&str], extra: &[&str]| {
        let book = World::new("ha-trio", extra)
            .plan(hosts, Removal::Pgsql)
            .unwrap();
        let found = book.steps.iter().find(|step| step.id == "backups");
        (found.map(|step| step.title.clone()), book.consent)
    };
    let (title, consent) = backups(&TRIO, &["pg_rm_backup=true"]);
    assert_eq!(
        title.as_deref(),
        Some("DELETE the backups: /data/backups/pg-test-17")
    );
    assert_eq!(consent, Consent::Name);
    assert_eq!(backups(&TRIO, &[]).0, None);
    assert_eq!(backups(&["10.10.10.13"], &["pg_rm_backup=true"]).0, None);
}

const WORKER: [&str; 2] = ["10.10.10.15", "10.10.10.16"];

#[test]
fn a_worker_group_leaves_without_shards_only() {
    let mut world = World::new("citus-ha", &[]);
    world.left("10.10.10.11").placed = None;
    let (reason, _) = world.refused(&WORKER, Removal::Pgsql);
    assert_eq!(
        reason,
        "pg-citus2: how many shards are placed on group 2 is unknown: the coordinator's leader on 10.10.10.11 did not say"
    );
    world.left("10.10.10.11").placed = Some(BTreeMap::from([(2, 16)]));
    let (reason, hint) = world.refused(&WORKER, Removal::Pgsql);
    assert_eq!(reason, "pg-citus2: 16 shards are placed on group 2");
    assert!(
        hint.contains("citus_drain_node('10.10.10.15', 5432)"),
        "{hint}"
    );
    world.left("10.10.10.11").placed = Some(BTreeMap::new());
    let book = world.plan(&WORKER, Removal::Pgsql).unwrap();
    let ids: Vec<_> = book.steps.iter().map(|step| step.id).collect();
    let wanted = [
        "drained", "routing", "pause", "paused", "patroni", "keys", "nodes", "postgres", "data",
        "files",
    ];
    assert_eq!(ids, wanted);
    assert_eq!(
        (book.consent, book.subject.as_str()),
        (Consent::Name, "pg-citus2")
    );
    // The metadata are changed where the coordinator leads.
    assert!(book.steps[6].hosts().contains("10.10.10.11"));
}

#[test]
fn a_group_does_not_leave_a_coordinator_that_is_down() {
    let mut world = World::new("citus-ha", &[]);
    world.left("10.10.10.11").nodes = None;
    assert!(
        world
            .refused(&WORKER, Removal::Pgsql)
            .0
            .contains("the coordinator has no leader that answers")
    );
}

#[test]
fn the_coordinator_leaves_with_all_only() {
    let world = World::new("citus-ha", &[]);
    let (reason, hint) = world.refused(&["10.10.10.11", "10.10.10.12"], Removal::Pgsql);
    assert!(
        reason.contains("is the coordinator of pg-citus: it leaves only with the whole formation")
    );
    assert!(hint.contains("--confirm pg-citus"), "{hint}");
}

#[test]
fn a_member_that_others_follow_stays() {
    let mut world = World::new("ha-trio", &[]);
    let name = InstanceName::new("pg-test-2");
    let members = &mut world.model.formations[0].groups[0].members;
    members[2].upstream = Some(name);
    let (reason, _) = world.refused(&["10.10.10.12"], Removal::Pgsql);
    assert_eq!(reason, "pg-test-3 replicates from pg-test-2, which leaves");
}
