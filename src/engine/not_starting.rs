//! Why servers do not start, in PostgreSQL's own words, and whether those that run would start again.

use super::Run;
use super::gate::exec;
use super::look::futures_join;
use crate::command::quote;
use crate::fact::START_FUNCTIONS;
use crate::model::{Instance, LocalPostgres};
use crate::names::{ClusterName, InstanceName};
use std::collections::BTreeMap;

/// The one command that leads out.
pub const WAY_OUT: &str = "`citusctl apply` takes back what ALTER SYSTEM set and writes what the inventory says, also while nobody leads; correct the inventory first where it says so";

/// Whether a server would start again with the configuration that it has by now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Startable {
    /// Its own program read the configuration, and would start.
    Yes,
    /// It would not, in its own words.
    No(String),
    /// Nobody could find out, and why.
    Unknown(String),
}

impl Startable {
    fn read(said: Result<String, String>) -> Self {
        let lines = match &said {
            Ok(text) => joined(text),
            Err(why) => return Self::Unknown(why.clone()),
        };
        match lines.strip_prefix("unknown: ") {
            Some(why) => Self::Unknown(why.to_owned()),
            None if lines == "starts" => Self::Yes,
            None if lines.is_empty() => Self::Unknown("the host gave no answer".to_owned()),
            None => Self::No(lines),
        }
    }
}

/// A server that must not be stopped, since it may not start again.
#[derive(Debug)]
pub struct NotStartable {
    /// Which one, and why.
    pub words: String,
    /// What to do.
    pub way_out: &'static str,
}

/// The first of some members whose server would not start again, or of whom that is not known.
pub async fn not_startable<'m>(
    run: &Run<'_>,
    members: impl Iterator<Item = &'m Instance>,
) -> Option<NotStartable> {
    let said = ask(run, members, |local| {
        format!(
            "if [ -n \"$d\" ]; then pg_try \"$d\" {} {} auto; else echo 'unknown: /etc/citusctl/pgdata is absent: `citusctl apply` writes it'; fi",
            quote(&local.bin_dir),
            quote(&local.dbsu)
        )
    });
    let found = said.await.into_iter();
    let mut found = found.map(|(name, said)| (name, Startable::read(said)));
    found.find_map(|(name, startable)| match startable {
        Startable::Yes => None,
        Startable::No(why) => Some(NotStartable {
            words: format!("PostgreSQL of {name} would not start again: {why}"),
            way_out: "a value of ALTER SYSTEM: `ALTER SYSTEM RESET NAME` there; one of the inventory: correct it, then `citusctl apply`",
        }),
        Startable::Unknown(why) => Some(NotStartable {
            words: format!("whether PostgreSQL of {name} would start again is unknown: {why}"),
            way_out: "correct what keeps the host from answering, then run the command again",
        }),
    })
}

/// Members whose server does not run, and why.
async fn does_not_run<'m>(
    run: &Run<'_>,
    members: impl Iterator<Item = &'m Instance>,
) -> BTreeMap<InstanceName, String> {
    let said = ask(run, members, |local| {
        format!(
            "[ -z \"$d\" ] || pg_why \"$d\" {} {} {} {}",
            quote(&local.bin_dir),
            quote(&local.dbsu),
            quote(&local.patroni_log_dir),
            quote(&local.log_dir)
        )
    });
    // Words beside an error that is reported anyway: who gives none has none.
    let found = said.await.into_iter().filter_map(|(name, said)| {
        let words = joined(&said.ok()?);
        (!words.is_empty()).then_some((name, words))
    });
    found.collect()
}

/// The same as one sentence; empty where there is nothing to say.
pub async fn why_down<'m>(run: &Run<'_>, members: impl Iterator<Item = &'m Instance>) -> String {
    let found = does_not_run(run, members).await.into_iter();
    let words: Vec<String> = found
        .map(|(name, why)| format!("PostgreSQL of {name} does not start: {why}"))
        .collect();
    words.join("; ")
}

/// What Patroni answered, and PostgreSQL's own words of members whose server does not run: Patroni has none of them.
pub(super) async fn explained(run: &Run<'_>, cluster: &ClusterName, words: String) -> String {
    let Some((_, group)) = run.model.group(cluster) else {
        return words;
    };
    match why_down(run, group.members.iter()).await {
        why if why.is_empty() => words,
        why => format!("{words}; {why}"),
    }
}

/// What the host of each member says, or why it does not.
async fn ask<'m>(
    run: &Run<'_>,
    members: impl Iterator<Item = &'m Instance>,
    text: impl Fn(&LocalPostgres) -> String,
) -> BTreeMap<InstanceName, Result<String, String>> {
    let asked = members.map(|member| {
        let formation = run.model.formation(&member.formation);
        let call = formation.map(|formation| text(&formation.local));
        async move {
            let said = match call {
                Some(call) if run.fleet.get(&member.host).is_some() => {
                    let body = format!(
                        "{START_FUNCTIONS}\nd=; [ ! -f /etc/citusctl/pgdata ] || d=$(cat /etc/citusctl/pgdata)\n{call}"
                    );
                    exec(run, &member.host, &body).await
                }
                Some(_) | None => Err(format!("{} is not connected", member.host)),
            };
            (member.name.clone(), said)
        }
    });
    futures_join(asked).await.into_iter().collect()
}

fn joined(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_of_the_program_says_that_a_server_would_start() {
        let said = |text: &str| Startable::read(Ok(text.to_owned()));
        assert_eq!(said("starts\n"), Startable::Yes);
        assert_eq!(said("FATAL: no\n"), Startable::No("FATAL: no".to_owned()));
        assert_eq!(
            said("unknown: no space\n"),
            Startable::Unknown("no space".to_owned())
        );
        assert!(matches!(said(""), Startable::Unknown(_)));
        let away = Startable::read(Err("pg-test-2: connection lost".to_owned()));
        assert_eq!(
            away,
            Startable::Unknown("pg-test-2: connection lost".to_owned())
        );
    }
}
