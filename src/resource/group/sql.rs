//! SQL through `psql` on the host of an instance: literals, names, and the shell text around them.

use super::PgAccess;
use crate::command::quote;

/// A string literal.
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

/// Shell text that runs SQL as the superuser. The SQL travels on standard input, never in argv.
pub(super) fn psql(access: &PgAccess, database: &str, sql: &str) -> String {
    format!(
        "runuser -u {} -- {}/psql -XAtq -v ON_ERROR_STOP=1 -h {} -p {} -d {} <<'CITUSCTL_SQL'\n{sql}\nCITUSCTL_SQL\n",
        quote(&access.dbsu),
        quote(&access.bin_dir),
        quote(&access.socket_dir),
        access.port,
        quote(database),
    )
}

/// The same for a look: silent when PostgreSQL is not there, and silent on a standby.
pub(super) fn ask_leader(access: &PgAccess, database: &str, sql: &str) -> String {
    let guarded = format!(
        "SELECT pg_is_in_recovery() AS standby \\gset\n\\if :standby\n\\else\n{sql}\n\\endif"
    );
    format!(
        "[ -x {}/psql ] && [ -S {}/.s.PGSQL.{} ] && {} || :",
        quote(&access.bin_dir),
        quote(&access.socket_dir),
        access.port,
        psql(access, database, &guarded)
            .replace("<<'CITUSCTL_SQL'", "2>/dev/null <<'CITUSCTL_SQL' || :")
            .trim_end_matches('\n'),
    )
    .replace("\nCITUSCTL_SQL || :", "\nCITUSCTL_SQL\n")
}
