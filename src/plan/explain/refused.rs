//! Values that `check` refuses: those that an error points at, and the inventory without them.

use super::leaves::ValueLeaf;
use super::{Draw, Input, Picture, Refused};
use crate::inventory::Edit;
use crate::source::{Diagnostic, Severity, Span};
use std::collections::{BTreeMap, BTreeSet};

/// Refused values and why.
pub(super) type Refusals = BTreeMap<Span, String>;

/// The inventory as it is, or without the values that are refused, or without the records that they are in: the first that can
/// be compiled, what is refused by it, and what was taken out.
pub(super) fn compiled(
    leaves: &[ValueLeaf],
    refused: Refusals,
    draw: Draw<'_>,
) -> (Result<Picture, Refused>, Refusals, Vec<Edit>) {
    let as_written = draw(Vec::new(), &[]);
    if as_written.is_ok() || refused.is_empty() {
        return (as_written, refused, Vec::new());
    }
    let values = taken_out(refused.keys().copied());
    let base = draw(values.clone(), &[]);
    if base.is_ok() {
        return (base, refused, values);
    }
    let of_record = |leaf: &ValueLeaf| leaf.record.unwrap_or(leaf.at);
    let whole = leaves.iter().filter_map(|leaf| {
        let why = refused.get(&leaf.at)?;
        Some((of_record(leaf), why.clone()))
    });
    let whole: Refusals = whole.collect();
    let records = taken_out(whole.keys().copied());
    let within = leaves.iter().filter_map(|leaf| {
        let why = refused.get(&leaf.at).or(whole.get(&of_record(leaf)))?;
        Some((leaf.at, why.clone()))
    });
    (draw(records.clone(), &[]), within.collect(), records)
}

fn taken_out(spans: impl Iterator<Item = Span>) -> Vec<Edit> {
    let unique: BTreeSet<Span> = spans.collect();
    unique.into_iter().map(|at| Edit { at, to: None }).collect()
}

/// The words of the first error of each value that one points at.
pub(super) fn among(leaves: &[ValueLeaf], input: &Input<'_>) -> Refusals {
    let is_error = |said: &&Diagnostic| said.severity == Severity::Error;
    let errors: Vec<&Diagnostic> = input.said.iter().filter(is_error).collect();
    let judged = leaves.iter().filter_map(|leaf| {
        let error = errors.iter().find(|error| is_about(error, leaf))?;
        Some((leaf.at, error.message.clone()))
    });
    judged.collect()
}

/// An error is about the value that it marks, about all values of the record or the key that it marks, and, where it refuses
/// another tool's inventory, about the variables that it names.
fn is_about(error: &Diagnostic, leaf: &ValueLeaf) -> bool {
    let primary = error.labels.iter().filter(|label| label.primary);
    let marked = primary
        .map(|label| label.span)
        .any(|span| overlap(span, leaf.at) || leaf.keys.iter().any(|key| overlap(span, *key)));
    let named = || error.message.contains(&format!("`{}`", leaf.variable));
    marked || (error.code == "foreign-inventory" && named())
}

fn overlap(one: Span, other: Span) -> bool {
    one.source == other.source && one.start < other.end && other.start < one.end
}
