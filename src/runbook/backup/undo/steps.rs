//! The steps of `restore undo`. What is done is noted on each host in `/var/lib/citusctl/restore/POINT@undo`, so that a run
//! that was killed goes on where it stopped.

use super::Old;
use crate::model::Formation;
use crate::model::backup::stanza;
use crate::names::HostName;
use crate::resource::Impact;
use crate::runbook::backup::BackupInput;
use crate::runbook::backup::restore::{
    PREPARED_HOLDS, RECOVER_PREPARED, SENTINEL, prefixes, with_state,
};
use crate::runbook::{Script, Step};
use std::collections::BTreeMap;

const STOP: &str = include_str!("../scripts/undo-stop.sh");
const STOPPED: &str = include_str!("../scripts/undo-stopped.sh");
const LOCK: &str = include_str!("../scripts/undo-lock.sh");
const UNLOCK: &str = include_str!("../scripts/undo-unlock.sh");
const DATA: &str = include_str!("../scripts/undo-data.sh");
const CONTINUE: &str = concat!(
    include_str!("../scripts/restore-private.sh"),
    include_str!("../scripts/undo-continue.sh")
);
const OPEN: &str = include_str!("../scripts/undo-open.sh");
const CLOSE: &str = include_str!("../scripts/undo-close.sh");

/// A group is given to Patroni.
const LEADS: &str = "[ -e \"$STATE@undo/opened\" ] || { echo 'not started yet'; false; }\npatroni_says leader || { echo 'it does not lead yet'; false; }";
const STREAMS: &str = "[ -e \"$STATE@undo/opened\" ] || { echo 'not started yet'; false; }\n[ \"$(sql postgres 'SELECT status FROM pg_stat_wal_receiver' 2>/dev/null)\" = streaming ] || { echo 'does not stream yet'; false; }";
const CLOSED: &str = "[ ! -e /etc/citusctl/restore ] && [ ! -d \"$STATE\" ] && [ ! -d \"$STATE@undo\" ] || { echo 'open'; false; }";

pub(super) struct Plan<'a> {
    pub input: BackupInput<'a>,
    pub formation: &'a Formation,
    pub point: &'a str,
    pub groups: &'a [Old<'a>],
}

impl Plan<'_> {
    pub(super) fn steps(&self) -> Vec<Step> {
        let etcd = self.etcd();
        let mut steps = self.stops();
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
                self.with(&[("LEADS", leads)], DATA, &self.noted("placed"))
            })
            .within(300),
        );
        steps.push(
            self.on_leaders("continue", "take up the old history", &|it| {
                let stanza = stanza(&it.group.cluster);
                self.with(&[("STANZA", &stanza)], CONTINUE, &self.noted("continued"))
            })
            .within(3600),
        );
        if let Some(host) = &etcd {
            steps.push(Step::on(
                host,
                "unlock",
                "put back what etcd knew of the groups",
                self.with(
                    &[("PREFIXES", &prefixes(self.formation))],
                    UNLOCK,
                    &self.noted("unlocked"),
                ),
            ));
        }
        steps.push(
            self.on_leaders("open", "start Patroni: each group has a leader", &|_| {
                self.script(OPEN, LEADS)
            })
            .within(180),
        );
        steps.extend(self.prepared());
        steps.extend(self.standbys());
        let hosts = self.members().chain(etcd);
        let scripts = hosts.map(|host| (host, self.script(CLOSE, CLOSED)));
        steps.push(Step::on_all(
            scripts.collect(),
            "close",
            "the old data is in use again",
        ));
        steps
    }

    /// Standbys first: a leader that stops must not hand over to one of them.
    fn stops(&self) -> Vec<Step> {
        let leads = |host: &HostName| self.input.look.hosts.get(host).is_some_and(|it| it.leads);
        let (leading, others): (Vec<HostName>, Vec<HostName>) = self.members().partition(leads);
        let step = |hosts: Vec<HostName>, id, title: &str| {
            let scripts: BTreeMap<_, _> = hosts
                .into_iter()
                .map(|host| (host, self.script(STOP, STOPPED)))
                .collect();
            (!scripts.is_empty()).then(|| {
                Step::on_all(scripts, id, title)
                    .within(300)
                    .with_impact(Impact::Restart)
            })
        };
        let steps = [
            step(
                others,
                "stop",
                "stop Patroni and PostgreSQL of members that do not lead",
            ),
            step(
                leading,
                "stop-leaders",
                "stop Patroni and PostgreSQL of leaders",
            ),
        ];
        steps.into_iter().flatten().collect()
    }

    fn standbys(&self) -> Option<Step> {
        let scripts: BTreeMap<_, _> = self
            .members()
            .filter(|host| !self.leads(host))
            .map(|host| (host, self.script(OPEN, STREAMS)))
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

    fn prepared(&self) -> Option<Step> {
        let values = [("DB", self.formation.primary_db.as_str())];
        self.formation.is_citus().then(|| {
            self.on_leaders(
                "prepared",
                "decide transactions that were prepared",
                &|_| self.with(&values, RECOVER_PREPARED, PREPARED_HOLDS),
            )
            .within(120)
        })
    }

    /// Where etcd's keys were saved; `None`: the restore has not come so far that it changed them.
    fn etcd(&self) -> Option<HostName> {
        let hosts = self.input.look.hosts.iter();
        let mut saved = hosts.filter(|(_, look)| look.note(self.point).is_some_and(|it| it.saved));
        saved.next().map(|(host, _)| host.clone())
    }

    fn leads(&self, host: &HostName) -> bool {
        self.groups.iter().any(|it| it.host == *host)
    }

    fn members(&self) -> impl Iterator<Item = HostName> {
        self.formation.members().map(|member| member.host.clone())
    }

    fn everywhere(
        &self,
        id: &'static str,
        title: &str,
        script: &dyn Fn(&HostName) -> Script,
    ) -> Step {
        let scripts = self.members().map(|host| (host.clone(), script(&host)));
        Step::on_all(scripts.collect(), id, title)
    }

    fn on_leaders(
        &self,
        id: &'static str,
        title: &str,
        script: &dyn Fn(&Old<'_>) -> Script,
    ) -> Step {
        let scripts = self.groups.iter().map(|it| (it.host.clone(), script(it)));
        Step::on_all(scripts.collect(), id, title)
    }

    fn noted(&self, what: &str) -> String {
        format!("[ -e \"$STATE@undo/{what}\" ] || {{ echo 'not done yet'; false; }}")
    }

    fn locked(&self) -> Script {
        let prefixes = prefixes(self.formation);
        self.with(
            &[("PREFIXES", &prefixes), ("SENTINEL", SENTINEL)],
            LOCK,
            &self.noted("locked"),
        )
    }

    fn script(&self, act: &str, holds: &str) -> Script {
        self.with(&[], act, holds)
    }

    fn with(&self, values: &[(&str, &str)], act: &str, holds: &str) -> Script {
        with_state(self.point, values, act, holds)
    }
}
