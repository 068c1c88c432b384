//! What a restore onto empty hosts goes by.

use super::*;
use crate::runbook::Consent;
use crate::runbook::backup::majority::EtcdHere;

/// All members are new machines; the repository host remembers the points.
fn lost(prepared: bool) -> Bench {
    let mut bench = bench();
    let stanza = match &bench.host("10.10.10.11").repository {
        Some(RepositorySeen::Known(stanza)) => StanzaSeen {
            server: String::new(),
            ..(**stanza).clone()
        },
        other => panic!("{other:?}"),
    };
    for name in ["10.10.10.11", "10.10.10.12", "10.10.10.13"] {
        let seen = bench.host(name);
        *seen = MemberLook {
            prepared,
            free: Some(1 << 30),
            timelines: prepared.then(|| Timelines {
                present: 1,
                left: Vec::new(),
            }),
            repository: prepared.then(|| RepositorySeen::Known(Box::new(stanza.clone()))),
            ..MemberLook::default()
        };
    }
    bench.look.here = vec![RestorePoint {
        name: "p1".to_owned(),
        at: 100,
        formation: "pg-test".to_owned(),
        groups: vec![at(1, "0/A00", &[])],
    }];
    bench
}

#[test]
fn hosts_without_data_are_set_up_before_anything_is_restored() {
    let mut bench = lost(false);
    let lacking = to_prepare(bench.input()).expect("hosts");
    assert_eq!(lacking.len(), 3);
    let book = plan_fresh(bench.input(), &RestoreTarget::Latest, &lacking).expect("a plan");
    assert_eq!(book.consent, Consent::Name);
    let ids: Vec<&str> = book.steps.iter().map(|step| step.id).collect();
    assert_eq!(ids, ["prepare", "restore", "apply"]);
    // An open restore is gone on with: nothing may be set up beside it.
    bench.host("10.10.10.12").open = Some("p1".to_owned());
    assert_eq!(to_prepare(bench.input()).map(|it| it.len()), Ok(0));
}

#[test]
fn what_is_left_of_etcd_has_to_be_a_cluster_first() {
    for prepared in [false, true] {
        let mut bench = lost(prepared);
        let lacking = to_prepare(bench.input()).expect("hosts");
        for (name, etcd) in [
            ("10.10.10.11", EtcdHere::NoData),
            ("10.10.10.12", EtcdHere::NoData),
            ("10.10.10.13", EtcdHere::Alone),
        ] {
            bench.host(name).etcd = Some(etcd);
        }
        let target = RestoreTarget::Latest;
        let refusals = [
            plan_fresh(bench.input(), &target, &lacking).expect_err("a refusal"),
            plan_restore(bench.input(), &target).expect_err("a refusal"),
        ];
        for refusal in refusals {
            assert!(refusal.reason.contains("no majority"), "{refusal:?}");
            assert!(refusal.hint.contains("etcd reset --to 10.10.10.13"));
        }
        // It was made one: the others join it. Where nobody has data, a new one is made.
        for state in [EtcdHere::Majority, EtcdHere::NoData] {
            bench.host("10.10.10.13").etcd = Some(state);
            assert!(plan_fresh(bench.input(), &target, &lacking).is_ok());
        }
    }
}

#[test]
fn members_that_run_are_not_set_up() {
    let mut bench = bench();
    for name in ["10.10.10.11", "10.10.10.12", "10.10.10.13"] {
        let seen = bench.host(name);
        seen.prepared = true;
        seen.kept = vec![KeptData {
            path: "/d/data".to_owned(),
            state: Some("in production".to_owned()),
            ..KeptData::default()
        }];
    }
    assert_eq!(to_prepare(bench.input()).map(|it| it.len()), Ok(0));
}

#[test]
fn an_empty_group_is_restored_on_its_primary_and_gets_the_inventorys_configuration() {
    let bench = lost(true);
    let book = plan_restore(bench.input(), &point("p1")).expect("a plan");
    let step = |id: &str| book.steps.iter().find(|step| step.id == id);
    let wanted = std::iter::once(HostName::new("10.10.10.11")).collect();
    assert_eq!(step("restore").map(|step| step.hosts()), Some(wanted));
    assert!(step("config").is_some());
    assert!(!book.afterwards.iter().any(|line| line.contains(".before-")));
}

#[test]
fn the_newest_point_of_the_last_history_is_the_latest_also_when_all_is_lost() {
    let mut bench = lost(true);
    // The repository says: timeline 1 was left before the point.
    for name in ["10.10.10.11", "10.10.10.12", "10.10.10.13"] {
        bench.host(name).timelines = Some(Timelines {
            present: 2,
            left: vec![(1, 0x900)],
        });
    }
    let reason = bench
        .restore(&RestoreTarget::Latest)
        .expect_err("a refusal");
    assert!(
        reason.contains("no host knows a point of its present"),
        "{reason}"
    );
    assert!(bench.restore(&point("p1")).is_ok());
    for name in ["10.10.10.11", "10.10.10.12", "10.10.10.13"] {
        bench.host(name).timelines = None;
    }
    let reason = bench
        .restore(&RestoreTarget::Latest)
        .expect_err("a refusal");
    assert!(
        reason.contains("does not say which history was its last"),
        "{reason}"
    );
    assert!(bench.restore(&point("p1")).is_ok());
}

#[test]
fn a_repository_of_another_database_is_no_help_to_empty_hosts() {
    let mut bench = lost(true);
    for name in ["10.10.10.11", "10.10.10.12", "10.10.10.13"] {
        if let Some(RepositorySeen::Known(stanza)) = &mut bench.host(name).repository {
            stanza.system = Some("8".to_owned());
        }
    }
    let reason = bench.restore(&point("p1")).expect_err("a refusal");
    assert!(reason.contains("of another database"), "{reason}");
}
