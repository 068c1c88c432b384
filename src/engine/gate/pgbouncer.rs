//! PgBouncer runs, and takes connections.

use super::{GateView, exec};
use crate::command::quote;
use crate::engine::Run;
use crate::engine::look::futures_join;
use crate::model::Formation;
use crate::names::HostName;
use crate::names::words::count;
use std::collections::BTreeSet;

/// What PgBouncer of these hosts still lacks.
pub(super) async fn view(run: &Run<'_>, hosts: &BTreeSet<HostName>) -> GateView {
    let asked = hosts
        .iter()
        .filter_map(|host| Some((host, look(run, host)?)));
    let answers = futures_join(asked.map(|(host, question)| async move {
        let said = exec(run, host, &question).await;
        lack(&said).map(|why| format!("{host}: {why}"))
    }))
    .await;
    let lacks: Vec<&str> = answers.iter().flatten().map(String::as_str).collect();
    match lacks.is_empty() {
        true => GateView::Open(count(answers.len(), "host")),
        false => GateView::Closed(lacks.join("; ")),
    }
}

/// The unit's state, then whether its socket lets somebody in (`pg_isready` needs no login). `None`: none is wanted there.
fn look(run: &Run<'_>, host: &HostName) -> Option<String> {
    let of = |formation: &Formation| {
        let member = formation.members().find(|member| member.host == *host)?;
        let local = &formation.local;
        Some(format!(
            "systemctl is-active pgbouncer; {} -t 3 -h {} -p {}",
            quote(&format!("{}/pg_isready", local.bin_dir)),
            quote(&local.socket_dir),
            member.pgbouncer_port?
        ))
    };
    run.model.formations.iter().find_map(of)
}

fn lack(said: &Result<String, String>) -> Option<String> {
    let said = match said {
        Ok(said) => said,
        Err(why) => return Some(format!("PgBouncer cannot be asked: {why}")),
    };
    let mut lines = said.lines().map(str::trim);
    match (lines.next(), lines.next()) {
        (Some("active"), Some(words)) if words.ends_with("accepting connections") => None,
        (Some("active"), words) => Some(format!(
            "PgBouncer takes no connections yet: {}",
            words.unwrap_or("it was not asked")
        )),
        (state, _) => Some(format!("PgBouncer is {}", state.unwrap_or("unknown"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_to_run_and_to_let_somebody_in() {
        let of = |said: &str| lack(&Ok(said.to_owned()));
        assert_eq!(
            of("active\n/run/postgresql:6432 - accepting connections\n"),
            None
        );
        assert_eq!(
            of("active\n/run/postgresql:6432 - no response\n").as_deref(),
            Some("PgBouncer takes no connections yet: /run/postgresql:6432 - no response")
        );
        assert_eq!(of("failed\n").as_deref(), Some("PgBouncer is failed"));
        assert!(of("").is_some() && lack(&Err("it hangs".to_owned())).is_some());
    }
}
