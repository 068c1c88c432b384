//! A member that is gone for good, and one that comes back.

use super::*;
use crate::runbook::{Consent, Runbook};

fn note(phase: NotePhase, marks: &[&str], chosen: bool) -> RestoreNote {
    RestoreNote {
        point: "p1".to_owned(),
        phase,
        at: 7,
        saved: false,
        chosen,
        marks: marks.iter().map(|mark| (*mark).to_owned()).collect(),
        opened: None,
    }
}

fn ids(book: &Runbook) -> Vec<&'static str> {
    book.steps.iter().map(|step| step.id).collect()
}

/// The member that was restored is lost in an open restore.
fn lost() -> Bench {
    let mut bench = bench();
    let seen = bench.host("10.10.10.11").clone();
    let gone = HostName::new("10.10.10.11");
    bench.look.hosts.remove(&gone);
    bench
        .look
        .unreachable
        .insert(gone.clone(), "10.10.10.11: no route".to_owned());
    for name in ["10.10.10.12", "10.10.10.13"] {
        let look = bench.host(name);
        look.repository = seen.repository.clone();
        look.open = Some("p1".to_owned());
        look.up = false;
        look.notes = vec![note(NotePhase::Open, &["stopped"], false)];
    }
    bench
}

#[test]
fn a_restore_goes_on_without_a_host_that_is_gone_when_that_is_said() {
    let mut bench = lost();
    let refused = plan_restore(bench.input(), &point("p1")).expect_err("a refusal");
    assert!(
        refused.reason.starts_with("10.10.10.11: no route: "),
        "{}",
        refused.reason
    );
    assert!(
        refused
            .hint
            .contains("citusctl restore --without 10.10.10.11"),
        "{}",
        refused.hint
    );
    bench.without.insert(HostName::new("10.10.10.11"));
    let book = plan_restore(bench.input(), &point("p1")).expect("a plan");
    assert!(!book.hosts().contains(&HostName::new("10.10.10.11")));
    // That it is gone is looked for in etcd before anything is stopped.
    let at = |id: &str| ids(&book).iter().position(|it| *it == id);
    assert!(
        at("gone").is_some() && at("gone") < at("stop"),
        "{:?}",
        ids(&book)
    );
    bench.without.insert(HostName::new("10.10.10.12"));
    let refused = plan_restore(bench.input(), &point("p1")).expect_err("a refusal");
    assert_eq!(
        refused.reason,
        "10.10.10.12: it answers: `--without` is for hosts that are gone for good"
    );
    bench.without = std::iter::once(HostName::new("10.9.9.9")).collect();
    assert!(plan_restore(bench.input(), &point("p1")).is_err());
}

#[test]
fn what_was_cloned_from_the_lost_member_is_not_restored_again() {
    let mut bench = lost();
    bench.without.insert(HostName::new("10.10.10.11"));
    for name in ["10.10.10.12", "10.10.10.13"] {
        let leads = name == "10.10.10.12";
        let look = bench.host(name);
        (look.leads, look.up) = (leads, true);
        look.notes[0].opened = Some(None);
    }
    let book = plan_restore(bench.input(), &point("p1")).expect("a plan");
    for id in ["restore", "recover", "swap"] {
        assert!(
            !ids(&book).contains(&id),
            "{id} would drop what was written since"
        );
    }
    assert_eq!(book.consent, Consent::Yes);
}

#[test]
fn an_undo_without_the_old_leader_takes_a_standbys_data_and_says_what_is_lost() {
    let mut bench = lost();
    for (name, end) in [("10.10.10.12", "0/9000000"), ("10.10.10.13", "0/8000000")] {
        bench.host(name).kept[0].state = Some("shut down in recovery".to_owned());
        // They agree in their last checkpoint.
        bench.host(name).kept[0].lsn = "0/7000000".to_owned();
        bench.host(name).kept[0].replayed = end.to_owned();
    }
    bench.without.insert(HostName::new("10.10.10.11"));
    let book = plan_undo(bench.input()).expect("a plan");
    assert_eq!(book.consent, Consent::Name);
    assert!(
        book.risks[0].contains("what 10.10.10.11 had acknowledged and not sent to it is lost"),
        "{:?}",
        book.risks
    );
    let open = book.steps.iter().find(|step| step.id == "open");
    let wanted = std::iter::once(HostName::new("10.10.10.12")).collect();
    assert_eq!(open.map(Step::hosts), Some(wanted));
}

#[test]
fn a_member_that_comes_back_is_cloned_and_nobody_else_is_touched() {
    let mut bench = bench();
    bench.host("10.10.10.11").leads = false;
    bench.host("10.10.10.12").leads = true;
    for name in ["10.10.10.12", "10.10.10.13"] {
        bench.host(name).notes = vec![note(NotePhase::Done, &["without"], false)];
    }
    let back = bench.host("10.10.10.11");
    back.open = Some("p1".to_owned());
    back.notes = vec![note(NotePhase::Open, &["stopped"], true)];
    let wanted = std::iter::once(HostName::new("10.10.10.11")).collect();
    for book in [
        plan_restore(bench.input(), &point("p1")),
        plan_undo(bench.input()),
    ] {
        let book = book.expect("a plan");
        assert_eq!(ids(&book), ["clone", "close"]);
        assert_eq!(
            (book.hosts(), book.consent),
            (std::collections::BTreeSet::clone(&wanted), Consent::Yes)
        );
    }
    bench.host("10.10.10.12").leads = false;
    assert!(plan_restore(bench.input(), &point("p1")).is_err());
}
