//! Why servers do not start, in PostgreSQL's own words, and whether those that run would start again.

use super::Run;
use super::gate::exec;
use super::look::futures_join;
use crate::command::quote;
use crate::fact::START_FUNCTIONS;
use crate::model::{Instance, LocalPostgres};
use crate::names::InstanceName;
use std::collections::BTreeMap;

/// The one command that leads out.
pub const WAY_OUT: &str = "`citusctl apply` takes back what ALTER SYSTEM set and writes what the inventory says, also while nobody leads; correct the inventory first where it says so";

/// Members whose server would not start again with the configuration that it has by now, and why.
pub async fn would_not_start<'m>(
    run: &Run<'_>,
    members: impl Iterator<Item = &'m Instance>,
) -> BTreeMap<InstanceName, String> {
    ask(run, members, |local| {
        format!(
            "[ -z \"$d\" ] || pg_try \"$d\" {} {} auto",
            quote(&local.bin_dir),
            quote(&local.dbsu)
        )
    })
    .await
}

/// Members whose server does not run, and why.
pub async fn does_not_run<'m>(
    run: &Run<'_>,
    members: impl Iterator<Item = &'m Instance>,
) -> BTreeMap<InstanceName, String> {
    ask(run, members, |local| {
        format!(
            "[ -z \"$d\" ] || pg_why \"$d\" {} {} {}",
            quote(&local.bin_dir),
            quote(&local.dbsu),
            quote(&local.patroni_log_dir)
        )
    })
    .await
}

/// The same as one sentence; empty where there is nothing to say.
pub async fn why_down<'m>(run: &Run<'_>, members: impl Iterator<Item = &'m Instance>) -> String {
    let found = does_not_run(run, members).await.into_iter();
    let words: Vec<String> = found
        .map(|(name, why)| format!("PostgreSQL of {name} does not start: {why}"))
        .collect();
    words.join("; ")
}

async fn ask<'m>(
    run: &Run<'_>,
    members: impl Iterator<Item = &'m Instance>,
    text: impl Fn(&LocalPostgres) -> String,
) -> BTreeMap<InstanceName, String> {
    let known = members.filter_map(|member| {
        let formation = run.model.formation(&member.formation)?;
        run.fleet.get(&member.host)?;
        Some((member, text(&formation.local)))
    });
    let asked = known.map(|(member, call)| async move {
        let body = format!(
            "{START_FUNCTIONS}\nd=; [ ! -f /etc/citusctl/pgdata ] || read -r d </etc/citusctl/pgdata || :\n{call}"
        );
        (member.name.clone(), exec(run, &member.host, &body).await)
    });
    let said = futures_join(asked).await.into_iter();
    said.filter_map(|(name, said)| {
        let said = said.ok()?;
        let lines: Vec<&str> = said
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .collect();
        (!lines.is_empty()).then(|| (name, lines.join("; ")))
    })
    .collect()
}
