//! What repositories hold, as aligned text.

use super::status_view::{Cell, cell, table};
use crate::event::status::{BackupStatus, GroupStatus};
use crate::names::words::count;
use time::OffsetDateTime;

/// One line for each group that has a repository.
pub fn backups(groups: &[GroupStatus]) -> String {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let rows = groups.iter().filter_map(|group| {
        let backup = group.backup.as_ref()?;
        Some(row(group.cluster.as_str(), backup, now))
    });
    table("Backups", rows.collect())
}

fn row(cluster: &str, backup: &BackupStatus, now: i64) -> Vec<Cell> {
    let sets = match backup.sets {
        Some(sets) => count(sets, "backup"),
        None => "unknown".to_owned(),
    };
    let last = |what: &str, at: Option<i64>| match (at, backup.sets) {
        (Some(at), _) => format!("{what} {} ago", ago(now - at)),
        (None, Some(_)) => format!("no {what}"),
        (None, None) => String::new(),
    };
    let archived = match (backup.archiving, backup.archived) {
        (Some(true), Some(at)) => format!("WAL archived {} ago", ago(now - at)),
        (Some(true), None) => "no WAL archived yet".to_owned(),
        (Some(false), _) => "WAL not archived".to_owned(),
        (None, _) => "WAL unknown".to_owned(),
    };
    let waiting = backup.waiting.filter(|waiting| *waiting > 0);
    let waiting = waiting.map_or(String::new(), |waiting| format!("{waiting} waiting"));
    vec![
        cell(cluster),
        cell(&backup.repository),
        cell(&sets),
        cell(&last("full", backup.last_full)),
        cell(&last("last", backup.last)),
        cell(&archived),
        cell(&waiting),
    ]
}

/// A time span in its largest unit.
pub fn ago(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{} s", seconds.max(0)),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_seen_is_unknown() {
        let shown = |backup: &BackupStatus| {
            let cells = row("pg-a", backup, 1000);
            let texts: Vec<String> = cells.into_iter().map(|(text, _)| text).collect();
            texts.join("|")
        };
        let unseen = BackupStatus {
            repository: "store".to_owned(),
            ..BackupStatus::default()
        };
        assert_eq!(shown(&unseen), "pg-a|store|unknown|||WAL unknown|");
        let seen = BackupStatus {
            archiving: Some(true),
            archived: Some(970),
            waiting: Some(2),
            sets: Some(0),
            ..unseen
        };
        assert_eq!(
            shown(&seen),
            "pg-a|store|0 backups|no full|no last|WAL archived 30 s ago|2 waiting"
        );
    }
}
