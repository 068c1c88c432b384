//! A plan as people read it: what, where, why, and what it does to those who use the database now.

use super::term::Style;
use crate::event::outline::{ChangeOutline, Counts, PlanOutline, StageOutline};
use crate::names::HostName;
use crate::names::words::count;
use crate::resource::{Action, Impact};
use anstyle::AnsiColor;
use std::fmt::Write;

/// The plan as text. Hosts that share a change are named together; `verbose` shows each host by itself.
pub fn plan_view(outline: &PlanOutline, verbose: bool) -> String {
    let mut text = String::new();
    for stage in &outline.stages {
        stage_view(&mut text, stage, verbose);
    }
    if !outline.is_empty() && !outline.warnings.is_empty() {
        text.push('\n');
    }
    for warning in &outline.warnings {
        let style = Style::of(AnsiColor::Yellow).bold();
        let _ = writeln!(text, "{style}warning{style:#}: {warning}");
    }
    if !outline.is_empty() {
        text.push('\n');
    }
    text.push_str(&footer(outline));
    text
}

/// The last line, as CLI.md promises it.
fn footer(outline: &PlanOutline) -> String {
    let warned = match outline.warnings.len() {
        0 => String::new(),
        warnings => format!(" {} above.", count(warnings, "warning")),
    };
    if outline.is_empty() {
        let verb = if outline.hosts == 1 {
            "matches"
        } else {
            "match"
        };
        let hosts = count(outline.hosts, "host");
        return format!("No changes. {hosts} {verb} the inventory.{warned}\n");
    }
    let Counts {
        create,
        change,
        remove,
        restarts,
        restart_hosts,
        ..
    } = outline.counts();
    format!(
        "Plan: {create} to create, {change} to change, {remove} to remove, {} on {}.{warned}\n",
        count(restarts, "restart"),
        count(restart_hosts, "host"),
    )
}

fn stage_view(text: &mut String, stage: &StageOutline, verbose: bool) {
    let bold = Style::new().bold();
    let _ = writeln!(text, "\n{bold}stage {}{bold:#}", stage.name);
    for (first, others) in families(grouped(stage, verbose), verbose) {
        let (change, hosts) = &first;
        change_view(text, change, hosts);
        relatives_view(text, &others);
        if let (Some(diff), true) = (&change.diff, verbose || is_worth_showing(change, hosts)) {
            match replaced(diff).filter(|_| !verbose) {
                Some(words) => {
                    let _ = writeln!(text, "      {words}");
                }
                None => diff_view(text, diff),
            }
        }
    }
}

/// A long file of somebody else's, as packages bring it, that gives way as a whole: its lines say nothing to anybody.
fn replaced(diff: &str) -> Option<String> {
    const LONG: usize = 25;
    let lines = |sign: char| body(diff).filter(|line| line.starts_with(sign)).count();
    let (gone, new, kept) = (lines('-'), lines('+'), lines(' '));
    (gone > LONG && kept * 2 < gone && new > 0).then(|| {
        format!("{gone} lines give way to {new} others: the file is a new one (-v shows both)")
    })
}

/// A change and all hosts that have exactly it.
type SharedChange<'a> = (&'a ChangeOutline, Vec<&'a HostName>);

/// Changes whose difference is the same, word for word, in files of other names: one is shown, the others named.
fn families(
    all: Vec<SharedChange<'_>>,
    verbose: bool,
) -> Vec<(SharedChange<'_>, Vec<SharedChange<'_>>)> {
    let mut families: Vec<(SharedChange<'_>, Vec<SharedChange<'_>>)> = Vec::new();
    for shared in all {
        let of =
            |((known, _), _): &&mut (SharedChange<'_>, _)| !verbose && related(known, shared.0);
        match families.iter_mut().find(of) {
            Some((_, others)) => others.push(shared),
            None => families.push((shared, Vec::new())),
        }
    }
    families
}

fn related(a: &ChangeOutline, b: &ChangeOutline) -> bool {
    let body = |change: &ChangeOutline| -> Option<Vec<String>> {
        Some(body(change.diff.as_ref()?).map(str::to_owned).collect())
    };
    a.action == Action::Update
        && (a.action, a.impact, &a.cause) == (b.action, b.impact, &b.cause)
        && body(a).is_some_and(|lines| Some(lines) == body(b))
}

fn relatives_view(text: &mut String, others: &[SharedChange<'_>]) {
    const NAMED: usize = 3;
    for (change, hosts) in others.iter().take(NAMED) {
        let _ = writeln!(text, "    {}  on {}", change.summary, place(hosts));
    }
    if let Some(more @ 1..) = others.len().checked_sub(NAMED) {
        let _ = writeln!(text, "    and {more} more, changed alike");
    }
}

/// Changes in order of appearance, each with all hosts that have exactly it.
fn grouped(stage: &StageOutline, verbose: bool) -> Vec<SharedChange<'_>> {
    let mut groups: Vec<SharedChange<'_>> = Vec::new();
    for host in &stage.hosts {
        for change in &host.changes {
            let same = groups
                .iter_mut()
                .find(|(known, _)| !verbose && alike(known, change));
            match same {
                Some((_, hosts)) => hosts.push(&host.host),
                None => groups.push((change, vec![&host.host])),
            }
        }
    }
    groups
}

/// Equal, or new files that differ only in their content.
fn alike(a: &ChangeOutline, b: &ChangeOutline) -> bool {
    let head = |change: &ChangeOutline| {
        (
            change.action,
            change.impact,
            change.summary.clone(),
            change.cause.clone(),
        )
    };
    head(a) == head(b) && (a.diff == b.diff || a.action == Action::Create)
}

fn change_view(text: &mut String, change: &ChangeOutline, hosts: &[&HostName]) {
    let (sign, style) = sign(change.action);
    let _ = write!(
        text,
        "  {style}{sign} {}{style:#}  on {}",
        change.summary,
        place(hosts)
    );
    if change.impact != Impact::None {
        let loud = impact_style(change.impact);
        let _ = write!(text, "  {loud}[{}]{loud:#}", change.impact.word());
    }
    if let Some(cause) = &change.cause {
        let _ = write!(text, "  because: {cause}");
    }
    text.push('\n');
}

fn place(hosts: &[&HostName]) -> String {
    let names: Vec<&str> = hosts.iter().map(|host| host.as_str()).collect();
    match names.as_slice() {
        [one] => (*one).to_owned(),
        many if many.len() <= 3 => many.join(", "),
        many => format!(
            "{} ({}, ...)",
            count(many.len(), "host"),
            many[..2].join(", ")
        ),
    }
}

/// A new file is shown as a whole only when it is short and on one host; `-v` and `render` show the rest.
fn is_worth_showing(change: &ChangeOutline, hosts: &[&HostName]) -> bool {
    const SHORT: usize = 12;
    let lines = change.diff.as_ref().map_or(0, |diff| diff.lines().count());
    change.action != Action::Create || (hosts.len() == 1 && lines <= SHORT)
}

fn sign(action: Action) -> (&'static str, Style) {
    let color = Style::of;
    match action {
        Action::Create => ("+", color(AnsiColor::Green)),
        Action::Update => ("~", color(AnsiColor::Yellow)),
        Action::Remove => ("-", color(AnsiColor::Red)),
        Action::Reload => ("@", color(AnsiColor::Cyan)),
        Action::Restart | Action::Switchover => ("!", color(AnsiColor::Magenta)),
        Action::Deferred => ("?", Style::new().dimmed()),
    }
}

fn impact_style(impact: Impact) -> Style {
    let bold = |color| Style::of(color).bold();
    match impact {
        Impact::None | Impact::Reload => bold(AnsiColor::Cyan),
        Impact::Restart | Impact::Failover => bold(AnsiColor::Magenta),
        Impact::Destroys => bold(AnsiColor::Red),
    }
}

fn diff_view(text: &mut String, diff: &str) {
    for line in body(diff) {
        let style = match line.chars().next() {
            Some('+') => Style::of(AnsiColor::Green),
            Some('-') => Style::of(AnsiColor::Red),
            Some('@') => Style::of(AnsiColor::Cyan),
            _ => Style::new(),
        };
        let _ = writeln!(text, "      {style}{line}{style:#}");
    }
}

/// The diff without its two lines of names. Only the first two lines can be that: a removed SQL comment looks alike.
fn body(diff: &str) -> impl Iterator<Item = &str> {
    let named = diff.starts_with("--- ");
    diff.lines().skip(if named { 2 } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::outline::HostOutline;
    use crate::names::{ResourceId, StageName};
    use crate::ui::term::plain;

    fn change(action: Action, impact: Impact, diff: Option<&str>) -> ChangeOutline {
        ChangeOutline {
            resource: ResourceId::new("haproxy/conf"),
            action,
            summary: "/etc/haproxy/haproxy.cfg".into(),
            impact,
            cause: (impact == Impact::Reload).then(|| "haproxy/conf".to_owned()),
            diff: diff.map(str::to_owned),
            restarts: Vec::new(),
        }
    }

    #[test]
    fn a_file_that_is_replaced_as_a_whole_is_told_and_not_shown() {
        let diff = format!("--- a\n+++ a\n@@ -1 +1 @@\n{} x\n+y\n", "-x\n".repeat(26));
        let words = "26 lines give way to 1 others: the file is a new one (-v shows both)";
        assert_eq!(replaced(&diff).as_deref(), Some(words));
        assert_eq!(replaced(&diff.replace("-x\n", " x\n")), None);
    }

    #[test]
    fn groups_hosts_and_ends_with_the_promised_line() {
        let hosts = ["10.0.0.1", "10.0.0.2"].map(|host| HostOutline {
            host: HostName::new(host),
            changes: vec![
                change(
                    Action::Update,
                    Impact::None,
                    Some("--- a\n+++ a\n@@ -1 +1 @@\n-x\n+y\n"),
                ),
                change(Action::Reload, Impact::Reload, None),
            ],
        });
        let outline = PlanOutline {
            hosts: 2,
            warnings: Vec::new(),
            stages: vec![StageOutline {
                name: StageName::new("haproxy"),
                hosts: hosts.to_vec(),
            }],
        };
        let text = plain(&plan_view(&outline, false));
        assert_eq!(
            text,
            "\nstage haproxy\n  ~ /etc/haproxy/haproxy.cfg  on 10.0.0.1, 10.0.0.2\n      @@ -1 +1 @@\n      -x\n      +y\n  \
             @ /etc/haproxy/haproxy.cfg  on 10.0.0.1, 10.0.0.2  [reload]  because: haproxy/conf\n\n\
             Plan: 0 to create, 2 to change, 0 to remove, 0 restarts on 0 hosts.\n"
        );
    }

    #[test]
    fn shows_one_difference_once_and_names_the_files() {
        let host = |n: usize| HostOutline {
            host: HostName::new(format!("10.0.0.{n}")),
            changes: vec![ChangeOutline {
                summary: format!("/pg/conf/pg-{n}.yml"),
                ..change(
                    Action::Update,
                    Impact::None,
                    Some(&format!("--- {n}\n+++ {n}\n@@ -1 +1 @@\n-x\n+y\n")),
                )
            }],
        };
        let outline = PlanOutline {
            hosts: 5,
            warnings: Vec::new(),
            stages: vec![StageOutline {
                name: StageName::new("pgsql"),
                hosts: (1..=5).map(host).collect(),
            }],
        };
        let shown = |verbose| plain(&plan_view(&outline, verbose));
        assert_eq!(
            shown(false).lines().take(9).collect::<Vec<_>>().join("\n"),
            "\nstage pgsql\n  ~ /pg/conf/pg-1.yml  on 10.0.0.1\n    /pg/conf/pg-2.yml  on 10.0.0.2\n    \
             /pg/conf/pg-3.yml  on 10.0.0.3\n    /pg/conf/pg-4.yml  on 10.0.0.4\n    and 1 more, changed alike\n      \
             @@ -1 +1 @@\n      -x"
        );
        assert_eq!(shown(true).matches("@@ -1 +1 @@").count(), 5);
    }

    #[test]
    fn says_when_there_is_nothing_to_do() {
        let outline = PlanOutline {
            hosts: 7,
            stages: vec![],
            warnings: Vec::new(),
        };
        assert_eq!(
            plan_view(&outline, false),
            "No changes. 7 hosts match the inventory.\n"
        );
    }

    #[test]
    fn shows_removed_sql_comments_and_with_verbose_whole_new_files() {
        let long: String = (0..20).map(|n| format!("+line {n}\n")).collect();
        let create = change(Action::Create, Impact::None, Some(long.as_str()));
        let comment = "--- a\n+++ a\n@@ -1,2 +1 @@\n--- old comment\n select 1\n";
        let update = change(Action::Update, Impact::None, Some(comment));
        let outline = PlanOutline {
            hosts: 1,
            warnings: Vec::new(),
            stages: vec![StageOutline {
                name: StageName::new("sql"),
                hosts: vec![HostOutline {
                    host: HostName::new("10.0.0.1"),
                    changes: vec![create, update],
                }],
            }],
        };
        let lines = |verbose| {
            let text = plain(&plan_view(&outline, verbose));
            assert!(text.contains("      --- old comment\n"));
            text.matches("+line").count()
        };
        assert_eq!([lines(false), lines(true)], [0, 20]);
    }
}
