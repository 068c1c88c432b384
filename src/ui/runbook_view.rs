//! A runbook as an operator reads it before consenting: what was seen, what will be done where, what may be lost.

use super::term::{ODD, Style};
use crate::names::HostName;
use crate::resource::Impact;
use crate::runbook::{Runbook, Step};
use anstyle::AnsiColor;
use std::fmt::Write;

/// The runbook as text.
pub fn runbook_view(book: &Runbook) -> String {
    let bold = Style::new().bold();
    let mut text = format!("{bold}{}{bold:#}: {}\n", book.name, book.aim);
    list(&mut text, "seen", &book.seen);
    if !book.steps.is_empty() {
        let _ = writeln!(text, "\n{bold}steps{bold:#}");
    }
    for (index, step) in (1..).zip(&book.steps) {
        step_view(&mut text, index, step);
    }
    list(&mut text, "risk", &book.risks);
    text
}

fn list(text: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let bold = Style::new().bold();
    let _ = writeln!(text, "\n{bold}{title}{bold:#}");
    for line in lines {
        let _ = writeln!(text, "  {line}");
    }
}

fn step_view(text: &mut String, index: usize, step: &Step) {
    let hosts = step.hosts();
    let names: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
    let _ = write!(
        text,
        "  {index:>2}. {}  on {}",
        step.title,
        names.join(", ")
    );
    if step.done {
        text.push_str("  [already done]");
    } else if step.impact != Impact::None {
        let loud = match step.impact {
            Impact::Destroys | Impact::Failover => Style::of(AnsiColor::Red),
            Impact::None | Impact::Reload | Impact::Restart => ODD,
        };
        let _ = write!(text, "  {loud}[{}]{loud:#}", step.impact.word());
    }
    if step.beside {
        text.push_str("  [together with the next]");
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runbook::{Consent, Script};
    use std::collections::BTreeMap;

    #[test]
    fn a_step_that_is_done_threatens_nobody() {
        let host = HostName::new("a");
        let step = Step::on(&host, "swap", "put data aside", Script::new("", ":"));
        let mut text = String::new();
        step_view(&mut text, 1, &step.with_impact(Impact::Destroys).done(true));
        assert_eq!(text, "   1. put data aside  on a  [already done]\n");
    }

    #[test]
    fn says_what_was_seen_what_is_done_and_what_is_risked() {
        let host = HostName::new("10.0.0.1");
        let step = Step::on(&host, "promote", "promote PostgreSQL", Script::new("", ":"));
        let book = Runbook {
            name: "recover",
            aim: "make a writable".to_owned(),
            subject: "a".to_owned(),
            seen: vec!["b is gone".to_owned()],
            risks: vec!["unknown".to_owned()],
            consent: Consent::Name,
            steps: vec![step.with_impact(Impact::Failover)],
            afterwards: Vec::new(),
            prelude: BTreeMap::new(),
        };
        let text = crate::ui::term::plain(&runbook_view(&book));
        let wanted = "recover: make a writable\n\nseen\n  b is gone\n\nsteps\n   1. promote PostgreSQL  on 10.0.0.1  [failover]\n\nrisk\n  unknown\n";
        assert_eq!(text, wanted);
    }
}
