//! Whether services run that should, and whether they run as their units say that we wrote.

use super::StatusAnswers;
use super::findings::Findings;
use crate::command::Sections;
use crate::engine::Run;
use crate::fact::UnitState;
use crate::model::{Host, Model, NodeVip};
use crate::names::HostName;
use std::collections::{BTreeMap, BTreeSet};

/// Files that nobody declared and that units are read from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct UnitFiles {
    by_unit: BTreeMap<String, Vec<String>>,
    /// Those that say which program runs, as whom, and how it ends.
    heavy: BTreeSet<String>,
}

/// Reads `unit-files` and `unit-heavy`.
pub(super) fn files(sections: &Sections) -> UnitFiles {
    let text = sections.get("unit-files").unwrap_or_default();
    let heavy = sections.get("unit-heavy").unwrap_or_default();
    UnitFiles {
        by_unit: text.split("\n\n").filter_map(paragraph).collect(),
        heavy: heavy.lines().map(str::to_owned).collect(),
    }
}

fn paragraph(text: &str) -> Option<(String, Vec<String>)> {
    let value = |key: &str| {
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
    };
    let unit = value("Id")?.trim_end_matches(".service").to_owned();
    let paths = [value("FragmentPath"), value("DropInPaths")];
    let files = paths.into_iter().flatten().flat_map(str::split_whitespace);
    let state = UnitState {
        files: files.map(str::to_owned).collect(),
        ..UnitState::default()
    };
    let foreign = state.foreign_files(&[]).map(str::to_owned).collect();
    Some((unit, foreign))
}

impl Findings {
    /// Services that should run and do not.
    pub(super) fn units(&mut self, run: &Run<'_>, answers: &StatusAnswers) {
        for (name, answer) in &answers.hosts {
            let (Ok(seen), Some(host)) = (answer, run.model.hosts.get(name)) else {
                continue;
            };
            for unit in expected(run.model, host) {
                let state = seen.units.get(unit).map_or("unknown", String::as_str);
                let enabled = seen.enabled.get(unit).map_or("", String::as_str);
                let masked = enabled.starts_with("masked");
                match (state, masked) {
                    ("active", false) if enabled == "disabled" => self.problem(format!(
                        "{name}: {unit}.service is disabled: it does not start at the next boot"
                    )),
                    ("active", false) => {}
                    ("active", true) => self.problem(format!(
                        "{name}: {unit}.service runs and is masked: it does not start again (`systemctl unmask {unit}`)"
                    )),
                    (_, true) => {
                        let way = match seen.procedure() {
                            Some(procedure) => format!("until {procedure} is done: leave it so"),
                            None => format!("`systemctl unmask {unit}`"),
                        };
                        self.problem(format!("{name}: {unit}.service is {state} and masked ({way})"));
                    }
                    (_, false) => self.problem(format!("{name}: {unit}.service is {state}")),
                }
                self.changed(name, unit, &seen.unit_files);
            }
        }
    }

    /// What another hand changed in how a service runs.
    fn changed(&mut self, host: &HostName, unit: &str, files: &UnitFiles) {
        for file in files.by_unit.get(unit).into_iter().flatten() {
            let what =
                format!("{host}: {unit}.service is read from {file}, too, which nobody declared");
            match files.heavy.contains(file) {
                true => self.problem(format!(
                    "{what}, and which changes what runs: move it away, then `systemctl daemon-reload` and `systemctl restart {unit}` there"
                )),
                false => self.warn(what),
            }
        }
    }
}

fn expected(model: &Model, host: &Host) -> impl Iterator<Item = &'static str> {
    let member = model
        .groups()
        .flat_map(|(_, group)| group.members.iter().map(move |member| (group, member)))
        .find(|(_, member)| member.host == host.name);
    let pooled = member.is_some_and(|(_, member)| member.pgbouncer_port.is_some());
    let follows = member.is_some_and(|(group, _)| group.vip.is_some());
    let shares = |vip: &NodeVip| vip.hosts.contains(&host.name);
    let wanted = [
        (host.etcd.is_some(), "etcd"),
        (host.pg.is_some(), "patroni"),
        (pooled, "pgbouncer"),
        (host.haproxy, "haproxy"),
        (follows, "vip-manager"),
        (model.node_vips.iter().any(shares), "keepalived"),
    ];
    wanted
        .into_iter()
        .filter_map(|(wanted, unit)| wanted.then_some(unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_others_are_told_and_those_that_change_what_runs_are_problems() {
        let etcd = HostName::new("a");
        let text = "Id=etcd.service\nFragmentPath=/usr/lib/e\nDropInPaths=/etc/e.d/citusctl.conf /etc/e.d/limits.conf /etc/e.d/other.conf\n\nId=haproxy.service\nFragmentPath=/usr/lib/h\nDropInPaths=\n";
        let files = UnitFiles {
            by_unit: text.split("\n\n").filter_map(paragraph).collect(),
            heavy: ["/etc/e.d/other.conf".to_owned()].into(),
        };
        let mut said = Findings::default();
        for unit in ["etcd", "haproxy", "patroni"] {
            said.changed(&etcd, unit, &files);
        }
        assert_eq!(
            said.warnings,
            ["a: etcd.service is read from /etc/e.d/limits.conf, too, which nobody declared"]
        );
        assert_eq!(
            said.problems,
            [
                "a: etcd.service is read from /etc/e.d/other.conf, too, which nobody declared, and which changes what runs: move it away, then `systemctl daemon-reload` and `systemctl restart etcd` there"
            ]
        );
    }
}
