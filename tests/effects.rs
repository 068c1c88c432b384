//! What a change of each parameter does: rows of `ci/effects`, and the page that it wrote from what it observed.

use citusctl::inventory::parameters::{self, Support};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn text(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Names of parameters that act, with the words of what a change is declared to do.
fn declared() -> BTreeMap<&'static str, &'static str> {
    let acting = parameters::all().filter(|param| param.support == Support::Used);
    acting
        .map(|param| (param.name, param.effect.words()))
        .collect()
}

#[test]
fn every_parameter_that_acts_has_a_row() {
    let rows = text("tests/effects/rows");
    let rows: BTreeSet<&str> = rows
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(|line| line.split('|').next().map(str::trim))
        .collect();
    let declared = declared();
    let missing: Vec<_> = declared
        .keys()
        .filter(|name| !rows.contains(**name))
        .collect();
    let needless: Vec<_> = rows
        .iter()
        .filter(|name| !declared.contains_key(**name))
        .collect();
    assert!(missing.is_empty(), "without a row: {missing:?}");
    assert!(
        needless.is_empty(),
        "rows of nothing that acts: {needless:?}"
    );
}

/// A declaration that is edited without a new observation is a claim without evidence.
#[test]
fn the_page_of_what_was_observed_says_what_is_declared() {
    let page = text("docs/effects.md");
    let lines = page.lines().filter(|line| line.starts_with("| `"));
    let mut observed = BTreeMap::new();
    for line in lines {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        observed.insert(cells[1].trim_matches('`').to_owned(), cells[4].to_owned());
    }
    for (name, words) in declared() {
        let found = observed.get(name).map(String::as_str);
        assert_eq!(found, Some(words), "`{name}`: run ci/effects");
    }
}
