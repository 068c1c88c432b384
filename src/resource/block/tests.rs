use super::super::shell::tests::run;
use super::*;
use proptest::prelude::*;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

fn block(path: &Path, content: &str, first: bool) -> Block {
    Block {
        path: path.display().to_string(),
        name: "hosts".into(),
        content: content.into(),
        first,
    }
}

/// What a host says of the file.
fn look(block: &Block) -> Observed {
    let Some(Probe::Script { name, text }) = block.probes().pop() else {
        panic!("a script")
    };
    let output = std::process::Command::new("sh")
        .args(["-c", &format!("( {text}\n)")])
        .output();
    let said = String::from_utf8(output.unwrap().stdout).unwrap();
    Observed {
        scripts: [(name, said)].into(),
        ..Observed::default()
    }
}

fn step(verdict: Verdict) -> String {
    match verdict {
        Verdict::Differs(change) => change.steps[0].script.expose().to_owned(),
        Verdict::Same(_) => String::new(),
        Verdict::Refused { reason, .. } => panic!("{reason}"),
    }
}

const OURS: &str = "# BEGIN citusctl hosts\n10.0.0.1 a\n# END citusctl hosts\n";

#[test]
fn a_line_that_somebody_took_out_meanwhile_does_not_return() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hosts");
    std::fs::write(&path, "127.0.0.1 localhost\n10.9.9.9 old\n").unwrap();
    let block = block(&path, "10.0.0.1 a\n", false);
    let planned = step(block.diff(&look(&block)));
    std::fs::write(&path, "127.0.0.1 localhost\n10.0.0.7 new\n").unwrap();
    assert_eq!(run(dir.path(), &planned), (true, String::new()));
    let now = std::fs::read_to_string(&path).unwrap();
    assert_eq!(now, format!("127.0.0.1 localhost\n10.0.0.7 new\n{OURS}"));
    assert!(matches!(block.diff(&look(&block)), Verdict::Same(_)));
}

#[test]
fn a_block_that_is_not_what_was_shown_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hosts");
    std::fs::write(&path, OURS).unwrap();
    let block = block(&path, "10.0.0.2 b", false);
    let planned = step(block.diff(&look(&block)));
    let edited = OURS.replace("10.0.0.1 a", "10.0.0.3 by hand");
    std::fs::write(&path, &edited).unwrap();
    let (done, said) = run(dir.path(), &planned);
    assert!(
        !done && said.contains("changed the block `hosts` since it was shown"),
        "{said}"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), edited);
    std::fs::write(&path, OURS.replace("# END citusctl hosts\n", "")).unwrap();
    let (done, said) = run(dir.path(), &planned);
    assert!(
        !done && said.contains("begins twice, or does not end"),
        "{said}"
    );
    assert!(matches!(block.diff(&look(&block)), Verdict::Refused { .. }));
}

#[test]
fn the_mode_of_what_a_link_leads_to_stays_and_the_link_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let (path, real) = (dir.path().join("resolv.conf"), dir.path().join("real"));
    std::fs::write(&real, "nameserver 9.9.9.9\n").unwrap();
    std::fs::set_permissions(&real, PermissionsExt::from_mode(0o640)).unwrap();
    symlink("real", &path).unwrap();
    let block = block(&path, "nameserver 10.0.0.1", true);
    let planned = step(block.diff(&look(&block)));
    let (done, said) = run(dir.path(), &planned);
    // Without root a link is somebody's own.
    if !done {
        assert!(said.contains("is a link"), "{said}");
        return;
    }
    let mode = std::fs::metadata(&real).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o640);
    assert!(std::fs::symlink_metadata(&path).unwrap().is_symlink());
    assert!(
        std::fs::read_to_string(&real)
            .unwrap()
            .ends_with("hosts\nnameserver 9.9.9.9\n")
    );
}

#[test]
fn a_link_to_where_another_account_writes_is_refused_when_it_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let other = dir.path().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("stub"), "nameserver 127.0.0.53\n").unwrap();
    let given = std::process::Command::new("chown")
        .arg("daemon")
        .arg(&other)
        .output();
    if !given.unwrap().status.success() {
        return;
    }
    let path = dir.path().join("resolv.conf");
    symlink("other/stub", &path).unwrap();
    let block = block(&path, "nameserver 10.0.0.1", true);
    let Verdict::Refused { reason, .. } = block.diff(&look(&block)) else {
        panic!("refused")
    };
    assert!(
        reason.contains("is a link to") && reason.contains("daemon can write to"),
        "{reason}"
    );
}

#[test]
fn a_file_that_is_not_there_is_made_for_all_to_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hosts");
    let block = block(&path, "10.0.0.1 a", false);
    let planned = step(block.diff(&look(&block)));
    assert_eq!(run(dir.path(), &planned), (true, String::new()));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), OURS);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o644);
}

#[test]
fn may_come_before_all_others() {
    let block = |content: &str| block("/etc/resolv.conf".as_ref(), content, true);
    let spliced = |block: &Block, text: &str| block.spliced(&block.parts(text).unwrap());
    let first = spliced(&block("nameserver 10.0.0.1"), "nameserver 9.9.9.9\n");
    let lines = "# BEGIN citusctl hosts\nnameserver 10.0.0.1\n# END citusctl hosts\n";
    assert_eq!(first, format!("{lines}nameserver 9.9.9.9\n"));
    let changed = spliced(&block("nameserver 10.0.0.2"), &format!("search x\n{first}"));
    let lines = lines.replace("0.1", "0.2");
    assert_eq!(changed, format!("{lines}search x\nnameserver 9.9.9.9\n"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]
    /// What is shown is what the host writes.
    #[test]
    fn a_host_writes_what_was_shown(
        lines in prop::collection::vec("(# BEGIN citusctl hosts|# END citusctl hosts|# END citusctl hosts2|a b|\\\\n%s)", 0..6),
        first in any::<bool>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hosts");
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(&path, &text).unwrap();
        let block = block(&path, "10.0.0.1 a\\b", first);
        if let Verdict::Differs(change) = block.diff(&look(&block)) {
            prop_assert_eq!(run(dir.path(), change.steps[0].script.expose()), (true, String::new()));
            let shown = String::from_utf8(change.contents.unwrap().after).unwrap();
            prop_assert_eq!(std::fs::read_to_string(&path).unwrap(), shown);
        } else {
            prop_assert!(block.parts(&text).is_none() || text.contains("10.0.0.1"));
        }
    }
}
