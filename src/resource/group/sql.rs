//! SQL through `psql` on the host of an instance: literals, names, and the shell text around them.

use super::PgAccess;
use crate::command::{
    OURS_OPTION, Psql, as_user, connection, ours_before, ours_or_stop, quote, script_options,
    session_options,
};
use crate::fact::{Probe, SqlSession};

/// A string literal, right whatever `standard_conforming_strings` is.
pub(super) fn literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if text.contains('\\') {
        format!("E'{}'", doubled.replace('\\', "\\\\"))
    } else {
        format!("'{doubled}'")
    }
}

/// A name, quoted.
pub(super) fn name(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A role, or the public for the empty name.
pub(super) fn role(text: &str) -> String {
    if text.is_empty() {
        "PUBLIC".to_owned()
    } else {
        name(text)
    }
}

/// What goes before statements that hold a secret: neither the server's log, nor its statistics, nor an error
/// message repeats them.
pub(super) const SECRETLY: &str = "\\set VERBOSITY terse\nSET track_activities = off; SET log_statement = 'none'; \
     SET log_min_duration_statement = -1; SET log_min_duration_sample = -1; SET log_min_error_statement = 'panic'; \
     SET log_duration = off; SET pg_stat_statements.track = 'none'; SET auto_explain.log_min_duration = -1; SET pgaudit.log = 'none';\n";

/// What goes before statements that are meant for this node alone: what other nodes of Citus lack is found out there.
pub(super) const HERE_ONLY: &str =
    "SET client_min_messages = warning; SET citus.enable_ddl_propagation = off;\n";

/// Shell text that takes back what `ALTER SYSTEM` said, on the host's own server, whether it leads or follows.
pub(in crate::resource) fn reset_settings(access: &PgAccess, names: &[&str]) -> String {
    let resets = names
        .iter()
        .map(|setting| format!("ALTER SYSTEM RESET {};\n", name(setting)));
    let resets: String = resets.collect();
    psql(
        access,
        "postgres",
        &format!("{resets}SELECT pg_catalog.pg_reload_conf();"),
    )
}

/// Shell text that runs SQL as the superuser. The SQL travels on standard input, never in argv.
pub(super) fn psql(access: &PgAccess, database: &str, sql: &str) -> String {
    shell(access, database, sql, session_options(access.version))
}

/// The same for a script of the operator's own, which looks for names in these schemas.
pub(super) fn script(access: &PgAccess, database: &str, sql: &str, search_path: &str) -> String {
    shell(access, database, sql, script_options(search_path))
}

fn shell(access: &PgAccess, database: &str, sql: &str, options: String) -> String {
    let mut end = "CITUSCTL_SQL".to_owned();
    while sql.contains(&end) {
        end.push('_');
    }
    let psql = Psql {
        before: as_user(&quote(&access.dbsu)),
        bin: quote(&access.bin_dir),
        host: quote(&access.socket_dir),
        port: access.port.to_string(),
        database: quote(&connection(database)),
        user: None,
        options,
        lenient: false,
    };
    format!(
        "{}{} {OURS_OPTION} <<'{end}'\n{}{sql}\n{end}\n",
        ours_before(&access.data_dir),
        psql.command(),
        ours_or_stop(&access.data_dir),
    )
}

/// A question for a look: answered by the leader's host, silent elsewhere.
pub(super) fn ask_leader(
    access: &PgAccess,
    database: &str,
    name: impl Into<String>,
    query: impl Into<String>,
) -> Probe {
    Probe::Sql {
        name: name.into(),
        query: query.into(),
        session: SqlSession {
            dbsu: access.dbsu.clone(),
            bin_dir: access.bin_dir.clone(),
            socket_dir: access.socket_dir.clone(),
            port: access.port,
            data_dir: access.data_dir.clone(),
            version: access.version,
            database: database.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_the_text_early() {
        let access = PgAccess::default();
        let text = psql(&access, "a b", "COMMENT ON ROLE x IS 'y\nCITUSCTL_SQL\nz'");
        assert!(text.ends_with("\nCITUSCTL_SQL_\n"));
        assert!(text.contains("-d 'a b'"));
    }

    #[test]
    fn quotes_what_must_be_quoted() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal(r"a\'b"), r"E'a\\''b'");
        assert_eq!(name("a\"b"), "\"a\"\"b\"");
        assert_eq!(role(""), "PUBLIC");
    }
}
