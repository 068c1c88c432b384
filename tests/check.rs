//! Inventories, good and broken, through reader, catalogue of parameters, model and lints.
//!
//! Each file of `tests/broken` says in its first lines what must be found in it, as
//! `# expect: CODE LINE:COLUMN "words"`; the words stand in the message, at a place or in the way
//! out. An error that is not expected fails the test; warnings beside the point are allowed.

use citusctl::inventory::{self, LoadError, parameters};
use citusctl::source::{Diagnostic, Severity, Sources};
use citusctl::{lint, model};
use std::path::{Path, PathBuf};

/// Everything that is said about an inventory, and the texts that it is about.
pub fn diagnose(path: &Path) -> (Sources, Vec<Diagnostic>) {
    let loaded = match inventory::load(path, &[]) {
        Ok(loaded) => loaded,
        Err(LoadError::Invalid {
            sources,
            diagnostics,
            ..
        }) => {
            return (*sources, diagnostics.into_iter().collect());
        }
        Err(other) => panic!("{}: {other}", path.display()),
    };
    let inv = &loaded.inventory;
    let mut all: Vec<Diagnostic> = loaded.warnings.iter().cloned().collect();
    all.extend(parameters::check_vars(inv));
    let (model, problems) = model::build(inv);
    all.extend(problems);
    if let Some(model) = model {
        all.extend(lint::check(inv, &model));
    }
    (inv.sources.clone(), all)
}

/// `severity CODE LINE:COLUMN message | labels | help`, one for each primary place.
fn lines(sources: &Sources, diagnostic: &Diagnostic) -> Vec<(String, String)> {
    let labels: Vec<_> = diagnostic
        .labels
        .iter()
        .map(|label| label.text.as_str())
        .collect();
    let words = format!(
        "{} | {} | {}",
        diagnostic.message,
        labels.join(" | "),
        diagnostic.help.join(" | ")
    );
    let places = diagnostic
        .labels
        .iter()
        .filter(|label| label.primary)
        .map(|label| {
            let place = sources.place(label.span);
            format!("{}:{}", place.line, place.column)
        });
    let mut places: Vec<String> = places.collect();
    if places.is_empty() {
        places.push("-".into());
    }
    let line = |place: String| (format!("{} {place}", diagnostic.code), words.clone());
    places.into_iter().map(line).collect()
}

fn inventories(directory: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let entries = std::fs::read_dir(root).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ext| ext == "yml"));
    paths.sort();
    paths
}

/// One expectation: `CODE LINE:COLUMN` and the words.
fn expectations(text: &str) -> Vec<(String, String)> {
    let expected = text
        .lines()
        .filter_map(|line| line.strip_prefix("# expect: "));
    let expected = expected.map(|line| {
        let (place, words) = line.split_once('"').expect("words in quotes");
        (
            place.trim().to_owned(),
            words.trim_end_matches('"').to_owned(),
        )
    });
    expected.collect()
}

#[test]
fn shipped_inventories_have_no_errors() {
    for path in inventories("inventory") {
        let (sources, all) = diagnose(&path);
        let bad: Vec<_> = all
            .iter()
            .filter(|d| d.severity == Severity::Error)
            .flat_map(|d| lines(&sources, d))
            .collect();
        assert!(bad.is_empty(), "{}: {bad:#?}", path.display());
    }
}

#[test]
fn shipped_inventories_warn_of_passwords_and_of_missing_backups() {
    let known = ["default-password", "no-backup"];
    for path in inventories("inventory") {
        let (sources, all) = diagnose(&path);
        let other: Vec<_> = all
            .iter()
            .filter(|d| d.severity == Severity::Warning && !known.contains(&d.code))
            .flat_map(|d| lines(&sources, d))
            .collect();
        assert!(other.is_empty(), "{}: {other:#?}", path.display());
    }
}

#[test]
fn broken_inventories_are_told_what_is_wrong() {
    let paths = inventories("tests/broken");
    assert!(paths.len() >= 30, "only {} broken inventories", paths.len());
    let wrong: Vec<String> = paths.iter().filter_map(|path| mistakes(path)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What was expected and not found, and what was found and not expected.
fn mistakes(path: &Path) -> Option<String> {
    let expected = expectations(&std::fs::read_to_string(path).unwrap());
    let (sources, all) = diagnose(path);
    let found: Vec<_> = all.iter().flat_map(|d| lines(&sources, d)).collect();
    let is_there = |(place, words): &&(String, String)| {
        found
            .iter()
            .any(|(at, text)| at == place && text.contains(words.as_str()))
    };
    let missing: Vec<_> = expected.iter().filter(|wanted| !is_there(wanted)).collect();
    let codes = |place: &str| expected.iter().any(|(wanted, _)| wanted.starts_with(place));
    let surprising: Vec<_> = all
        .iter()
        .filter(|d| d.severity == Severity::Error && !codes(d.code))
        .flat_map(|d| lines(&sources, d))
        .collect();
    let fine = !expected.is_empty() && missing.is_empty() && surprising.is_empty();
    let name = path.file_name().unwrap_or_default().display();
    (!fine).then(|| {
        format!("{name}: missing {missing:#?}, not expected {surprising:#?}, found {found:#?}")
    })
}

#[test]
#[ignore = "prints what is found in each broken inventory"]
fn print_broken() {
    for path in inventories("tests/broken") {
        let (sources, all) = diagnose(&path);
        println!("{}", path.file_name().unwrap_or_default().display());
        for diagnostic in &all {
            for (place, words) in lines(&sources, diagnostic) {
                println!("  {:?} {place} {words}", diagnostic.severity);
            }
        }
    }
}
