//! Planners against what a survivor's hosts may say: every refusal by its words, every plan by its steps.

mod guards;
mod proof;
mod scripts;

use super::*;
use crate::inventory::Inventory;
use crate::runbook::Step;
use std::path::Path;

struct Bench {
    inventory: Inventory,
    model: Model,
    seen: Surveyed,
    request: RecoverOrder,
    run: RunId,
}

/// Three hosts of which .11 and .12 are gone; .13 is a standby with etcd's data.
fn bench() -> Bench {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("inventory/ha-trio.yml");
    let inventory = crate::inventory::load(&path, &[]).unwrap().inventory;
    let model = crate::model::build(&inventory).0.unwrap();
    let mut seen = Surveyed::default();
    for host in ["10.10.10.11", "10.10.10.12"] {
        seen.unreachable
            .insert(host.into(), "no connection".to_owned());
    }
    seen.hosts.insert("10.10.10.13".into(), standby(100));
    let request = RecoverOrder {
        survivor: "10.10.10.13".into(),
        fenced: ["10.10.10.11".into(), "10.10.10.12".into()].into(),
        via: None,
        accept_loss: false,
    };
    Bench {
        inventory,
        model,
        seen,
        request,
        run: RunId::new("r1"),
    }
}

fn standby(lsn: u64) -> HostSeen {
    HostSeen {
        units: [("haproxy".to_owned(), "active".to_owned())].into(),
        etcd: EtcdSeen {
            data: true,
            ..EtcdSeen::default()
        },
        pg: Some(PgSeen {
            up: true,
            recovery: true,
            lsn,
            exact: true,
            timeline: 1,
            system: "77".to_owned(),
            ..PgSeen::default()
        }),
        ..HostSeen::default()
    }
}

impl Bench {
    fn input(&self) -> Input<'_> {
        Input {
            sources: &self.inventory.sources,
            model: &self.model,
            seen: &self.seen,
            run: &self.run,
        }
    }

    fn refusal(&self) -> String {
        plan(self.input(), &self.request).unwrap_err().reason
    }

    fn steps(&self) -> Vec<&'static str> {
        ids(&plan(self.input(), &self.request).unwrap())
    }

    fn host(&mut self, host: &str) -> &mut HostSeen {
        self.seen.hosts.get_mut(host).unwrap()
    }

    fn found(&mut self, host: &str, seen: HostSeen) {
        self.seen.unreachable.remove(host);
        self.request.fenced.remove(host);
        self.seen.hosts.insert(host.into(), seen);
    }

    fn marked(&mut self, via: RecoverMethod) {
        let mut marker = Marker::new(via, &"pg-test".into(), &"10.10.10.13".into(), "r0");
        marker.fenced = vec!["10.10.10.11".into(), "10.10.10.12".into()];
        self.host("10.10.10.13").marker = Some(marker);
    }
}

fn ids(book: &Runbook) -> Vec<&'static str> {
    book.steps.iter().map(|step: &Step| step.id).collect()
}

#[test]
fn etcd_first_where_a_member_has_its_data() {
    let bench = bench();
    assert_eq!(
        bench.steps(),
        [
            "mark", "absent", "patroni", "etcd", "haproxy", "leader", "prove", "lift"
        ]
    );
    let book = plan(bench.input(), &bench.request).unwrap();
    let beside = book.steps.iter().filter(|step| step.beside);
    let beside: Vec<&str> = beside.map(|step| step.id).collect();
    assert_eq!(beside, ["absent", "patroni", "haproxy"]);
    assert_eq!(book.consent, Consent::Name);
    assert_eq!(book.subject, "pg-test");
    assert!(
        book.risks[0].contains("how many is unknown"),
        "{:?}",
        book.risks
    );
}

#[test]
fn by_promotion_where_none_has() {
    let mut bench = bench();
    bench.host("10.10.10.13").etcd.data = false;
    let wanted = [
        "mark", "detach", "quorum", "postgres", "promote", "haproxy", "prove",
    ];
    assert_eq!(bench.steps(), wanted);
    bench.request.via = Some(RecoverMethod::Etcd);
    assert!(bench.refusal().contains("`--via etcd` is not possible"));
}

#[test]
fn every_lost_host_must_be_vouched_for() {
    let mut bench = bench();
    bench.request.fenced.remove("10.10.10.12");
    let refusal = plan(bench.input(), &bench.request).unwrap_err();
    assert!(
        refusal
            .reason
            .starts_with("10.10.10.12 cannot be reached, and nobody has said that it is off"),
        "{refusal}"
    );
    assert!(
        refusal.hint.ends_with("then say --fenced 10.10.10.12"),
        "{}",
        refusal.hint
    );
}

#[test]
fn a_fenced_host_that_answers_is_put_aside_first() {
    let mut bench = bench();
    bench.found("10.10.10.12", standby(500));
    bench.request.fenced.insert("10.10.10.12".into());
    assert_eq!(bench.steps()[..2], ["mark", "fence"]);
}

#[test]
fn a_majority_of_etcd_is_patronis_business() {
    let mut bench = bench();
    bench.host("10.10.10.13").etcd.majority = true;
    assert!(bench.refusal().contains("etcd has its majority"));
    if let Some(pg) = &mut bench.host("10.10.10.13").pg {
        pg.recovery = false;
    }
    assert!(bench.refusal().contains("is the leader already"));
}

#[test]
fn another_member_must_not_be_ahead() {
    let mut bench = bench();
    bench.found("10.10.10.12", standby(150));
    assert!(
        bench
            .refusal()
            .contains("pg-test-2 is further ahead: it has 50 bytes that 10.10.10.13 does not have")
    );
    bench.found("10.10.10.12", standby(100));
    assert!(plan(bench.input(), &bench.request).is_ok());
    let mut newer = standby(10);
    newer.pg.as_mut().unwrap().timeline = 2;
    bench.found("10.10.10.12", newer);
    assert!(
        bench
            .refusal()
            .contains("it has timeline 2, 10.10.10.13 only 1")
    );
}

#[test]
fn another_primary_or_another_cluster_stops_it() {
    let mut bench = bench();
    let mut other = standby(100);
    other.pg.as_mut().unwrap().recovery = false;
    bench.found("10.10.10.12", other);
    assert!(
        bench
            .refusal()
            .contains("takes writes now: a second primary would be made")
    );
    let mut other = standby(100);
    other.pg.as_mut().unwrap().system = "88".to_owned();
    bench.found("10.10.10.12", other);
    assert!(
        bench
            .refusal()
            .contains("of another cluster (system identifier 77)")
    );
}

#[test]
fn a_survivor_needs_data_and_a_role_that_may_lead() {
    let mut bench = bench();
    bench.host("10.10.10.13").pg = None;
    assert!(bench.refusal().contains("no PostgreSQL data"));
    bench.request.survivor = "10.10.10.99".into();
    assert!(bench.refusal().contains("carries no PostgreSQL"));
}

#[test]
fn one_recover_at_a_time() {
    let mut bench = bench();
    bench.marked(RecoverMethod::Promote);
    bench.request.via = Some(RecoverMethod::Etcd);
    assert!(bench.refusal().contains("another recover is under way"));
    // The same one goes on, even though etcd has come back.
    bench.request.via = None;
    bench.host("10.10.10.13").etcd.majority = true;
    assert!(bench.steps().contains(&"promote"));
}

#[test]
fn rejoin_takes_in_who_answers_and_stays_open_for_the_others() {
    let mut bench = bench();
    assert!(
        plan_rejoin(bench.input())
            .unwrap_err()
            .reason
            .contains("no recover is open")
    );
    bench.marked(RecoverMethod::Etcd);
    assert!(
        plan_rejoin(bench.input())
            .unwrap_err()
            .reason
            .contains("etcd has no majority")
    );
    let member = EtcdMemberSeen {
        id: "a".into(),
        started: true,
        name: "etcd-3".into(),
        peer: String::new(),
        learner: false,
    };
    let etcd = &mut bench.host("10.10.10.13").etcd;
    etcd.majority = true;
    etcd.members = vec![member];
    assert!(
        plan_rejoin(bench.input())
            .unwrap_err()
            .reason
            .contains("none of the lost hosts answers")
    );
    bench.found("10.10.10.12", standby(100));
    let book = plan_rejoin(bench.input()).unwrap();
    assert_eq!(ids(&book), ["lift", "settle", "etcd", "follow", "close"]);
    assert!(
        book.steps[4].title.contains("10.10.10.11"),
        "{}",
        book.steps[4].title
    );
}

#[test]
fn the_way_back_from_a_promotion_names_the_leader_before_patroni_starts() {
    let mut bench = bench();
    bench.marked(RecoverMethod::Promote);
    assert!(
        plan_rejoin(bench.input())
            .unwrap_err()
            .reason
            .contains("does not take writes")
    );
    bench.host("10.10.10.13").pg.as_mut().unwrap().recovery = false;
    bench.found("10.10.10.12", standby(100));
    let book = plan_rejoin(bench.input()).unwrap();
    assert_eq!(
        ids(&book),
        [
            "lift", "hold", "quorum", "etcd", "leader", "adopt", "unpin", "settle", "etcd",
            "follow", "close"
        ]
    );
    bench.host("10.10.10.12").pg.as_mut().unwrap().recovery = false;
    assert!(
        plan_rejoin(bench.input())
            .unwrap_err()
            .reason
            .contains("there are two primaries")
    );
}

#[test]
fn undo_is_for_what_was_not_promoted() {
    let mut bench = bench();
    bench.marked(RecoverMethod::Etcd);
    assert_eq!(
        ids(&plan_undo(bench.input()).unwrap()),
        ["lift", "etcd", "unpin", "unmask", "close"]
    );
    bench.host("10.10.10.13").pg.as_mut().unwrap().recovery = false;
    assert!(
        plan_undo(bench.input())
            .unwrap_err()
            .reason
            .contains("cannot be taken back")
    );
}

#[test]
fn rebuild_edits_the_inventory_for_who_is_left() {
    let mut bench = bench();
    bench.marked(RecoverMethod::Etcd);
    bench.host("10.10.10.13").etcd.majority = true;
    bench.host("10.10.10.13").etcd.members = vec![EtcdMemberSeen {
        id: "a".into(),
        started: true,
        name: "etcd-3".into(),
        peer: String::new(),
        learner: false,
    }];
    let (book, edit) = plan_rebuild(bench.input()).unwrap();
    assert_eq!(ids(&book), ["settle", "close"]);
    assert_eq!(edit.lost.len(), 2);
    assert_eq!(edit.primaries, ["10.10.10.13".into()].into());
    assert_eq!(edit.etcd, None);
    bench.found("10.10.10.12", standby(100));
    assert!(
        plan_rebuild(bench.input())
            .unwrap_err()
            .reason
            .contains("10.10.10.12 answers")
    );
}

#[test]
fn a_coordinator_recovered_after_a_worker_names_its_new_primary() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("inventory/citus-ha.yml");
    let mut bench = bench();
    bench.inventory = crate::inventory::load(&path, &[]).unwrap().inventory;
    bench.model = crate::model::build(&bench.inventory).0.unwrap();
    bench.seen = Surveyed::default();
    for host in ["10.10.10.10", "10.10.10.11", "10.10.10.13"] {
        bench
            .seen
            .unreachable
            .insert(host.into(), "no connection".to_owned());
    }
    bench.request.fenced = bench.seen.unreachable.keys().cloned().collect();
    for host in ["10.10.10.12", "10.10.10.14", "10.10.10.15", "10.10.10.16"] {
        let mut seen = standby(100);
        seen.etcd.data = false;
        seen.pg.as_mut().unwrap().recovery = matches!(host, "10.10.10.12" | "10.10.10.16");
        bench.seen.hosts.insert(host.into(), seen);
    }
    bench.request.survivor = "10.10.10.12".into();
    let book = plan(bench.input(), &bench.request).unwrap();
    let named: Vec<&str> = book
        .steps
        .iter()
        .filter(|step| step.id == "metadata")
        .map(|step| step.title.as_str())
        .collect();
    let wanted = |address: &str, group: u32| {
        format!("make Citus's metadata name {address}:5432 as the primary of group {group}")
    };
    let all = [
        wanted("10.10.10.14", 1),
        wanted("10.10.10.15", 2),
        wanted("10.10.10.12", 0),
    ];
    assert_eq!(named, all);
}
