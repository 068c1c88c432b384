//! What `backup check` and `backup verify` found, as aligned text.

use super::status_view::{cell, table};
use super::term::{BAD, GOOD, ODD, Style};
use crate::runbook::backup::{Findings, Proof};

/// All findings, and the verdict.
pub fn findings_view(found: &Findings) -> String {
    let rows = found.findings.iter().map(|it| {
        let style = match it.proof {
            Proof::Holds => GOOD,
            Proof::Fails => BAD,
            Proof::Unknown => ODD,
            Proof::Skipped => Style::new(),
        };
        vec![
            cell(&it.cluster),
            cell(it.what),
            (it.proof.word().to_owned(), style),
            cell(&it.words),
        ]
    });
    let number = |proof: Proof| found.findings.iter().filter(|it| it.proof == proof).count();
    let (style, word) = match found.ok {
        true => (GOOD, "healthy".to_owned()),
        false => (
            BAD,
            format!(
                "not healthy: {} failed, {} unknown",
                number(Proof::Fails),
                number(Proof::Unknown)
            ),
        ),
    };
    format!(
        "{}\n{style}{word}{style:#}\n",
        table("Backups", rows.collect())
    )
}
