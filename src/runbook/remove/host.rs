//! What is done on a host that leaves: units stopped, data put aside, files moved away. Whatever is done already makes
//! no step.

use super::{DataFate, RemovalCase};
use crate::command::{given, quote};
use crate::model::Host;
use crate::names::HostName;
use crate::resource::Impact;
use crate::runbook::{Script, Step};
use std::collections::{BTreeMap, BTreeSet};

/// The unit under which PostgreSQL runs.
pub(super) const PATRONI: &str = "patroni.service";

impl<'a> RemovalCase<'a> {
    /// What is left on hosts that were not reached: they know nothing of their removal.
    pub(super) fn unreached(&self) -> Option<String> {
        let reached: BTreeSet<&HostName> = self.reached().map(|host| &host.name).collect();
        let mut names = self.hosts.iter().filter(|host| !reached.contains(host));
        let names: Vec<&str> = names.by_ref().map(|host| host.as_str()).collect();
        (!names.is_empty()).then(|| {
            format!(
                "Nothing was changed on {}, which did not answer: keep it off, or run the same command again once it is back. Started as it is, it takes part again.",
                names.join(", ")
            )
        })
    }

    /// Hosts that leave and answer, in the order of the inventory.
    pub(super) fn reached(&self) -> impl Iterator<Item = &'a Host> {
        let known = self.input.model.hosts();
        known.filter(|host| self.hosts.contains(&host.name) && self.left.contains_key(&host.name))
    }

    /// Units of a host that run, or would with the machine.
    fn units(&self, host: &HostName, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let Some(going) = self.going.get(host) else {
            return Vec::new();
        };
        let left = self.left.get(host);
        let alive = |unit: &&String| left.is_some_and(|left| left.units.get(*unit) == Some(&true));
        going
            .units
            .iter()
            .filter(|unit| wanted(unit))
            .filter(alive)
            .cloned()
            .collect()
    }

    /// Stops and disables units on all hosts that leave, at once.
    pub(super) fn stop(&self, id: &'static str, wanted: impl Fn(&str) -> bool) -> Option<Step> {
        let hosts = self.reached().filter_map(|host| {
            let units = self.units(&host.name, &wanted);
            (!units.is_empty()).then(|| (host.name.clone(), units))
        });
        let hosts: BTreeMap<HostName, Vec<String>> = hosts.collect();
        let mut names: Vec<&str> = Vec::new();
        for unit in hosts.values().flatten() {
            let name = unit.trim_end_matches(".service");
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let title = format!("stop and disable {}", names.join(", "));
        let scripts = hosts
            .iter()
            .map(|(host, units)| (host.clone(), stop(units)));
        let scripts: BTreeMap<_, _> = scripts.collect();
        (!scripts.is_empty()).then(|| {
            Step::on_all(scripts, id, title)
                .with_impact(Impact::Restart)
                .within(150)
        })
    }

    /// Lines of the manifest that leave, those of deeper paths first: `/pg` is a link that others lie behind.
    fn files(&self, host: &HostName) -> Vec<&'a String> {
        let (Some(going), Some(left)) = (self.going.get(host), self.left.get(host)) else {
            return Vec::new();
        };
        let data = |line: &str| line.starts_with("pgsql/pg ") || line.starts_with("pgsql/pgdata ");
        let keeps = |line: &&String| self.keeps_data() && data(line);
        let mut lines: Vec<&String> = left
            .manifest
            .iter()
            .filter(|line| going.takes(line) && !keeps(line))
            .collect();
        lines.sort_by_key(|line| std::cmp::Reverse(line.matches('/').count()));
        lines
    }

    /// Moves our files away, below /var/lib/citusctl/replaced.
    pub(super) fn clear(&self) -> Option<Step> {
        let mut count = 0;
        let scripts = self.reached().filter_map(|host| {
            let lines = self.files(&host.name);
            count += lines.len();
            let reloads = self
                .going
                .get(&host.name)
                .map(|going| going.reloads.as_slice());
            (!lines.is_empty()).then(|| {
                (
                    host.name.clone(),
                    clear(&lines, reloads.unwrap_or_default()),
                )
            })
        });
        let scripts: BTreeMap<_, _> = scripts.collect();
        let title = format!(
            "move our files away ({count} in all), to /var/lib/citusctl/replaced/{}",
            self.input.run
        );
        (!scripts.is_empty()).then(|| Step::on_all(scripts, "files", title))
    }

    /// Packages that nothing else needs, where the inventory asks for that.
    pub(super) fn uninstall(&self, parameter: &str) -> Option<Step> {
        let scripts = self.reached().filter_map(|host| {
            let left = self.left.get(&host.name)?;
            let going = self.going.get(&host.name)?;
            let named = going
                .packages
                .iter()
                .filter(|name| left.packages.contains(*name));
            let packages: Vec<String> = named.map(|name| quote(name)).collect();
            let asked = self.typed(&host.name)?.bool(parameter) && !packages.is_empty();
            asked.then(|| (host.name.clone(), uninstall(&packages.join(" "))))
        });
        let scripts: BTreeMap<_, _> = scripts.collect();
        let title = format!("uninstall packages (`{parameter}`)");
        (!scripts.is_empty()).then(|| Step::on_all(scripts, "packages", title).within(120))
    }

    /// Puts directories aside, or deletes them: `directory` and a guard, by host. One step for each directory.
    pub(super) fn put(
        &self,
        data: DataFate,
        what: &str,
        directory: impl Fn(&Host) -> Option<(String, String)>,
    ) -> Vec<Step> {
        let mut steps = BTreeMap::<String, BTreeMap<HostName, Script>>::new();
        for host in self.reached().filter(|_| data != DataFate::Leave) {
            let there = |path: &String| {
                let left = self.left.get(&host.name);
                left.is_some_and(|left| left.directories.contains(path))
            };
            if let Some((path, guard)) = directory(host).filter(|(path, _)| there(path)) {
                let script = put(data, &path, &guard);
                steps
                    .entry(path)
                    .or_default()
                    .insert(host.name.clone(), script);
            }
        }
        let step = |(path, scripts): (String, BTreeMap<HostName, Script>)| {
            let (title, impact) = match data {
                DataFate::Delete => (format!("DELETE {what}: {path}"), Impact::Destroys),
                DataFate::Aside | DataFate::Leave => (
                    format!(
                        "put {what} aside: {path} becomes {path}.removed-{}",
                        self.input.run
                    ),
                    Impact::None,
                ),
            };
            Step::on_all(scripts, "data", title)
                .with_impact(impact)
                .within(60)
        };
        steps.into_iter().map(step).collect()
    }
}

fn stop(units: &[String]) -> Script {
    let units = units.join(" ");
    let values = [("UNITS", units.as_str())];
    let act = given(&values, include_str!("scripts/stop.sh"));
    let holds = given(&values, include_str!("scripts/stopped.sh"));
    Script::new(act, holds)
}

fn clear(lines: &[&String], reloads: &[String]) -> Script {
    let mut act = String::from(
        "away() { move_aside \"$2\"; disown \"$1 $2\"; beside \"${2%/*}\" rmdir -- 2>/dev/null || :; }\n",
    );
    let mut known = String::new();
    for line in lines {
        if let Some((id, path)) = line.split_once(' ') {
            act.push_str(&format!("away {} {}\n", quote(id), quote(path)));
        }
        known.push_str(&format!(" -e {}", quote(line)));
    }
    act.push_str("systemctl daemon-reload\n");
    for unit in reloads {
        let unit = quote(unit);
        act.push_str(&format!(
            "if systemctl is-active -q {unit}; then systemctl reload-or-restart {unit}; fi\n"
        ));
    }
    let holds = format!(
        "left=$(grep -xF{known} /etc/citusctl/manifest 2>/dev/null) || :\n\
         [ -z \"$left\" ] || {{ echo 'some are still there'; false; }}"
    );
    Script::new(act, holds)
}

fn uninstall(packages: &str) -> Script {
    let act = format!(
        "export DEBIAN_FRONTEND=noninteractive\napt-get -q -y -o DPkg::Lock::Timeout=120 remove -- {packages}"
    );
    let holds = format!(
        "left=$(dpkg-query -W -f '${{Package}} ${{db:Status-Status}}\\n' -- {packages} 2>/dev/null | grep ' installed$') || :\n\
         [ -z \"$left\" ] || {{ echo \"still installed: $left\"; false; }}"
    );
    Script::new(act, holds)
}

fn put(data: DataFate, path: &str, guard: &str) -> Script {
    let quoted = quote(path);
    let act = match data {
        DataFate::Delete => format!("beside {quoted} rm -rf --one-file-system --"),
        DataFate::Aside | DataFate::Leave => {
            let rename = "sh -c 'exec mv -T -- \"$1\" \"$1.removed-$0\"' \"$RUN\"";
            format!("beside {quoted} {rename}")
        }
    };
    let holds = format!("[ ! -e {quoted} ] || {{ echo 'it is still there'; false; }}");
    Script::new(act, holds).require(guard.to_owned())
}
