//! What may not be taken for enough: a position that is only part of the truth, old keys, no room.

use super::*;

#[test]
fn a_member_that_is_down_may_be_ahead() {
    let mut bench = bench();
    let down = |recovery: bool| {
        let mut seen = standby(50);
        let pg = seen.pg.as_mut().unwrap();
        (pg.up, pg.exact, pg.recovery) = (false, false, recovery);
        seen
    };
    bench.found("10.10.10.12", down(false));
    assert!(bench.refusal().contains("is down, and was the primary"));
    bench.found("10.10.10.12", down(true));
    assert!(bench.refusal().contains("is down, and was a standby"));
    bench.request.fenced.insert("10.10.10.12".into());
    assert!(plan(bench.input(), &bench.request).is_ok());
    // Whoever wrote the log has it, though it tells of its last checkpoint only.
    bench.found("10.10.10.12", standby(150));
    *bench.host("10.10.10.13") = down(false);
    assert!(plan(bench.input(), &bench.request).is_ok());
    bench.host("10.10.10.12").pg.as_mut().unwrap().timeline = 2;
    assert!(bench.refusal().contains("is further ahead"));
}

#[test]
fn a_full_disk_is_said_before_anything_is_changed() {
    let mut bench = bench();
    let place = |etcd: bool, path: &str, free_mb: u64| Room {
        etcd,
        path: path.to_owned(),
        free_mb,
    };
    bench.host("10.10.10.13").room = vec![
        place(false, "/pg/data", 900),
        place(false, "/pg/data/pg_wal", 3),
        place(true, "/data/etcd", 900),
    ];
    for via in [None, Some(Via::Promote)] {
        bench.request.via = via;
        let words = "10.10.10.13: the file system of /pg/data/pg_wal has 3 MB free";
        assert!(bench.refusal().starts_with(words), "{}", bench.refusal());
    }
    bench.host("10.10.10.13").room = vec![place(true, "/data/etcd", 3)];
    assert!(plan(bench.input(), &bench.request).is_ok());
    bench.request.via = None;
    assert!(bench.refusal().contains("the file system of /data/etcd"));
}

#[test]
fn the_freshest_member_of_etcd_goes_on() {
    let mut bench = bench();
    bench.found("10.10.10.12", standby(100));
    let at = |bench: &Bench| {
        let book = plan(bench.input(), &bench.request).unwrap();
        let step = book.steps.iter().find(|step| step.id == "etcd").unwrap();
        step.hosts().into_iter().next().unwrap()
    };
    assert_eq!(at(&bench).as_str(), "10.10.10.13");
    // The survivor's own has been dead for days.
    bench.host("10.10.10.12").etcd.index = Some(7);
    assert_eq!(at(&bench).as_str(), "10.10.10.12");
    bench.host("10.10.10.13").etcd.index = Some(7);
    assert_eq!(at(&bench).as_str(), "10.10.10.13");
}

#[test]
fn an_apply_of_a_host_that_was_given_up_meets_the_note() {
    let mut bench = bench();
    bench.found("10.10.10.12", standby(500));
    bench.request.fenced.insert("10.10.10.12".into());
    let book = plan(bench.input(), &bench.request).unwrap();
    let noted = book.steps[0].hosts();
    assert_eq!(book.steps[0].id, "mark");
    assert!(noted.contains("10.10.10.12"), "{noted:?}");
}

#[test]
fn commits_wait_again_after_a_promotion_that_is_taken_back() {
    let mut bench = bench();
    bench.marked(Via::Promote);
    assert_eq!(
        ids(&plan_undo(bench.input()).unwrap()),
        ["lift", "unpin", "commits", "unmask", "close"]
    );
}

/// A masked unit has lost what it says of its end: systemd then waits twice 90 s for processes that are not its own.
#[test]
fn patroni_is_stopped_before_it_is_masked() {
    let mut bench = bench();
    bench.found("10.10.10.12", standby(500));
    bench.request.fenced.insert("10.10.10.12".into());
    let fence = plan(bench.input(), &bench.request).unwrap();
    bench.request.fenced.remove("10.10.10.12");
    bench.marked(Via::Promote);
    bench.host("10.10.10.13").pg.as_mut().unwrap().recovery = false;
    let hold = plan_rejoin(bench.input()).unwrap();
    for (book, id) in [(fence, "fence"), (hold, "hold")] {
        let step = book.steps.into_iter().find(|step| step.id == id).unwrap();
        let crate::runbook::Work::Hosts(scripts) = step.work else {
            panic!("a step on hosts");
        };
        let act = scripts.values().next().unwrap().act.expose().to_owned();
        let at = |words: &str| act.find(words).unwrap();
        assert!(
            at("systemctl stop patroni.service") < at("systemctl mask patroni.service"),
            "{act}"
        );
    }
}
