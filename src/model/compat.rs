//! Which versions of PostgreSQL, Citus and Patroni go together: a table, `compat.json`.
//!
//! Sources: the check in Citus's `configure.ac` at the tags v12.0.0 to v14.0.0 (13.0.0 alone still
//! built with PostgreSQL 14; 13.0.1 no longer does, so 13.0 is listed without it), and Patroni's
//! release notes from 3.0.0 to 4.1.4. Distributions: what their own archives carry.

use super::Os;
use semver::Version;
use serde::Deserialize;
use std::collections::BTreeMap;

const TABLE: &str = include_str!("compat.json");

/// The whole table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compat {
    /// Major versions of PostgreSQL that the catalog knows.
    pub postgresql: Vec<u32>,
    /// By version, oldest first.
    pub citus: Vec<CitusRow>,
    pub patroni: PatroniRows,
    /// What a distribution's own archive carries.
    pub distributions: BTreeMap<Os, Distribution>,
}

/// One minor series of Citus.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CitusRow {
    /// As in `13.2`.
    pub version: String,
    pub postgresql: Vec<u32>,
}

/// What is known of Patroni.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatroniRows {
    /// Below it Patroni knows no Citus.
    pub minimum: Version,
    /// What a new installation should take.
    pub recommended: Version,
    pub postgresql: Vec<Since>,
    pub traps: Vec<Trap>,
}

/// The Patroni that first knew a major version of PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Since {
    pub major: u32,
    pub since: Version,
}

/// A range of Patroni's versions with a known fault.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trap {
    pub since: Version,
    /// The first version without the fault.
    pub before: Version,
    /// Whether it concerns Citus alone.
    pub citus: bool,
    pub reason: String,
}

/// Versions in the archive of one distribution.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distribution {
    pub postgresql: u32,
    pub patroni: Version,
    pub etcd: Version,
    pub haproxy: String,
}

impl Default for PatroniRows {
    fn default() -> Self {
        Self {
            minimum: Version::new(3, 0, 0),
            recommended: Version::new(4, 1, 3),
            postgresql: Vec::new(),
            traps: Vec::new(),
        }
    }
}

impl Compat {
    /// The table that is built in. A test proves that it can be read.
    pub fn shipped() -> Self {
        serde_json::from_str(TABLE).unwrap_or_default()
    }

    /// The row of a Citus version (`13.2`, `13.2.2`, `v13.2.2-1`).
    pub fn citus(&self, version: &str) -> Option<&CitusRow> {
        let digits = version.trim_start_matches('v');
        self.citus.iter().find(|row| {
            let rest = digits.strip_prefix(row.version.as_str());
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
        })
    }

    /// The series of Citus that run on a major version of PostgreSQL.
    pub fn citus_for(&self, postgresql: u32) -> Vec<&str> {
        let rows = self
            .citus
            .iter()
            .filter(|row| row.postgresql.contains(&postgresql));
        rows.map(|row| row.version.as_str()).collect()
    }

    /// The oldest Patroni that knows a major version of PostgreSQL.
    pub fn patroni_for(&self, postgresql: u32) -> Option<&Version> {
        let mut rows = self.patroni.postgresql.iter();
        rows.find(|row| row.major == postgresql)
            .map(|row| &row.since)
    }

    /// The known faults of a Patroni.
    pub fn traps<'a>(
        &'a self,
        patroni: &'a Version,
        citus: bool,
    ) -> impl Iterator<Item = &'a Trap> {
        self.patroni.traps.iter().filter(move |trap| {
            trap.since <= *patroni && *patroni < trap.before && (citus || !trap.citus)
        })
    }
}

/// Reads a version as packages and people write it: `4.0.7`, `4.0`, `v3.0.2-1~deb12u1`.
pub fn version(text: &str) -> Option<Version> {
    let digits = text.trim().trim_start_matches('v');
    let end = digits
        .find(|c: char| c != '.' && !c.is_ascii_digit())
        .unwrap_or(digits.len());
    let mut parts = digits[..end].split('.').map(str::parse);
    let mut next = || parts.next().unwrap_or(Ok(0)).ok();
    Some(Version::new(next()?, next()?, next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read() {
        let table: Compat = serde_json::from_str(TABLE).unwrap();
        assert_eq!(table, Compat::shipped());
        assert!(
            table
                .postgresql
                .iter()
                .all(|major| table.patroni_for(*major).is_some())
        );
        for row in &table.citus {
            assert!(
                row.postgresql
                    .iter()
                    .all(|major| table.postgresql.contains(major))
            );
        }
    }

    #[test]
    fn finds_rows_by_series() {
        let table = Compat::shipped();
        assert_eq!(table.citus("13.2.2").unwrap().version, "13.2");
        assert_eq!(table.citus("v12.1").unwrap().postgresql, [14, 15, 16]);
        assert!(table.citus("12.10").is_none());
        assert_eq!(table.citus_for(18), ["14.0"]);
    }

    #[test]
    fn finds_traps() {
        let table = Compat::shipped();
        let count = |text: &str, citus| table.traps(&version(text).unwrap(), citus).count();
        assert_eq!(count("3.0.2", true), 2);
        assert_eq!(count("3.0.2", false), 1);
        assert_eq!(count("4.0.7", true), 0);
        assert_eq!(count("4.1.3", true), 0);
    }

    #[test]
    fn reads_versions() {
        assert_eq!(version("3.0.2-1~deb12u1"), Some(Version::new(3, 0, 2)));
        assert_eq!(version("4.0"), Some(Version::new(4, 0, 0)));
        assert_eq!(version("latest"), None);
    }
}
