//! A command that runs when its inputs have changed since it last ran (`sysctl --load`, `apt-get update`).

use super::unit::{Inputs, stamp_script};
use super::{Action, Change, Impact, ResourceKind, Step, Verdict, digest_of};
use crate::fact::{Observed, Probe};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// `command: {name, run, on, impact}`.
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
        Vec::new()
    }

    fn diff(&self, seen: &Observed) -> Verdict {
        let stamped = seen.stamps.get(&self.name);
        let changed = self.inputs.differing(stamped.map(|stamp| &stamp.restart));
        if changed.is_empty() {
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
        change.cause = (!self.on.is_empty()).then(|| changed.join(", "));
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
