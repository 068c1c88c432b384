//! A leader that is gone, or that cannot be asked from here.

use super::*;

/// The host on which each step is done.
fn places(book: &Runbook) -> Vec<String> {
    let hosts = book.steps.iter().flat_map(|step| step.hosts());
    hosts.map(|host| host.to_string()).collect()
}

#[test]
fn a_leader_that_cannot_be_asked_is_asked_through_another() {
    let (model, mut seen) = trio();
    seen.members[0].answers = false;
    let view = GroupView::of(group(&model), &seen);
    let book = switchover(&view, None).expect("a plan");
    assert_eq!(places(&book), ["10.10.10.12"; 2]);
    assert!(
        book.risks
            .iter()
            .any(|risk| risk.contains("pg-test-1 cannot be asked from here"))
    );
    let views = [view];
    assert_eq!(
        places(&pause(&views, "pg-test").expect("a plan")),
        ["10.10.10.12"]
    );
    let reload = reload(&views, "pg-test");
    assert!(
        reload.steps.iter().all(|step| step.beside),
        "nobody waits for another"
    );
}

#[test]
fn the_last_copy_is_not_removed_for_a_leader_that_is_gone() {
    let (model, mut seen) = trio();
    let name = seen.members[1].name.clone();
    let book = reinit(&GroupView::of(group(&model), &seen), &name).expect("a plan");
    assert_eq!(titles(&book)[0], "pg-test-1 leads, by its own words");
    assert_eq!(places(&book), ["10.10.10.11", "10.10.10.12"]);
    // Patroni of a survivor goes on listing the lost leader as running, and itself as streaming.
    seen.members[0].answers = false;
    let refused = reinit(&GroupView::of(group(&model), &seen), &name).expect_err("refused");
    assert!(
        refused.reason.contains("its own Patroni does not answer"),
        "{}",
        refused.reason
    );
}

#[test]
fn a_lost_leader_is_not_called_healthy() {
    let (model, mut seen) = trio();
    seen.members[0].answers = false;
    let name = seen.members[2].name.clone();
    let book = failover(&GroupView::of(group(&model), &seen), Some(&name)).expect("a plan");
    assert_eq!(book.consent, Consent::Name);
    let risks = book.risks.join("; ");
    assert!(
        risks.contains("pg-test-1 still leads by what others know"),
        "{risks}"
    );
    assert!(risks.contains("is lost; how much is unknown"), "{risks}");
}

#[test]
fn nobody_fails_over_to_a_member_that_is_down() {
    let (model, mut seen) = trio();
    seen.members[2].state = "stopped".to_owned();
    seen.members[2].learn(&Value::Null);
    let name = seen.members[2].name.clone();
    let refused = failover(&GroupView::of(group(&model), &seen), Some(&name)).expect_err("refused");
    assert_eq!(
        refused.reason,
        "pg-test-3 is stopped: it cannot take the lead"
    );
    for state in ["streaming", "in archive recovery", "running", "starting"] {
        seen.members[2].state = state.to_owned();
        seen.members[0].role = "replica".to_owned();
        assert!(
            failover(&GroupView::of(group(&model), &seen), Some(&name)).is_ok(),
            "{state}"
        );
    }
}

#[test]
fn a_copy_with_what_its_leader_has_not_is_not_removed_lightly() {
    let (model, mut seen) = trio();
    let group = group(&model);
    let name = InstanceName::new("pg-test-2");
    seen.members[1].timeline = Some(4);
    seen.members[1].state = "starting".to_owned();
    let book = reinit(&GroupView::of(group, &seen), &name).expect("a plan");
    assert_eq!(book.consent, Consent::Name);
    let risk = &book.risks[0];
    assert!(
        risk.contains("pg-test-2 is on timeline 4, its leader pg-test-1 on 3")
            && risk.contains("it has what its leader has not"),
        "{risk}"
    );
}
