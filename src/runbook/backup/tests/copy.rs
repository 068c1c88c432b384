//! What a restore that was interrupted goes by: copies beside the data, and what is done already.

use super::*;
use crate::runbook::{Consent, Runbook};

const ALL: [&str; 3] = ["10.10.10.11", "10.10.10.12", "10.10.10.13"];

fn note(chosen: bool, marks: &[&str], opened: bool) -> RestoreNote {
    RestoreNote {
        point: "p1".to_owned(),
        phase: NotePhase::Open,
        at: 7,
        saved: chosen,
        chosen,
        marks: marks.iter().map(|mark| (*mark).to_owned()).collect(),
        opened: opened.then_some(None),
    }
}

fn copy(timeline: u32) -> KeptData {
    KeptData {
        path: "/d/data.restoring-p1".to_owned(),
        state: Some("shut down".to_owned()),
        timeline,
        ..KeptData::default()
    }
}

fn planned(bench: &Bench) -> Runbook {
    plan_restore(bench.input(), &point("p1")).expect("a plan")
}

fn done(book: &Runbook) -> Vec<&'static str> {
    let steps = book.steps.iter().filter(|step| step.done);
    steps.map(|step| step.id).collect()
}

#[test]
fn a_copy_that_was_proved_is_used_by_its_own_host_unless_its_number_is_taken() {
    let mut bench = bench();
    let repository = bench.host("10.10.10.11").repository.clone();
    let seen = bench.host("10.10.10.12");
    seen.notes = vec![note(true, &["restored", "recovered"], false)];
    seen.kept.push(copy(2));
    seen.repository = repository;
    // That it lacks room for another one is no reason.
    bench.host("10.10.10.12").free = Some(0);
    let book = planned(&bench);
    assert_eq!(done(&book), ["restore", "recover"]);
    let swap = book.steps.iter().find(|step| step.id == "swap");
    let wanted = std::iter::once(HostName::new("10.10.10.12")).collect();
    assert_eq!(swap.map(Step::hosts), Some(wanted));
    assert_eq!(book.consent, Consent::Name);
    assert!(
        book.seen[2].contains("is used if it is whole"),
        "{:?}",
        book.seen
    );
    bench.host("10.10.10.11").timelines = Timelines::read("00000002\n");
    assert_eq!(done(&planned(&bench)), Vec::<&str>::new());
}

#[test]
fn a_restore_that_is_open_says_what_is_done_and_announces_no_loss_twice() {
    let mut bench = bench();
    for name in ALL {
        let chosen = name == "10.10.10.11";
        let seen = bench.host(name);
        seen.open = Some("p1".to_owned());
        (seen.leads, seen.up) = (false, false);
        let marks: &[&str] = match chosen {
            true => &["stopped", "restored", "recovered", "locked"],
            false => &["stopped"],
        };
        seen.notes = vec![note(chosen, marks, false)];
    }
    let book = planned(&bench);
    assert_eq!(done(&book), ["restore", "recover", "stop", "etcd"]);
    assert!(book.risks[0].contains("is lost"), "{:?}", book.risks);
    for name in ALL {
        let chosen = name == "10.10.10.11";
        let seen = bench.host(name);
        (seen.leads, seen.up) = (chosen, true);
        let marks: &[&str] = if chosen {
            &["stopped", "placed", "locked"]
        } else {
            &["stopped"]
        };
        seen.notes = vec![note(chosen, marks, true)];
    }
    let book = planned(&bench);
    assert_eq!((book.consent, book.risks.len()), (Consent::Yes, 0));
    let left = book.steps.iter().filter(|step| !step.done);
    let left: Vec<&str> = left.map(|step| step.id).collect();
    assert_eq!(left, ["majority", "majority-still", "backup", "close"]);
}

#[test]
fn what_was_being_closed_is_only_closed() {
    let mut bench = bench();
    for name in ALL {
        bench.host(name).notes = vec![RestoreNote {
            phase: NotePhase::Done,
            ..note(name == "10.10.10.11", &["stopped", "placed"], true)
        }];
        // Old data of this very restore is no reason to refuse.
        bench.host(name).kept.push(KeptData {
            path: "/d/data.before-p1".to_owned(),
            ..KeptData::default()
        });
    }
    let seen = bench.host("10.10.10.13");
    seen.open = Some("p1".to_owned());
    seen.notes = vec![note(false, &["stopped"], true)];
    let ids: Vec<&str> = planned(&bench).steps.iter().map(|step| step.id).collect();
    assert_eq!(ids, ["close"]);
    // One that has not come so far is no reason to close.
    bench.host("10.10.10.13").notes = vec![note(false, &["stopped"], false)];
    assert!(plan_restore(bench.input(), &point("p1")).is_err());
}

#[test]
fn what_has_stopped_nothing_is_removed_and_nothing_is_stopped() {
    let mut bench = bench();
    let seen = bench.host("10.10.10.11");
    seen.notes = vec![note(true, &["restored"], false)];
    seen.kept.push(copy(0));
    let book = plan_undo(bench.input()).expect("a plan");
    let ids: Vec<&str> = book.steps.iter().map(|step| step.id).collect();
    assert_eq!((ids, book.consent), (vec!["copies"], Consent::Yes));
    assert!(!bench.host("10.10.10.11").is_bare());
    // Another restore is free to begin, and says what becomes of the copy.
    bench.host("10.10.10.11").kept[1].path = "/d/data.restoring-p0".to_owned();
    let book = planned(&bench);
    assert!(
        book.seen[2].contains("left from a restore to `p0`, and is removed"),
        "{:?}",
        book.seen
    );
}

/// Runs the functions of a copy with directories that stand for data: the number in FILE is what pg_controldata would say.
fn taken(old: u32, histories: &[&str], copied: u32) -> bool {
    let dir = tempfile::tempdir().expect("a directory");
    let data = |name: &str, timeline: u32| {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.join("pg_wal")).expect("made");
        std::fs::write(path.join("PG_VERSION"), timeline.to_string()).expect("written");
        path
    };
    let real = data("data", old);
    data("data.restoring-p1", copied);
    for name in histories {
        std::fs::write(real.join("pg_wal").join(name), "").expect("written");
    }
    let program = format!(
        "PG_DATA={0} PG_BIN=. POINT=p1 STATE={0}\nas_dbsu() {{ case $1 in ./*) echo \"Latest checkpoint's TimeLineID: $(cat \"$3/PG_VERSION\")\" ;; *) \"$@\" ;; esac; }}\n{1}\nnumber_taken",
        real.display(),
        include_str!("../scripts/restore-copy.sh"),
    );
    let status = std::process::Command::new("sh")
        .args(["-c", &program])
        .output();
    status.expect("a shell").status.success()
}

#[test]
fn a_number_is_taken_by_a_promotion_since_and_not_by_those_before() {
    assert!(!taken(7, &["00000006.history", "00000007.history"], 8));
    assert!(taken(8, &[], 8));
    assert!(taken(9, &["00000008.history", "00000009.history"], 8));
    // Numbers that an emergency has put far ahead are no collision.
    assert!(!taken(17, &["00000011.history"], 8));
}

/// What stands for pg_ctl tells its options, and whether the lock of the run (descriptor 9) is open in it.
#[test]
fn the_private_server_waits_for_no_standby_and_holds_no_lock() {
    let program = format!(
        "PG_DATA=/d PG_BIN=. PG_USER=x\ninstall() {{ :; }}\nas_dbsu() {{ case $1 in */pg_ctl) shift; echo \"$*\" >&2; ! : 2>/dev/null <&9 || echo 'descriptor 9' >&2 ;; esac; }}\nexec 9</dev/null\n{}\nprivate_start",
        include_str!("../scripts/restore-private.sh"),
    );
    let run = std::process::Command::new("sh")
        .args(["-c", &program])
        .output();
    let said = String::from_utf8(run.expect("a shell").stderr).expect("text");
    assert!(said.contains("-c synchronous_standby_names= "), "{said}");
    assert!(said.contains("-c listen_addresses= "), "{said}");
    assert!(!said.contains("descriptor 9"), "{said}");
}
