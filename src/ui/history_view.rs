//! Past runs, one a row.

use super::summary::table;
use crate::event::Outcome;
use crate::event::history::PastRun;
use crate::names::words::duration;

/// The runs in the order given, or a line that says there are none.
pub fn history_view(runs: &[PastRun]) -> String {
    if runs.is_empty() {
        return "No runs yet.\n".to_owned();
    }
    let header = [
        "run",
        "started",
        "verb",
        "outcome",
        "hosts",
        "changed",
        "failed",
        "unreachable",
        "took",
    ];
    table(&header, 4, runs.iter().map(row))
}

fn row(run: &PastRun) -> Vec<String> {
    let started = run.started.to_string();
    vec![
        run.run.to_string(),
        started.get(..19).unwrap_or(&started).replace('T', " "),
        run.verb.clone(),
        run.outcome
            .map_or("did not finish", Outcome::word)
            .to_owned(),
        run.hosts.to_string(),
        run.changed.to_string(),
        run.failed.to_string(),
        run.unreachable.to_string(),
        duration(run.millis),
    ]
}
