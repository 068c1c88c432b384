//! A drill's report as text, and as one HTML page with a timeline that needs nothing else.

use crate::event::drill::{Chaos, DrillReport, Millis, Recovery, State};
use crate::names::printable::printable;
use std::fmt::Write;

/// The report in a few lines.
pub fn drill_view(report: &DrillReport) -> String {
    let writes = &report.writes;
    let verdict = if report.ok { "passed" } else { "FAILED" };
    let mut text = format!(
        "drill {} of {} ({}): {verdict}\n",
        report.drill, report.group, report.citus
    );
    for mark in &report.marks {
        let took = mark
            .took
            .map(|took| format!("  ({})", seconds(took)))
            .unwrap_or_default();
        let _ = writeln!(text, "  {:>8}  {}{took}", seconds(mark.at), mark.title);
    }
    let _ = writeln!(
        text,
        "writes     {} acknowledged, {} errors",
        writes.acknowledged, writes.errors
    );
    for (words, times) in &writes.refused {
        let _ = writeln!(text, "           {times} x {words}");
    }
    let _ = writeln!(
        text,
        "write gap  {} (from {})",
        seconds(writes.gap),
        seconds(writes.gap_from)
    );
    let _ = writeln!(
        text,
        "leaderless {} (no member took writes; the rest is HAProxy's checks)",
        seconds(report.leaderless)
    );
    let _ = writeln!(text, "missing    {} acknowledged rows", writes.missing);
    let _ = writeln!(text, "two writers  {}", two_writers(report));
    if let Some(recovery) = &report.recovery {
        text.push_str(&recovery_view(recovery));
    }
    if let Some(chaos) = &report.chaos {
        text.push_str(&chaos_view(chaos));
    }
    text.push_str(&said_view(report));
    for problem in &report.problems {
        let _ = writeln!(text, "problem    {problem}");
    }
    text
}

/// When two members took writes at once.
fn two_writers(report: &DrillReport) -> String {
    let times = report.two_writers.iter().map(|at| {
        let (from, to) = (seconds(at.from), seconds(at.to));
        format!("{} and {} from {from} to {to}", at.one, at.other)
    });
    let times: Vec<String> = times.collect();
    match times.is_empty() {
        true => "never".to_owned(),
        false => times.join("; "),
    }
}

/// What our own verbs said meanwhile.
fn said_view(report: &DrillReport) -> String {
    let mut text = String::new();
    for said in &report.said {
        let _ = writeln!(
            text,
            "said       at {}, `{}` (exit {}):",
            seconds(said.at),
            said.verb,
            said.exit
        );
        for line in &said.lines {
            let _ = writeln!(text, "             {line}");
        }
    }
    text
}

/// What random faults left.
fn chaos_view(chaos: &Chaos) -> String {
    let from = chaos
        .seed
        .map_or("a trace".to_owned(), |seed| format!("seed {seed}"));
    let mut text = format!("chaos      {from}: {} acts\n", chaos.trace.len());
    let healthy = chaos.healthy.map_or("never".to_owned(), seconds);
    let _ = writeln!(text, "healthy    {healthy} after the last fault");
    let promise = match chaos.promised {
        true => "commits wait for a standby: no acknowledged row may be missing",
        false => "commits do not wait for a standby: a failover may lose the last ones",
    };
    let _ = writeln!(text, "promise    {promise}");
    for line in &chaos.checked {
        let _ = writeln!(text, "checked    {line}");
    }
    text
}

/// What three lose two cost.
fn recovery_view(recovery: &Recovery) -> String {
    let after = |after: Option<Millis>| after.map_or("never".to_owned(), seconds);
    let mut text = format!(
        "survivor   {}, the {}; lost: {}; by {}, then {}\n",
        recovery.survivor,
        recovery.role,
        recovery.lost.join(", "),
        recovery.via,
        recovery.back
    );
    let _ = writeln!(
        text,
        "writable   {} after consent, through HAProxy",
        after(recovery.haproxy)
    );
    if recovery.has_vip {
        let _ = writeln!(
            text,
            "           {} after consent, through the address",
            after(recovery.vip)
        );
    }
    let had = recovery.survivor_had;
    let had = had.map_or("an unknown number of".to_owned(), |rows| rows.to_string());
    let _ = writeln!(
        text,
        "rows       the survivor had {had}: {} of them missing; {} acknowledged rows were on lost hosts only",
        recovery.survivor_missing, recovery.lost_with_hosts
    );
    text
}

fn seconds(millis: Millis) -> String {
    format!("{}.{:03} s", millis / 1000, millis % 1000)
}

const WIDTH: u64 = 1000;
const LEFT: u64 = 150;
const ROW: u64 = 28;

/// The report as a page of its own.
pub fn drill_page(report: &DrillReport) -> String {
    let marks: String = report
        .marks
        .iter()
        .map(|mark| {
            let took = mark.took.map(seconds).unwrap_or_default();
            format!(
                "<tr><td>{}</td><td>{}</td><td>{took}</td></tr>\n",
                seconds(mark.at),
                escaped(&mark.title)
            )
        })
        .collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>drill {name}</title>\n<style>{STYLE}</style></head><body>\n\
         <h1>drill {name} of {group}</h1>\n<pre>{text}</pre>\n{svg}\n\
         <p><span class=\"k writable\"></span> takes writes <span class=\"k read\"></span> standby <span class=\"k down\"></span> does not answer \
         <span class=\"k served\"></span> writes acknowledged <span class=\"k gap\"></span> longest gap <span class=\"k step\"></span> steps</p>\n\
         <table><tr><th>at</th><th>what</th><th>took</th></tr>\n{marks}</table>\n</body></html>\n",
        name = escaped(&report.drill),
        group = escaped(&report.group),
        text = escaped(&drill_view(report)),
        svg = timeline(report),
    )
}

const STYLE: &str = "body{font:14px sans-serif;margin:2em;max-width:1200px}table{border-collapse:collapse}td,th{padding:2px 12px 2px 0;text-align:left}\
svg text{font:12px sans-serif}.writable{fill:#2a9d4a;background:#2a9d4a}.read{fill:#9dc3e6;background:#9dc3e6}.down{fill:#c8c8c8;background:#c8c8c8}\
.served{fill:#37474f;background:#37474f}.gap{fill:#d64545;background:#d64545}.step{fill:#b35900;background:#b35900}.mark{stroke:#b35900;stroke-dasharray:3 3}.k{display:inline-block;width:12px;height:12px;margin-left:1em}";

fn timeline(report: &DrillReport) -> String {
    let rows = u64::try_from(report.members.len()).unwrap_or(0) + 2;
    let headings = report.marks.iter().filter(|mark| !mark.is_step()).count();
    let height = rows * ROW + 40 + 14 * u64::try_from(headings).unwrap_or(0);
    let scale = Scale(report.millis.max(1));
    let mut svg = format!(
        "<svg width=\"{}\" height=\"{height}\" xmlns=\"http://www.w3.org/2000/svg\">\n",
        LEFT + WIDTH + 20
    );
    row(&mut svg, 0, "writes");
    for (from, to) in &report.writes.served {
        bar(&mut svg, &scale, 0, (*from, *to), "served");
    }
    let gap = (
        report.writes.gap_from,
        report.writes.gap_from + report.writes.gap,
    );
    bar(&mut svg, &scale, 0, gap, "gap");
    members(&mut svg, &scale, report);
    row(&mut svg, rows - 1, "steps");
    for (mark, took) in report
        .marks
        .iter()
        .filter_map(|mark| Some((mark, mark.took?)))
    {
        bar(
            &mut svg,
            &scale,
            rows - 1,
            (mark.at, mark.at + took),
            "step",
        );
    }
    heads(&mut svg, &scale, report, rows);
    svg.push_str("</svg>");
    svg
}

/// A row for each member.
fn members(svg: &mut String, scale: &Scale, report: &DrillReport) {
    for (index, member) in (1..).zip(&report.members) {
        row(svg, index, &member.name);
        for span in &member.spans {
            let class = match span.state {
                State::Writable => "writable",
                State::ReadOnly => "read",
                State::Down => "down",
            };
            // Up to the next sample, so that the eye sees no holes.
            bar(svg, scale, index, (span.from, span.to + 60), class);
        }
    }
}

/// A line for each mark that is no step, with its words.
fn heads(svg: &mut String, scale: &Scale, report: &DrillReport, rows: u64) {
    let headings = report.marks.iter().filter(|mark| !mark.is_step());
    for (index, mark) in (0..).zip(headings) {
        let (x, bottom) = (scale.x(mark.at), rows * ROW + 24 + 14 * index);
        let _ = writeln!(
            svg,
            "<line class=\"mark\" x1=\"{x}\" x2=\"{x}\" y1=\"0\" y2=\"{bottom}\"/><text x=\"{}\" y=\"{bottom}\">{} {}</text>",
            (x + 4).min(LEFT + WIDTH - 300),
            seconds(mark.at),
            escaped(&mark.title)
        );
    }
}

struct Scale(Millis);

impl Scale {
    fn x(&self, at: Millis) -> u64 {
        LEFT + at.min(self.0) * WIDTH / self.0
    }
}

fn row(svg: &mut String, index: u64, name: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"0\" y=\"{}\">{}</text>",
        index * ROW + 17,
        escaped(name)
    );
}

fn bar(svg: &mut String, scale: &Scale, index: u64, (from, to): (Millis, Millis), class: &str) {
    let (x, end) = (scale.x(from), scale.x(to));
    let _ = writeln!(
        svg,
        "<rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"{}\" height=\"20\"><title>{} to {}</title></rect>",
        index * ROW + 3,
        (end - x).max(1),
        seconds(from),
        seconds(to)
    );
}

fn escaped(text: &str) -> String {
    printable(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::drill::{Mark, MemberLine, Writes, spans};

    #[test]
    fn a_page_needs_nothing_else() {
        let report = DrillReport {
            drill: "kill-leader".into(),
            group: "pg<1>".into(),
            marks: vec![Mark {
                at: 1000,
                title: "kill".into(),
                took: Some(250),
            }],
            writes: Writes::of(&[0, 10, 2010], 2010),
            members: vec![MemberLine {
                name: "a".into(),
                spans: spans(&[(0, State::Writable), (500, State::Down)]),
            }],
            millis: 3000,
            ok: true,
            ..DrillReport::default()
        };
        let text = drill_view(&report);
        assert!(text.contains("write gap  2.000 s (from 0.010 s)"), "{text}");
        assert!(text.contains("two writers  never"));
        let page = drill_page(&report);
        assert!(page.contains("pg&lt;1&gt;") && page.contains("class=\"gap\""));
        assert!(!page.contains("src=") && !page.contains("<script") && !page.contains("href="));
    }
}
