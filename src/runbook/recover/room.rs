//! Room on disks: a server that is promoted writes a new log at once, and etcd copies its data before it is made a cluster of
//! one. Where there is no room for that nothing is begun.

use super::{HostSeen, RecoverMethod};
use crate::names::HostName;
use crate::runbook::Refusal;

/// Three files of PostgreSQL's log and some more (MB).
const NEEDED: u64 = 64;

/// A place that is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteTarget {
    /// Of etcd, else of PostgreSQL.
    pub etcd: bool,
    pub path: String,
    pub free_mb: u64,
}

/// Reads what the survey prints of room; a place that is not there has no line of three words.
pub(super) fn read(text: &str) -> Vec<WriteTarget> {
    let place = |line: &str| {
        let (kind, rest) = line.trim().split_once(' ')?;
        let (free, path) = rest.trim_start().split_once(' ')?;
        Some(WriteTarget {
            etcd: kind == "etcd",
            path: path.to_owned(),
            free_mb: free.parse::<u64>().ok()? / 1024,
        })
    };
    text.lines().filter_map(place).collect()
}

fn scarce(seen: &HostSeen, etcd: bool) -> Option<&WriteTarget> {
    let mut places = seen.room.iter();
    places.find(|place| place.etcd == etcd && place.free_mb < NEEDED)
}

/// PostgreSQL that takes no writes yet needs room for its log.
pub(super) fn of_postgres(
    host: &HostName,
    seen: &HostSeen,
    via: RecoverMethod,
) -> Result<(), Refusal> {
    let Some(place) = scarce(seen, false).filter(|_| !seen.writable()) else {
        return Ok(());
    };
    Err(Refusal::new(
        format!(
            "{host}: the file system of {} has {} MB free: PostgreSQL could not take writes there ({NEEDED} MB at least)",
            place.path, place.free_mb
        ),
        format!(
            "nothing was changed; make room there (never by hand in pg_wal) or make it larger, then run the same command again (--via {})",
            via.word()
        ),
    ))
}

/// The member that goes on as a cluster of one needs room, too.
pub(super) fn of_etcd(host: &HostName, seen: &HostSeen) -> Result<(), Refusal> {
    let Some(place) = scarce(seen, true) else {
        return Ok(());
    };
    Err(Refusal::new(
        format!(
            "{host}: the file system of {} has {} MB free: etcd could not go on there ({NEEDED} MB at least)",
            place.path, place.free_mb
        ),
        "nothing was changed; make room there, then run the same command again; `--via promote` does without etcd",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_there_is() {
        let found =
            read("pg      51200 /pg/my data\npg  /pg/data/pg_wal\netcd 9999999 /data/etcd\n");
        let places: Vec<(bool, &str, u64)> = found
            .iter()
            .map(|place| (place.etcd, place.path.as_str(), place.free_mb))
            .collect();
        assert_eq!(
            places,
            [(false, "/pg/my data", 50), (true, "/data/etcd", 9765)]
        );
    }
}
