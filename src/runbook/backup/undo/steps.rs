//! The steps of `restore undo`. What is done is noted on each host in `/var/lib/citusctl/restore/POINT@undo`, so that a run
//! that was killed goes on where it stopped.

use super::Old;
use crate::model::backup::stanza;
use crate::names::HostName;
use crate::runbook::backup::restore::etcd;
use crate::runbook::backup::steps::{Leads, SENTINEL, STREAMS, Way, leads, on_leaders};
use crate::runbook::{Script, Step};
use std::collections::BTreeMap;

const STOP: &str = include_str!("../scripts/undo-stop.sh");
const STOPPED: &str = include_str!("../scripts/undo-stopped.sh");
const LOCK: &str = include_str!("../scripts/undo-lock.sh");
const UNLOCK: &str = include_str!("../scripts/undo-unlock.sh");
const DATA: &str = concat!(
    include_str!("../scripts/restore-copy.sh"),
    include_str!("../scripts/undo-data.sh")
);
const CONTINUE: &str = concat!(
    include_str!("../scripts/restore-private.sh"),
    include_str!("../scripts/restore-roles.sh"),
    include_str!("../scripts/undo-continue.sh")
);
const OPEN: &str = include_str!("../scripts/undo-open.sh");
const CLOSE: &str = include_str!("../scripts/undo-close.sh");

/// A group is given to Patroni.
const CLOSED: &str = "[ ! -e /etc/citusctl/restore ] && [ ! -d \"$STATE\" ] && [ ! -d \"$STATE@undo\" ] || { echo 'open'; false; }";

pub(super) struct Plan<'a> {
    pub way: Way<'a>,
    pub groups: &'a [Old<'a>],
}

impl Leads for Old<'_> {
    fn host(&self) -> &HostName {
        &self.host
    }
}

impl Plan<'_> {
    pub(super) fn steps(&self) -> Vec<Step> {
        let etcd = self.etcd();
        let way = self.way;
        let mut steps = Vec::new();
        steps.extend(etcd.as_ref().and_then(|host| way.absent(host)));
        steps.extend(way.stops(STOP, STOPPED));
        if let Some(host) = &etcd {
            steps.push(Step::on(
                host,
                "lock",
                "lock the groups in etcd",
                self.locked(),
            ));
        }
        steps.push(
            self.everywhere("data", "put the old data back in its place", &|host| {
                let leads = if self.leads(host) { "yes" } else { "" };
                self.way
                    .with(&[("LEADS", leads)], DATA, &self.noted("placed"))
            })
            .within(300),
        );
        steps.push(
            on_leaders(self.groups, "continue", "take up the old history", &|it| {
                let stanza = stanza(&it.group.cluster);
                self.way
                    .with(&[("STANZA", &stanza)], CONTINUE, &self.noted("continued"))
            })
            .within(3600),
        );
        if let Some(host) = &etcd {
            steps.push(Step::on(
                host,
                "unlock",
                "put back what etcd knew of the groups",
                self.unlocked(),
            ));
        }
        steps.push(
            on_leaders(
                self.groups,
                "open",
                "start Patroni: each group has a leader",
                &|_| self.way.script(OPEN, &leads("\"$STATE@undo/opened\"")),
            )
            .within(180),
        );
        steps.extend(way.prepared(self.groups));
        steps.extend(self.standbys());
        let hosts = self.way.members().chain(etcd);
        let gone = way.gone();
        let scripts = hosts.map(|host| (host, way.with(&[("WITHOUT", &gone)], CLOSE, CLOSED)));
        steps.push(Step::on_all(
            scripts.collect(),
            "close",
            "the old data is in use again",
        ));
        steps
    }

    fn standbys(&self) -> Option<Step> {
        let opened = format!("/var/lib/citusctl/restore/{}@undo/opened", self.way.point);
        let scripts: BTreeMap<_, _> = self
            .way
            .members()
            .filter(|host| !self.leads(host))
            .map(|host| (host, self.way.with(&[("OPENED", &opened)], OPEN, STREAMS)))
            .collect();
        (!scripts.is_empty()).then(|| {
            Step::on_all(
                scripts,
                "standbys",
                "start Patroni of standbys: they stream",
            )
            .within(86_400)
        })
    }

    /// Where etcd's keys were saved; `None`: the restore has not come so far that it changed them.
    fn etcd(&self) -> Option<HostName> {
        let hosts = self.way.input.look.hosts.iter();
        let mut saved =
            hosts.filter(|(_, look)| look.note(self.way.point).is_some_and(|it| it.saved));
        let saved = saved.next().map(|(host, _)| host.clone());
        // A member that is gone may be the one that had them.
        let gone = !self.way.input.without.is_empty();
        saved.or_else(|| if gone { etcd(self.way).ok() } else { None })
    }

    fn unlocked(&self) -> Script {
        let gone = !self.way.input.without.is_empty();
        let systems = self.groups.iter().filter_map(|it| {
            let system = it.system.as_ref().filter(|_| gone)?;
            Some(format!("{} {system}", it.group.dcs_prefix))
        });
        let systems = systems.collect::<Vec<_>>().join("\n");
        let prefixes = self.way.prefixes();
        let values = [("PREFIXES", prefixes.as_str()), ("SYSTEMS", &systems)];
        let leaders = self.groups.iter().map(|it| (it.group, &it.host));
        let act = format!("{}{UNLOCK}", self.way.named(leaders));
        self.way.with(&values, &act, &self.noted("unlocked"))
    }

    fn leads(&self, host: &HostName) -> bool {
        self.groups.iter().any(|it| it.host == *host)
    }

    fn everywhere(
        &self,
        id: &'static str,
        title: &str,
        script: &dyn Fn(&HostName) -> Script,
    ) -> Step {
        let scripts = self.way.members().map(|host| (host.clone(), script(&host)));
        Step::on_all(scripts.collect(), id, title)
    }

    fn noted(&self, what: &str) -> String {
        format!("[ -e \"$STATE@undo/{what}\" ] || {{ echo 'not done yet'; false; }}")
    }

    fn locked(&self) -> Script {
        let prefixes = self.way.prefixes();
        self.way.with(
            &[("PREFIXES", &prefixes), ("SENTINEL", SENTINEL)],
            LOCK,
            &self.noted("locked"),
        )
    }
}
