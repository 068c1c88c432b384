//! The one loop against hosts that exist only here, on a clock that only waits: what ends a run, in which words, and what was
//! not begun then.

use super::*;
use crate::catalog::{Gate, Rollout};
use crate::command::Frame;
use crate::event::Moment;
use crate::names::{HostName, ResourceId, RunId, StageName};
use crate::plan::{Desired, DesiredStage, Seen, diff};
use crate::resource::{Declared, Resource};
use crate::secret::Masker;
use crate::transport::{Fake, FakeReply, Resolver, TransportError};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The hosts of `inventory/ha-trio.yml`.
const HOSTS: [&str; 3] = ["10.10.10.11", "10.10.10.12", "10.10.10.13"];

/// What a host is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Lock,
    Look,
    /// Steps, of how many resources.
    Steps(usize),
    Other,
}

fn asked(text: &str) -> Asked {
    if text.contains("flock -x -n 9 || busy") {
        return Asked::Lock;
    }
    if text.contains("run_step 0\n") {
        let steps = text.lines().filter(|line| line.starts_with("run_step "));
        return Asked::Steps(steps.count());
    }
    match text.contains("mark traits") {
        true => Asked::Look,
        false => Asked::Other,
    }
}

/// A host where the lock is free and every step succeeds.
fn ordinary(asked: Asked) -> FakeReply {
    match asked {
        Asked::Lock => FakeReply::out("@@n0 held").held(),
        Asked::Look => FakeReply::out("@@n0 traits\n@@n0 done"),
        Asked::Steps(count) => {
            let steps = (0..count).map(|n| format!("@@n0 begin {n}\n@@n0 end {n} 0\n"));
            FakeReply::out(&format!("{}@@n0 all-done", steps.collect::<String>()))
        }
        Asked::Other => FakeReply::code(1),
    }
}

fn failing() -> FakeReply {
    FakeReply::out("@@n0 begin 0\nno room left\n@@n0 end 0 1")
}

/// Three hosts, two stages with a file each on all of them, and what each host answers.
struct Bench {
    model: crate::model::Model,
    desired: Desired,
    hosts: BTreeMap<HostName, Arc<Fake>>,
    raise: tokio::sync::watch::Sender<u8>,
    cancel: Cancel,
}

impl Bench {
    /// `answer` says what is special: by host, what is asked, and how often that was asked before.
    fn new(
        gate: Option<Gate>,
        answer: impl Fn(&Raise, &str, Asked, usize) -> Option<FakeReply> + Send + Sync + 'static,
    ) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("inventory/ha-trio.yml");
        let inventory = crate::inventory::load(&path, &[]).unwrap().inventory;
        let (raise, cancel) = Cancel::new();
        let answer = Arc::new(answer);
        let hosts = HOSTS.map(|name| {
            let (answer, raise) = (Arc::clone(&answer), raise.clone());
            let mut before = Vec::new();
            let fake = Fake::new(name).answer(move |text| {
                let asked = asked(text);
                let count = before.iter().filter(|known| **known == asked).count();
                before.push(asked);
                answer(&raise, name, asked, count).unwrap_or_else(|| ordinary(asked))
            });
            (HostName::new(name), Arc::new(fake))
        });
        Self {
            model: crate::model::build(&inventory).0.unwrap(),
            desired: Desired {
                stages: vec![stage("one", gate), stage("two", None)],
                ..Desired::default()
            },
            hosts: hosts.into(),
            raise,
            cancel,
        }
    }

    async fn apply(&self) -> Result<(), EngineError> {
        self.apply_seen(false, |desired| desired).await
    }

    /// With another look under the lock, and another wish from the second stage on.
    async fn apply_seen(
        &self,
        ask_again: bool,
        learned: impl Fn(Desired) -> Desired + Sync,
    ) -> Result<(), EngineError> {
        let every = self.hosts.values();
        let fleet =
            Fleet::of(every.map(|host| Arc::clone(host) as Arc<dyn crate::transport::Transport>));
        let dial = Dial::new(Vec::new(), Arc::new(Resolver::from_env()));
        let id = RunId::new("20260101-000000-test");
        let run = Run {
            id: id.clone(),
            frame: Frame::new("n0"),
            emitter: crate::event::Emitter::new(
                id,
                Box::new(Moment::now),
                Masker::default(),
                Vec::new(),
            ),
            model: &self.model,
            fleet: &fleet,
            patroni: BTreeMap::new(),
            cancel: self.cancel.clone(),
            operator: "somebody".to_owned(),
            command: "citusctl apply".to_owned(),
            dial: &dial,
            forks: 3,
        };
        let nothing = HOSTS.map(|host| (HostName::new(host), crate::fact::Observed::default()));
        let seen = Seen {
            hosts: nothing.into(),
            ..Seen::default()
        };
        let plan = diff(&self.desired, &seen);
        let recompile = |_: &Seen| Ok(learned(self.desired.clone()));
        let options = ApplyOptions {
            recompile: &recompile,
            ask_again,
            unseen_allowed: false,
        };
        apply(&run, self.desired.clone(), &plan, &options).await
    }

    /// How often a host was given steps to do.
    fn acted(&self, host: &str) -> usize {
        let programs = self.hosts[host].programs();
        let steps = programs
            .iter()
            .filter(|text| matches!(asked(text), Asked::Steps(_)));
        steps.count()
    }
}

type Raise = tokio::sync::watch::Sender<u8>;

fn file(name: &str) -> Declared {
    let fields = json!({ "path": format!("/etc/demo/{name}"), "content": "x\n" });
    Declared {
        id: ResourceId::new(format!("demo/{name}")),
        tags: Default::default(),
        resource: Resource::from_fields("file", fields).unwrap().into(),
    }
}

fn stage(name: &str, gate: Option<Gate>) -> DesiredStage {
    DesiredStage {
        name: StageName::new(name),
        rollout: Rollout::Together,
        gate,
        hosts: HOSTS
            .map(|host| (HostName::new(host), vec![file(name)]))
            .into(),
        groups: BTreeMap::new(),
        sweeps: BTreeMap::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn all_stages_are_carried_out_on_all_hosts() {
    let bench = Bench::new(None, |_, _, _, _| None);
    bench.apply().await.unwrap();
    assert_eq!(HOSTS.map(|host| bench.acted(host)), [2, 2, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_fails_takes_no_further_part_and_the_others_go_on() {
    let bench = Bench::new(None, |_, host, asked, _| {
        (host == HOSTS[1] && asked == Asked::Steps(1)).then(failing)
    });
    let error = bench.apply().await.unwrap_err();
    let EngineError::Stage { hosts, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(hosts, &[HOSTS[1]]);
    assert_eq!(HOSTS.map(|host| bench.acted(host)), [2, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_stage_that_others_wait_for_ends_the_run_when_one_host_fails() {
    let bench = Bench::new(Some(Gate::EtcdHealthy), |_, host, asked, _| {
        (host == HOSTS[1] && asked == Asked::Steps(1)).then(failing)
    });
    let error = bench.apply().await.unwrap_err();
    assert!(error.to_string().contains("one"), "{error}");
    assert!(error.to_string().contains(HOSTS[1]), "{error}");
    assert_eq!(HOSTS.map(|host| bench.acted(host)), [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_stays_closed_fails_after_its_time_in_the_words_of_the_service() {
    let bench = Bench::new(Some(Gate::EtcdHealthy), |_, _, asked, _| {
        (asked == Asked::Other).then(|| FakeReply::out("context deadline exceeded"))
    });
    let begun = tokio::time::Instant::now();
    let error = bench.apply().await.unwrap_err();
    let waited = begun.elapsed();
    assert!(matches!(error, EngineError::Gate { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("0 of 3 etcd members are healthy"),
        "{error}"
    );
    assert!(
        error.to_string().contains("context deadline exceeded"),
        "{error}"
    );
    let wanted = Duration::from_secs(60)..Duration::from_secs(63);
    assert!(wanted.contains(&waited), "{waited:?}");
    assert_eq!(HOSTS.map(|host| bench.acted(host)), [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn ctrl_c_before_the_first_stage_begins_nothing() {
    let bench = Bench::new(None, |_, _, _, _| None);
    bench.raise.send_replace(1);
    let error = bench.apply().await.unwrap_err();
    assert!(matches!(error, EngineError::Interrupted(_)), "{error}");
    assert!(
        error
            .to_string()
            .contains("nothing of stage `one` was begun"),
        "{error}"
    );
    assert_eq!(HOSTS.map(|host| bench.acted(host)), [0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn ctrl_c_in_a_stage_lets_its_steps_end_and_begins_no_other() {
    let bench = Bench::new(None, |raise, host, asked, _| {
        if host == HOSTS[2] && asked == Asked::Steps(1) {
            raise.send_replace(1);
        }
        None
    });
    let error = bench.apply().await.unwrap_err();
    assert!(matches!(error, EngineError::Interrupted(_)), "{error}");
    assert!(
        error
            .to_string()
            .contains("nothing of stage `two` was begun"),
        "{error}"
    );
    assert_eq!(HOSTS.map(|host| bench.acted(host)), [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn ctrl_c_twice_abandons_the_steps_in_flight_and_names_their_hosts() {
    let bench = Bench::new(None, |raise, host, asked, _| {
        let mine = host == HOSTS[2] && asked == Asked::Steps(1);
        mine.then(|| {
            raise.send_replace(2);
            FakeReply::out("@@n0 begin 0").held()
        })
    });
    let error = bench.apply().await.unwrap_err();
    assert!(matches!(error, EngineError::Interrupted(_)), "{error}");
    assert!(error.to_string().contains("abandoned in flight"), "{error}");
    assert!(error.to_string().contains(HOSTS[2]), "{error}");
    assert_eq!(HOSTS.map(|host| bench.acted(host)), [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn ctrl_c_at_a_gate_says_what_was_waited_for() {
    let bench = Bench::new(Some(Gate::EtcdHealthy), |raise, _, asked, count| {
        if asked == Asked::Other && count == 3 {
            raise.send_replace(1);
        }
        None
    });
    let error = bench.apply().await.unwrap_err();
    assert!(matches!(error, EngineError::Interrupted(_)), "{error}");
    assert!(error.to_string().contains("it was waiting for"), "{error}");
    assert!(
        error
            .to_string()
            .contains("0 of 3 etcd members are healthy"),
        "{error}"
    );
    assert_eq!(HOSTS.map(|host| bench.acted(host)), [1, 1, 1]);
}

/// Steps that take 30 s, while the holders of the locks say nothing: they may have let go.
#[tokio::test(start_paused = true)]
async fn a_run_whose_locks_are_silent_begins_no_further_stage() {
    let bench = Bench::new(None, |_, _, asked, _| {
        (asked == Asked::Steps(1)).then(|| ordinary(asked).lasting(Duration::from_secs(30)))
    });
    let error = bench.apply().await.unwrap_err();
    assert!(matches!(error, EngineError::LockLost { .. }), "{error}");
    assert!(error.to_string().contains("no answer for 30 s"), "{error}");
    assert_eq!(HOSTS.map(|host| bench.acted(host)), [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_another_run_holds_is_asked_for_again_and_then_refused() {
    let busy = "run=r9\noperator=dba@box\ncommand=citusctl apply\nheld=7\nsilent=2\n@@n0 busy lock";
    let bench = Bench::new(None, move |_, host, asked, _| {
        (host == HOSTS[0] && asked == Asked::Lock).then(|| FakeReply::out(busy))
    });
    let error = bench.apply().await.unwrap_err();
    assert!(matches!(error, EngineError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("dba@box"), "{error}");
    assert_eq!(HOSTS.map(|host| bench.acted(host)), [0, 0, 0]);
}

/// Between the look and the lock somebody has put another file there.
#[tokio::test(start_paused = true)]
async fn what_the_approved_plan_did_not_show_is_refused_under_the_lock() {
    let there = "@@n0 traits\n@@n0 stat\n600 postgres postgres 3 1.5 regular file|'/etc/demo/two'\n@@n0 sums\nabc  /etc/demo/two\n@@n0 done";
    let bench = Bench::new(None, move |_, host, asked, _| {
        (host == HOSTS[0] && asked == Asked::Look).then(|| FakeReply::out(there))
    });
    let error = bench.apply_seen(true, |desired| desired).await.unwrap_err();
    assert!(matches!(error, EngineError::Changed(_)), "{error}");
    assert!(error.to_string().contains("demo/two"), "{error}");
    assert_eq!(HOSTS.map(|host| bench.acted(host)), [0, 0, 0]);
}

fn unit(id: &str, running: bool) -> Declared {
    let fields = json!({ "name": "demo.service", "running": running });
    Declared {
        id: ResourceId::new(id),
        tags: Default::default(),
        resource: Resource::from_fields("unit", fields).unwrap().into(),
    }
}

/// What a stage has taught makes a later one stop a service, and nobody has approved that.
#[tokio::test(start_paused = true)]
async fn a_stop_that_a_stage_brings_in_addition_is_refused_and_not_done() {
    let learned = |mut desired: Desired| {
        let hosts = desired.stages[1].hosts.values_mut();
        hosts.for_each(|declared| declared.push(unit("demo/stop", false)));
        desired
    };
    let runs = "@@n0 traits\n@@n0 units\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n@@n0 done";
    let mut bench = Bench::new(None, move |_, _, asked, _| {
        (asked == Asked::Look).then(|| FakeReply::out(runs))
    });
    let first = bench.desired.stages[0].hosts.values_mut();
    first.for_each(|declared| declared.push(unit("demo/start", true)));
    let error = bench.apply_seen(false, learned).await.unwrap_err();
    assert!(matches!(error, EngineError::Unseen { .. }), "{error}");
    assert!(error.to_string().contains("demo/stop"), "{error}");
    assert_eq!(HOSTS.map(|host| bench.acted(host)), [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_dies_between_two_stages_ends_the_run_by_its_name() {
    let bench = Bench::new(None, |_, host, asked, _| {
        (host == HOSTS[2] && asked == Asked::Look).then(|| {
            FakeReply::error(TransportError::Lost {
                host: HostName::new(HOSTS[2]),
                during: "the look".to_owned(),
                why: "the connection was reset".to_owned(),
            })
        })
    });
    let error = bench.apply().await.unwrap_err();
    assert!(matches!(error, EngineError::Transport(_)), "{error}");
    assert!(error.to_string().contains(HOSTS[2]), "{error}");
    assert_eq!(HOSTS.map(|host| bench.acted(host)), [1, 1, 1]);
}
