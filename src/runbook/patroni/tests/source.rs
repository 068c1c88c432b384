//! Whom a copy is made of.

use super::*;
use crate::fact::MemberVerdict;

#[test]
fn no_copy_is_made_of_a_member_of_another_history() {
    let (model, mut seen) = trio();
    let group = group(&model);
    let name = InstanceName::new("pg-test-2");
    assert!(reinit(&GroupView::of(group, &seen), &name).is_ok());
    seen.members[2].verdict = Some(MemberVerdict {
        other_history: true,
        ..MemberVerdict::default()
    });
    let refused = reinit(&GroupView::of(group, &seen), &name).expect_err("refused");
    assert_eq!(
        refused.reason,
        "Patroni may clone pg-test-2 from pg-test-3, which has another history than pg-test-1"
    );
    seen.members[2].verdict = None;
    seen.members[2].state = "stopped".to_owned();
    let refused = reinit(&GroupView::of(group, &seen), &name).expect_err("refused");
    assert_eq!(
        refused.reason,
        "Patroni may clone pg-test-2 from pg-test-3, which is stopped: its history is not known"
    );
    // That one itself may be made again, knowing what may be lost.
    let other = InstanceName::new("pg-test-3");
    let book = reinit(&GroupView::of(group, &seen), &other).expect("a plan");
    assert_eq!(book.consent, Consent::Yes);
    seen.members[2].state = "running".to_owned();
    seen.members[2].verdict = Some(MemberVerdict {
        other_history: true,
        ..MemberVerdict::default()
    });
    let book = reinit(&GroupView::of(group, &seen), &other).expect("a plan");
    assert!(book.risks[0].contains("another history than its leader pg-test-1: what it has since they parted may be nowhere else"));
    assert_eq!(book.consent, Consent::Name);
}
