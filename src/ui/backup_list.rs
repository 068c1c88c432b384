//! What `backup list` says: backups of each group, and the points to which all of them can return.

use super::backup_view::ago;
use super::status_view::{Cell, cell, table};
use crate::model::Model;
use crate::runbook::backup::{BackupLook, Reach, on_the_way, reach};
use crate::ui::bytes;
use serde::Serialize;
use time::OffsetDateTime;

/// Everything that there is.
#[derive(Debug, Default, Serialize)]
pub struct Listing {
    pub groups: Vec<ListedGroup>,
    pub points: Vec<ListedPoint>,
    /// Groups of which nothing is known, and why.
    pub problems: Vec<String>,
}

/// A group's backups.
#[derive(Debug, Serialize)]
pub struct ListedGroup {
    pub cluster: String,
    pub newest_wal: Option<String>,
    pub backups: Vec<ListedBackup>,
}

/// A backup.
#[derive(Debug, Serialize)]
pub struct ListedBackup {
    pub label: String,
    pub kind: String,
    pub start: i64,
    pub stop: i64,
    pub size: u64,
    pub added: u64,
    /// Pages with a wrong checksum.
    pub damaged: bool,
    /// Its manifest, or a directory that it needs, is not in the repository.
    pub gone: bool,
}

/// A point, and what stands in the way of a return to it.
#[derive(Debug, Serialize)]
pub struct ListedPoint {
    pub name: String,
    pub at: i64,
    /// Why there is no way back.
    pub lacks: Option<String>,
    /// Why it is not known whether there is one. Where both are absent, all groups can return to it.
    pub unknown: Option<String>,
    /// A restore went back to before it: `--latest` and `--time` do not choose it.
    pub left: bool,
}

/// Puts together what was seen.
pub fn listing(model: &Model, look: &BackupLook) -> Listing {
    let mut found = Listing::default();
    for (_, group) in model.groups() {
        let stanza = match look.reading(group) {
            Ok((_, stanza)) => stanza,
            Err(why) => {
                found.problems.push(why);
                continue;
            }
        };
        // Who leads is another question, and one that a restore may be the answer to.
        if let Err(refusal) = look.group(group) {
            found.problems.push(refusal.reason);
        }
        let backups = stanza.sets.iter().map(|set| ListedBackup {
            label: set.label.clone(),
            kind: set.kind.clone(),
            start: set.start,
            stop: set.stop,
            size: set.size,
            added: set.added,
            damaged: set.error,
            gone: set.gone,
        });
        for set in stanza.sets.iter().filter(|set| set.gone) {
            found.problems.push(format!(
                "{}: backup {} cannot be restored: its manifest, or a directory that it needs, is not in the repository (`citusctl backup --type full` makes another)",
                group.cluster, set.label
            ));
        }
        found.groups.push(ListedGroup {
            cluster: group.cluster.to_string(),
            newest_wal: stanza.newest_wal.clone(),
            backups: backups.collect(),
        });
    }
    let points = look.points();
    found.points = points
        .into_iter()
        .map(|point| {
            let (lacks, unknown) = match reach(model, look, point) {
                Reach::Whole => (None, None),
                Reach::No(why) => (Some(why), None),
                Reach::Unknown(why) => (None, Some(why)),
            };
            ListedPoint {
                name: point.name.clone(),
                at: point.at,
                lacks,
                unknown,
                left: !on_the_way(model, look, point),
            }
        })
        .collect();
    found
}

impl Listing {
    /// As text.
    pub fn view(&self) -> String {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let rows = self.groups.iter().flat_map(|group| {
            let backups = group.backups.iter().map(move |backup| {
                vec![
                    cell(&group.cluster),
                    cell(&backup.label),
                    cell(&backup.kind),
                    cell(&format!("{} ago", ago(now - backup.stop))),
                    cell(&format!("{} s", backup.stop - backup.start)),
                    cell(&format!(
                        "{}, {} added",
                        bytes(backup.size),
                        bytes(backup.added)
                    )),
                    cell(if backup.gone {
                        "gone: its files are not in the repository"
                    } else if backup.damaged {
                        "damaged: pages with a wrong checksum"
                    } else {
                        ""
                    }),
                ]
            });
            match group.backups.is_empty() {
                true => vec![vec![cell(&group.cluster), cell("no backup")]],
                false => backups.collect::<Vec<Vec<Cell>>>(),
            }
        });
        let points = self.points.iter().map(|point| {
            let state = match (&point.lacks, &point.unknown) {
                (Some(lacks), _) => format!("no way back: {lacks}"),
                (None, Some(why)) => format!("not known: {why}"),
                (None, None) => "all groups can return to it".to_owned(),
            };
            let left = if point.left {
                "; a restore went back to before it: only `--point` leads there"
            } else {
                ""
            };
            vec![
                cell(&point.name),
                cell(&format!("{} ago", ago(now - point.at))),
                cell(&format!("{state}{left}")),
            ]
        });
        let problems = self.problems.iter().map(|text| vec![cell(text)]);
        let parts = [
            table("Backups", rows.collect()),
            table("Points", points.collect()),
            table("Problems", problems.collect()),
        ];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join("\n")
    }
}
