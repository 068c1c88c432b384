//! What `restore undo` and `restore finish` go by.

use super::*;
use crate::runbook::Consent;

fn data(path: &str, state: &str, timeline: u32, lsn: &str) -> KeptData {
    KeptData {
        path: path.to_owned(),
        state: Some(state.to_owned()),
        timeline,
        lsn: lsn.to_owned(),
        replayed: String::new(),
        size: Some(2048),
    }
}

fn note(phase: NotePhase, opened: Option<Option<Position>>, chosen: bool) -> RestoreNote {
    RestoreNote {
        point: "p1".to_owned(),
        phase,
        at: 7,
        saved: chosen,
        chosen,
        marks: std::iter::once("stopped".to_owned()).collect(),
        opened,
    }
}

/// All members after a restore to `p1`.
fn restored() -> Bench {
    let mut bench = bench();
    for (name, chosen) in [
        ("10.10.10.11", true),
        ("10.10.10.12", false),
        ("10.10.10.13", false),
    ] {
        let began = chosen.then(|| Position::read("0/A000028 0:900").expect("a position"));
        let old = match chosen {
            true => "shut down",
            false => "shut down in recovery",
        };
        let seen = bench.host(name);
        seen.notes = vec![note(NotePhase::Done, Some(began), chosen)];
        seen.kept = vec![
            data("/d/data", "in production", 3, "0/B000028"),
            data("/d/data.before-p1", old, 1, "0/9000028"),
        ];
        seen.now = chosen.then(|| Position::read("0/A100028|905").expect("a position"));
    }
    bench
}

fn refused(change: &dyn Fn(&mut Bench), words: &str) {
    let mut bench = restored();
    change(&mut bench);
    let reason = plan_undo(bench.input()).expect_err(words).reason;
    assert!(reason.contains(words), "{reason}");
}

#[test]
fn the_old_data_comes_back_and_what_was_written_since_is_said() {
    let mut bench = restored();
    let book = plan_undo(bench.input()).expect("a plan");
    let steps: Vec<&str> = book.steps.iter().map(|step| step.id).collect();
    let wanted = [
        "stop",
        "stop-leaders",
        "lock",
        "data",
        "continue",
        "unlock",
        "open",
        "standbys",
        "close",
    ];
    assert_eq!(steps, wanted);
    assert_eq!(book.consent, Consent::Name);
    assert!(
        book.risks[0].contains("at 0/A100028, 1024 KB of log and up to 5 transactions"),
        "{}",
        book.risks[0]
    );
    bench.host("10.10.10.11").now = None;
    let book = plan_undo(bench.input()).expect("a plan");
    assert!(book.risks[0].contains("is not known"), "{}", book.risks[0]);
}

#[test]
fn what_nobody_could_write_to_needs_no_name() {
    let mut bench = restored();
    for host in ["10.10.10.11", "10.10.10.12", "10.10.10.13"] {
        let seen = bench.host(host);
        seen.open = Some("p1".to_owned());
        seen.notes = vec![note(NotePhase::Open, None, host == "10.10.10.11")];
        seen.leads = false;
    }
    let book = plan_undo(bench.input()).expect("a plan");
    assert_eq!(book.consent, Consent::Yes);
    assert!(book.seen[0].contains("is open"), "{}", book.seen[0]);
}

#[test]
fn the_member_that_took_writes_last_goes_first() {
    let mut bench = restored();
    // It was another one that led when the restore began: a failover had put it on a timeline of its own.
    bench.host("10.10.10.12").kept[1] = data("/d/data.before-p1", "shut down", 2, "0/8000028");
    let book = plan_undo(bench.input()).expect("a plan");
    let hosts = book.steps.iter().find(|step| step.id == "continue");
    let hosts = hosts.map(|step| step.hosts());
    let wanted = std::iter::once(HostName::new("10.10.10.12")).collect();
    assert_eq!(hosts, Some(wanted));
}

#[test]
fn an_interrupted_undo_goes_on_with_the_member_that_it_has_chosen() {
    let mut bench = restored();
    for (name, chosen) in [("10.10.10.11", true), ("10.10.10.12", false)] {
        let seen = bench.host(name);
        seen.open = Some("p1".to_owned());
        seen.notes = vec![note(NotePhase::Undo, None, chosen)];
        let state = "shut down in recovery";
        seen.kept = vec![
            data("/d/data", state, 4, "0/9000028"),
            data("/d/data.after-p1", "shut down", 3, "0/B000028"),
        ];
    }
    let book = plan_undo(bench.input()).expect("a plan");
    let open = book.steps.iter().find(|step| step.id == "open");
    let wanted = std::iter::once(HostName::new("10.10.10.11")).collect();
    assert_eq!(open.map(|step| step.hosts()), Some(wanted));
}

#[test]
fn an_undo_without_what_it_needs_is_refused() {
    refused(
        &|bench| drop(bench.look.hosts.remove(&HostName::new("10.10.10.13"))),
        "10.10.10.13: it did not answer",
    );
    refused(
        &|bench| drop(bench.host("10.10.10.11").kept.remove(1)),
        "pg-test: no member has the old data of a server that took writes",
    );
    refused(
        &|bench| {
            let after = data("/d/data.after-p1", "shut down", 3, "0/1");
            bench.host("10.10.10.12").kept.push(after);
        },
        "data.after-p1 is there from an earlier `restore undo`, or from when this member came back",
    );
    refused(
        &|bench| {
            for seen in bench.look.hosts.values_mut() {
                seen.notes.clear();
            }
        },
        "no restore is open",
    );
    refused(
        &|bench| {
            bench.host("10.10.10.12").open = Some("p1".to_owned());
            bench.host("10.10.10.13").open = Some("p0".to_owned());
        },
        "restores to `p0` and to `p1` are open",
    );
}

#[test]
fn a_standby_without_old_data_is_cloned() {
    let mut bench = restored();
    bench.host("10.10.10.13").kept.remove(1);
    let book = plan_undo(bench.input()).expect("a plan");
    assert!(
        book.seen
            .contains(&"10.10.10.13: it has no old data, and is cloned from its leader".to_owned()),
        "{:?}",
        book.seen
    );
}

#[test]
fn a_restore_that_is_being_undone_is_not_taken_up_again() {
    let mut bench = restored();
    for seen in bench.look.hosts.values_mut() {
        seen.open = Some("p1".to_owned());
        seen.notes.push(note(NotePhase::Undo, None, false));
    }
    let reason = bench.restore(&point("p1")).expect_err("a refusal");
    assert!(reason.contains("is being undone"), "{reason}");
}

#[test]
fn old_data_is_deleted_only_when_it_is_said_and_all_members_run() {
    let mut bench = restored();
    let kept = plan_finish(bench.input(), false).expect("a plan");
    let ids = |book: &crate::runbook::Runbook| -> Vec<&str> {
        book.steps.iter().map(|step| step.id).collect()
    };
    assert_eq!((ids(&kept), kept.consent), (vec!["close"], Consent::Yes));
    assert_eq!(kept.seen[0], "10.10.10.11: /d/data.before-p1, 2 MB");
    let deleted = plan_finish(bench.input(), true).expect("a plan");
    assert_eq!(
        (ids(&deleted), deleted.consent),
        (vec!["close", "delete"], Consent::Name)
    );
    bench.host("10.10.10.13").up = false;
    let reason = plan_finish(bench.input(), true).unwrap_err().reason;
    assert_eq!(reason, "10.10.10.13: its PostgreSQL does not answer");
    bench.host("10.10.10.12").open = Some("p1".to_owned());
    let reason = plan_finish(bench.input(), true).unwrap_err().reason;
    assert_eq!(reason, "10.10.10.12: the restore to `p1` is open");
}
