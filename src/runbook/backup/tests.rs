//! Which backup leads to a point, who is asked, and what stands in the way of a restore.

mod back;
mod copy;
mod gone;
mod lost;

use super::*;
use crate::fact::{BackupSet, RepositorySeen, StanzaSeen};
use crate::runbook::Step;
use std::path::Path;

fn set(label: &str, wal: &str, lsn: u64) -> BackupSet {
    BackupSet {
        label: label.to_owned(),
        kind: "full".to_owned(),
        wal_start: "000000010000000000000001".to_owned(),
        wal_stop: wal.to_owned(),
        lsn_stop: lsn,
        size: 1 << 20,
        ..BackupSet::default()
    }
}

fn at(timeline: u32, lsn: &str, history: &[(u32, &str)]) -> PointGroup {
    PointGroup {
        cluster: "pg-test".to_owned(),
        system: "7".to_owned(),
        timeline,
        lsn: lsn.to_owned(),
        wal: format!("{timeline:08X}0000000000000001"),
        at: 100,
        history: history
            .iter()
            .map(|(number, end)| (*number, (*end).to_owned()))
            .collect(),
    }
}

#[test]
fn the_newest_backup_before_a_point_on_its_way_is_chosen() {
    let sets = [
        set("old", "000000010000000000000002", 0x200),
        set("left", "000000010000000000000009", 0x900),
        set("after", "00000002000000000000000C", 0xC00),
    ];
    let chosen = |point: PointGroup| point.set(&sets).map(|set| set.label.clone());
    // Timeline 1 was left at 0x500: what was backed up on it later is on no way to the point.
    assert_eq!(
        chosen(at(2, "0/B00", &[(1, "0/500")])).as_deref(),
        Some("old")
    );
    assert_eq!(
        chosen(at(2, "0/D00", &[(1, "0/500")])).as_deref(),
        Some("after")
    );
    assert_eq!(chosen(at(1, "0/A00", &[])).as_deref(), Some("left"));
    assert_eq!(chosen(at(1, "0/100", &[])), None);
    let damaged = [BackupSet {
        error: true,
        ..set("bad", "000000010000000000000002", 0x200)
    }];
    assert_eq!(at(1, "0/A00", &[]).set(&damaged), None);
}

struct Bench {
    model: Model,
    look: BackupLook,
    run: RunId,
    without: BTreeSet<HostName>,
}

fn bench() -> Bench {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("inventory/ha-trio.yml");
    let extra =
        "{pgbackrest_repo: {local: {type: s3, s3_bucket: b, s3_endpoint: e, s3_region: r}}}"
            .to_owned();
    let inventory = crate::inventory::load(&path, &[extra])
        .expect("an inventory")
        .inventory;
    let model = crate::model::build(&inventory).0.expect("a model");
    let stanza = StanzaSeen {
        exists: true,
        server: "7".to_owned(),
        system: Some("7".to_owned()),
        sets: vec![set("F1", "000000010000000000000002", 0x200)],
        ..StanzaSeen::default()
    };
    let point = RestorePoint {
        name: "p1".to_owned(),
        at: 100,
        formation: "pg-test".to_owned(),
        groups: vec![at(1, "0/A00", &[])],
    };
    let mut look = BackupLook::default();
    for (host, leads) in [
        ("10.10.10.11", true),
        ("10.10.10.12", false),
        ("10.10.10.13", false),
    ] {
        let seen = MemberLook {
            leads,
            up: true,
            repository: leads.then(|| RepositorySeen::Known(Box::new(stanza.clone()))),
            points: vec![point.clone()],
            kept: vec![KeptData {
                path: "/d/data".to_owned(),
                state: Some("in production".to_owned()),
                ..KeptData::default()
            }],
            free: Some(1 << 30),
            ..MemberLook::default()
        };
        look.hosts.insert(HostName::new(host), seen);
    }
    Bench {
        model,
        look,
        run: RunId::new("r"),
        without: BTreeSet::new(),
    }
}

impl Bench {
    fn input(&self) -> BackupInput<'_> {
        BackupInput {
            model: &self.model,
            look: &self.look,
            run: &self.run,
            without: &self.without,
        }
    }

    fn restore(&self, target: &RestoreTarget) -> Result<Vec<&'static str>, String> {
        let planned = plan_restore(self.input(), target);
        planned
            .map(|book| book.steps.iter().map(|step| step.id).collect())
            .map_err(|refusal| refusal.reason)
    }

    fn host(&mut self, name: &str) -> &mut MemberLook {
        self.look
            .hosts
            .get_mut(&HostName::new(name))
            .expect("a host")
    }
}

fn point(name: &str) -> RestoreTarget {
    RestoreTarget::Point(name.to_owned())
}

#[test]
fn a_backup_is_made_where_the_group_leads() {
    let mut bench = bench();
    let groups: Vec<&Group> = bench.model.groups().map(|(_, group)| group).collect();
    let book = plan_backup(bench.input(), &groups, BackupKind::Full).expect("a plan");
    let hosts: Vec<HostName> = book.hosts().into_iter().collect();
    assert_eq!(hosts, [HostName::new("10.10.10.11")]);
    bench.host("10.10.10.11").repository = Some(RepositorySeen::Unknown("away".to_owned()));
    let groups: Vec<&Group> = bench.model.groups().map(|(_, group)| group).collect();
    let refused = plan_backup(bench.input(), &groups, BackupKind::Full).unwrap_err();
    assert_eq!(
        refused.reason,
        "pg-test: its repository cannot be read from 10.10.10.11: away"
    );
}

#[test]
fn a_name_is_used_once() {
    let bench = bench();
    assert!(plan_point(bench.input(), "p2").is_ok());
    for (name, words) in [
        ("p1", "there is a point `p1` already"),
        ("a b", "is no name"),
        ("", "is no name"),
    ] {
        let refused = plan_point(bench.input(), name).unwrap_err();
        assert!(refused.reason.contains(words), "{}", refused.reason);
    }
}

#[test]
fn a_restore_hands_over_only_what_was_proved() {
    let bench = bench();
    let steps = bench.restore(&point("p1")).expect("a plan");
    let wanted = [
        "majority",
        "restore",
        "recover",
        "current",
        "majority-still",
        "stop",
        "stop-leaders",
        "etcd",
        "swap",
        "unlock",
        "open",
        "standbys",
        "backup",
        "close",
    ];
    assert_eq!(steps, wanted);
    assert!(bench.restore(&RestoreTarget::Latest).is_ok());
    assert!(bench.restore(&RestoreTarget::Time(100)).is_ok());
}

#[test]
fn what_stands_in_the_way_is_said_before_anything_is_stopped() {
    let refused = |change: &dyn Fn(&mut Bench), target: &RestoreTarget, words: &str| {
        let mut bench = bench();
        change(&mut bench);
        let reason = bench.restore(target).expect_err(words);
        assert!(reason.contains(words), "{reason}");
    };
    refused(&|_| (), &point("p9"), "no host knows a point `p9`");
    refused(
        &|_| (),
        &RestoreTarget::Time(99),
        "no host knows a point of its present history that is not later",
    );
    refused(
        &|bench| bench.host("10.10.10.11").timelines = Timelines::read("00000007\n"),
        &RestoreTarget::Latest,
        "no host knows a point of its present history",
    );
    refused(
        &|bench| bench.host("10.10.10.11").segments = Segments::read("16777216"),
        &point("p1"),
        "segment 000000010000000000000001 is missing in its repository",
    );
    refused(
        &|bench| drop(bench.look.hosts.remove(&HostName::new("10.10.10.13"))),
        &point("p1"),
        "10.10.10.13: it did not answer",
    );
    refused(
        &|bench| bench.host("10.10.10.11").free = Some(0),
        &point("p1"),
        "MB are free",
    );
    refused(
        &|bench| bench.host("10.10.10.12").elsewhere = vec!["pg_wal is a link".to_owned()],
        &point("p1"),
        "10.10.10.12: pg_wal is a link",
    );
    refused(
        &|bench| {
            bench.host("10.10.10.11").kept = vec![KeptData {
                path: "/d/data.before-p1".to_owned(),
                ..KeptData::default()
            }]
        },
        &point("p1"),
        "from an earlier restore",
    );
    refused(
        &|bench| bench.host("10.10.10.12").open = Some("p0".to_owned()),
        &point("p1"),
        "a restore to `p0` is open",
    );
    let other = |bench: &mut Bench| {
        for seen in bench.look.hosts.values_mut() {
            seen.points[0].groups[0].system = "8".to_owned();
        }
    };
    refused(&other, &point("p1"), "of another database");
    let late = |bench: &mut Bench| {
        for seen in bench.look.hosts.values_mut() {
            seen.points[0].groups[0].lsn = "0/100".to_owned();
        }
    };
    refused(
        &late,
        &point("p1"),
        "no backup in its repository ends before the point",
    );
}

/// When nobody leads, or all data is gone, is when the list is wanted.
#[test]
fn points_are_judged_also_where_nobody_leads_and_without_any_data() {
    let judged = |bench: &Bench| {
        let points = bench.look.points();
        reach(&bench.model, &bench.look, points[0])
    };
    let mut bench = bench();
    for (_, host) in bench.look.hosts.iter_mut() {
        host.leads = false;
    }
    assert!(matches!(judged(&bench), Reach::Unknown(why) if why.contains("was not read")));
    let held = Segments::read("16777216\n0000000100000000 1 9");
    bench.host("10.10.10.11").segments = held;
    assert_eq!(judged(&bench), Reach::Whole);
    if let Some(RepositorySeen::Known(seen)) = &mut bench.host("10.10.10.11").repository {
        seen.server.clear();
    }
    assert_eq!(judged(&bench), Reach::Whole);
    assert!(bench.restore(&point("p1")).is_ok());
    bench.host("10.10.10.11").repository = Some(RepositorySeen::Unknown("away".to_owned()));
    assert!(matches!(judged(&bench), Reach::Unknown(why) if why.contains("away")));
}

/// The same with a repository host.
fn kept_at_home() -> Bench {
    let mut bench = bench();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("inventory/ha-trio.yml");
    let text = std::fs::read_to_string(path).expect("an inventory");
    let host = "    backups:\n      hosts: { 10.10.10.14: {} }\n\n    pg-test:\n";
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("trio.yml");
    std::fs::write(&path, text.replacen("    pg-test:\n", host, 1)).expect("written");
    let extra = "{pgbackrest_repo: {local: {host: 10.10.10.14, path: /data/backup}}}".to_owned();
    let inventory = crate::inventory::load(&path, &[extra]).expect("an inventory");
    bench.model = crate::model::build(&inventory.inventory)
        .0
        .expect("a model");
    let keeper = HostName::new("10.10.10.14");
    bench.look.hosts.insert(keeper, MemberLook::default());
    bench
}

#[test]
fn what_cannot_be_copied_into_a_lab_is_refused() {
    let s3 = plan_rehearsal(bench().input(), &point("p1")).expect_err("a refusal");
    assert!(s3.reason.contains("is an S3 store"), "{}", s3.reason);
    let mut bench = kept_at_home();
    let found = plan_rehearsal(bench.input(), &RestoreTarget::Point("p1".to_owned()));
    let found = found.expect("a plan");
    let group = found.groups.first().expect("a group");
    let (keeper, set) = (group.keeper.as_str(), group.set.as_str());
    assert_eq!(
        (keeper, set, group.member.as_str()),
        ("10.10.10.14", "F1", "10.10.10.11")
    );
    let unknown = plan_rehearsal(bench.input(), &point("never")).expect_err("a refusal");
    assert!(
        unknown.reason.contains("no host knows"),
        "{}",
        unknown.reason
    );
    let keeper = HostName::new("10.10.10.14");
    bench.look.hosts.remove(&keeper);
    bench.look.unreachable.insert(keeper, "no route".to_owned());
    let away = plan_rehearsal(bench.input(), &point("p1")).expect_err("a refusal");
    assert!(away.reason.contains("no route"), "{}", away.reason);
}
