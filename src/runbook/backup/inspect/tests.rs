//! What pgBackRest says, read.

use super::gaps::{Branch, branch, gaps, listed, name, segment};
use super::verify::Reading;
use super::*;
use crate::command::Frame;
use crate::fact::BackupSet;
use std::collections::BTreeSet;

const SIZE: u64 = 16 << 20;

fn set(label: &str, start: &str, stop: &str) -> BackupSet {
    BackupSet {
        label: label.to_owned(),
        wal_start: start.to_owned(),
        wal_stop: stop.to_owned(),
        ..BackupSet::default()
    }
}

fn segments(timeline: u32, numbers: impl IntoIterator<Item = u64>) -> BTreeSet<(u32, u64)> {
    numbers
        .into_iter()
        .map(|number| (timeline, number))
        .collect()
}

#[test]
fn a_missing_segment_is_named_and_a_whole_log_is_not() {
    let sets = [set(
        "a",
        "000000010000000000000005",
        "000000010000000000000006",
    )];
    let all = segments(1, 3..10);
    assert_eq!(gaps(&all, &sets, &[], SIZE), []);
    let mut holed = all.clone();
    holed.remove(&(1, 7));
    holed.remove(&(1, 8));
    // Before the oldest backup nobody needs it.
    holed.remove(&(1, 4));
    assert_eq!(gaps(&holed, &sets, &[], SIZE), [((1, 7), (1, 8))]);
    assert_eq!(name((1, 0x1_0a), SIZE), "00000001000000010000000A");
    let none = BTreeSet::new();
    assert_eq!(gaps(&none, &sets, &[], SIZE), [((1, 5), (1, 6))]);
}

#[test]
fn what_a_lost_leader_never_archived_is_a_gap() {
    let sets = [set(
        "a",
        "000000010000000000000003",
        "000000010000000000000003",
    )];
    let branches = [Branch {
        timeline: 2,
        from: 1,
        at: 7,
    }];
    let mut there = segments(1, 3..7);
    there.extend(segments(2, 7..9));
    assert_eq!(gaps(&there, &sets, &branches, SIZE), []);
    there.remove(&(1, 6));
    assert_eq!(gaps(&there, &sets, &branches, SIZE), [((1, 6), (1, 6))]);
    there.insert((1, 6));
    there.remove(&(2, 7));
    assert_eq!(gaps(&there, &sets, &branches, SIZE), [((2, 7), (2, 7))]);
}

#[test]
fn the_list_of_the_archive_is_read() {
    let json = r#"{".":{"type":"path"},"17-1/0000000100000000/000000010000000000000002-de6961e4e375b9f01fee0229c787d98b7e815202.zst":{"type":"file","size":1},"17-2/0000000100000000/000000010000000000000003-de6961e4e375b9f01fee0229c787d98b7e815202.zst":{"type":"file","size":1},"17-2/0000000100000000/000000010000000000000003.00000028.backup":{"type":"file","size":368},"17-2/00000002.history":{"type":"file","size":1},"archive.info":{"type":"file","size":368}}"#;
    assert_eq!(listed(json, SIZE), Some(segments(1, [3])));
    assert_eq!(listed("ERROR: [049]", SIZE), None);
    assert_eq!(listed(json, 0), Some(BTreeSet::new()));
    assert_eq!(segment("0000000200000001000000FFx", SIZE), Some((2, 0x1ff)));
    assert_eq!(
        branch("00000002.history 1 0/5000000", SIZE),
        Some(Branch {
            timeline: 2,
            from: 1,
            at: 5
        })
    );
}

fn answer(verify: &str, ended: u8) -> String {
    let archive = r#"{"17-1/0000000100000000/000000010000000000000006-f019607469636df124e90802d17d0cdc66007afa.zst":{"type":"file"}}"#;
    format!(
        "@@n segment-size\n16777216\n@@n archive\n{archive}\n@@n histories\n@@n verify\n{verify}\n@@n ended {ended}\n@@n end\n"
    )
}

fn read(verify: &str, ended: u8) -> Vec<(Proof, String)> {
    let sets = [set(
        "20261130-131236F",
        "000000010000000000000006",
        "000000010000000000000006",
    )];
    let frame = Frame::new("n");
    let found = Reading::new(&frame, "pg-test", &sets).of(&answer(verify, ended));
    found.into_iter().map(|it| (it.proof, it.words)).collect()
}

const WELL: &str = "stanza: pg-test\nstatus: ok\n  archiveId: 17-1, total WAL checked: 9, total valid WAL: 9\n    missing: 0, checksum invalid: 0, size invalid: 0, other: 0\n  backup: 20261130-131236F, status: valid, total files checked: 1274, total valid files: 1274\n    missing: 0, checksum invalid: 0, size invalid: 0, other: 0";

#[test]
fn a_sound_repository_is_proved_by_its_text() {
    let found = read(WELL, 0);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(
        found[0],
        (
            Proof::Holds,
            "1 backup and 9 segments were read: all checksums hold".to_owned()
        )
    );
    assert_eq!(found[1].0, Proof::Holds);
}

#[test]
fn exit_code_0_is_no_proof() {
    let damaged = "2026-11-30 13:14:07.133 P00   INFO: verify command begin 2.55.1: --exec-id=1\n2026-11-30 13:14:07.331 P01   INFO: invalid checksum '17-1/0000000100000000/000000010000000000000007-2b.zst'\n2026-11-30 13:14:08.658 P02   INFO: file missing '20261130-131236F/pg_data/global/1260.zst'\nstanza: pg-test\nstatus: error\n  archiveId: 17-1, total WAL checked: 8, total valid WAL: 7\n    checksum invalid: 1\n  backup: 20261130-131236F, status: invalid, total files checked: 1274, total valid files: 1273\n    checksum invalid: 1";
    let words: Vec<String> = read(damaged, 0)
        .into_iter()
        .filter(|it| it.0 == Proof::Fails)
        .map(|it| it.1)
        .collect();
    assert_eq!(
        words,
        [
            "invalid checksum '17-1/0000000100000000/000000010000000000000007-2b.zst'",
            "file missing '20261130-131236F/pg_data/global/1260.zst'",
            "backup 20261130-131236F is invalid: 1273 files could be read",
        ]
    );
    let manifest = "stanza: pg-test\nstatus: error\n  archiveId: 17-1, total WAL checked: 8, total valid WAL: 8\n  backup: 20261130-131236F, status: invalid, total files checked: 0, total valid files: 0";
    assert!(read(manifest, 0).iter().any(|it| it.0 == Proof::Fails));
    let info = "stanza: pg-test\nstatus: error\n  No usable backup.info file";
    assert!(read(info, 0).iter().any(|it| it.0 != Proof::Holds));
    // A backup of which it says nothing, though all is `ok`.
    let silent =
        "stanza: pg-test\nstatus: ok\n  archiveId: 17-1, total WAL checked: 9, total valid WAL: 9";
    assert!(read(silent, 0).iter().any(|it| it.0 == Proof::Unknown));
}

#[test]
fn what_could_not_be_read_is_unknown_and_not_fine() {
    let away = "2026-11-30 13:15:58.380 P00  ERROR: [049]: unable to connect to '10.10.10.14:8432': [111] Connection refused";
    let found = read(away, 49);
    assert_eq!(found[0].0, Proof::Unknown);
    assert!(found[0].1.contains("unable to connect"), "{found:?}");
    assert_eq!(read("", 143)[0].0, Proof::Unknown);
    assert!(!Findings::of(Vec::new()).ok);
    let skipped = Finding::new("a", "repository", Proof::Skipped, "");
    assert!(!Findings::of(vec![skipped]).ok);
}
