//! The steps of a restore, each with the condition by which its end is known. What is done is noted on each host below
//! `/var/lib/citusctl/restore/POINT`, so that a run that was killed goes on where it stopped.

use super::Returning;
use crate::command::given;
use crate::model::Formation;
use crate::model::backup::stanza;
use crate::names::HostName;
use crate::resource::Impact;
use crate::runbook::backup::{BackupInput, RestorePoint};
use crate::runbook::{Refusal, Script, Step};
use std::collections::BTreeMap;

const STOP: &str = include_str!("../scripts/restore-stop.sh");
const STOPPED: &str = include_str!("../scripts/restore-stopped.sh");
const ETCD: &str = include_str!("../scripts/restore-etcd.sh");
const RESTORE: &str = include_str!("../scripts/restore.sh");
const RECOVER: &str = concat!(
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

pub(in crate::runbook::backup) const RECOVER_PREPARED: &str = "[ \"$(sql \"$DB\" \"SELECT to_regprocedure('pg_catalog.recover_prepared_transactions()') IS NULL\")\" = t ] || sql \"$DB\" 'SELECT recover_prepared_transactions()'";
pub(in crate::runbook::backup) const PREPARED_HOLDS: &str = "left=$(sql \"$DB\" \"SELECT count(*) FROM pg_prepared_xacts WHERE gid LIKE 'citus\\_%'\")\n[ \"$left\" = 0 ] || { echo \"$left prepared transactions are left in $DB: $(sql \"$DB\" \"SELECT string_agg(gid, ', ' ORDER BY prepared) FROM pg_prepared_xacts WHERE gid LIKE 'citus\\_%'\")\"; false; }";

/// What a Patroni that comes back in the middle takes for another cluster.
pub(in crate::runbook::backup) const SENTINEL: &str = "1000000000000000001";

/// A program and its postcondition, with the point's name and the directory of what is done.
pub(in crate::runbook::backup) fn with_state(
    point: &str,
    values: &[(&str, &str)],
    act: &str,
    holds: &str,
) -> Script {
    let state = format!("/var/lib/citusctl/restore/{point}");
    let mut all = vec![("POINT", point), ("STATE", state.as_str())];
    all.extend(values);
    Script::new(given(&all, act), given(&all, holds))
}

/// Where etcd keeps the groups, one a line.
pub(in crate::runbook::backup) fn prefixes(formation: &Formation) -> String {
    let groups = formation.groups.iter();
    let all: Vec<&str> = groups.map(|group| group.dcs_prefix.as_str()).collect();
    all.join("\n")
}

/// The steps of a restore.
pub(super) struct Plan<'a> {
    pub input: BackupInput<'a>,
    pub formation: &'a Formation,
    pub point: &'a RestorePoint,
    pub groups: &'a [Returning<'a>],
}

impl Plan<'_> {
    pub(super) fn steps(&self) -> Result<Vec<Step>, Refusal> {
        let etcd = self.etcd()?;
        let replicas = self.replicas();
        let mut steps = vec![self.majority(&etcd)];
        if !replicas.is_empty() {
            let stop = replicas
                .iter()
                .map(|host| (host.clone(), self.stop()))
                .collect();
            steps.push(
                Step::on_all(
                    stop,
                    "stop-standbys",
                    "stop Patroni and PostgreSQL of standbys",
                )
                .within(120),
            );
        }
        steps.push(
            self.on_leaders(
                "stop-leaders",
                "stop Patroni and PostgreSQL of leaders",
                &|_| self.stop(),
            )
            .within(300)
            .with_impact(Impact::Destroys),
        );
        steps.push(Step::on(
            &etcd,
            "etcd",
            "save what etcd knows of the groups, and lock them",
            self.locked(),
        ));
        steps.push(
            self.on_leaders("restore", "put data aside and restore the backup", &|it| {
                self.restored(it)
            })
            .within(86_400),
        );
        steps.push(
            self.on_leaders("recover", "recover to the point, and prove it", &|it| {
                self.recovered(it)
            })
            .within(86_400),
        );
        steps.push(Step::on(
            &etcd,
            "unlock",
            "give the groups back to Patroni",
            self.unlocked(),
        ));
        if self.groups.iter().any(|it| it.fresh) {
            steps.push(self.on_leaders(
                "config",
                "give Patroni the configuration of the inventory, where etcd has none",
                &|_| {
                    self.script(
                        CONFIG,
                        "[ -e \"$STATE/configured\" ] || { echo 'not done yet'; false; }",
                    )
                },
            ));
        }
        steps.push(
            self.on_leaders("open", "start Patroni: each group has a leader", &|_| {
                self.script(OPEN, "[ -e \"$STATE/opened\" ] || { echo 'not started yet'; false; }\npatroni_says leader || { echo 'it does not lead yet'; false; }")
            })
            .within(180),
        );
        if self.formation.is_citus() {
            steps.push(
                self.on_leaders(
                    "prepared",
                    "decide transactions that were prepared",
                    &|_| self.prepared(),
                )
                .within(120),
            );
        }
        if !replicas.is_empty() {
            let holds = "[ -e \"$STATE/opened\" ] || { echo 'not started yet'; false; }\n[ \"$(sql postgres 'SELECT status FROM pg_stat_wal_receiver' 2>/dev/null)\" = streaming ] || { why=$(journalctl -q --no-pager -o cat -b -u patroni -n 100 2>/dev/null | grep -aE '^(pg_basebackup|pgbackrest): (error|fatal)' | tail -n 1 | cut -c 1-200); echo \"does not stream yet${why:+: last attempt: $why}\"; false; }";
            let scripts = replicas
                .iter()
                .map(|host| (host.clone(), self.script(REPLICA, holds)))
                .collect();
            steps.push(Step::on_all(scripts, "standbys", "clone standbys again").within(86_400));
        }
        steps.push(
            self.on_leaders(
                "backup",
                "make a full backup: the new history begins with it",
                &|it| self.backed_up(it),
            )
            .within(86_400),
        );
        steps.push(self.closed(&etcd));
        Ok(steps)
    }

    /// Without a majority of etcd the groups could be stopped, and not be given back.
    fn majority(&self, etcd: &HostName) -> Step {
        let holds =
            "etcd_ctl endpoint health >/dev/null 2>&1 || { echo 'etcd has no majority'; false; }";
        let title = "see that etcd has a majority, before anything is stopped";
        Step::on(etcd, "majority", title, self.script(":", holds)).within(20)
    }

    /// Also where etcd's keys were saved.
    fn closed(&self, etcd: &HostName) -> Step {
        let holds =
            "[ ! -e /etc/citusctl/restore ] && [ ! -d \"$STATE\" ] || { echo 'open'; false; }";
        let members = self.formation.members().map(|member| &member.host);
        let hosts = members
            .chain([etcd])
            .map(|host| (host.clone(), self.script(CLOSE, holds)))
            .collect();
        Step::on_all(hosts, "close", "the restore is done")
    }

    fn etcd(&self) -> Result<HostName, Refusal> {
        let members = self.input.model.etcd.iter().flat_map(|etcd| &etcd.members);
        let mut hosts = members
            .filter(|member| !member.learner)
            .map(|member| &member.host);
        let found = hosts.find(|host| self.input.look.hosts.contains_key(*host));
        found.cloned().ok_or_else(|| {
            Refusal::new(
                "no host of etcd answers",
                "`citusctl etcd status` says more",
            )
        })
    }

    fn replicas(&self) -> Vec<HostName> {
        let chosen = |host: &HostName| self.groups.iter().any(|it| it.host == *host);
        let members = self.formation.members().map(|member| member.host.clone());
        members.filter(|host| !chosen(host)).collect()
    }

    fn on_leaders(
        &self,
        id: &'static str,
        title: &str,
        script: &dyn Fn(&Returning<'_>) -> Script,
    ) -> Step {
        let scripts = self
            .groups
            .iter()
            .map(|it| (it.host.clone(), script(it)))
            .collect::<BTreeMap<_, _>>();
        Step::on_all(scripts, id, title)
    }

    /// A program and its postcondition, with the point's name and the directory of what is done.
    fn script(&self, act: &str, holds: &str) -> Script {
        self.with(&[], act, holds)
    }

    fn with(&self, values: &[(&str, &str)], act: &str, holds: &str) -> Script {
        with_state(&self.point.name, values, act, holds)
    }

    fn stop(&self) -> Script {
        self.script(STOP, STOPPED)
    }

    fn locked(&self) -> Script {
        let prefixes = prefixes(self.formation);
        self.with(
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
        let holds: String = self.groups.iter().map(is).collect();
        self.script(
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
        self.with(
            &values,
            RESTORE,
            "[ -e \"$STATE/restored\" ] || { echo 'not restored yet'; false; }",
        )
    }

    fn recovered(&self, it: &Returning<'_>) -> Script {
        self.with(
            &[("LSN", it.at.lsn.as_str())],
            RECOVER,
            "[ -e \"$STATE/recovered\" ] || { echo 'not recovered yet'; false; }",
        )
    }

    fn prepared(&self) -> Script {
        let values = [("DB", self.formation.primary_db.as_str())];
        self.with(&values, RECOVER_PREPARED, PREPARED_HOLDS)
    }

    fn backed_up(&self, it: &Returning<'_>) -> Script {
        let stanza = stanza(&it.group.cluster);
        let values = [
            ("STANZA", stanza.as_str()),
            ("KIND", "full"),
            // Retention would take the backups that the points around this one need.
            ("MORE", "--no-expire-auto"),
            ("THIS_RUN", self.input.run.as_str()),
        ];
        let made = given(&values, BACKUP_MADE);
        self.with(
            &values,
            &format!("{CHECKPOINTED}{BACKUP}\n{made}"),
            BACKUP_MADE,
        )
    }
}
