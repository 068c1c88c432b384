//! Whether a group's WAL is kept and what its repository holds, by the words of PostgreSQL and of pgBackRest on its leader.

use super::StatusAnswers;
use super::findings::Findings;
use crate::command::quote;
use crate::event::status::BackupStatus;
use crate::fact::{
    ARCHIVER_QUERY, Archiver, RepositorySeen, StanzaSeen, read_repository, repository_question,
};
use crate::model::backup::{Backups, archive_command, stanza};
use crate::model::{Formation, Group, Instance};
use crate::names::words::count;
use crate::names::{ClusterName, HostName};
use time::OffsetDateTime;

/// Days after which the last backup is old.
const OLD: i64 = 8;

/// Seconds that a segment may wait to be archived.
const WAITING: i64 = 60;

/// What a leader said.
#[derive(Clone, Debug, Default)]
pub(super) struct BackupSaid {
    pub archiver: Option<Archiver>,
    pub repository: Option<RepositorySeen>,
}

/// The questions to a member's host.
pub(super) fn text(
    formation: &Formation,
    member: &Instance,
    data_dir: &str,
    backups: Option<&Backups>,
) -> String {
    let archiver = format!(
        "mark archiver; {} {} 2>&1\n",
        formation.psql(member.port),
        quote(ARCHIVER_QUERY)
    );
    let Some(Backups::To(_)) = backups else {
        return archiver;
    };
    let local = &formation.local;
    let question = repository_question(
        &local.dbsu,
        &local.bin_dir,
        data_dir,
        &stanza(&member.cluster),
    );
    format!("{archiver}mark repository\n( {question})\n")
}

/// Reads the answers.
pub(super) fn read(archiver: Option<&str>, repository: Option<&str>) -> BackupSaid {
    BackupSaid {
        archiver: archiver.and_then(Archiver::read),
        repository: repository.and_then(read_repository),
    }
}

/// The state of a group's backups, and what is wrong with it. `leader` is who leads by Patroni's words.
pub(super) fn judge(
    group: &Group,
    backups: Option<&Backups>,
    leader: Option<&HostName>,
    answers: &StatusAnswers,
    said: &mut Findings,
) -> Option<BackupStatus> {
    let cluster = &group.cluster;
    match backups? {
        Backups::Off => None,
        Backups::Unnamed => {
            said.warn(format!(
                "{cluster}: {}",
                crate::resource::group::NO_REPOSITORY
            ));
            None
        }
        Backups::To(repository) => {
            let mut status = BackupStatus {
                repository: repository.name.clone(),
                ..BackupStatus::default()
            };
            let seen = leader.and_then(|host| answers.hosts.get(host));
            let Some(Ok(seen)) = seen else {
                said.problem(format!(
                    "{cluster}: whether WAL is archived is not known: its leader was not asked"
                ));
                return Some(status);
            };
            archiving(cluster, seen.backup.archiver.as_ref(), &mut status, said);
            kept(cluster, seen.backup.repository.as_ref(), &mut status, said);
            Some(status)
        }
    }
}

fn archiving(
    cluster: &ClusterName,
    archiver: Option<&Archiver>,
    status: &mut BackupStatus,
    said: &mut Findings,
) {
    let Some(archiver) = archiver else {
        said.problem(format!(
            "{cluster}: whether WAL is archived is not known: PostgreSQL did not say"
        ));
        return;
    };
    status.waiting = Some(archiver.waiting);
    status.archiving = Some(false);
    if archiver.mode == "off" || archiver.command != archive_command(cluster) {
        said.problem(format!(
            "{cluster}: WAL is not archived to its repository: archive_mode is {}, archive_command is `{}`",
            archiver.mode, archiver.command
        ));
    } else if archiver.fails() {
        said.problem(format!(
            "{cluster}: archiving fails: nothing has been archived since {}, the last attempt was at {}: segment {} (the leader's log in `pgbackrest_log_dir` has pgBackRest's words); {} waiting in pg_wal, which grows until this is repaired",
            archiver.archived.map_or_else(|| "its start".to_owned(), |at| moment(Some(at))),
            moment(archiver.failed),
            archiver.last_failed.as_deref().unwrap_or("unknown"),
            segments(archiver.waiting),
        ));
    } else {
        status.archiving = Some(true);
        status.archived = archiver.archived;
        if let Some(oldest) = archiver.oldest.filter(|oldest| *oldest > WAITING) {
            said.problem(format!(
                "{cluster}: archiving is behind: {} waiting in pg_wal, the oldest for {oldest} s",
                segments(archiver.waiting)
            ));
        }
    }
}

fn segments(waiting: u64) -> String {
    count(usize::try_from(waiting).unwrap_or(usize::MAX), "segment")
}

fn kept(
    cluster: &ClusterName,
    repository: Option<&RepositorySeen>,
    status: &mut BackupStatus,
    said: &mut Findings,
) {
    match repository {
        None => said.problem(format!(
            "{cluster}: what its repository holds is not known: its leader did not say"
        )),
        Some(RepositorySeen::NotInstalled) => said.problem(format!(
            "{cluster}: pgBackRest is not set up on its leader (`citusctl apply`)"
        )),
        Some(RepositorySeen::Unknown(why)) => said.problem(format!(
            "{cluster}: its repository cannot be read, so what it holds is not known: {why}"
        )),
        Some(RepositorySeen::Known(seen)) => holds(cluster, seen, status, said),
    }
}

fn holds(cluster: &ClusterName, seen: &StanzaSeen, status: &mut BackupStatus, said: &mut Findings) {
    status.sets = Some(seen.sets.len());
    status.last = seen.last().map(|set| set.stop);
    status.last_full = seen.last_full().map(|set| set.stop);
    if !seen.exists {
        said.problem(format!(
            "{cluster}: its repository does not know it: there is no stanza (`citusctl apply`)"
        ));
    } else if seen.system.as_ref() != Some(&seen.server) {
        said.problem(format!(
            "{cluster}: its stanza is of another database: nothing that was archived there is of this one"
        ));
    } else if let Some(last) = seen.last().filter(|_| seen.last_full().is_some()) {
        let days = (OffsetDateTime::now_utc().unix_timestamp() - last.stop) / 86_400;
        if days >= OLD {
            said.warn(format!("{cluster}: its last backup is {days} days old"));
        }
    } else {
        said.problem(format!(
            "{cluster}: it has no full backup, so nothing can be restored (`citusctl backup --type full`)"
        ));
    }
    for set in seen.sets.iter().filter(|set| set.error) {
        said.problem(format!(
            "{cluster}: backup {} has pages whose checksum does not hold",
            set.label
        ));
    }
}

/// A time in UTC, as logs have it.
fn moment(seconds: Option<i64>) -> String {
    let known = seconds.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
    known.map_or("an unknown time".to_owned(), |at| {
        format!(
            "{} {:02}:{:02}:{:02} UTC",
            at.date(),
            at.hour(),
            at.minute(),
            at.second()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(archiver: Option<Archiver>, repository: Option<RepositorySeen>) -> Vec<String> {
        let (mut said, mut status) = (Findings::default(), BackupStatus::default());
        let cluster = ClusterName::new("pg-a");
        archiving(&cluster, archiver.as_ref(), &mut status, &mut said);
        kept(&cluster, repository.as_ref(), &mut status, &mut said);
        said.problems
    }

    fn sound() -> Archiver {
        Archiver {
            mode: "on".to_owned(),
            command: archive_command(&ClusterName::new("pg-a")),
            archived: Some(10),
            ..Archiver::default()
        }
    }

    fn full() -> StanzaSeen {
        let set = crate::fact::BackupSet {
            kind: "full".to_owned(),
            stop: OffsetDateTime::now_utc().unix_timestamp(),
            ..crate::fact::BackupSet::default()
        };
        StanzaSeen {
            exists: true,
            server: "7".to_owned(),
            system: Some("7".to_owned()),
            sets: vec![set],
            ..StanzaSeen::default()
        }
    }

    fn known(seen: StanzaSeen) -> Option<RepositorySeen> {
        Some(RepositorySeen::Known(Box::new(seen)))
    }

    #[test]
    fn what_discards_wal_and_what_was_not_asked_are_problems() {
        assert_eq!(problems(Some(sound()), known(full())), Vec::<String>::new());
        let discards = Archiver {
            command: "/bin/true".to_owned(),
            ..sound()
        };
        let fails = Archiver {
            failed: Some(11),
            ..sound()
        };
        let behind = Archiver {
            waiting: 17,
            oldest: Some(61),
            ..sound()
        };
        for (archiver, words) in [
            (Some(discards), "archive_command is `/bin/true`"),
            (
                Some(fails),
                "nothing has been archived since 1970-01-01 00:00:10 UTC, the last attempt was at 1970-01-01 00:00:11 UTC",
            ),
            (
                Some(behind),
                "17 segments waiting in pg_wal, the oldest for 61 s",
            ),
            (None, "is not known"),
        ] {
            let said = problems(archiver, known(full()));
            assert!(said.len() == 1 && said[0].contains(words), "{said:?}");
        }
        let empty = StanzaSeen {
            sets: Vec::new(),
            ..full()
        };
        let other = StanzaSeen {
            system: Some("8".to_owned()),
            ..full()
        };
        for (repository, words) in [
            (known(empty), "no full backup"),
            (known(other), "of another database"),
            (known(StanzaSeen::default()), "there is no stanza"),
            (
                Some(RepositorySeen::Unknown("away".to_owned())),
                "not known: away",
            ),
            (None, "is not known"),
        ] {
            let said = problems(Some(sound()), repository);
            assert!(said.len() == 1 && said[0].contains(words), "{said:?}");
        }
    }
}
