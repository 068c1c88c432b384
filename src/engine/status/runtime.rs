//! What HAProxy and PgBouncer run with, against their files and ours.

use super::StatusAnswers;
use super::findings::Findings;
use crate::command::{Psql, Sections, as_user, quote};
use crate::engine::Run;
use crate::model::{Formation, Instance};
use std::collections::BTreeMap;

/// What a host said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Runtime {
    /// Files that HAProxy reads and we did not write.
    foreign: Vec<String>,
    /// Its files were written after the HAProxy that serves had read them.
    stale: bool,
    /// What somebody changed by HAProxy's socket.
    drift: Vec<String>,
    /// `None`: PgBouncer was not asked, or gave no answer.
    pooler: Option<Pooler>,
}

/// PgBouncer in its own words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Pooler {
    /// Databases that take no queries, and why.
    shut: Vec<(String, &'static str)>,
    /// Settings: name, what it runs with, what its files say.
    settings: Vec<(String, String, String)>,
}

/// Shell text.
pub(super) const HAPROXY: &str = include_str!("scripts/haproxy.sh");

/// Shell text: the console of PgBouncer lets in its own account over the socket.
pub(super) fn pgbouncer(formation: &Formation, member: &Instance) -> String {
    let Some(port) = member.pgbouncer_port else {
        return String::new();
    };
    let local = &formation.local;
    let psql = Psql {
        before: format!("timeout 4 {}", as_user(&quote(&local.dbsu))),
        bin: quote(&local.bin_dir),
        host: quote(&local.socket_dir),
        port: port.to_string(),
        database: "pgbouncer".to_owned(),
        user: Some("pgbouncer".to_owned()),
        options: String::new(),
        lenient: true,
    };
    let psql = psql.command();
    let asked = include_str!("scripts/pgbouncer.sh");
    format!("pgbouncer_says() {{ {psql} -w -F '|' -c \"$1\"; }}\n{asked}")
}

/// Reads both answers.
pub(super) fn read(sections: &Sections) -> Runtime {
    let haproxy = sections.get("haproxy").unwrap_or_default();
    let foreign = haproxy
        .lines()
        .filter_map(|line| line.strip_prefix("foreign "));
    let of = |what: &str| {
        let mut all = sections.starting_with("pgbouncer");
        all.find_map(|(name, text)| (name == what).then_some(text))
    };
    let pooler = match (of("databases"), of("config"), of("files")) {
        (Some(databases), Some(config), Some(files)) if !config.trim().is_empty() => Some(Pooler {
            shut: databases.lines().flat_map(shut).collect(),
            settings: differing(config, files),
        }),
        _ => None,
    };
    Runtime {
        foreign: foreign.map(str::to_owned).collect(),
        stale: haproxy.lines().any(|line| line == "stale"),
        drift: haproxy
            .lines()
            .filter_map(|line| line.strip_prefix("drift "))
            .map(str::to_owned)
            .collect(),
        pooler,
    }
}

/// The last two columns of a row: paused, disabled.
fn shut(line: &str) -> Vec<(String, &'static str)> {
    let fields: Vec<&str> = line.split('|').collect();
    let [name, .., paused, disabled] = fields.as_slice() else {
        return Vec::new();
    };
    let states = [(*paused, "is paused"), (*disabled, "is disabled")];
    let found = states.into_iter().filter(|(flag, _)| *flag == "1");
    found.map(|(_, word)| ((*name).to_owned(), word)).collect()
}

fn differing(config: &str, files: &str) -> Vec<(String, String, String)> {
    let runs: BTreeMap<&str, &str> = config
        .lines()
        .filter_map(|line| {
            let (name, rest) = line.split_once('|')?;
            Some((name, rest.split('|').next().unwrap_or_default()))
        })
        .collect();
    // Another's settings are not compared with ours: that it is another one is said of its port.
    let ours = |file: &&str| *file == "/etc/pgbouncer/pgbouncer.ini";
    if !runs.get("conffile").is_none_or(ours) {
        return Vec::new();
    }
    let wanted = files.lines().filter_map(|line| {
        let (name, value) = line.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        let is = *runs.get(name)?;
        (is != value).then(|| (name.to_owned(), is.to_owned(), value.to_owned()))
    });
    wanted.collect()
}

impl Findings {
    /// Runtimes that are not what files say.
    pub(super) fn runtime(&mut self, run: &Run<'_>, answers: &StatusAnswers) {
        for (host, answer) in &answers.hosts {
            let Ok(seen) = answer else { continue };
            for file in &seen.runtime.foreign {
                self.problem(format!(
                    "{host}: HAProxy reads {file}, which nobody declared: move it away, or declare it in `haproxy_services`"
                ));
            }
            for words in &seen.runtime.drift {
                self.problem(format!(
                    "{host}: HAProxy: {words}, set by hand: `systemctl reload haproxy` there takes it back"
                ));
            }
            if seen.runtime.stale {
                self.problem(format!(
                    "{host}: HAProxy runs with a configuration that is older than its files: `systemctl reload haproxy` there"
                ));
            }
            let active = seen
                .units
                .get("pgbouncer")
                .is_some_and(|state| state == "active");
            let pooled = run.model.hosts.get(host).and_then(|host| host.pg.as_ref());
            match &seen.runtime.pooler {
                Some(pooler) => self.pooler(host.as_str(), pooler),
                None if active && pooled.is_some_and(|member| member.pgbouncer_port.is_some()) => {
                    self.problem(format!(
                        "{host}: what PgBouncer runs with is not known: its console gave no answer"
                    ))
                }
                None => {}
            }
        }
    }

    fn pooler(&mut self, host: &str, pooler: &Pooler) {
        for (database, word) in &pooler.shut {
            self.problem(format!(
                "{host}: database `{database}` {word} in PgBouncer, set by hand: `RESUME` or `ENABLE` on its console takes it back"
            ));
        }
        for (name, is, file) in &pooler.settings {
            self.problem(format!(
                "{host}: PgBouncer runs with `{name}` = `{is}`, and its file says `{file}`: `systemctl reload pgbouncer` there"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Frame;

    fn read_text(text: &str) -> Runtime {
        read(&Frame::new("n").sections(text))
    }

    #[test]
    fn what_was_set_by_hand_is_told_from_what_files_say() {
        let seen = read_text(
            "@@n haproxy\nforeign /etc/haproxy/conf.d/x.cfg\nstale\ndrift the check of a/b is off\n@@n pgbouncer databases\nmeta|/run|5432|meta|0|1|0\npostgres|/run|5432|postgres|0|0|1\n\
             @@n pgbouncer config\npool_mode|session|session|yes\nauth_query|SELECT 1|x|yes\n@@n pgbouncer files\n; a = b\npool_mode = transaction\nauth_query = SELECT 1\n",
        );
        assert_eq!(seen.foreign, ["/etc/haproxy/conf.d/x.cfg"]);
        assert!(seen.stale);
        assert_eq!(seen.drift, ["the check of a/b is off"]);
        let pooler = seen.pooler.expect("it answered");
        let shut = [("meta", "is paused"), ("postgres", "is disabled")];
        assert_eq!(
            pooler.shut,
            shut.map(|(name, word)| (name.to_owned(), word))
        );
        let row = ("pool_mode", "session", "transaction");
        assert_eq!(
            pooler.settings,
            [(row.0.to_owned(), row.1.to_owned(), row.2.to_owned())]
        );
    }

    #[test]
    fn no_answer_is_not_known() {
        let seen = read_text(
            "@@n haproxy\n@@n pgbouncer databases\n@@n pgbouncer config\n@@n pgbouncer files\n",
        );
        assert_eq!(seen, Runtime::default());
    }
}
