//! etcd, hosts, safeguards.

use super::*;

#[test]
fn etcd_keeps_its_majority() {
    let mut world = World::new("ha-trio", &[]);
    let wanted = ["forget", "etcd", "data", "files"];
    assert_eq!(world.steps(&["10.10.10.13"], Removal::Etcd), wanted);
    world
        .seen
        .hosts
        .get_mut("10.10.10.12")
        .unwrap()
        .etcd
        .majority = false;
    let (reason, _) = world.refused(&["10.10.10.13"], Removal::Etcd);
    assert_eq!(
        reason,
        "without etcd-3: 2 with a vote, 1 alive, 2 needed: no quorum"
    );
    // The dead one may go.
    assert_eq!(world.steps(&["10.10.10.12"], Removal::Etcd), wanted);
}

#[test]
fn etcd_does_not_end_while_somebody_lives_in_it() {
    let mut world = World::new("ha-trio", &[]);
    assert_eq!(
        world.refused(&TRIO, Removal::Etcd).0,
        "10.10.10.11: Patroni runs, and keeps its state in etcd"
    );
    world
        .seen
        .hosts
        .values_mut()
        .for_each(|seen| seen.units.clear());
    assert_eq!(
        world.refused(&TRIO, Removal::Etcd).0,
        "etcd holds the state of /pg/pg-test"
    );
    world
        .left
        .values_mut()
        .for_each(|left| left.keys = Some(BTreeSet::new()));
    let book = world.plan(&TRIO, Removal::Etcd).unwrap();
    assert_eq!(
        (book.consent, book.subject.as_str()),
        (Consent::Name, "etcd")
    );
}

#[test]
fn a_host_is_cleared_last() {
    let mut world = World::new("ha-trio", &[]);
    let (reason, hint) = world.refused(&["10.10.10.13"], Removal::Node);
    assert_eq!(reason, "10.10.10.13: PostgreSQL is still there");
    assert!(hint.contains("apply pgsql-rm -l 10.10.10.13"));
    world
        .seen
        .hosts
        .get_mut("10.10.10.13")
        .unwrap()
        .units
        .clear();
    world.left("10.10.10.13").manifest = vec!["etcd/conf /x".to_owned()];
    assert_eq!(
        world.refused(&["10.10.10.13"], Removal::Node).0,
        "10.10.10.13: etcd is still there"
    );
    world.left("10.10.10.13").manifest = vec!["node/limits /x".to_owned()];
    assert_eq!(
        world.steps(&["10.10.10.13"], Removal::Node),
        ["units", "files", "state"]
    );
}

#[test]
fn a_safeguard_is_shown_where_it_stands() {
    let world = World::new("ha-trio", &["pg_safeguard=true"]);
    let hosts = TRIO.iter().map(|host| HostName::new(*host)).collect();
    let found = safeguarded(
        (&world.model, &world.inventory.sources),
        &hosts,
        Removal::Pgsql,
    );
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].message,
        "`pg_safeguard` forbids to remove 10.10.10.11, 10.10.10.12, 10.10.10.13"
    );
    assert_eq!(
        safeguarded(
            (&world.model, &world.inventory.sources),
            &hosts,
            Removal::Etcd
        ),
        []
    );
}
