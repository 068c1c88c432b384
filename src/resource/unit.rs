//! A systemd unit: enabled, running, and started or reloaded with its present inputs.
//!
//! What a unit was last started and reloaded with is stamped on the host. A run that is cut off between
//! "file written" and "service restarted" therefore loses nothing: the next one sees the stamp differ.

mod stranger;

use super::{Action, Change, Impact, ResourceKind, Step, Verdict, digest_of};
use crate::command::quote;
use crate::fact::{CHANGED_SINCE, Observed, Probe, Stamp, UnitState};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// `unit: {name, enabled, running, restart_on, reload_on, check, deaf, start_impact, restart_impact, restart_kills}`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    pub name: String,
    #[serde(default = "yes")]
    pub enabled: bool,
    #[serde(default = "yes")]
    pub running: bool,
    /// Resources whose change needs a restart.
    #[serde(default)]
    pub restart_on: Vec<String>,
    /// Resources whose change needs a reload.
    #[serde(default)]
    pub reload_on: Vec<String>,
    /// A command that must succeed before a start, a restart or a reload.
    #[serde(default)]
    pub check: Option<String>,
    /// A command that succeeds where the process hears no reload: it is restarted then.
    #[serde(default)]
    pub deaf: Option<String>,
    /// Shell text that runs before the unit is started, and before it is first taken over. May hold secrets: it travels
    /// like every step. `role.yml` gives it as `template`.
    #[serde(default)]
    pub first: Option<String>,
    /// Seconds that a start or restart may take.
    #[serde(default = "ninety")]
    pub deadline: u32,
    #[serde(default = "restart_impact")]
    pub restart_impact: Impact,
    /// A restart ends it at once (SIGKILL): for a service that loses nothing by it, and whose polite end harms who uses it.
    #[serde(default)]
    pub restart_kills: bool,
    /// It runs on where nothing wants it any more: what it carries does not stop because of a parameter.
    #[serde(default)]
    pub stays: bool,
    #[serde(skip)]
    restart_inputs: Inputs,
    #[serde(skip)]
    reload_inputs: Inputs,
}

fn yes() -> bool {
    true
}

fn ninety() -> u32 {
    90
}

fn restart_impact() -> Impact {
    Impact::Restart
}

/// Digests of the resources that a trigger names.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Inputs {
    digests: BTreeMap<String, String>,
    /// Named and there, but not selected: stamped values stand.
    left: BTreeSet<String>,
}

impl Inputs {
    /// Picks those that the patterns name; a pattern may end in `*`.
    pub(super) fn select(
        patterns: &[String],
        inputs: &BTreeMap<String, String>,
        left: &BTreeSet<String>,
    ) -> Self {
        let named = |id: &str| {
            patterns.iter().any(|p| {
                p.strip_suffix('*')
                    .map_or(p == id, |prefix| id.starts_with(prefix))
            })
        };
        let chosen = inputs.iter().filter(|(id, _)| named(id));
        Self {
            digests: chosen.map(|(id, d)| (id.clone(), d.clone())).collect(),
            left: left.iter().filter(|id| named(id)).cloned().collect(),
        }
    }

    /// A single input.
    pub(super) fn of(name: &str, digest: String) -> Self {
        Self {
            digests: BTreeMap::from([(name.to_owned(), digest)]),
            left: BTreeSet::new(),
        }
    }

    /// Names of inputs that are not as stamped: new, changed or gone.
    pub(super) fn differing(&self, stamped: Option<&BTreeMap<String, String>>) -> Vec<String> {
        let empty = BTreeMap::new();
        let stamped = stamped.unwrap_or(&empty);
        let changed = self
            .digests
            .iter()
            .filter(|(id, digest)| stamped.get(*id) != Some(digest));
        let gone = stamped
            .keys()
            .filter(|id| !self.left.contains(*id) && !self.digests.contains_key(*id));
        let since = |id: &String| stamped.get(id).is_some_and(|seen| seen == CHANGED_SINCE);
        changed
            .map(|(id, _)| match since(id) {
                true => format!("{id} (changed since it was read)"),
                false => id.clone(),
            })
            .chain(gone.map(|id| format!("{id} (gone)")))
            .collect()
    }
}

/// Shell text that stamps what a unit runs with, atomically. With a partial selection what is stamped of the others when the
/// step runs stays: another run may have changed it since it was seen.
pub(super) fn stamp_script(name: &str, inputs: &[(&str, &Inputs)]) -> String {
    let mut lines = String::from("started\n");
    let mut left = String::new();
    for (word, inputs) in inputs {
        for (id, digest) in &inputs.digests {
            lines.push_str(&format!("{word} {id} {digest}\n"));
        }
        for id in &inputs.left {
            left.push_str(&format!(" {}", quote(&format!("{word} {id}"))));
        }
    }
    let name = quote(name);
    format!("put_stamp {name}{left} <<'CITUSCTL_END'\n{lines}CITUSCTL_END\n")
}

impl Unit {
    fn check(&self) -> String {
        self.check
            .as_ref()
            .map(|check| format!("{check}\n"))
            .unwrap_or_default()
    }

    fn first(&self) -> String {
        self.first
            .as_ref()
            .map(|first| format!("{first}\n"))
            .unwrap_or_default()
    }

    /// Runs a verb, and on failure shows what systemd and the unit itself said.
    fn systemctl(&self, verb: &str) -> String {
        let unit = quote(&self.name);
        let kill = match verb == "restart" && self.restart_kills {
            true => format!("systemctl kill -s KILL {unit}\n"),
            false => String::new(),
        };
        let (choose, verb) = match &self.deaf {
            Some(deaf) if verb == "reload" => (
                format!(
                    "verb=reload; if {deaf}; then echo 'it hears no reload yet: restarting it'; verb=restart; fi\n"
                ),
                "\"$verb\"",
            ),
            Some(_) | None => (String::new(), verb),
        };
        format!(
            "if [ \"$(systemctl show -p NeedDaemonReload --value {unit})\" != no ]; then systemctl daemon-reload; fi\n\
             {}{choose}since=$(date '+%Y-%m-%d %H:%M:%S')\n{kill}if ! timeout {} systemctl {verb} {unit}; then\n  systemctl status --no-pager -n 0 {unit} || :\n  \
             journalctl --no-pager -o cat -n 30 --since \"$since\" -u {unit} || :\n  exit 1\nfi\n",
            self.check(),
            self.deadline,
        )
    }

    fn stamp(&self) -> String {
        let inputs = [
            ("restart", &self.restart_inputs),
            ("reload", &self.reload_inputs),
        ];
        stamp_script(&self.name, &inputs)
    }

    fn start(&self, state: &UnitState) -> Verdict {
        let unit = quote(&self.name);
        let reset = if state.active_state == "failed" {
            format!("systemctl reset-failed {unit}\n")
        } else {
            String::new()
        };
        let enable = if self.enabled {
            format!("systemctl -q enable {unit}\n")
        } else {
            String::new()
        };
        let script = format!(
            "{reset}{enable}{}{}{}",
            self.first(),
            self.systemctl("start"),
            self.stamp()
        );
        let words = if self.enabled {
            "enable and start"
        } else {
            "start"
        };
        let title = format!("{words} {}", self.name);
        let mut change = Change::new(
            Action::Create,
            title.clone(),
            vec![Step::new(title, script)],
        );
        if state.active_state == "failed" {
            change.cause = Some("the unit has failed".to_owned());
        }
        Verdict::differs(change)
    }

    fn again(
        &self,
        stamp: Option<&Stamp>,
        verb: &str,
        action: Action,
        impact: Impact,
        causes: Vec<String>,
    ) -> Verdict {
        let first = match stamp {
            None => self.first(),
            Some(_) => String::new(),
        };
        // Whoever was started by hand may not begin with the machine yet.
        let enable = match self.enabled {
            true => format!("systemctl -q enable {}\n", quote(&self.name)),
            false => String::new(),
        };
        let script = format!("{first}{enable}{}{}", self.systemctl(verb), self.stamp());
        let title = format!("{verb} {}", self.name);
        let mut change = Change::new(action, title.clone(), vec![Step::new(title, script)]);
        change.impact = impact;
        change.cause = Some(causes.join(", "));
        Verdict::differs(change)
    }

    fn running_diff(&self, stamp: Option<&Stamp>, state: &UnitState) -> Verdict {
        let Some(stamp) = stamp else {
            let cause = vec!["not started by citusctl so far".to_owned()];
            let verb = if self.restart_on.is_empty() && !self.reload_on.is_empty() {
                "reload"
            } else {
                "restart"
            };
            let (action, impact) = match verb {
                "reload" => (Action::Reload, Impact::Reload),
                _ => (Action::Restart, self.restart_impact),
            };
            return self.again(None, verb, action, impact, cause);
        };
        let restart = self.restart_inputs.differing(Some(&stamp.restart));
        if !restart.is_empty() {
            return self.again(
                Some(stamp),
                "restart",
                Action::Restart,
                self.restart_impact,
                restart,
            );
        }
        let reload = self.reload_inputs.differing(Some(&stamp.reload));
        if !reload.is_empty() {
            return self.again(
                Some(stamp),
                "reload",
                Action::Reload,
                Impact::Reload,
                reload,
            );
        }
        self.enablement(state)
    }

    fn enablement(&self, state: &UnitState) -> Verdict {
        if state.enabled == self.enabled {
            return Verdict::same("enabled and running as wanted");
        }
        let verb = if self.enabled { "enable" } else { "disable" };
        let title = format!("{verb} {}", self.name);
        let step = Step::new(
            title.clone(),
            format!("systemctl -q {verb} {}\n", quote(&self.name)),
        );
        Verdict::differs(Change::new(Action::Update, title, vec![step]))
    }

    fn stop(&self, state: &UnitState) -> Verdict {
        if !state.active {
            return self.enablement(state);
        }
        let unit = quote(&self.name);
        let title = format!("stop {}", self.name);
        let script = format!("systemctl -q disable {unit}\nsystemctl stop {unit}\n");
        let mut change = Change::new(
            Action::Update,
            title.clone(),
            vec![Step::new(title, script)],
        );
        change.impact = self.restart_impact;
        Verdict::differs(change)
    }
}

impl ResourceKind for Unit {
    fn probes(&self) -> Vec<Probe> {
        vec![Probe::Unit(self.name.clone())]
    }

    fn diff(&self, seen: &Observed) -> Verdict {
        let state = seen.units.get(&self.name).cloned().unwrap_or_default();
        if state.masked && self.running {
            return Verdict::Refused {
                reason: format!("the unit `{}` is masked", self.name),
                hint: format!(
                    "somebody stopped it on purpose; `systemctl unmask {}` when it may run",
                    self.name
                ),
            };
        }
        if let Some(refused) = self.stranger(seen, &state) {
            return refused;
        }
        match (self.running, state.active) {
            (false, _) => self.stop(&state),
            (true, false) => self.start(&state),
            (true, true) => self.running_diff(seen.stamps.get(&self.name), &state),
        }
    }

    fn warnings(&self, seen: &Observed) -> Vec<String> {
        self.overridden(seen)
    }

    fn digest(&self) -> String {
        digest_of(&[&self.name])
    }

    fn triggers(&self) -> Vec<String> {
        self.restart_on
            .iter()
            .chain(&self.reload_on)
            .cloned()
            .collect()
    }

    fn has_inputs(&self) -> bool {
        true
    }

    fn set_inputs(&mut self, inputs: &BTreeMap<String, String>, left: &BTreeSet<String>) {
        self.restart_inputs = Inputs::select(&self.restart_on, inputs, left);
        self.reload_inputs = Inputs::select(&self.reload_on, inputs, left);
    }
}

#[cfg(test)]
mod tests;
