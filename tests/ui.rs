//! What people and programs see of one fixed run: whole outputs, no hosts, no clock.

use citusctl::event::{
    Emitter, Event, Journal, Kind, Moment, Outcome, Sink, SinkError, StepOutcome, Traffic, history,
    journal,
};
use citusctl::names::{HostName, RunId};
use citusctl::secret::{Masker, Secret};
use citusctl::ui;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

/// Memory that a sink writes to and a test reads.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap().clone();
        anstream::adapter::strip_str(&String::from_utf8(bytes).unwrap()).to_string()
    }
}

/// Counts how often it is asked to step aside.
struct Stepping(Arc<AtomicI64>);

impl Sink for Stepping {
    fn event(&mut self, _: &Event) -> Result<(), SinkError> {
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    fn pause(&mut self) -> Result<(), SinkError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

fn step(host: &str, title: &str, outcome: StepOutcome, tail: &[&str]) -> Kind {
    Kind::StepFinished {
        host: host.into(),
        resource: "etcd/conf".into(),
        title: title.into(),
        outcome,
        millis: 87,
        output_tail: tail.iter().map(|line| (*line).to_owned()).collect(),
    }
}

fn kinds() -> Vec<Kind> {
    let hosts = vec![HostName::new("10.0.0.1"), HostName::new("10.0.0.20")];
    let observed = |host: &str| Kind::Observed {
        host: host.into(),
        millis: 40,
        resources: 5,
    };
    vec![
        Kind::RunStarted {
            verb: "apply".into(),
            inventory: "inventory.yml".into(),
            hosts: hosts.clone(),
            stages: vec![],
        },
        observed("10.0.0.1"),
        observed("10.0.0.20"),
        Kind::StageStarted {
            stage: "etcd".into(),
            index: 1,
            total: 2,
            hosts,
        },
        step(
            "10.0.0.1",
            "write /etc/etcd/etcd.conf",
            StepOutcome::Done,
            &[],
        ),
        step(
            "10.0.0.20",
            "start etcd",
            StepOutcome::Failed { code: 1 },
            &["password hunter22 is wrong"],
        ),
        Kind::HostFailed {
            host: "10.0.0.20".into(),
            error: "`start etcd` failed".into(),
            log: vec!["password hunter22 is wrong".into()],
            hints: vec!["look at `journalctl -u etcd`".into()],
        },
    ]
}

/// Runs the fixed run into sinks, one second an event.
fn play(sinks: Vec<Box<dyn Sink>>) -> Outcome {
    let mut masker = Masker::default();
    masker.add(Secret::new("hunter22"));
    let now = AtomicI64::new(1_795_234_471_000);
    let clock = move || Moment::from_millis(now.fetch_add(1000, Ordering::Relaxed));
    let emitter = Emitter::new(
        RunId::new("20261121-041431-00ab"),
        Box::new(clock),
        masker,
        sinks,
    );
    kinds().into_iter().for_each(|kind| emitter.emit(kind));
    let traffic = Traffic {
        connections: 1,
        execs: 3,
        tunnels: 0,
        bytes_in: 3482,
        bytes_out: 12,
    };
    let finished = emitter.finish(&BTreeMap::from([(HostName::new("10.0.0.1"), traffic)]));
    assert!(finished.errors.is_empty());
    finished.report.outcome()
}

const LINES: &str = "    3.0s  stage 1/2 etcd
    4.0s  10.0.0.1   write /etc/etcd/etcd.conf  (87 ms)
    5.0s  10.0.0.20  start etcd  FAILED (exit 1)
          | password ******** is wrong
    6.0s  10.0.0.20  failed: `start etcd` failed
          hint: look at `journalctl -u etcd`
    8.0s  failed in 7.0 s
";

#[test]
fn lines_tell_a_failed_run_and_hide_its_secret() {
    let out = Shared::default();
    let outcome = play(vec![Box::new(ui::Lines::new(out.clone(), 1))]);
    let text = out.text();
    let (first, rest) = text.split_once('\n').unwrap();
    assert_eq!(
        (first, outcome),
        ("    0.0s  connecting to 2 hosts", Outcome::Failed)
    );
    assert_eq!(rest, LINES);
}

#[test]
fn a_run_that_only_looked_ends_without_a_word() {
    let out = Shared::default();
    let emitter = Emitter::new(
        RunId::new("r"),
        Box::new(|| Moment::from_millis(0)),
        Masker::default(),
        vec![Box::new(ui::Lines::new(out.clone(), 0))],
    );
    emitter.finish_as(Outcome::Pending, &BTreeMap::new());
    assert_eq!(out.text(), "");
}

#[test]
fn a_journal_replays_to_the_very_same_lines_and_table() {
    let dir = tempfile::tempdir().unwrap();
    let run = RunId::new("20261121-041431-00ab");
    let (live, again) = (Shared::default(), Shared::default());
    let journal_sink = Journal::create(dir.path(), &run).unwrap();
    play(vec![
        Box::new(ui::Lines::new(live.clone(), 2)),
        Box::new(journal_sink),
    ]);
    let recording = journal::read(&journal::path_of(dir.path(), &run)).unwrap();
    let mut lines = ui::Lines::new(again.clone(), 2);
    recording
        .events
        .iter()
        .for_each(|event| lines.event(event).unwrap());
    assert_eq!(again.text(), live.text());
    let Some(Kind::RunFinished { hosts, .. }) = recording.events.last().map(|e| &e.kind) else {
        panic!("a run ends with its last event");
    };
    assert_eq!(
        ui::summary(hosts, true),
        "host       ok  changed  failed  unreachable  seconds  connections  execs  tunnels       in   out
10.0.0.1    4        1       0            0      3.0            1      3        0  3.4 KiB  12 B
10.0.0.20   4        0       1            0      4.0            0      0        0      0 B   0 B
"
    );
}

#[test]
fn programs_get_one_event_a_line_and_the_numbers_last() {
    let out = Shared::default();
    play(vec![Box::new(ui::Ndjson(out.clone()))]);
    let text = out.text();
    let events: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events.len(), kinds().len() + 1);
    let last = &events.last().unwrap()["event"];
    assert_eq!(
        (
            &last["kind"],
            &last["exit_code"],
            &last["hosts"][0]["bytes_in"]
        ),
        (&"run_finished".into(), &6.into(), &3482.into())
    );
    assert!(!text.contains("hunter22"));
}

#[test]
fn history_shows_finished_and_killed_runs() {
    let dir = tempfile::tempdir().unwrap();
    let run = RunId::new("20261121-041431-00ab");
    play(vec![Box::new(Journal::create(dir.path(), &run).unwrap())]);
    let whole = std::fs::read_to_string(journal::path_of(dir.path(), &run)).unwrap();
    let first = whole.split_inclusive('\n').take(5).collect::<String>();
    let killed = first.replace("20261121-041431-00ab", "20261121-041430-00cd");
    std::fs::write(dir.path().join("20261121-041430-00cd.ndjson"), killed).unwrap();
    let found = history::list(dir.path()).unwrap();
    assert!(found.unreadable.is_empty());
    assert_eq!(
        ui::history_view(&found.runs),
        "run                   started              verb   outcome         hosts  changed  failed  unreachable   took
20261121-041431-00ab  2026-11-21 04:14:31  apply  failed              2        1       1            0  8.0 s
20261121-041430-00cd  2026-11-21 04:14:31  apply  did not finish      2        1       0            0  4.0 s
"
    );
    assert_eq!(ui::history_view(&[]), "No runs yet.\n");
}

#[test]
fn what_redraws_itself_steps_aside_for_a_result() {
    let asked = Arc::new(AtomicI64::new(0));
    let emitter = Emitter::new(
        RunId::new("r"),
        Box::new(|| Moment::from_millis(0)),
        Masker::default(),
        vec![
            Box::new(Stepping(asked.clone())),
            Box::new(ui::Bars::new(0, true)),
        ],
    );
    emitter.emit(Kind::Note { text: "x".into() });
    emitter.pause();
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    assert!(emitter.finish(&BTreeMap::new()).errors.is_empty());
}
