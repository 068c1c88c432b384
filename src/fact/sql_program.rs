//! All SQL of a look in one `psql` for each database. Only a host that leads answers; one that runs nothing, or
//! follows, is silent. A question that fails, as on a catalogue that is not there yet, leaves the others alone.

use super::{Probe, SqlSession};
use crate::command::{Frame, quote};
use std::collections::BTreeMap;

/// Shell text that asks all SQL probes.
pub(super) fn questions(frame: &Frame, probes: &[Probe]) -> String {
    let mut sessions = BTreeMap::<&SqlSession, Vec<(&str, &str)>>::new();
    for probe in probes {
        if let Probe::Sql {
            name,
            session,
            query,
        } = probe
        {
            sessions.entry(session).or_default().push((name, query));
        }
    }
    let asked = sessions
        .iter()
        .map(|(session, questions)| ask(frame, session, questions));
    asked.collect()
}

fn ask(frame: &Frame, session: &SqlSession, questions: &[(&str, &str)]) -> String {
    let (bin, socket) = (quote(&session.bin_dir), quote(&session.socket_dir));
    let (user, port) = (quote(&session.dbsu), session.port);
    let marked: String = questions
        .iter()
        .map(|(name, query)| {
            let mark = literal(&frame.line(&format!("script {name}")));
            format!("\\echo\n\\echo {mark}\n{query}\n")
        })
        .collect();
    // `setpriv` and not `runuser`: no session of PAM, and no line in the host's log, for a look.
    format!(
        "[ -x {bin}/psql ] && [ -S {socket}/.s.PGSQL.{port} ] && \
         setpriv --reuid {user} --regid {user} --init-groups {bin}/psql -XAtq -h {socket} -p {port} -d {} 2>/dev/null <<'CITUSCTL_SQL'\n\
         SELECT pg_is_in_recovery() AS standby \\gset\n\\if :standby\n\\else\n{marked}\\endif\nCITUSCTL_SQL\n",
        quote(&session.database)
    )
}

/// An argument of a meta-command of `psql`.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(name: &str, database: &str) -> Probe {
        Probe::Sql {
            name: name.to_owned(),
            query: format!("SELECT '{name}';"),
            session: SqlSession {
                dbsu: "postgres".to_owned(),
                bin_dir: "/bin".to_owned(),
                socket_dir: "/run".to_owned(),
                port: 5432,
                database: database.to_owned(),
            },
        }
    }

    #[test]
    fn one_session_for_each_database_whatever_the_number_of_questions() {
        let probes = [
            probe("a", "postgres"),
            probe("it's", "app"),
            probe("c", "postgres"),
        ];
        let text = questions(&Frame::new("n0"), &probes);
        assert_eq!(text.matches("setpriv").count(), 2, "{text}");
        assert!(text.contains("\\echo '@@n0 script it''s'\n"), "{text}");
        let (app, postgres) = text.split_once("fi\n").unwrap_or((&text, ""));
        assert!(
            app.contains("-d app") || postgres.contains("-d app"),
            "{text}"
        );
    }
}
