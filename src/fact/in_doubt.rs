//! Transactions that were prepared and that nobody has decided: they hold their locks, and keep VACUUM from what is newer.

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InDoubt {
    /// Seconds since it was prepared.
    pub age: u64,
    pub database: String,
    /// Its name.
    pub gid: String,
}

/// The query, for a leader: those that are at least so many seconds old. Citus decides its own (`citus_...`) by itself.
pub fn in_doubt_query(age: u32) -> String {
    format!(
        "SELECT pg_catalog.floor(EXTRACT(epoch FROM pg_catalog.now() - prepared)), pg_catalog.quote_ident(database::text), \
         pg_catalog.regexp_replace(gid, '[[:cntrl:]]', '?', 'g') FROM pg_catalog.pg_prepared_xacts \
         WHERE NOT pg_catalog.pg_is_in_recovery() AND prepared <= pg_catalog.now() - interval '{age} s' ORDER BY 1 DESC LIMIT 20"
    )
}

/// Reads its answer, with `|` between columns.
pub fn read_in_doubt(text: &str) -> Vec<InDoubt> {
    let read = |line: &str| {
        let mut words = line.splitn(3, '|');
        Some(InDoubt {
            age: words.next()?.trim().parse().ok()?,
            database: words.next()?.to_owned(),
            gid: words.next()?.to_owned(),
        })
    };
    text.lines().filter_map(read).collect()
}

impl InDoubt {
    /// What it is, and what decides it.
    pub fn sentence(&self, age: &str) -> String {
        format!(
            "transaction `{}` in database {} was prepared {age} ago and is not decided: it holds its locks; `COMMIT PREPARED` or `ROLLBACK PREPARED` there decides it",
            self.gid, self.database
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_what_divides_columns() {
        let found = read_in_doubt("71|test|a|b c\nno number|x|y\n");
        let wanted = InDoubt {
            age: 71,
            database: "test".to_owned(),
            gid: "a|b c".to_owned(),
        };
        assert_eq!(found, [wanted]);
        assert!(
            found[0]
                .sentence("71 s")
                .contains("`a|b c` in database test")
        );
    }
}
