//! The one place that opens sessions of PostgreSQL on hosts: the words of a `psql`, and what such a session is pinned to.
//!
//! We are superusers in databases that others own, and the owner of a database chooses the settings that sessions in it begin
//! with (`ALTER DATABASE ... SET`): where names are looked up, whose role is taken, how long a statement may last. The options
//! of a connection come before those of databases and roles, so nothing of theirs is in force when the first statement
//! is read. `ci/forbid` finds a `psql` that does not come from here. Knows nothing of what is asked.

use super::quote;

/// Where names are looked up in sessions of ours: in PostgreSQL's own schema, where only superusers make objects.
pub const SEARCH_PATH: &str = "pg_catalog, pg_temp";

/// What a session of the superuser is pinned to. Event triggers stay on: only superusers make them, and Citus drops its
/// shards by one.
const PINS: [(&str, &str); 23] = [
    ("search_path", SEARCH_PATH),
    ("role", "none"),
    ("local_preload_libraries", ""),
    ("default_transaction_read_only", "off"),
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_deferrable", "off"),
    ("lock_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("row_security", "off"),
    ("check_function_bodies", "on"),
    ("standard_conforming_strings", "on"),
    ("quote_all_identifiers", "off"),
    ("client_min_messages", "notice"),
    ("datestyle", "ISO, MDY"),
    ("intervalstyle", "postgres"),
    ("timezone", "UTC"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
    ("application_name", "citusctl"),
    ("statement_timeout", "0"),
    ("session_preload_libraries", ""),
    ("session_replication_role", "origin"),
    ("lo_compat_privileges", "off"),
];

/// Since which major version there are others.
const SINCE: [(u32, &str); 2] = [(14, "idle_session_timeout"), (17, "transaction_timeout")];

/// What goes before statements that may travel through a pooler, which takes no options of a connection: the same for the
/// transaction that they are sent as. What a session of a pooler is left with is everybody's.
pub const LOCAL_PINS: &str = "SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL ROLE NONE; ";

/// The options of a connection as `PGOPTIONS` takes them: of the superuser's session to a server of this major version
/// (0: not known).
pub fn session_options(version: u32) -> String {
    let newer = SINCE.into_iter().filter(|(since, _)| *since <= version);
    let all = PINS.into_iter().chain(newer.map(|(_, name)| (name, "0")));
    words(all)
}

/// The same for a script of the operator's own, which is to find the server's settings, and names where it says: it runs in
/// a database that nobody else owns yet.
pub fn script_options(search_path: &str) -> String {
    words([("search_path", search_path), ("role", "none")].into_iter())
}

fn words<'a>(settings: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let word = |(name, value): (&str, &str)| {
        let escaped = value.replace('\\', "\\\\").replace(' ', "\\ ");
        format!("-c {name}={escaped}")
    };
    settings.map(word).collect::<Vec<_>>().join(" ")
}

/// A `psql` on a host. Each field is a word, or words, of the shell, quoted already.
#[derive(Clone, Debug)]
pub struct Psql {
    /// Goes before the program, as [`super::as_user`] gives it; empty: whoever runs the program.
    pub before: String,
    /// The directory of the program.
    pub bin: String,
    /// Socket directory or address.
    pub host: String,
    pub port: String,
    pub database: String,
    /// Who logs in; `None`: the account's own name.
    pub user: Option<String>,
    /// As [`session_options`] gives it; empty where a pooler may be in between: [`LOCAL_PINS`] then.
    pub options: String,
    /// Goes on after a statement that fails.
    pub lenient: bool,
}

impl Psql {
    /// The command: unaligned, without a header, without anybody's `.psqlrc`. Statements follow as `-c` or on standard input.
    pub fn command(&self) -> String {
        let Self {
            before,
            bin,
            host,
            port,
            database,
            ..
        } = self;
        let before = if before.is_empty() {
            String::new()
        } else {
            format!("{before} ")
        };
        let user = self.user.iter().map(|user| format!(" -U {user}"));
        let stop = if self.lenient {
            ""
        } else {
            " -v ON_ERROR_STOP=1"
        };
        format!(
            "PGCONNECT_TIMEOUT=4 PGCLIENTENCODING=UTF8 PGOPTIONS={} {before}{bin}/psql -XAtq{stop} -h {host} -p {port}{} -d {database}",
            quote(&self.options),
            user.collect::<String>(),
        )
    }
}

/// A database's name as psql takes it: one that looks like a connection string would be read as such.
pub fn connection(database: &str) -> String {
    if database.contains('=') || database.contains("://") || database == "-" {
        let escaped = database.replace('\\', "\\\\").replace('\'', "\\'");
        format!("dbname='{escaped}'")
    } else {
        database.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn psql() -> Psql {
        Psql {
            before: "setpriv x".into(),
            bin: "/bin".into(),
            host: "/run".into(),
            port: "5432".into(),
            database: "d".into(),
            user: None,
            options: session_options(17),
            lenient: false,
        }
    }

    #[test]
    fn a_session_is_pinned_before_its_first_statement() {
        let command = psql().command();
        for pin in [
            "-c search_path=pg_catalog,\\ pg_temp ",
            "-c role=none ",
            "-c default_transaction_read_only=off ",
            "-c default_transaction_isolation=read\\ committed ",
            "-c statement_timeout=0 ",
            "-c session_preload_libraries= ",
            "-c local_preload_libraries= ",
            "-c transaction_timeout=0'",
        ] {
            assert!(command.contains(pin), "{pin}: {command}");
        }
        assert!(
            command
                .ends_with("' setpriv x /bin/psql -XAtq -v ON_ERROR_STOP=1 -h /run -p 5432 -d d")
        );
        // Citus drops shards by an event trigger of its own.
        assert!(!command.contains("event_triggers"));
    }

    #[test]
    fn a_server_is_not_told_what_it_does_not_know() {
        let names = session_options;
        assert!(!names(16).contains("transaction_timeout="));
        assert!(names(16).contains("idle_session_timeout=") && !names(13).contains("idle_session"));
        assert!(!names(0).contains("idle_session"));
    }

    #[test]
    fn a_script_of_the_operator_looks_where_it_says() {
        let options = script_options("app, \"a\\b\"");
        assert_eq!(options, "-c search_path=app,\\ \"a\\\\b\" -c role=none");
    }

    #[test]
    fn an_address_has_a_user_and_a_look_goes_on() {
        let text = Psql {
            before: String::new(),
            user: Some("dba".into()),
            options: String::new(),
            lenient: true,
            ..psql()
        };
        assert!(
            text.command()
                .ends_with("PGOPTIONS='' /bin/psql -XAtq -h /run -p 5432 -U dba -d d")
        );
    }
}
