//! `check --explain-values`: where each value of the inventory acts.

use super::failure::{Failure, code, pretty, result, say};
use super::options::Options;
use super::project::{self, Project};
use super::vault;
use crate::inventory::{self, Edit, Inventory};
use crate::pki::Ca;
use crate::plan::explain::{Explained, Input, Picture, Refused, ValueVerdict, Where, explain};
use crate::source::Sources;
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
    /// Why it does not.
    why: Option<String>,
}

#[derive(Serialize)]
struct ExplainReport {
    values: Vec<ExplainRow>,
    acting: usize,
    named: usize,
    left_over: usize,
}

/// Runs it, on an inventory that `check` found to be without errors.
pub fn run(options: &Options, project: &Project) -> Result<u8, Failure> {
    let read = inventory::load_edited(
        &options.inventory,
        &options.extra,
        vault::keys(options)?,
        None,
    );
    let (_, written) = read?;
    let now = OffsetDateTime::now_utc();
    let draw = |edit: Option<Edit>, more: &[String]| draw(options, project, edit, more, now);
    let input = Input {
        draw: &draw,
        inventory: &project.inventory,
        written: &written,
        said: &project.said,
    };
    let explained = explain(&input).map_err(|Refused(why)| Failure::new(code::INPUT, why))?;
    let report = report(&project.inventory.sources, explained);
    match options.json {
        true => result(&pretty(&report)?)?,
        false => result(&text(&report, options.quiet))?,
    }
    if report.left_over == 0 {
        return Ok(code::DONE);
    }
    say(
        "a value that is left over acts nowhere, and nothing says why: take it out, or report it as a defect",
    );
    Err(Failure::new(code::INPUT, ""))
}

fn draw(
    options: &Options,
    project: &Project,
    edit: Option<Edit>,
    more: &[String],
    now: OffsetDateTime,
) -> Result<Picture, Refused> {
    let mut extra = options.extra.clone();
    extra.extend_from_slice(more);
    let keys = vault::keys(options).map_err(|failure| Refused(failure.text))?;
    let (loaded, _) = inventory::load_edited(&options.inventory, &extra, keys, edit)
        .map_err(|error| Refused(error.to_string()))?;
    let ca = authority(&loaded.inventory, now)?;
    let (catalog, templates) = (&project.catalog, &project.templates);
    Picture::of(&loaded.inventory, catalog, templates, &ca, now)
}

fn authority(inventory: &Inventory, now: OffsetDateTime) -> Result<Ca, Refused> {
    Ca::outlined(&project::ca_name(inventory), now).map_err(|error| Refused(error.to_string()))
}

fn report(sources: &Sources, explained: Vec<Explained>) -> ExplainReport {
    let row = |one: Explained| {
        let (verdict, at, why) = match one.verdict {
            ValueVerdict::Acts(places) => {
                ("acts", places.iter().map(Where::to_string).collect(), None)
            }
            ValueVerdict::Named(why) => ("named", Vec::new(), Some(why)),
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
    };
    let values: Vec<ExplainRow> = explained.into_iter().map(row).collect();
    let count = |verdict| values.iter().filter(|row| row.verdict == verdict).count();
    ExplainReport {
        acting: count("acts"),
        named: count("named"),
        left_over: count("left-over"),
        values,
    }
}

/// A line for each value; with `-q` those that are left over alone.
fn text(report: &ExplainReport, quiet: bool) -> String {
    let rows = report.values.iter();
    let rows = rows.filter(|row| !quiet || row.verdict == "left-over");
    let lines = rows.map(|row| {
        let what = match (&row.why, row.at.split_first()) {
            (Some(why), _) => format!("without effect: {why}"),
            (None, Some((first, []))) => first.clone(),
            (None, Some((first, rest))) => format!("{first} (and {} more)", rest.len()),
            (None, None) => "LEFT OVER".to_owned(),
        };
        format!("{}  {}  {what}\n", row.place, row.value)
    });
    let sum = format!(
        "{} values: {} act, {} named without effect, {} left over\n",
        report.values.len(),
        report.acting,
        report.named,
        report.left_over
    );
    lines.chain([sum]).collect()
}
