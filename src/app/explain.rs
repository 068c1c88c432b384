//! `check --explain-values`: where each value of the inventory acts.

use super::failure::{Failure, code, pretty, result, say};
use super::options::Options;
use super::project::{self, Project};
use super::{sinks, vault};
use crate::catalog::Catalog;
use crate::inventory::{self, Edit, Inventory};
use crate::pki::Ca;
use crate::plan::explain::{Explained, Input, Picture, Refused, ValueVerdict, Where, explain};
use crate::secret::Masker;
use crate::source::{Diagnostic, Diagnostics, Severity, Sources};
use crate::template::Engine;
use crate::ui;
use serde::Serialize;
use time::OffsetDateTime;

/// One row of `-o json`.
#[derive(Serialize)]
struct ExplainRow {
    value: String,
    place: String,
    layer: String,
    verdict: &'static str,
    /// Where it acts.
    at: Vec<String>,
    /// Why it does not, or why it is refused.
    why: Option<String>,
}

#[derive(Serialize)]
struct ExplainReport {
    values: Vec<ExplainRow>,
    acting: usize,
    named: usize,
    refused: usize,
    unknown: usize,
    left_over: usize,
    /// Errors of `check`, as it tells them.
    errors: Vec<serde_json::Value>,
}

/// What of the inventory is known before a value is changed.
pub struct ExplainInput<'a> {
    pub inventory: &'a Inventory,
    /// What `check` says of it, errors too.
    pub said: &'a Diagnostics,
    pub catalog: &'a Catalog,
    pub templates: &'a Engine,
}

impl<'a> ExplainInput<'a> {
    /// Of an inventory without errors.
    pub fn of(project: &'a Project) -> Self {
        Self {
            inventory: &project.inventory,
            said: &project.said,
            catalog: &project.catalog,
            templates: &project.templates,
        }
    }
}

/// Runs it. An inventory with errors is told as well: what is refused, and where the rest would act.
///
/// # Errors
/// The inventory has errors, or a value acts nowhere and nothing says why.
pub fn run(options: &Options, known: &ExplainInput<'_>) -> Result<u8, Failure> {
    let read = inventory::load_edited(
        &options.inventory,
        &options.extra,
        vault::keys(options)?,
        Vec::new(),
    );
    let (_, written) = read?;
    let now = OffsetDateTime::now_utc();
    let draw = |edits: Vec<Edit>, more: &[String]| draw(options, known, edits, more, now);
    let input = Input {
        draw: &draw,
        inventory: known.inventory,
        written: &written,
        said: known.said,
    };
    let report = report(known, explain(&input));
    match options.json {
        true => result(&pretty(&report)?)?,
        false => result(&text(&report, options.quiet))?,
    }
    if report.left_over > 0 {
        say(
            "a value that is left over acts nowhere, and nothing says why: take it out, or report it as a defect",
        );
    }
    match report.left_over == 0 && report.errors.is_empty() {
        true => Ok(code::DONE),
        false => Err(Failure::new(code::INPUT, "")),
    }
}

fn draw(
    options: &Options,
    known: &ExplainInput<'_>,
    edits: Vec<Edit>,
    more: &[String],
    now: OffsetDateTime,
) -> Result<Picture, Refused> {
    let mut extra = options.extra.clone();
    extra.extend_from_slice(more);
    let keys = vault::keys(options).map_err(|failure| Refused(failure.text))?;
    let (loaded, _) = inventory::load_edited(&options.inventory, &extra, keys, edits)
        .map_err(|error| Refused(error.to_string()))?;
    let ca = authority(&loaded.inventory, now)?;
    Picture::of(&loaded.inventory, known.catalog, known.templates, &ca, now)
}

fn authority(inventory: &Inventory, now: OffsetDateTime) -> Result<Ca, Refused> {
    Ca::outlined(&project::ca_name(inventory), now).map_err(|error| Refused(error.to_string()))
}

fn report(known: &ExplainInput<'_>, explained: Vec<Explained>) -> ExplainReport {
    let sources = &known.inventory.sources;
    let masker = sinks::masker(known.inventory);
    let values: Vec<ExplainRow> = explained
        .into_iter()
        .map(|one| row(sources, &masker, one))
        .collect();
    let count = |verdict| values.iter().filter(|row| row.verdict == verdict).count();
    let is_error = |said: &&Diagnostic| said.severity == Severity::Error;
    ExplainReport {
        acting: count("acts"),
        named: count("named"),
        refused: count("refused"),
        unknown: count("unknown"),
        left_over: count("left-over"),
        errors: ui::diagnostic_rows(sources, known.said.iter().filter(is_error), &masker),
        values,
    }
}

fn row(sources: &Sources, masker: &Masker, one: Explained) -> ExplainRow {
    let because = |verdict, why: String| (verdict, Vec::new(), Some(masker.mask(&why)));
    let (verdict, at, why) = match one.verdict {
        ValueVerdict::Acts(places) => ("acts", places.iter().map(Where::to_string).collect(), None),
        ValueVerdict::Named(why) => because("named", why),
        ValueVerdict::Refused(why) => because("refused", why),
        ValueVerdict::Unknown(why) => because("unknown", why),
        ValueVerdict::LeftOver => ("left-over", Vec::new(), None),
    };
    ExplainRow {
        value: one.name,
        place: sources.place(one.at).to_string(),
        layer: one.layer,
        verdict,
        at,
        why,
    }
}

/// A line for each value; with `-q` those that are left over alone.
fn text(report: &ExplainReport, quiet: bool) -> String {
    let rows = report.values.iter();
    let rows = rows.filter(|row| !quiet || row.verdict == "left-over");
    let lines = rows.map(|row| {
        let what = match (&row.why, row.at.split_first()) {
            (Some(why), _) => format!("{}: {why}", said_as(row.verdict)),
            (None, Some((first, []))) => first.clone(),
            (None, Some((first, rest))) => format!("{first} (and {} more)", rest.len()),
            (None, None) => "LEFT OVER".to_owned(),
        };
        format!("{}  {}  {what}\n", row.place, row.value)
    });
    lines.chain([sum(report)]).collect()
}

fn said_as(verdict: &str) -> &'static str {
    match verdict {
        "refused" => "refused",
        "unknown" => "not known while the errors stand",
        _ => "without effect",
    }
}

fn sum(report: &ExplainReport) -> String {
    let counts = [
        (report.refused, "refused"),
        (report.unknown, "not known while the errors stand"),
        (report.left_over, "left over"),
    ];
    let counts = counts
        .iter()
        .filter(|(n, what)| *n > 0 || *what == "left over");
    let counts: Vec<String> = counts.map(|(n, what)| format!("{n} {what}")).collect();
    format!(
        "{} values: {} act, {} named without effect, {}\n",
        report.values.len(),
        report.acting,
        report.named,
        counts.join(", ")
    )
}
