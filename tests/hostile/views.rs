//! No view lets a text of a host or an inventory steer the terminal that it is printed on.

use citusctl::event::bus::Finished;
use citusctl::event::drill::{
    DrillReport, Mark, MemberLine, Recovery, State, VerbOutput, Writes, spans,
};
use citusctl::event::outline::{
    Action, ChangeOutline, HostOutline, Impact, PlanOutline, StageOutline,
};
use citusctl::event::{
    Emitter, HostTotals, Journal, Kind, Moment, Outcome, OutputStream, Sink, StepOutcome, Traffic,
    journal,
};
use citusctl::names::printable::steers;
use citusctl::names::{HostName, ResourceId, RunId, StageName};
use citusctl::runbook::{Consent, Runbook, Script, Step};
use citusctl::secret::Masker;
use citusctl::source::{Diagnostic, Sources, Span};
use citusctl::ui::{self, term};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::Command;
use std::sync::{Arc, Mutex};

/// Clears the screen, hides what follows, asks the terminal to type, turns the direction of writing.
pub(crate) const HOSTILE: &str = "ok\x1b[2J\x1b[8m\x1b]0;t\x07\x08\r\x7f\u{9b}31m\u{85}\u{202e}\u{2066}\u{2028}\u{200b}\u{e0041}end";

/// What of a printed text steers, besides newlines, tabs, and the colours of ours.
fn left(printed: &str) -> String {
    let ours = regex::Regex::new("\x1b\\[(0|1|2|3[0-7]|9[0-7])(;[0-9]+)*m").unwrap();
    let rest = ours.replace_all(printed, "");
    rest.chars()
        .filter(|c| steers(*c) && !matches!(c, '\n' | '\t'))
        .collect()
}

fn harmless(name: &str, printed: &str) {
    assert_eq!(left(printed), "", "{name}: {printed:?}");
    assert!(
        printed.contains("end"),
        "{name} shows the text at all: {printed}"
    );
}

#[test]
fn the_test_itself_sees_what_steers() {
    assert!(left(HOSTILE).starts_with("\x1b\x1b\x1b\x07"));
    assert_eq!(left("\x1b[1m\x1b[31mred\x1b[0m\n"), "");
    assert_eq!(left("\x1b[8m"), "\x1b");
}

fn own() -> String {
    HOSTILE.to_owned()
}

fn host() -> HostName {
    HostName::new(HOSTILE)
}

fn outline() -> PlanOutline {
    let change = |action, impact| ChangeOutline {
        resource: ResourceId::new(HOSTILE),
        action,
        summary: own(),
        impact,
        cause: Some(own()),
        diff: Some(format!(
            "--- a\n+++ b\n@@ -1 +1 @@\n-{HOSTILE}\n+x{HOSTILE}\n"
        )),
        restarts: Vec::new(),
    };
    PlanOutline {
        hosts: 1,
        warnings: vec![own()],
        stages: vec![StageOutline {
            name: StageName::new(HOSTILE),
            hosts: vec![HostOutline {
                host: host(),
                changes: vec![
                    change(Action::Update, Impact::Restart),
                    change(Action::Remove, Impact::Destroys),
                ],
            }],
        }],
    }
}

fn runbook() -> Runbook {
    Runbook {
        name: "recover",
        aim: own(),
        subject: own(),
        seen: vec![own()],
        risks: vec![own()],
        consent: Consent::Name,
        steps: vec![
            Step::on(&host(), "a", HOSTILE, Script::new("", ":")).with_impact(Impact::Failover),
        ],
        afterwards: vec![own()],
        prelude: BTreeMap::new(),
    }
}

fn totals() -> Vec<HostTotals> {
    let traffic = BTreeMap::from([(host(), Traffic::default())]);
    let finished = emitter(Vec::new(), traffic);
    finished.report.finished.unwrap().1
}

#[test]
fn plan_runbook_and_summary() {
    for verbose in [false, true] {
        harmless("plan", &term::shown(&ui::plan_view(&outline(), verbose)));
    }
    harmless("runbook", &term::shown(&ui::runbook_view(&runbook())));
    harmless("prompt", &term::plain(&format!("Type `{HOSTILE}`: ")));
    harmless("summary", &term::shown(&ui::summary(&totals(), true)));
}

#[test]
fn diagnostics_with_their_lines() {
    let mut sources = Sources::default();
    let text = format!("a: ü\nb: {HOSTILE}\r\nc: 1\n");
    let source = sources.add(HOSTILE, text.as_str());
    let start = text.find("b:").unwrap();
    let span = Span {
        source,
        start,
        end: start + 2,
    };
    let diagnostic = Diagnostic::error("x", HOSTILE)
        .at(span, HOSTILE)
        .help(HOSTILE);
    let printed = term::shown(&ui::diagnostics(
        &sources,
        [&diagnostic],
        &Masker::default(),
    ));
    harmless("diagnostics", &printed);
    assert!(printed.contains("\x1b["), "our own colours are there");
    harmless(
        "in short",
        &term::shown(&ui::in_short(&sources, &diagnostic)),
    );
}

fn kinds() -> Vec<Kind> {
    let hosts = vec![host()];
    let step = |outcome| Kind::StepFinished {
        host: host(),
        resource: ResourceId::new(HOSTILE),
        title: own(),
        outcome,
        millis: 1,
        output_tail: vec![own()],
    };
    vec![
        Kind::RunStarted {
            verb: own(),
            inventory: own(),
            hosts: hosts.clone(),
            stages: vec![],
        },
        Kind::HostConnected {
            host: host(),
            millis: 1,
        },
        Kind::HostUnreachable {
            host: host(),
            error: own(),
            hints: vec![own()],
        },
        Kind::Observed {
            host: host(),
            millis: 1,
            resources: 1,
        },
        Kind::StageStarted {
            stage: StageName::new(HOSTILE),
            index: 1,
            total: 1,
            hosts,
        },
        Kind::StepStarted {
            host: host(),
            resource: ResourceId::new(HOSTILE),
            title: own(),
        },
        Kind::Output {
            host: host(),
            stream: OutputStream::Out,
            line: own(),
        },
        step(StepOutcome::Done),
        step(StepOutcome::Skipped { reason: own() }),
        step(StepOutcome::Failed { code: 1 }),
        Kind::GateWaiting {
            gate: HOSTILE.into(),
            detail: own(),
            seconds: 1,
            deadline: 2,
        },
        Kind::GatePassed {
            gate: HOSTILE.into(),
            detail: own(),
            millis: 1,
        },
        Kind::GateFailed {
            gate: HOSTILE.into(),
            detail: own(),
            log: vec![own()],
        },
        Kind::HostFailed {
            host: host(),
            error: own(),
            log: vec![own()],
            hints: vec![own()],
        },
        Kind::StageFinished {
            stage: StageName::new(HOSTILE),
            millis: 1,
        },
        Kind::Note { text: own() },
        Kind::Interrupted { what: own() },
    ]
}

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
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn play(sinks: Vec<Box<dyn Sink>>) {
    emitter(sinks, BTreeMap::new());
}

fn emitter(sinks: Vec<Box<dyn Sink>>, traffic: BTreeMap<HostName, Traffic>) -> Finished {
    let emitter = Emitter::new(
        RunId::new("r"),
        Box::new(|| Moment::from_millis(0)),
        Masker::default(),
        sinks,
    );
    kinds().into_iter().for_each(|kind| emitter.emit(kind));
    emitter.finish_as(Outcome::Failed, &traffic)
}

#[test]
fn lines_json_journal_and_its_replay() {
    let (lines, json) = (Shared::default(), Shared::default());
    let dir = tempfile::tempdir().unwrap();
    let run = RunId::new("r");
    play(vec![
        Box::new(ui::Lines::new(lines.clone(), 2)),
        Box::new(ui::Ndjson(json.clone())),
        Box::new(Journal::create(dir.path(), &run).unwrap()),
    ]);
    harmless("lines", &lines.text());
    harmless("json", &json.text());
    let path = journal::path_of(dir.path(), &run);
    harmless("journal", &std::fs::read_to_string(&path).unwrap());

    let again = Shared::default();
    let mut sink = ui::Lines::new(again.clone(), 2);
    let recording = journal::read(&path).unwrap();
    recording
        .events
        .iter()
        .for_each(|event| sink.event(event).unwrap());
    assert_eq!(
        again.text(),
        lines.text(),
        "the journal has kept the very text"
    );
    let noted = recording
        .events
        .iter()
        .any(|event| event.kind == Kind::Note { text: own() });
    assert!(noted, "escaped in the file, whole when read");
}

#[test]
fn the_page_of_a_drill() {
    let report = DrillReport {
        drill: own(),
        group: own(),
        citus: own(),
        marks: vec![
            Mark {
                at: 1,
                title: own(),
                took: Some(1),
            },
            Mark {
                at: 1,
                title: own(),
                took: None,
            },
        ],
        writes: Writes::of(&[0, 10], 20),
        members: vec![MemberLine {
            name: own(),
            spans: spans(&[(0, State::Writable)]),
        }],
        recovery: Some(Recovery {
            survivor: own(),
            role: own(),
            lost: vec![own()],
            ..Recovery::default()
        }),
        said: vec![VerbOutput {
            at: 1,
            verb: own(),
            exit: 1,
            lines: vec![own()],
        }],
        problems: vec![own()],
        millis: 100,
        ..DrillReport::default()
    };
    harmless("drill", &term::shown(&ui::drill_view(&report)));
    harmless("page", &ui::drill_page(&report));
}

/// The program itself, its output not a terminal, so that what it prints can be seen.
fn printed(arguments: &[&str], dir: &std::path::Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_citusctl"))
        .args(arguments)
        .args(["--color", "always"])
        .current_dir(dir)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
}

#[test]
fn the_program_with_a_hostile_inventory_and_a_hostile_journal() {
    let dir = tempfile::tempdir().unwrap();
    let text = "all:\n  vars:\n    pg_verson: \"a\\x1b[2Jend\"\n    evil: \"\\x1b[8m\u{202e}end\"\n  hosts:\n    \"h\\x1b[2Jend\": {pg_port: \"x\\x1b[8mend\"}\n";
    std::fs::write(dir.path().join("inventory.yml"), text).unwrap();
    for verb in [
        &["check"][..],
        &["check", "-o", "json"],
        &["plan"],
        &["inventory", "--graph"],
        &["inventory", "--list"],
        &["inventory", "--vars-origin"],
        &["apply", "-l", "\x1b[8mend"],
    ] {
        harmless(&verb.join(" "), &printed(verb, dir.path()));
    }
    let runs = dir.path().join(".citusctl/inventory/runs");
    play(vec![Box::new(
        Journal::create(&runs, &RunId::new("r")).unwrap(),
    )]);
    harmless("replay", &printed(&["replay", "r", "-vv"], dir.path()));
    harmless(
        "replay",
        &printed(&["replay", "r", "-o", "json"], dir.path()),
    );
    harmless("history", &printed(&["history"], dir.path()));
}
