//! What the steps of a restore and of its undoing share: both stop a formation, exchange its data and give it back to Patroni.

use super::BackupInput;
use super::survey::names;
use crate::command::{given, quote};
use crate::model::{Formation, Group};
use crate::names::HostName;
use crate::resource::Impact;
use crate::runbook::{Script, Step};
use std::collections::BTreeMap;

const RECOVER_PREPARED: &str = "[ \"$(sql \"$DB\" \"SELECT to_regprocedure('pg_catalog.recover_prepared_transactions()') IS NULL\")\" = t ] || sql \"$DB\" 'SELECT recover_prepared_transactions()'";
const PREPARED_HOLDS: &str = "left=$(sql \"$DB\" \"SELECT count(*) FROM pg_prepared_xacts WHERE gid LIKE 'citus\\_%'\")\n[ \"$left\" = 0 ] || { echo \"$left prepared transactions are left in $DB: $(sql \"$DB\" \"SELECT string_agg(gid, ', ' ORDER BY prepared) FROM pg_prepared_xacts WHERE gid LIKE 'citus\\_%'\")\"; false; }";

/// Whether a standby streams, else what its last attempt to be cloned said. `opened` is where it is noted that Patroni was started.
pub(super) const STREAMS: &str = include_str!("scripts/streams.sh");

/// What would be promoted when all members of the inventory stop.
const NOBODY_ELSE: &str = "left=$(patroni_unnamed $MEMBERS)\n[ -z \"$left\" ] || { echo \"Patroni has $left, which the inventory does not name: it would lead as soon as this one stops\"; false; }";

/// Patroni renews its key as long as it lives, and etcd drops it after Patroni's `ttl`.
const ABSENT: &str = "printf '%s\\n' \"$SIGNS\" | while read -r key; do [ -z \"$(etcd_ctl get --print-value-only \"$key\")\" ] || { echo \"etcd has $key: Patroni is alive there, or was until now\"; exit 1; }; done";

/// The functions of a copy beside the data directory.
pub(super) const COPY: &str = include_str!("scripts/restore-copy.sh");

/// What a Patroni that comes back in the middle takes for another cluster.
pub(super) const SENTINEL: &str = "1000000000000000001";

/// The member of this host leads, and its server takes writes: a key of the leader's may be there before.
pub(super) fn leads(noted: &str) -> String {
    format!(
        "[ -e {noted} ] || {{ echo 'not started yet'; false; }}\n\
         patroni_says leader || {{ echo 'it does not lead yet'; false; }}\n\
         [ \"$(sql postgres 'SELECT pg_is_in_recovery()' 2>/dev/null)\" = f ] || {{ echo 'its PostgreSQL takes no writes yet'; false; }}"
    )
}

/// A group and the member that leads it in the end.
pub(super) trait Leads {
    fn host(&self) -> &HostName;
}

impl<T: Leads> Leads for &T {
    fn host(&self) -> &HostName {
        (**self).host()
    }
}

/// A step on the member of each group that leads in the end.
pub(super) fn on_leaders<T: Leads>(
    groups: &[T],
    id: &'static str,
    title: &str,
    script: &dyn Fn(&T) -> Script,
) -> Step {
    let scripts = groups.iter().map(|it| (it.host().clone(), script(it)));
    Step::on_all(scripts.collect(), id, title)
}

/// A formation on its way to a point, or back from it.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub input: BackupInput<'a>,
    pub formation: &'a Formation,
    pub point: &'a str,
}

impl Way<'_> {
    /// All members but those that are gone for good.
    pub fn members(&self) -> impl Iterator<Item = HostName> {
        let members = self.formation.members().map(|member| &member.host);
        members
            .filter(|host| !self.input.without.contains(*host))
            .cloned()
    }

    /// The name in Patroni of a member.
    pub fn name(&self, host: &HostName) -> String {
        let mut members = self.formation.members();
        let member = members.find(|member| member.host == *host);
        member
            .map(|member| member.name.to_string())
            .unwrap_or_default()
    }

    /// Hosts that are gone for good, one a line.
    pub fn gone(&self) -> String {
        let hosts: Vec<&str> = self
            .input
            .without
            .iter()
            .map(|host| host.as_str())
            .collect();
        hosts.join("\n")
    }

    /// The keys by which etcd knows that Patroni runs on hosts that are said to be gone.
    pub fn signs(&self) -> String {
        let groups = self.formation.groups.iter();
        let members = groups.flat_map(|group| group.members.iter().map(move |it| (group, it)));
        let gone = members.filter(|(_, member)| self.input.without.contains(&member.host));
        let keys = gone.map(|(group, it)| format!("{}members/{}", group.dcs_prefix, it.name));
        keys.collect::<Vec<_>>().join("\n")
    }

    /// A host whose Patroni is alive is not gone, whoever cannot reach it.
    pub fn absent(&self, etcd: &HostName) -> Option<Step> {
        let signs = self.signs();
        let script = || self.with(&[("SIGNS", &signs)], ":", ABSENT);
        let gone = self.gone().replace('\n', ", ");
        let title = format!("see that etcd hears nothing of {gone}");
        (!signs.is_empty()).then(|| Step::on(etcd, "gone", title, script()).within(60))
    }

    /// Shell text that gives the groups their leader before Patroni starts, where a member that is gone could be faster when it comes back.
    pub fn named<'g>(&self, groups: impl Iterator<Item = (&'g Group, &'g HostName)>) -> String {
        let lacks = |group: &Group| {
            let mut members = group.members.iter();
            members.any(|member| self.input.without.contains(&member.host))
        };
        let name = |(group, host): (&Group, &HostName)| {
            let key = quote(&format!("{}leader", group.dcs_prefix));
            format!("lead {key} {}\n", quote(&self.name(host)))
        };
        let names: String = groups.filter(|(group, _)| lacks(group)).map(name).collect();
        format!(
            "lead() {{ etcd_ctl put --lease=\"$(etcd_ctl lease grant 120 | cut -d' ' -f2)\" \"$1\" \"$2\" >/dev/null; }}\n{names}"
        )
    }

    /// Where etcd keeps the groups, one a line.
    pub fn prefixes(&self) -> String {
        let groups = self.formation.groups.iter();
        let all: Vec<&str> = groups.map(|group| group.dcs_prefix.as_str()).collect();
        all.join("\n")
    }

    /// A program and its postcondition, with the point's name and the directory of what is done.
    pub fn script(&self, act: &str, holds: &str) -> Script {
        self.with(&[], act, holds)
    }

    pub fn with(&self, values: &[(&str, &str)], act: &str, holds: &str) -> Script {
        let state = format!("/var/lib/citusctl/restore/{}", self.point);
        let mut all = vec![("POINT", self.point), ("STATE", state.as_str())];
        all.extend(values);
        Script::new(given(&all, act), given(&all, holds))
    }

    /// Standbys first: a leader that stops must not hand over to one of them.
    pub fn stops(&self, act: &str, holds: &str) -> Vec<Step> {
        let leads = |host: &HostName| self.input.look.hosts.get(host).is_some_and(|it| it.leads);
        let (leading, others): (Vec<HostName>, Vec<HostName>) = self.members().partition(leads);
        let step = |hosts: Vec<HostName>, id, title: &str| {
            let scripts: BTreeMap<_, _> = hosts
                .into_iter()
                .map(|host| {
                    let script = self.script(act, holds).require(self.nobody_else(&host));
                    (host, script)
                })
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

    /// Nobody is left who would be promoted when these stop.
    fn nobody_else(&self, host: &HostName) -> String {
        let mut groups = self.formation.groups.iter();
        let group = groups.find(|group| group.members.iter().any(|it| it.host == *host));
        let members = group.map(names).unwrap_or_default();
        given(&[("MEMBERS", members.as_str())], NOBODY_ELSE)
    }

    /// Of Citus alone: what was prepared on several nodes is decided by the coordinator's record.
    pub fn prepared<T: Leads>(&self, groups: &[T]) -> Option<Step> {
        let values = [("DB", self.formation.primary_db.as_str())];
        let script = |_: &T| self.with(&values, RECOVER_PREPARED, PREPARED_HOLDS);
        let title = "decide transactions that were prepared";
        let step = || on_leaders(groups, "prepared", title, &script).within(120);
        self.formation.is_citus().then(step)
    }
}
