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
    let place = |etcd: bool, path: &str, free_mb: u64| WriteTarget {
        etcd,
        path: path.to_owned(),
        free_mb,
    };
    bench.host("10.10.10.13").room = vec![
        place(false, "/pg/data", 900),
        place(false, "/pg/data/pg_wal", 3),
        place(true, "/data/etcd", 900),
    ];
    for via in [None, Some(RecoverMethod::Promote)] {
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
    bench.marked(RecoverMethod::Promote);
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
    bench.marked(RecoverMethod::Promote);
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

fn history(branches: &[(u32, u64)], end: u64) -> crate::fact::DataCopy {
    crate::fact::DataCopy {
        system: "77".to_owned(),
        timeline: branches.last().unwrap().0,
        branches: branches.to_vec(),
        end,
        exact: true,
        first: None,
    }
}

#[test]
fn copies_that_part_are_named_whatever_their_numbers() {
    let mut bench = bench();
    bench.found("10.10.10.12", standby(100));
    let mut set = |host: &str, branches: &[(u32, u64)], end: u64| {
        let pg = bench.host(host).pg.as_mut().unwrap();
        (pg.timeline, pg.lsn) = (branches.last().unwrap().0, end);
        pg.copy = Some(history(branches, end));
        let planned = plan(bench.input(), &bench.request);
        planned.err().map(|refusal| refusal.reason)
    };
    // Both on 2, begun elsewhere.
    set("10.10.10.13", &[(1, 0), (2, 90)], 100);
    let said = set("10.10.10.12", &[(1, 0), (2, 95)], 99).unwrap();
    let wanted = "10.10.10.12: the copy of pg-test-2 parts from that of 10.10.10.13 at 0/5A: it has 9 bytes from there on, 10.10.10.13 has 10 others";
    assert_eq!(said, wanted);
    // An older timeline's own end is no obstacle, an ancestor neither; one that goes on from the survivor's is.
    assert_eq!(set("10.10.10.12", &[(1, 0)], 95), None);
    assert_eq!(set("10.10.10.12", &[(1, 0), (2, 90)], 99), None);
    let said = set("10.10.10.12", &[(1, 0), (2, 90), (3, 100)], 101).unwrap();
    assert!(said.contains("timeline 3, 10.10.10.13 only 2"), "{said}");
}

#[test]
fn one_that_runs_and_does_not_answer_may_take_writes() {
    let mut bench = bench();
    let mut busy = standby(50);
    let pg = busy.pg.as_mut().unwrap();
    (pg.up, pg.recovery, pg.mute) = (false, false, Some("too many clients".to_owned()));
    bench.found("10.10.10.12", busy);
    let said = bench.refusal();
    assert!(
        said.contains("runs and does not answer (too many clients): it may take writes"),
        "{said}"
    );
    bench.request.fenced.insert("10.10.10.12".into());
    assert_eq!(bench.steps()[..2], ["mark", "fence"]);
}

#[test]
fn a_host_that_refuses_a_connection_is_not_off() {
    let mut bench = bench();
    let alive = &mut bench.host("10.10.10.13").alive;
    alive.insert(
        "10.10.10.11".into(),
        "it refuses a connection to SSH".into(),
    );
    let said = bench.refusal();
    assert!(said.starts_with("10.10.10.11 is said to be off, and is not: it refuses a connection to SSH (asked from 10.10.10.13)"), "{said}");
}
