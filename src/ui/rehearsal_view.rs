//! A rehearsed restore as text, and as one HTML page that needs nothing else.

use super::status_view::{cell, table};
use crate::event::rehearsal::RehearsalReport;
use crate::names::printable::printable;
use crate::ui::backup_view::ago;
use crate::ui::bytes;
use std::fmt::Write;

/// The report in a few lines.
pub fn rehearsal_view(report: &RehearsalReport) -> String {
    let verdict = if report.ok { "proven" } else { "NOT PROVEN" };
    let mut text = format!(
        "restore of {} to the point `{}` in the lab {}: {verdict}\n",
        report.formation, report.point, report.lab
    );
    for backup in &report.backups {
        let (cluster, label, size) = (&backup.cluster, &backup.label, bytes(backup.size));
        let _ = writeln!(
            text,
            "backup  {cluster}: {label} of {}, {size}",
            backup.from
        );
    }
    for step in &report.steps {
        let _ = writeln!(
            text,
            "  {:>7.1} s  {}  ({:.1} s)",
            step.at, step.title, step.took
        );
    }
    match report.rto_seconds {
        Some(seconds) => drop(writeln!(
            text,
            "RTO     {seconds:.1} s from empty machines to a leader in each group"
        )),
        None => text.push_str("RTO     unknown: no group took writes again\n"),
    }
    let _ = writeln!(
        text,
        "RPO     {}: what is younger than the point is lost",
        ago(report.rpo_seconds)
    );
    let rows = report.proofs.iter().map(|it| {
        let word = match it.proof.as_str() {
            "holds" => "ok",
            "fails" => "FAILED",
            other => other,
        };
        vec![cell(&it.of), cell(&it.what), cell(word), cell(&it.words)]
    });
    text.push_str(&table("Proofs", rows.collect()));
    for problem in &report.problems {
        let _ = writeln!(text, "problem  {problem}");
    }
    text
}

const STYLE: &str = "body{font:14px sans-serif;margin:2em;max-width:1200px}table{border-collapse:collapse}td,th{padding:2px 12px 2px 0;text-align:left}\
.bar{background:#b35900;height:12px}";

/// The report as a page of its own.
pub fn rehearsal_page(report: &RehearsalReport) -> String {
    let scale = report.seconds.max(0.1);
    let steps: String = report
        .steps
        .iter()
        .map(|step| {
            let (left, width) = (step.at / scale * 100.0, (step.took / scale * 100.0).max(0.2));
            format!(
                "<tr><td>{:.1} s</td><td>{}</td><td>{:.1} s</td><td style=\"width:40em\"><div class=\"bar\" style=\"margin-left:{left:.1}%;width:{width:.1}%\"></div></td></tr>\n",
                step.at,
                escaped(&step.title),
                step.took
            )
        })
        .collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>drill restore</title>\n<style>{STYLE}</style></head><body>\n\
         <h1>drill restore of {}</h1>\n<pre>{}</pre>\n<table><tr><th>at</th><th>what</th><th>took</th><th></th></tr>\n{steps}</table>\n</body></html>\n",
        escaped(&report.formation),
        escaped(&plain(&rehearsal_view(report))),
    )
}

/// Without what steers a terminal.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain
}

fn escaped(text: &str) -> String {
    printable(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::rehearsal::{RehearsedProof, RehearsedStep};

    #[test]
    fn says_what_was_proved_and_what_was_not() {
        let mut report = RehearsalReport {
            formation: "pg-a".to_owned(),
            point: "<p>".to_owned(),
            lab: "l".to_owned(),
            rpo_seconds: 90,
            steps: vec![RehearsedStep {
                title: "copy".to_owned(),
                at: 0.0,
                took: 2.5,
            }],
            proofs: vec![RehearsedProof {
                of: "pg-a".to_owned(),
                what: "rows".to_owned(),
                proof: "unknown".to_owned(),
                words: "it did not answer".to_owned(),
            }],
            problems: vec!["no".to_owned()],
            ..RehearsalReport::default()
        };
        let text = rehearsal_view(&report);
        for words in [
            "NOT PROVEN",
            "RTO     unknown",
            "RPO     1 min",
            "problem  no",
            "copy  (2.5 s)",
            "unknown",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert!(rehearsal_page(&report).contains("&lt;p&gt;"));
        assert_eq!(plain("a\u{1b}[32mb\u{1b}[0m"), "ab");
        (report.ok, report.rto_seconds) = (true, Some(12.0));
        assert!(rehearsal_view(&report).contains(": proven"));
    }
}
