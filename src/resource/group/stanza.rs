//! The stanza of a group in its repository, and a first full backup: made on whoever leads.

use super::{GroupChange, GroupKind, GroupVerdict, Operation, PgAccess};
use crate::command::{as_user, quote};
use crate::fact::{
    GroupSeen, Probe, RepositorySeen, StanzaSeen, read_repository, repository_question,
};
use crate::resource::{Action, Impact, Step};
use serde::Deserialize;

/// `stanza: {stanza, remote, wanted}`: the repository knows the group, or it is said that there is none.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stanza {
    /// Empty: no repository is named.
    pub stanza: String,
    /// Whether the repository is on a repository host.
    pub remote: bool,
    /// Whether somebody wants backups (`pgbackrest_enabled`).
    pub wanted: bool,
}

/// `first_backup: {stanza}`: there is a full backup.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstBackup {
    pub stanza: String,
}

const PROBE: &str = "pg_repository";

/// What is said where nothing is kept.
pub const NO_REPOSITORY: &str = "no repository is named (`pgbackrest_repo`): no backups are made and WAL is discarded, so nothing can be restored; `pgbackrest_enabled: false` says that this is meant";

fn probe(access: &PgAccess, stanza: &str) -> Vec<Probe> {
    let PgAccess {
        dbsu,
        bin_dir,
        data_dir,
        ..
    } = access;
    match stanza.is_empty() {
        true => Vec::new(),
        false => vec![Probe::Script {
            name: PROBE.to_owned(),
            text: repository_question(dbsu, bin_dir, data_dir, stanza),
        }],
    }
}

fn seen_of(seen: &GroupSeen) -> Option<RepositorySeen> {
    read_repository(seen.answers.get(PROBE)?)
}

fn on_leader(access: &PgAccess, title: String, commands: &str) -> Operation {
    let become_dbsu = as_user(&quote(&access.dbsu));
    let script = format!("cd /\nas_dbsu() {{ {become_dbsu} \"$@\"; }}\n{commands}");
    Operation::OnLeader(Step::new(title, script))
}

fn change(summary: String, operation: Operation) -> GroupVerdict {
    GroupVerdict::Differs(Box::new(GroupChange {
        action: Action::Create,
        summary,
        impact: Impact::None,
        cause: None,
        details: Vec::new(),
        operations: vec![operation],
    }))
}

impl Stanza {
    fn create(&self, access: &PgAccess) -> GroupVerdict {
        let title = format!(
            "create stanza {} and archive a segment to prove it",
            self.stanza
        );
        let stanza = quote(&self.stanza);
        let script = format!(
            "as_dbsu /usr/bin/pgbackrest --stanza={stanza} stanza-create\nas_dbsu /usr/bin/pgbackrest --stanza={stanza} check\n"
        );
        change(title.clone(), on_leader(access, title, &script))
    }

    fn judge(&self, access: &PgAccess, seen: &StanzaSeen) -> GroupVerdict {
        let version = semver::Version::parse(&seen.version).ok();
        let old = version.is_none_or(|version| version < semver::Version::new(2, 55, 0));
        if self.remote && old {
            return GroupVerdict::Refused {
                reason: format!(
                    "pgBackRest {} makes no backups on a database host that has a repository host",
                    seen.version
                ),
                hint: "install 2.55 or later (Debian 13), or use an S3 store".to_owned(),
            };
        }
        if !seen.exists {
            return self.create(access);
        }
        match &seen.system {
            Some(system) if *system != seen.server => GroupVerdict::Refused {
                reason: format!(
                    "stanza `{}` is of another database: its system identifier is {system}, the server's is {}",
                    self.stanza,
                    if seen.server.is_empty() { "not known" } else { &seen.server }
                ),
                hint: "choose another `path` for this group, or move the old stanza's directories away if nobody needs its backups".to_owned(),
            },
            Some(_) | None => GroupVerdict::Same("the stanza is there".to_owned()),
        }
    }
}

impl GroupKind for Stanza {
    fn probes(&self, access: &PgAccess) -> Vec<Probe> {
        probe(access, &self.stanza)
    }

    fn diff(&self, access: &PgAccess, seen: &GroupSeen) -> GroupVerdict {
        if self.stanza.is_empty() {
            return GroupVerdict::Same("no repository is named".to_owned());
        }
        match seen_of(seen) {
            None => GroupVerdict::Unknown(format!(
                "create stanza {}, once the group has a leader",
                self.stanza
            )),
            Some(RepositorySeen::NotInstalled) => self.create(access),
            Some(RepositorySeen::Unknown(why)) => {
                GroupVerdict::Unknown(format!("its repository cannot be read: {why}"))
            }
            Some(RepositorySeen::Known(seen)) => self.judge(access, &seen),
        }
    }

    fn warnings(&self, _: &GroupSeen) -> Vec<String> {
        let lacks = self.stanza.is_empty() && self.wanted;
        lacks
            .then(|| NO_REPOSITORY.to_owned())
            .into_iter()
            .collect()
    }
}

impl FirstBackup {
    /// A unit of its own goes on where the run that began it ends.
    fn make(&self, access: &PgAccess) -> GroupVerdict {
        let title = format!("make a first full backup of {}", self.stanza);
        let unit = quote(&format!("citusctl-first-backup-{}", self.stanza));
        let script = format!(
            "if systemctl is-active -q {unit}; then echo 'a first full backup is still being made'; exit 1; fi\n\
             systemctl reset-failed {unit} 2>/dev/null || :\n\
             systemd-run --quiet --wait --unit={unit} --uid={user} /usr/bin/pgbackrest --stanza={stanza} --type=full backup || {{\n\
             journalctl --no-pager -o cat -n 5 -u {unit}; exit 1; }}\n",
            user = quote(&access.dbsu),
            stanza = quote(&self.stanza),
        );
        change(title.clone(), on_leader(access, title, &script))
    }
}

impl GroupKind for FirstBackup {
    fn probes(&self, access: &PgAccess) -> Vec<Probe> {
        probe(access, &self.stanza)
    }

    fn diff(&self, access: &PgAccess, seen: &GroupSeen) -> GroupVerdict {
        match seen_of(seen) {
            None => GroupVerdict::Unknown(
                "make a first full backup, once the group has a leader".to_owned(),
            ),
            // The stanza says it.
            Some(RepositorySeen::Unknown(why)) => GroupVerdict::Unknown(format!(
                "whether there is a full backup is not known: {why}"
            )),
            Some(RepositorySeen::NotInstalled) => self.make(access),
            Some(RepositorySeen::Known(seen)) => match seen.last_full() {
                Some(_) => GroupVerdict::Same("there is a full backup".to_owned()),
                None => self.make(access),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = r#"[{"archive":[],"backup":[],"db":[{"id":1,"system-id":77}],"repo":[{"status":{"code":2,"message":"no valid backups"}}]}]"#;

    fn verdicts(answer: Option<&str>, remote: bool) -> (GroupVerdict, GroupVerdict) {
        let mut seen = GroupSeen::default();
        if let Some(answer) = answer {
            seen.answers.insert(PROBE.to_owned(), answer.to_owned());
        }
        let stanza = Stanza {
            stanza: "pg-a".to_owned(),
            remote,
            wanted: true,
        };
        let first = FirstBackup {
            stanza: "pg-a".to_owned(),
        };
        let access = PgAccess::default();
        (stanza.diff(&access, &seen), first.diff(&access, &seen))
    }

    #[test]
    fn a_stanza_of_another_database_is_refused() {
        let (stanza, first) = verdicts(Some(&format!("pgBackRest 2.55.1\n77\n{INFO}")), true);
        assert!(matches!(stanza, GroupVerdict::Same(_)), "{stanza:?}");
        assert!(matches!(first, GroupVerdict::Differs(_)), "{first:?}");
        for server in ["78\n", ""] {
            let (stanza, _) = verdicts(Some(&format!("pgBackRest 2.55.1\n{server}{INFO}")), true);
            assert!(matches!(stanza, GroupVerdict::Refused { .. }), "{stanza:?}");
        }
    }

    #[test]
    fn what_cannot_be_asked_is_unknown() {
        let away = INFO.replace("\"code\":2", "\"code\":99");
        for answer in [None, Some(format!("pgBackRest 2.55.1\n77\n{away}"))] {
            let (stanza, first) = verdicts(answer.as_deref(), false);
            assert!(matches!(stanza, GroupVerdict::Unknown(_)), "{stanza:?}");
            assert!(matches!(first, GroupVerdict::Unknown(_)), "{first:?}");
        }
    }

    #[test]
    fn an_old_version_is_refused_behind_a_repository_host() {
        let answer = format!("pgBackRest 2.45\n77\n{INFO}");
        assert!(matches!(
            verdicts(Some(&answer), true).0,
            GroupVerdict::Refused { .. }
        ));
        assert!(matches!(
            verdicts(Some(&answer), false).0,
            GroupVerdict::Same(_)
        ));
    }

    #[test]
    fn where_no_repository_is_named_it_is_said() {
        let none = |wanted| Stanza {
            stanza: String::new(),
            remote: false,
            wanted,
        };
        assert_eq!(none(true).warnings(&GroupSeen::default()), [NO_REPOSITORY]);
        assert!(none(false).warnings(&GroupSeen::default()).is_empty());
        assert!(none(true).probes(&PgAccess::default()).is_empty());
    }
}
