//! The steps of a restore, each with the condition by which its end is known. What is done is noted on each host below
//! `/var/lib/citusctl/restore/POINT`, so that a run that was killed goes on where it stopped.

use super::Returning;
use crate::model::backup::stanza;
use crate::names::HostName;
use crate::resource::Impact;
use crate::runbook::backup::steps::{COPY, Leads, SENTINEL, STREAMS, Way, leads, on_leaders};
use crate::runbook::{Refusal, Script, Step};

const STOP: &str = include_str!("../scripts/restore-stop.sh");
const STOPPED: &str = include_str!("../scripts/restore-stopped.sh");
const ETCD: &str = include_str!("../scripts/restore-etcd.sh");
const RESTORE: &str = concat!(
    include_str!("../scripts/restore-copy.sh"),
    include_str!("../scripts/restore.sh")
);
/// The copy is whole; one that was proved counts only as long as nobody has taken the number of its timeline.
const RESTORED: &str = "[ -e \"$STATE/placed\" ] || { [ -e \"$STATE/restored\" ] && [ -e \"$copy/PG_VERSION\" ] || { echo 'not restored yet'; exit 1; }\n[ ! -e \"$STATE/recovered\" ] || ! number_taken || exit 1; }";
const CURRENT: &str = include_str!("../scripts/restore-current.sh");
const STILL: &str = "[ -e \"$STATE/placed\" ] || { ! number_taken || exit 1\nrc=0; number_archived \"$STANZA\" || rc=$?\n[ \"$rc\" = 1 ] || exit 1; }";
const SWAP: &str = include_str!("../scripts/restore-swap.sh");
const RECOVER: &str = concat!(
    include_str!("../scripts/restore-copy.sh"),
    include_str!("../scripts/restore-private.sh"),
    include_str!("../scripts/restore-roles.sh"),
    include_str!("../scripts/restore-recover.sh")
);
const CONFIG: &str = include_str!("../scripts/restore-config.sh");
const OPEN: &str = include_str!("../scripts/restore-open.sh");
const REPLICA: &str = include_str!("../scripts/restore-replica.sh");
/// pgBackRest takes the timeline from the last checkpoint, which may be older than the promotion.
const CHECKPOINTED: &str = "sql postgres CHECKPOINT >/dev/null\n";
const BACKUP: &str = include_str!("../scripts/backup.sh");
const BACKUP_MADE: &str = include_str!("../scripts/backup-made.sh");
const CLOSE: &str = include_str!("../scripts/restore-close.sh");

/// The end of a restore on all hosts, also where etcd's keys were saved.
pub(super) fn closed(way: Way<'_>) -> Result<Step, Refusal> {
    let holds = "[ ! -e /etc/citusctl/restore ] && [ ! -d \"$STATE\" ] || { echo 'open'; false; }";
    let hosts = way.members().chain([etcd(way)?]);
    let gone = way.gone();
    let scripts = hosts.map(|host| (host, way.with(&[("WITHOUT", &gone)], CLOSE, holds)));
    Ok(Step::on_all(
        scripts.collect(),
        "close",
        "the restore is done",
    ))
}

/// A host that speaks to etcd.
pub(in crate::runbook::backup) fn etcd(way: Way<'_>) -> Result<HostName, Refusal> {
    let members = way.input.model.etcd.iter().flat_map(|etcd| &etcd.members);
    let mut hosts = members
        .filter(|member| !member.learner)
        .map(|member| &member.host);
    let found = hosts.find(|host| way.input.look.hosts.contains_key(*host));
    found.cloned().ok_or_else(|| {
        Refusal::new(
            "no host of etcd answers",
            "`citusctl etcd status` says more",
        )
    })
}

/// Whether a step has left its mark.
fn noted(mark: &str) -> String {
    format!("[ -e \"$STATE/{mark}\" ] || {{ echo 'not done yet'; false; }}")
}

impl Leads for Returning<'_> {
    fn host(&self) -> &HostName {
        &self.host
    }
}

/// The steps of a restore.
pub(super) struct Plan<'a> {
    pub way: Way<'a>,
    pub groups: &'a [Returning<'a>],
}

impl Plan<'_> {
    pub(super) fn steps(&self) -> Result<Vec<Step>, Refusal> {
        let etcd = etcd(self.way)?;
        let mut steps = vec![self.majority(&etcd, "majority")];
        steps.extend(self.way.absent(&etcd));
        steps.extend(self.beside());
        steps.push(self.majority(&etcd, "majority-still"));
        steps.extend(self.way.stops(STOP, STOPPED));
        let title = "save what etcd knows of the groups, and lock them";
        steps.push(Step::on(&etcd, "etcd", title, self.locked()));
        let title = "put data aside, and what was restored in its place";
        let swap = || on_leaders(&self.made(), "swap", title, &|it| self.swapped(it));
        let swap = (!self.made().is_empty()).then(swap);
        steps.extend(swap.map(|step| step.within(60).with_impact(Impact::Destroys)));
        let title = "give the groups back to Patroni";
        steps.push(Step::on(&etcd, "unlock", title, self.unlocked()));
        steps.extend(self.configured());
        steps.push(self.opened());
        steps.extend(self.way.prepared(self.groups));
        steps.extend(self.standbys());
        let title = "make a full backup: the new history begins with it";
        let backup = on_leaders(self.groups, "backup", title, &|it| self.backed_up(it));
        steps.push(backup.within(86_400));
        steps.push(closed(self.way)?);
        Ok(steps)
    }

    /// What is done while the formation runs: a failure has stopped nothing.
    fn beside(&self) -> Vec<Step> {
        let made = self.made();
        if made.is_empty() {
            return Vec::new();
        }
        let hosts = self.way.input.look.hosts.values();
        let runs = match hosts.into_iter().any(|look| look.open.is_some()) {
            true => "",
            false => "; the formation runs",
        };
        let step = |id, title: &str, within, script: &dyn Fn(&&Returning<'_>) -> Script| {
            let title = format!("{title}{runs}");
            on_leaders(&made, id, &title, script).within(within)
        };
        let title = "restore the backup beside the data";
        let restore = step("restore", title, 86_400, &|it| self.restored(it));
        let title = "recover it to the point where nobody can connect, and prove it";
        let recover = step("recover", title, 86_400, &|it| self.recovered(it));
        let title = "see that no member was promoted meanwhile";
        let current = step("current", title, 1, &|it| self.current(it));
        vec![restore, recover, current]
    }

    /// Groups that are restored; others run already with what was restored on a member that is gone since.
    fn made(&self) -> Vec<&Returning<'_>> {
        self.groups.iter().filter(|it| !it.led).collect()
    }

    fn configured(&self) -> Option<Step> {
        let title = "give Patroni the configuration of the inventory, where etcd has none";
        let script = |_: &Returning<'_>| self.way.script(CONFIG, &noted("configured"));
        let fresh = self.groups.iter().any(|it| it.fresh);
        fresh.then(|| on_leaders(self.groups, "config", title, &script))
    }

    fn opened(&self) -> Step {
        let leads = leads("\"$STATE/opened\"");
        let title = "start Patroni: each group has a leader";
        on_leaders(self.groups, "open", title, &|_| {
            self.way.script(OPEN, &leads)
        })
        .within(180)
    }

    fn standbys(&self) -> Option<Step> {
        let opened = format!("/var/lib/citusctl/restore/{}/opened", self.way.point);
        let values = [("OPENED", opened.as_str())];
        let chosen = |host: &HostName| self.groups.iter().any(|it| it.host == *host);
        let replicas = self.way.members().filter(|host| !chosen(host));
        let script = |host| (host, self.way.with(&values, REPLICA, STREAMS));
        let scripts: std::collections::BTreeMap<_, _> = replicas.map(script).collect();
        let step = || Step::on_all(scripts.clone(), "standbys", "clone standbys again");
        (!scripts.is_empty()).then(|| step().within(86_400))
    }

    /// Without a majority of etcd the groups could be stopped, and not be given back.
    fn majority(&self, etcd: &HostName, id: &'static str) -> Step {
        let holds =
            "etcd_ctl endpoint health >/dev/null 2>&1 || { echo 'etcd has no majority'; false; }";
        let title = "see that etcd has a majority";
        Step::on(etcd, id, title, self.way.script(":", holds)).within(20)
    }

    fn locked(&self) -> Script {
        let prefixes = self.way.prefixes();
        self.way.with(
            &[("PREFIXES", &prefixes), ("SENTINEL", SENTINEL)],
            ETCD,
            "[ -e \"$STATE/locked\" ] || { echo 'not locked yet'; false; }",
        )
    }

    fn unlocked(&self) -> Script {
        let put = |it: &Returning<'_>| {
            format!(
                "put {} {}\n",
                crate::command::quote(&format!("{}initialize", it.group.dcs_prefix)),
                it.at.system
            )
        };
        let is = |it: &Returning<'_>| {
            format!(
                "is {} {}\n",
                crate::command::quote(&format!("{}initialize", it.group.dcs_prefix)),
                it.at.system
            )
        };
        let puts: String = self.groups.iter().map(put).collect();
        let leaders = self.groups.iter().map(|it| (it.group, &it.host));
        let puts = format!("{}{puts}", self.way.named(leaders));
        let holds: String = self.groups.iter().map(is).collect();
        self.way.script(
            &format!("put() {{ etcd_ctl put \"$1\" \"$2\" >/dev/null; }}\n{puts}"),
            &format!("is() {{ [ \"$(etcd_ctl get --print-value-only \"$1\")\" = \"$2\" ] || {{ echo \"$1 is not set back\"; exit 1; }}; }}\n{holds}"),
        )
    }

    fn restored(&self, it: &Returning<'_>) -> Script {
        let (stanza, timeline) = (stanza(&it.group.cluster), it.at.timeline.to_string());
        let values = [
            ("STANZA", stanza.as_str()),
            ("SET", it.set.label.as_str()),
            ("TIMELINE", &timeline),
        ];
        self.way
            .with(&values, RESTORE, &format!("{COPY}{RESTORED}"))
    }

    fn recovered(&self, it: &Returning<'_>) -> Script {
        let holds = "[ -e \"$STATE/placed\" ] || [ -e \"$STATE/recovered\" ] || { echo 'not recovered yet'; false; }";
        self.way
            .with(&[("LSN", it.at.lsn.as_str())], RECOVER, holds)
    }

    fn current(&self, it: &Returning<'_>) -> Script {
        self.on_copy(it, CURRENT, STILL)
    }

    fn swapped(&self, it: &Returning<'_>) -> Script {
        self.on_copy(it, SWAP, &noted("placed"))
    }

    fn on_copy(&self, it: &Returning<'_>, act: &str, holds: &str) -> Script {
        let values = [("STANZA", stanza(&it.group.cluster))];
        let values = values
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        self.way
            .with(&values, &format!("{COPY}{act}"), &format!("{COPY}{holds}"))
    }

    fn backed_up(&self, it: &Returning<'_>) -> Script {
        let stanza = stanza(&it.group.cluster);
        let values = [
            ("STANZA", stanza.as_str()),
            ("KIND", "full"),
            // Retention would take the backups that the points around this one need.
            ("MORE", "--no-expire-auto"),
            ("THIS_RUN", self.way.input.run.as_str()),
        ];
        // Another run does not make another one.
        let act = format!("{CHECKPOINTED}{BACKUP}\n({BACKUP_MADE})\n: >\"$STATE/backed-up\"");
        self.way.with(&values, &act, &noted("backed-up"))
    }
}
