use super::*;

fn unit() -> Unit {
    let fields = serde_json::json!({"name": "x", "restart_on": ["conf"], "reload_on": ["svc-*"]});
    let mut unit: Unit = serde_json::from_value(fields).expect("fields");
    let inputs = [("conf", "1"), ("svc-a", "2"), ("other", "3")];
    unit.set_inputs(
        &inputs.map(|(id, d)| (id.to_owned(), d.to_owned())).into(),
        &BTreeSet::new(),
    );
    unit
}

fn seen(restart: &str, reload: &str) -> Observed {
    let stamp = Stamp {
        restart: [("conf".to_owned(), restart.to_owned())].into(),
        reload: [("svc-a".to_owned(), reload.to_owned())].into(),
        ..Stamp::default()
    };
    let state = UnitState {
        loaded: true,
        active: true,
        enabled: true,
        ..UnitState::default()
    };
    Observed {
        stamps: [("x".to_owned(), stamp)].into(),
        units: [("x".to_owned(), state)].into(),
        ..Observed::default()
    }
}

fn action(verdict: Verdict) -> Option<(Action, Option<String>)> {
    match verdict {
        Verdict::Differs(change) => Some((change.action, change.cause)),
        Verdict::Same(_) | Verdict::Refused { .. } => None,
    }
}

#[test]
fn unchanged_inputs_do_nothing() {
    assert_eq!(action(unit().diff(&seen("1", "2"))), None);
}

#[test]
fn a_restart_wins_over_a_reload_and_names_its_cause() {
    let found = action(unit().diff(&seen("0", "0")));
    assert_eq!(found, Some((Action::Restart, Some("conf".to_owned()))));
    let found = action(unit().diff(&seen("1", "0")));
    assert_eq!(found, Some((Action::Reload, Some("svc-a".to_owned()))));
}

#[test]
fn what_comes_first_runs_before_a_start_and_not_before_a_reload() {
    let unit = Unit {
        first: Some("prepare it".to_owned()),
        ..unit()
    };
    let script = |seen: &Observed| match unit.diff(seen) {
        Verdict::Differs(change) => change.steps[0].script.expose().to_owned(),
        Verdict::Same(_) | Verdict::Refused { .. } => String::new(),
    };
    let start = script(&Observed::default());
    assert!(start.find("prepare it") < start.find("systemctl start"));
    assert!(!script(&seen("1", "0")).contains("prepare it"));
}

#[test]
fn a_stopped_unit_is_started() {
    let found = action(unit().diff(&Observed::default()));
    assert_eq!(found, Some((Action::Create, None)));
}

#[test]
fn a_restart_may_end_it_at_once_and_a_start_does_not() {
    let unit = Unit {
        restart_kills: true,
        ..unit()
    };
    let script = |seen: &Observed| match unit.diff(seen) {
        Verdict::Differs(change) => change.steps[0].script.expose().to_owned(),
        Verdict::Same(_) | Verdict::Refused { .. } => String::new(),
    };
    let restart = script(&seen("0", "2"));
    let (kill, again) = ("systemctl kill -s KILL x\n", "systemctl restart x");
    assert!(
        restart.find(kill) < restart.find(again) && restart.contains(kill),
        "{restart}"
    );
    assert!(!script(&seen("1", "0")).contains("kill"));
    assert!(!script(&Observed::default()).contains("kill"));
}

#[test]
fn somebody_elses_unit_of_that_name_is_refused_before_the_first_start() {
    let with = |file: &str, active: bool, stamped: bool| {
        let mut seen = seen("1", "2");
        if !stamped {
            seen.stamps.clear();
        }
        let state = seen.units.get_mut("x").expect("the unit");
        state.active = active;
        state.files = vec!["/usr/lib/systemd/system/x".to_owned(), file.to_owned()];
        let warnings = unit().warnings(&seen);
        let refused = match unit().diff(&seen) {
            Verdict::Refused { reason, .. } => Some(reason),
            Verdict::Same(_) | Verdict::Differs(_) => None,
        };
        (refused, warnings)
    };
    let (whole, beside) = ("/etc/systemd/system/x", "/etc/systemd/system/x.d/o.conf");
    let words = |file: &str, runs: &str| {
        Some(format!(
            "`x` is not ours: somebody else set it up in {file}, and it {runs}"
        ))
    };
    assert_eq!(with(whole, true, false).0, words(whole, "runs"));
    assert_eq!(with(whole, false, false).0, words(whole, "does not run"));
    assert_eq!(with(beside, true, false).0, words(beside, "runs"));
    // Limits that were put there for a service to come.
    assert_eq!(with(beside, false, false).0, None);
    let warned = format!("x is read from {beside}, too, which nobody declared");
    assert_eq!(with(beside, true, true), (None, vec![warned]));
    let ours = "/etc/systemd/system/x.d/citusctl.conf";
    assert_eq!(with(ours, true, true), (None, Vec::new()));
}
