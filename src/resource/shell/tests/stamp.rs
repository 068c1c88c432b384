//! What a unit was started with, and when.

use super::*;

#[test]
fn a_stamp_leaves_what_was_not_selected_as_it_is_now() {
    let dir = tempfile::tempdir().unwrap();
    let stamps = dir.path().join("noted/stamps");
    std::fs::create_dir_all(&stamps).unwrap();
    let stamp = stamps.join("u");
    std::fs::write(
        &stamp,
        "started\nrestart a 1\nreload a 9\nrestart b 2\nrestart c 3\n",
    )
    .unwrap();
    let step =
        "put_stamp u 'restart b' 'reload d' <<'CITUSCTL_END'\nstarted\nrestart a 7\nCITUSCTL_END\n";
    assert_eq!(run(dir.path(), step), (true, String::new()));
    let stamped = || std::fs::read_to_string(&stamp).unwrap();
    let text = stamped();
    let (now, rest) = text
        .split_once("\nrestart b")
        .expect("the one that was left");
    let now: f64 = now
        .strip_prefix("started\nrestart a 7 @")
        .expect("a time")
        .parse()
        .unwrap();
    assert!(now > 1e9, "{now}");
    assert_eq!(rest, " 2\n");
    // What means what it did is read as it is: its time moves, and nobody else's.
    assert_eq!(run(dir.path(), "still a\nstill b\n"), (true, String::new()));
    let later = stamped();
    assert!(
        later.starts_with("started\nrestart a 7 @") && later.ends_with("\nrestart b 2\n"),
        "{later}"
    );
    assert_ne!(later, text);
}
