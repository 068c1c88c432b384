//! Plans and refusals by their words.

use super::*;
use crate::inventory::Inventory;
use crate::model::Model;
use crate::names::{HostName, RunId};
use crate::runbook::recover::{EtcdMemberSeen, HostSeen, Marker, PgSeen, RecoverMethod, Surveyed};
use crate::secret::Secret;
use std::collections::{BTreeMap, BTreeSet};

struct Lab {
    inventory: Inventory,
    model: Model,
    seen: Surveyed,
    run: RunId,
}

/// The three members of ha-trio: who has data, who takes part.
fn lab(members: [(bool, bool); 3]) -> Lab {
    let path = format!("{}/inventory/ha-trio.yml", env!("CARGO_MANIFEST_DIR"));
    let inventory = crate::inventory::load(path.as_ref(), &[])
        .expect("an inventory")
        .inventory;
    let model = crate::model::build(&inventory).0.expect("a model");
    let list: Vec<EtcdMemberSeen> = (1..4)
        .map(|n| EtcdMemberSeen {
            id: format!("a{n}"),
            started: true,
            name: format!("etcd-{n}"),
            peer: format!("https://10.10.10.1{n}:2380"),
            learner: false,
        })
        .collect();
    let mut hosts = BTreeMap::new();
    for (n, (data, majority)) in (1..).zip(members) {
        let mut seen = HostSeen::default();
        seen.etcd.data = data;
        seen.etcd.majority = majority;
        seen.etcd.members = if majority { list.clone() } else { Vec::new() };
        hosts.insert(HostName::new(format!("10.10.10.1{n}")), seen);
    }
    Lab {
        inventory,
        model,
        seen: Surveyed {
            hosts,
            unreachable: BTreeMap::new(),
        },
        run: RunId::new("r"),
    }
}

impl Lab {
    fn view(&self) -> EtcdView<'_> {
        let input = Input {
            sources: &self.inventory.sources,
            model: &self.model,
            seen: &self.seen,
            run: &self.run,
        };
        EtcdView::of(input).expect("etcd")
    }

    fn lose(mut self, host: &str) -> Self {
        self.seen.hosts.remove(host);
        self
    }
}

fn ids(book: &Runbook) -> Vec<&'static str> {
    book.steps.iter().map(|step| step.id).collect()
}

const WELL: (bool, bool) = (true, true);
const OFF: (bool, bool) = (true, false);
const EMPTY: (bool, bool) = (false, false);

#[test]
fn a_dead_member_without_data_is_replaced() {
    let lab = lab([WELL, WELL, EMPTY]);
    let member = lab.view().find("etcd-3").expect("found");
    assert_eq!(member.to_string(), "etcd-3 on 10.10.10.13: dead, no data");
    let book = add(&lab.view(), &member).expect("a plan");
    assert_eq!(ids(&book), ["forget", "config", "settle", "etcd"]);
    assert!(
        book.seen
            .contains(&"with it: 3 with a vote, 3 alive, 2 needed: 1 more may fail".to_owned())
    );
}

#[test]
fn one_that_has_its_data_is_started() {
    let lab = lab([WELL, WELL, OFF]);
    let member = lab.view().find("10.10.10.13").expect("found");
    assert_eq!(ids(&add(&lab.view(), &member).expect("a plan")), ["start"]);
    let member = lab.view().find("a1").expect("found");
    assert!(add(&lab.view(), &member).expect("a plan").steps.is_empty());
}

#[test]
fn a_removal_must_leave_a_majority() {
    let sick = lab([WELL, WELL, OFF]);
    let member = sick.view().find("etcd-2").expect("found");
    assert_eq!(
        remove(&sick.view(), &member).expect_err("refused").reason,
        "without etcd-2: 2 with a vote, 1 alive, 2 needed: no quorum"
    );
    let dead = sick.view().find("etcd-3").expect("found");
    assert_eq!(
        ids(&remove(&sick.view(), &dead).expect("a plan")),
        ["forget", "aside"]
    );
    let well = lab([WELL, WELL, WELL]);
    let book = remove(&well.view(), &well.view().find("etcd-1").expect("found")).expect("a plan");
    assert_eq!(book.risks, ["no further member may fail then"]);
    assert!(!book.steps[0].hosts().contains("10.10.10.11"));
    let none = lab([OFF, OFF, OFF]);
    let member = none.view().find("etcd-1").expect("found");
    assert!(
        remove(&none.view(), &member)
            .expect_err("refused")
            .reason
            .starts_with("etcd has no majority")
    );
}

#[test]
fn a_reset_wants_data_and_fences() {
    let nobody = BTreeSet::new();
    let well = lab([WELL, WELL, OFF]);
    let member = well.view().find("etcd-1").expect("found");
    assert!(
        reset(&well.view(), &member, &nobody)
            .expect_err("refused")
            .reason
            .starts_with("etcd has a majority")
    );
    let lost = lab([EMPTY, OFF, EMPTY]);
    let member = lost.view().find("etcd-1").expect("found");
    let refused = reset(&lost.view(), &member, &nobody).expect_err("refused");
    assert_eq!(refused.reason, "etcd-1 has no data, but etcd-2 has");
    let member = lost.view().find("etcd-2").expect("found");
    let book = reset(&lost.view(), &member, &nobody).expect("a plan");
    assert_eq!(ids(&book), ["stop", "etcd", "settle", "etcd", "etcd"]);
    let away = lost.lose("10.10.10.11").lose("10.10.10.13");
    let refused = reset(&away.view(), &member, &nobody).expect_err("refused");
    assert!(
        refused
            .hint
            .contains("--fenced 10.10.10.11 --fenced 10.10.10.13")
    );
    let fenced = BTreeSet::from([HostName::new("10.10.10.11")]);
    assert_eq!(
        ids(&reset(&away.view(), &member, &fenced).expect("a plan")),
        ["etcd", "settle"]
    );
}

#[test]
fn a_restore_needs_everybody() {
    let lab = lab([WELL, WELL, WELL]).lose("10.10.10.12");
    let refused = restore(
        &lab.view(),
        b"x",
        (&HostName::new("h"), &Secret::new("true")),
        &BTreeSet::new(),
    )
    .expect_err("refused");
    assert!(
        refused
            .reason
            .starts_with("10.10.10.12: all members must take part")
    );
}

fn empty_reset(lab: &Lab, fenced: &[&str]) -> Result<Runbook, Refusal> {
    let fenced = fenced.iter().map(|host| HostName::new(*host)).collect();
    let first = HostName::new("10.10.10.11");
    reset_empty(&lab.view(), (&first, Secret::new("true")), &fenced)
}

fn pg(recovery: bool, timeline: u32, lsn: u64) -> Option<PgSeen> {
    Some(PgSeen {
        up: false,
        recovery,
        timeline,
        lsn,
        system: "771".to_owned(),
        ..PgSeen::default()
    })
}

#[test]
fn an_empty_reset_is_for_those_who_have_nothing() {
    let refused = empty_reset(&lab([WELL, WELL, EMPTY]), &[]).expect_err("refused");
    assert!(refused.reason.starts_with("etcd has a majority"));
    let refused = empty_reset(&lab([EMPTY, OFF, EMPTY]), &[]).expect_err("refused");
    assert_eq!(
        refused.hint,
        "`citusctl etcd reset --to etcd-2` keeps all keys"
    );
    let away = lab([EMPTY, EMPTY, EMPTY]).lose("10.10.10.12");
    let refused = empty_reset(&away, &["10.10.10.12"]).expect_err("refused");
    assert!(refused.reason.contains("all members must take part"));
}

#[test]
fn the_last_leader_is_first_although_a_standby_knows_a_later_position() {
    let mut lab = lab([EMPTY, EMPTY, EMPTY]);
    for (host, seen) in [
        ("10.10.10.11", pg(true, 2, 900)),
        ("10.10.10.12", pg(false, 2, 500)),
        ("10.10.10.13", pg(false, 1, 950)),
    ] {
        lab.seen.hosts.get_mut(host).expect("there").pg = seen;
    }
    let book = empty_reset(&lab, &[]).expect("a plan");
    assert_eq!(
        ids(&book),
        [
            "hold", "stop", "empty", "start", "users", "lead", "known", "release", "clean"
        ]
    );
    let held = book.steps[0].hosts();
    assert_eq!(
        held,
        BTreeSet::from(["10.10.10.11", "10.10.10.13"].map(HostName::new))
    );
    assert_eq!(
        book.steps[5].hosts(),
        BTreeSet::from([HostName::new("10.10.10.12")])
    );
}

#[test]
fn a_snapshot_is_whole_or_refused() {
    let frame = crate::command::Frame::new("n");
    let sum = crate::resource::sha256_hex(b"abc");
    let text = |sum: &str| {
        format!("@@n status\n1, 2, 3, 4 kB\n@@n sha256\n{sum}\n@@n data\nYWJj\n@@n end\n")
    };
    let read = Snapshot::read(&frame, &text(&sum)).expect("whole");
    assert_eq!(
        (read.bytes.as_slice(), read.status.as_str()),
        (b"abc".as_slice(), "1, 2, 3, 4 kB")
    );
    assert!(
        Snapshot::read(&frame, &text("0"))
            .expect_err("damaged")
            .contains("hash")
    );
    let failed = "@@n failed\nError: permission denied\n@@n end\n";
    assert_eq!(
        Snapshot::read(&frame, failed).expect_err("refused"),
        "Error: permission denied"
    );
}

#[test]
fn nothing_begins_anew_beside_a_promotion_by_hand() {
    let mut lab = lab([OFF, OFF, OFF]);
    let survivor = HostName::new("10.10.10.13");
    let marker = Marker::new(RecoverMethod::Promote, &"pg-test".into(), &survivor, "r0");
    lab.seen.hosts.get_mut(&survivor).unwrap().marker = Some(marker);
    let view = lab.view();
    let member = view.find("etcd-1").unwrap();
    let refused = [
        reset(&view, &member, &BTreeSet::new()),
        restore(
            &view,
            b"snapshot",
            (&HostName::new("h"), &Secret::new("true")),
            &BTreeSet::new(),
        ),
        add(&view, &member),
        crate::runbook::start_cold(view.input),
    ];
    for refused in refused {
        let reason = refused.unwrap_err().reason;
        assert!(reason.contains("put etcd and Patroni aside"), "{reason}");
    }
}

#[test]
fn the_members_that_stay_are_counted_once() {
    let left = |quorum: &str, (voters, alive): (i32, i32)| {
        let text = format!(
            "etcd_quorum() {{ echo '{quorum}'; }}\n{}",
            super::enforce(voters, alive)
        );
        let output = std::process::Command::new("sh")
            .args(["-ec", &text])
            .output()
            .unwrap();
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        )
    };
    assert_eq!(left("3 3", (-1, -1)), (true, String::new()));
    assert_eq!(left("3 2", (-1, 0)), (true, String::new()));
    let none = "2 with a vote, 1 alive, 2 needed: no quorum would be left";
    assert_eq!(left("3 2", (-1, -1)), (false, none.to_owned()));
    assert!(!left("5 3", (-1, -1)).0);
    assert!(!left("1 1", (-1, -1)).0);
}

#[test]
fn one_that_never_started_takes_its_vote_along() {
    let mut lab = lab([WELL, WELL, EMPTY]);
    for seen in lab.seen.hosts.values_mut() {
        for member in seen.etcd.members.iter_mut().filter(|m| m.id == "a3") {
            (member.started, member.name) = (false, String::new());
        }
    }
    let member = lab.view().find("etcd-3").unwrap();
    assert_eq!(member.state(), "added, never started");
    let book = remove(&lab.view(), &member).unwrap();
    assert!(
        book.seen
            .contains(&"without it: 2 with a vote, 2 alive, 2 needed: 0 more may fail".to_owned())
    );
}
