//! A command that runs when its inputs have changed since it last ran (`sysctl --load`, `apt-get update`).

use super::unit::{Inputs, stamp_script};
use super::{Action, Change, Impact, ResourceKind, Step, Verdict, digest_of};
use crate::fact::{Observed, Probe};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// `command: {name, run, on, drift, impact}`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// Names the stamp on the host.
    pub name: String,
    /// Shell text that can be run again.
    pub run: String,
    /// Resources whose change makes it run; none: its own text.
    #[serde(default)]
    pub on: Vec<String>,
    /// Shell text that prints, a line each, what is not as the command leaves it, and changes nothing; `role.yml` names its
    /// template. What another hand changed is seen by it alone.
    #[serde(default)]
    pub drift: Option<String>,
    #[serde(default = "no_impact")]
    pub impact: Impact,
    #[serde(skip)]
    inputs: Inputs,
}

fn no_impact() -> Impact {
    Impact::None
}

impl ResourceKind for Command {
    fn probes(&self) -> Vec<Probe> {
        let ask = |text: &String| Probe::Script {
            name: question(text),
            text: text.clone(),
        };
        self.drift.iter().map(ask).collect()
    }

    fn diff(&self, seen: &Observed) -> Verdict {
        let stamped = seen.stamps.get(&self.name);
        let changed = self.inputs.differing(stamped.map(|stamp| &stamp.restart));
        let drifted: Vec<&str> = self
            .drift
            .as_ref()
            .and_then(|text| seen.scripts.get(&question(text)))
            .map(|text| {
                text.lines()
                    .filter(|line| !line.trim().is_empty())
                    .collect()
            })
            .unwrap_or_default();
        if changed.is_empty() && drifted.is_empty() {
            return Verdict::same("its inputs have not changed since it ran");
        }
        let script = format!(
            "{}\n{}",
            self.run,
            stamp_script(&self.name, &[("restart", &self.inputs)])
        );
        let mut change = Change::new(
            Action::Update,
            self.name.clone(),
            vec![Step::new(self.name.clone(), script)],
        );
        change.impact = self.impact;
        // With no inputs but its own text there is nothing else to name.
        change.cause = match drifted.is_empty() {
            true => (!self.on.is_empty()).then(|| changed.join(", ")),
            false => Some(drifted.join(", ")),
        };
        Verdict::differs(change)
    }

    fn digest(&self) -> String {
        digest_of(&[&self.run])
    }

    fn triggers(&self) -> Vec<String> {
        self.on.clone()
    }

    fn has_inputs(&self) -> bool {
        true
    }

    fn set_inputs(&mut self, inputs: &BTreeMap<String, String>, left: &BTreeSet<String>) {
        self.inputs = Inputs::select(&self.on, inputs, left);
        if self.on.is_empty() {
            self.inputs = Inputs::of("itself", self.digest());
        }
    }
}

/// The name of a question: equal ones of several commands are asked once.
fn question(text: &str) -> String {
    let digest = digest_of(&[text]);
    format!("drift-{}", digest.get(..16).unwrap_or(&digest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Stamp;

    #[test]
    fn a_command_runs_again_where_something_is_not_as_it_left_it() {
        let mut command: Command = serde_json::from_value(
            serde_json::json!({"name": "c", "run": "true", "drift": "echo other"}),
        )
        .expect("a command");
        command.set_inputs(&BTreeMap::new(), &BTreeSet::new());
        let stamp = Stamp {
            restart: [("itself".to_owned(), command.digest())].into(),
            ..Stamp::default()
        };
        let seen = |said: &str| Observed {
            stamps: [("c".to_owned(), stamp.clone())].into(),
            scripts: [(question("echo other"), said.to_owned())].into(),
            ..Observed::default()
        };
        assert!(matches!(command.diff(&seen("\n")), Verdict::Same(_)));
        match command.diff(&seen("other\n")) {
            Verdict::Differs(change) => assert_eq!(change.cause.as_deref(), Some("other")),
            other => panic!("{other:?}"),
        }
    }
}
