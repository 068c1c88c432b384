//! All SQL of a look in one `psql`, which goes from database to database. Only a host that leads answers; one that runs
//! nothing, or follows, is silent. A question that fails, as on a catalogue that is not there yet, leaves the others
//! alone, and so does a database that is not there yet.

use super::{Probe, SqlSession};
use crate::command::{
    Frame, OURS, OURS_OPTION, Psql, as_user, connection, ours_before, quote, session_options,
};
use std::collections::BTreeMap;

/// What a host says, with the data directory of that server, when the PostgreSQL that answers is not ours.
pub const NOT_OURS: &str = "not_ours";

/// Questions by database, each with its name.
type ByDatabase<'a> = BTreeMap<&'a str, Vec<(&'a str, &'a str)>>;

/// Whether names mean what they say in this session, asked in words that mean the same in any.
const PINNED: &str = "SELECT pg_catalog.current_setting('search_path') OPERATOR(pg_catalog.=) 'pg_catalog, pg_temp' \
     AND CURRENT_USER OPERATOR(pg_catalog.=) SESSION_USER AS pinned \\gset\n";

/// Shell text that asks all SQL probes.
pub(super) fn questions(frame: &Frame, probes: &[Probe]) -> String {
    // How the server is reached, whichever the database.
    let mut servers = BTreeMap::<SqlSession, ByDatabase<'_>>::new();
    for probe in probes {
        if let Probe::Sql {
            name,
            session,
            query,
        } = probe
        {
            let server = SqlSession {
                database: "postgres".to_owned(),
                ..session.clone()
            };
            let databases = servers.entry(server).or_default();
            let questions = databases.entry(&session.database).or_default();
            questions.push((name, query));
        }
    }
    let asked = servers
        .iter()
        .map(|(server, databases)| ask(frame, server, databases));
    asked.collect()
}

fn ask(frame: &Frame, server: &SqlSession, databases: &ByDatabase<'_>) -> String {
    let (bin, socket) = (quote(&server.bin_dir), quote(&server.socket_dir));
    let psql = Psql {
        before: as_user(&quote(&server.dbsu)),
        bin: bin.clone(),
        host: socket.clone(),
        port: server.port.to_string(),
        database: quote(&server.database),
        user: None,
        options: session_options(server.version),
        lenient: true,
    };
    let (port, psql) = (server.port, psql.command());
    let asked: String = databases
        .iter()
        .map(|(database, questions)| in_database(frame, database, questions))
        .collect();
    let stranger = literal(&frame.line(&format!("script {NOT_OURS}")));
    let proof = ours_before(&server.data_dir);
    let follows = follows(server);
    let leader = include_str!("scripts/leader.sql");
    format!(
        "{proof}if {follows}; then :; elif [ -x {bin}/psql ] && [ -S {socket}/.s.PGSQL.{port} ]; then {psql} {OURS_OPTION} 2>/dev/null <<'CITUSCTL_SQL'\n\
         {OURS}\\set stranger {stranger}\n{leader}{asked}CITUSCTL_SQL\nfi\n",
    )
}

/// Whether the server of the data directory is a standby, which would answer nothing, and the one behind the socket, as
/// its lock file says. `o1` is the process of `postmaster.pid`. No process.
fn follows(server: &SqlSession) -> String {
    let (data, socket) = (quote(&server.data_dir), quote(&server.socket_dir));
    format!(
        "still=; [ -f {data}/standby.signal ] && [ -n \"$o1\" ] && [ \"/proc/$o1/cwd\" -ef {data} ] && {{ read -r still; }} 2>/dev/null <{socket}/.s.PGSQL.{}.lock && [ \"$still\" = \"$o1\" ]",
        server.port
    )
}

/// A `\connect` that fails would end the script, so it is only tried where there is somebody to answer. Nothing is asked in a
/// session that is not pinned: its answers would be somebody else's words.
fn in_database(frame: &Frame, database: &str, questions: &[(&str, &str)]) -> String {
    let asked: String = questions
        .iter()
        .map(|(name, query)| {
            let mark = literal(&frame.line(&format!("script {name}")));
            format!("\\echo\n\\echo {mark}\n{query}\n")
        })
        .collect();
    let (name, connection) = (literal(database), literal(&connection(database)));
    format!(
        "\\set wanted {name}\n\\set way {connection}\n\
         SELECT count(*) > 0 AS there FROM pg_catalog.pg_database WHERE datname = :'wanted' AND datallowconn \\gset\n\
         \\if :there\n\\connect -reuse-previous=on :\"way\"\n{PINNED}\\if :pinned\n{asked}\\endif\n\\endif\n"
    )
}

/// An argument of a meta-command of `psql`.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::SEARCH_PATH;

    fn probe(name: &str, database: &str) -> Probe {
        Probe::Sql {
            name: name.to_owned(),
            query: format!("SELECT '{name}';"),
            session: SqlSession {
                dbsu: "postgres".to_owned(),
                bin_dir: "/bin".to_owned(),
                socket_dir: "/run".to_owned(),
                port: 5432,
                data_dir: "/pg/data".to_owned(),
                version: 17,
                database: database.to_owned(),
            },
        }
    }

    #[test]
    fn one_psql_goes_from_database_to_database() {
        let probes = [
            probe("a", "postgres"),
            probe("it's", "app"),
            probe("c", "postgres"),
        ];
        let text = questions(&Frame::new("n0"), &probes);
        assert_eq!(text.matches("setpriv").count(), 1, "{text}");
        assert!(text.contains("\\echo '@@n0 script it''s'\n"), "{text}");
        let databases: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("\\set wanted "))
            .collect();
        assert_eq!(databases, ["'app'", "'postgres'"]);
    }

    fn assert_in_order(text: &str, parts: &[&str]) {
        let places: Vec<usize> = parts.iter().filter_map(|part| text.find(part)).collect();
        assert!(
            places.len() == parts.len() && places.is_sorted(),
            "{places:?} {text}"
        );
    }

    #[test]
    fn nothing_is_asked_of_a_server_that_is_not_ours() {
        let text = questions(&Frame::new("n0"), &[probe("a", "app")]);
        let order = [
            "</pg/data/postmaster.pid",
            OURS_OPTION,
            OURS,
            "\\set stranger '@@n0 script not_ours'\n\\if :ours\n\\else\n\\echo\n\\echo :stranger\n",
            "\\quit",
            "SELECT 'a';",
        ];
        assert_in_order(&text, &order);
    }

    #[test]
    fn only_a_pinned_session_is_asked() {
        let text = questions(&Frame::new("n0"), &[probe("a", "app")]);
        assert!(PINNED.contains(&format!("'{SEARCH_PATH}'")));
        assert!(text.contains("-c role=none"), "{text}");
        let order = [
            "PGOPTIONS=",
            "\\connect",
            PINNED,
            "\\if :pinned\n",
            "SELECT 'a';",
        ];
        assert_in_order(&text, &order);
    }

    /// What is asked in front of `psql`, against a data directory and a socket's lock.
    fn is_left_alone(signal: bool, locked: &str, cwd: &std::path::Path) -> bool {
        let dir = tempfile::tempdir().unwrap();
        let place = |name: &str| dir.path().join(name).display().to_string();
        std::fs::create_dir(place("data")).unwrap();
        let mut child = std::process::Command::new("sleep");
        let at = if cwd.as_os_str().is_empty() {
            place("data").into()
        } else {
            cwd.to_owned()
        };
        let mut child = child.arg("60").current_dir(at).spawn().unwrap();
        let pid = child.id().to_string();
        std::fs::write(place("data/postmaster.pid"), format!("{pid}\n/x\n1\n")).unwrap();
        if signal {
            std::fs::write(place("data/standby.signal"), "").unwrap();
        }
        if !locked.is_empty() {
            let text = locked.replace("PID", &pid);
            std::fs::write(place(".s.PGSQL.5432.lock"), text).unwrap();
        }
        let Probe::Sql { session, .. } = probe("a", "app") else {
            panic!("SQL")
        };
        let server = SqlSession {
            data_dir: place("data"),
            socket_dir: dir.path().display().to_string(),
            ..session
        };
        let text = format!(
            "{}if {}; then exit 7; fi",
            ours_before(&server.data_dir),
            follows(&server)
        );
        let shell = std::process::Command::new("sh")
            .args(["-c", &text])
            .output();
        let (ended, reaped) = (child.kill(), child.wait());
        assert!(ended.is_ok() && reaped.is_ok());
        shell.unwrap().status.code() == Some(7)
    }

    #[test]
    fn only_a_standby_of_ours_behind_its_own_socket_is_not_asked() {
        let own = std::path::Path::new("");
        assert!(is_left_alone(true, "PID\n/pg/data\n", own));
        assert!(!is_left_alone(false, "PID\n/pg/data\n", own));
        assert!(!is_left_alone(true, "1\n/pg/data\n", own));
        assert!(!is_left_alone(true, "", own));
        assert!(!is_left_alone(true, "PID\n", std::path::Path::new("/")));
    }

    #[test]
    fn a_database_may_be_called_like_a_connection_string() {
        assert_eq!(connection("a=b'c"), r"dbname='a=b\'c'");
        let text = questions(&Frame::new("n0"), &[probe("a", "a=b")]);
        let both = "\\set wanted 'a=b'\n\\set way 'dbname=''a=b'''\n";
        assert!(text.contains(both), "{text}");
        // As a quoted name: psql takes double quotes off whatever else stands there.
        assert!(
            text.contains("\\connect -reuse-previous=on :\"way\"\n"),
            "{text}"
        );
    }
}
