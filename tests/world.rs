//! The shapes of tests/world: each is accepted or refused as its first lines declare. `ci/lab-world` applies those that are for a lab.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What the head of a shape declares.
#[derive(Debug)]
enum Outcome {
    Applied,
    /// An exit code, and words of an error.
    Refused(i32, String),
}

fn shapes() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/world");
    let entries = std::fs::read_dir(dir).unwrap();
    let mut shapes: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    shapes.retain(|path| path.extension().is_some_and(|ending| ending == "yml"));
    shapes.sort();
    shapes
}

fn declared(path: &Path) -> Outcome {
    let text = std::fs::read_to_string(path).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("# outcome: "));
    let line = line.unwrap_or_else(|| panic!("{}: declares no outcome", path.display()));
    let mut words = line.splitn(3, ' ');
    match (words.next(), words.next(), words.next()) {
        (Some("applied"), None, None) => Outcome::Applied,
        (Some("refused"), Some(code), Some(words)) => {
            Outcome::Refused(code.parse().unwrap(), words.to_owned())
        }
        _ => panic!("{}: `{line}` is no outcome", path.display()),
    }
}

/// What `check` comes to: its exit code, and the messages of its errors.
fn checked(path: &Path) -> (Option<i32>, Vec<String>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_citusctl"));
    let output = command
        .args(["check", "-o", "json", "-i"])
        .arg(path)
        .output()
        .unwrap();
    let rows: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    let errors = rows.iter().filter(|row| row["severity"] == "error");
    (
        output.status.code(),
        errors.map(ToString::to_string).collect(),
    )
}

/// What is wrong with the outcome of a shape, if anything.
fn differs(outcome: &Outcome, code: Option<i32>, errors: &[String]) -> Option<String> {
    let fits = match outcome {
        Outcome::Applied => code == Some(0) && errors.is_empty(),
        Outcome::Refused(want, words) => {
            code == Some(*want) && errors.iter().any(|error| error.contains(words))
        }
    };
    (!fits).then(|| format!("declared {outcome:?}, exit {code:?}: {errors:#?}"))
}

#[test]
fn each_shape_is_accepted_or_refused_as_declared() {
    let shapes = shapes();
    assert!(shapes.len() >= 40, "{} shapes", shapes.len());
    let judged = shapes.iter().filter_map(|path| {
        let (code, errors) = checked(path);
        let odd = differs(&declared(path), code, &errors)?;
        Some(format!("{}: {odd}", path.display()))
    });
    let odd: Vec<String> = judged.collect();
    assert!(odd.is_empty(), "{}", odd.join("\n"));
}

/// What is wrong with what a shape says of labs, if anything: one that is applied says whether a lab applies it, or why not.
fn unsaid(text: &str) -> Option<&'static str> {
    let lab = text.lines().find_map(|line| line.strip_prefix("# lab: "));
    match (text.contains("\n# outcome: applied\n"), lab) {
        (true, Some("quick" | "all")) | (false, None) => None,
        (true, Some(why)) if why.starts_with("by name, ") || why.starts_with("none, ") => None,
        (true, Some(_)) => Some("`# lab:` is `quick`, `all`, `by name, WHEN` or `none, WHY`"),
        (true, None) => Some("it is applied, and no line `# lab:` says where"),
        (false, Some(_)) => Some("it is refused offline, and no lab applies it"),
    }
}

#[test]
fn each_shape_that_is_applied_is_applied_in_a_lab_or_says_why_not() {
    let judged = shapes().into_iter().filter_map(|path| {
        let wrong = unsaid(&std::fs::read_to_string(&path).unwrap())?;
        Some(format!("{}: {wrong}", path.display()))
    });
    let wrong: Vec<String> = judged.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(unsaid("# a\n# outcome: applied\nall:\n").is_some());
    assert!(unsaid("# a\n# outcome: applied\n# lab: none\nall:\n").is_some());
    assert!(unsaid("# a\n# outcome: applied\n# lab: none, no such server\nall:\n").is_none());
}

#[test]
fn an_outcome_that_is_not_as_declared_is_found() {
    let refused = Outcome::Refused(3, "words".to_owned());
    let said = |text: &str| vec![text.to_owned()];
    assert!(differs(&refused, Some(3), &said("some words")).is_none());
    assert!(differs(&refused, Some(3), &said("others")).is_some());
    assert!(differs(&refused, Some(0), &[]).is_some());
    assert!(differs(&Outcome::Applied, Some(0), &[]).is_none());
    assert!(differs(&Outcome::Applied, Some(3), &said("words")).is_some());
}

/// What an inventory states because it is what the formation is, or how large the lab's machines are.
const STATED: [&str; 6] = [
    "pg_version",
    "pg_mode",
    "pg_primary_db",
    "pg_extensions",
    "pg_libs",
    "node_facts",
];

/// Lines of an inventory that set a parameter to something else than its default, without a word why.
fn overrides(text: &str) -> Vec<String> {
    use citusctl::inventory::parameters::{DefaultValue, ParamKind, lookup};
    let mut found = Vec::new();
    let mut before = "";
    for line in text.lines() {
        let said = line.contains('#') || before.trim_start().starts_with('#');
        before = line;
        let Some((name, value)) = line.trim_start().split_once(": ") else {
            continue;
        };
        // Flow lines of a command are no inventory.
        if value.ends_with(['}', '"']) && !value.starts_with(['{', '"']) {
            continue;
        }
        let known = lookup(name).filter(|_| line.starts_with(' ') && !STATED.contains(&name));
        let contents = known.is_some_and(|param| matches!(param.kind, ParamKind::Records(_)));
        let Some(DefaultValue::Json(default)) = known.map(|param| param.default) else {
            continue;
        };
        let same = default.trim_matches('"') == value.trim_matches(['"', '\'']);
        if !same && !said && !contents && !name.ends_with("_password") {
            found.push(line.trim().to_owned());
        }
    }
    found
}

#[test]
fn shipped_inventories_and_labs_override_no_default_without_a_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = |dir: &str| {
        let entries = std::fs::read_dir(root.join(dir)).unwrap();
        entries.map(|entry| entry.unwrap().path())
    };
    let is_lab = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("lab-") || name.ends_with(".yml")
    };
    let mut found = Vec::new();
    for path in files("inventory").chain(files("ci")).filter(is_lab) {
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = overrides(&text).into_iter();
        found.extend(lines.map(|line| format!("{}: {line}", path.display())));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    // A planted one is found.
    assert_eq!(
        overrides("  pg_default_service_dest: postgres\n"),
        ["pg_default_service_dest: postgres"]
    );
    assert!(overrides("  # no pool here\n  pg_default_service_dest: postgres\n").is_empty());
}
