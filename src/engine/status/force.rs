//! What a server runs with besides what Patroni was told, and whether it runs in our data directory at all.

use super::StatusAnswers;
use super::findings::Findings;
use crate::command::quote;
use crate::fact::{
    InForce, OF_PATRONI, START_FUNCTIONS, altered_words, in_force_program, is_weak_setting,
    read_files_at, read_in_force,
};
use crate::model::LocalPostgres;
use crate::names::HostName;

/// What a host said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Force {
    /// Rules and settings; none where there is no data.
    pub seen: Option<InForce>,
    /// The data directory that nobody runs in, although there is data.
    pub deserted: Option<String>,
    /// Why, in PostgreSQL's own words.
    pub why: Option<String>,
}

/// Shell text. The server in a data directory is the one whose working directory it is.
pub(super) fn text(local: Option<(&LocalPostgres, u16)>) -> String {
    let loaded = local.map_or_else(
        || "false".to_owned(),
        |(local, port)| read_files_at(&local.dbsu, &local.bin_dir, &local.socket_dir, port),
    );
    let why = local.map_or_else(String::new, |(local, _)| {
        format!(
            "pg_why \"$d\" {} {} {} {} | sed 's/^/why /'",
            quote(&local.bin_dir),
            quote(&local.dbsu),
            quote(&local.patroni_log_dir),
            quote(&local.log_dir)
        )
    });
    format!(
        "{START_FUNCTIONS}\n\
         mark force; d=; [ -f /etc/citusctl/pgdata ] && d=$(cat /etc/citusctl/pgdata)\n\
         if [ -n \"$d\" ] && [ -f \"$d/PG_VERSION\" ]; then\n{}\n\
         pid=; [ -f \"$d/postmaster.pid\" ] && read -r pid <\"$d/postmaster.pid\"; r=$(cd -P \"$d\" && pwd)\n\
         if ! {{ [ -n \"$pid\" ] && [ \"$(readlink \"/proc/$pid/cwd\")\" = \"$r\" ]; }}; then printf 'deserted %s\\n' \"$r\"\n{why}\nfi\nfi\n",
        in_force_program("\"$d\"", "/etc/patroni/citusctl.yml", &loaded)
    )
}

/// Reads the answer to [`text`].
pub(super) fn read(text: &str) -> Force {
    let deserted = text.lines().find_map(|line| line.strip_prefix("deserted "));
    Force {
        seen: read_in_force(text),
        deserted: deserted.map(str::to_owned),
        why: why(text),
    }
}

fn why(text: &str) -> Option<String> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("why "));
    let lines: Vec<&str> = lines.collect();
    (!lines.is_empty()).then(|| lines.join("; "))
}

impl Findings {
    /// Servers that let in whom nobody declared, or are not ours.
    /// `declared` knows which parameters somebody declared for a host.
    pub(super) fn force(
        &mut self,
        declared: &dyn Fn(&HostName, &str) -> bool,
        answers: &StatusAnswers,
    ) {
        for (host, answer) in &answers.hosts {
            let Ok(answer) = answer else {
                continue;
            };
            if let Some(place) = &answer.force.deserted {
                let why = match (answer.procedure(), &answer.force.why) {
                    (Some(procedure), _) => format!(": {procedure} is not done"),
                    (None, Some(why)) => format!(
                        ": {why}; `citusctl apply` leads out (a value of the inventory with which it does not start: correct it first)"
                    ),
                    (None, None) => "; if one answers on its port, it is not ours".to_owned(),
                };
                self.problem(format!(
                    "{host}: no PostgreSQL runs in its data directory {place}{why}"
                ));
            }
            let Some(seen) = &answer.force.seen else {
                continue;
            };
            if seen.changed_since {
                self.problem(format!(
                    "{host}: PostgreSQL may run with something else than its files say: one of them was changed since it read them; `citusctl apply` reloads it"
                ));
            }
            for rule in seen.foreign() {
                self.problem(format!(
                    "{host}: pg_hba.conf has a rule that nobody declared: `{rule}`; `citusctl apply` takes it out"
                ));
            }
            for rule in seen.missing() {
                self.problem(format!(
                    "{host}: pg_hba.conf lacks a rule: `{rule}`; `citusctl apply` puts it back"
                ));
            }
            for (name, value) in &seen.altered {
                let patronis = OF_PATRONI.contains(&name.as_str());
                if patronis {
                    self.problem(format!(
                        "{host}: ALTER SYSTEM sets `{name}` to `{value}`, which is Patroni's to set: `citusctl apply` takes it back"
                    ));
                    continue;
                }
                match !declared(host, name) && is_weak_setting(name, value) {
                    true => self.problem(format!("{host}: {}", altered_words(name, value))),
                    false => self.warn(format!("{host}: ALTER SYSTEM sets `{name}` to `{value}`")),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::host::HostAnswers;
    use super::*;

    #[test]
    fn what_nobody_declared_is_a_problem() {
        let told = "h host all all 0.0.0.0/0 trust\n=\nt local all postgres peer\na work_mem = '1GB'\na fsync = 'off'\na autovacuum = 'off'\ndeserted /data/pg\n";
        let seen = HostAnswers {
            force: read(told),
            ..HostAnswers::default()
        };
        let answers = StatusAnswers {
            hosts: [(HostName::new("h"), Ok(seen))].into(),
            ..StatusAnswers::default()
        };
        let mut said = Findings::default();
        said.force(&|_, name| name == "autovacuum", &answers);
        assert_eq!(said.problems.len(), 4, "{:?}", said.problems);
        assert!(
            said.problems[3].contains("ALTER SYSTEM sets `fsync` to `off`, which nobody declared")
        );
        assert!(said.problems[1].contains("`host all all 0.0.0.0/0 trust`"));
        assert_eq!(
            said.warnings,
            [
                "h: ALTER SYSTEM sets `autovacuum` to `off`",
                "h: ALTER SYSTEM sets `work_mem` to `1GB`"
            ]
        );
    }
}
