//! The inventory of tests/surface uses every parameter that acts, so that ci/lab-surface meets all of them.

use crate::check::diagnose;
use citusctl::inventory::{self, parameters};
use citusctl::source::Severity;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What acts and is not in the inventory, and why.
const NOT_THERE: &[(&str, &str)] = &[
    (
        "pgbackrest_enabled",
        "ci/lab-backup applies all of pgBackRest's",
    ),
    ("pgbackrest_log_dir", "as above"),
    ("pgbackrest_method", "as above"),
    ("pgbackrest_init_backup", "as above"),
    ("pgbackrest_repo", "as above"),
];

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/surface/inventory.yml")
}

#[test]
fn every_parameter_that_acts_is_used() {
    let loaded = inventory::load(&path(), &[]).unwrap_or_else(|error| panic!("{error}"));
    let hosts = loaded.inventory.hosts.values();
    let used: BTreeSet<String> = hosts
        .flat_map(|host| host.vars.iter().map(|(name, _)| name.to_owned()))
        .collect();
    let acting = parameters::all().filter(|param| param.support == parameters::Support::Used);
    let excused = |name: &str| NOT_THERE.iter().any(|(known, _)| *known == name);
    let missing: Vec<&str> = acting
        .map(|param| param.name)
        .filter(|name| !used.contains(*name) && !excused(name))
        .collect();
    assert!(
        missing.is_empty(),
        "not in {}: {missing:?}",
        path().display()
    );
    let needless: Vec<&str> = NOT_THERE
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| used.contains(*name))
        .collect();
    assert!(needless.is_empty(), "excused and used: {needless:?}");
}

/// Every field of users, databases, services and rules as well, in one of the lists of the same kind.
#[test]
fn every_field_of_lists_is_used() {
    let loaded = inventory::load(&path(), &[]).unwrap_or_else(|error| panic!("{error}"));
    let items = |kind: parameters::ParamKind| {
        let lists = parameters::all().filter(move |param| param.kind == kind);
        let hosts = &loaded.inventory.hosts;
        let values = lists.flat_map(move |param| {
            let vars = hosts.values().filter_map(|host| host.vars.get(param.name));
            vars.map(|var| var.node.to_json())
        });
        values
            .filter_map(|value| value.as_array().cloned())
            .flatten()
            .collect::<Vec<_>>()
    };
    let mut missing = BTreeSet::new();
    for param in parameters::all() {
        let parameters::ParamKind::Records(fields) = param.kind else {
            continue;
        };
        let items = items(param.kind);
        let has = |name: &str| items.iter().any(|item| item.get(name).is_some());
        let lacking = fields
            .iter()
            .map(|field| field.name)
            .filter(|name| !has(name));
        let lacking = lacking.filter(|name| !NO_FIELDS.iter().any(|(known, _)| known == name));
        missing.extend(lacking.map(|name| format!("{}.{name}", param.name)));
    }
    assert!(missing.is_empty(), "{missing:?}");
}

/// Fields that a lab of two clusters cannot show, and why.
const NO_FIELDS: &[(&str, &str)] = &[
    ("tablespace", "needs a directory that nothing makes"),
    (
        "icu_rules",
        "counts only when a database is made; tests of the model have it",
    ),
    ("locale", "contradicts the provider that is named beside it"),
    ("register_datasource", "of Pigsty's monitoring"),
];

#[test]
fn it_has_no_errors_and_the_warnings_of_its_size() {
    let (_, all) = diagnose(&path());
    let bad: Vec<_> = all
        .iter()
        .filter(|said| said.severity == Severity::Error)
        .collect();
    assert!(bad.is_empty(), "{bad:#?}");
    let warned: BTreeSet<&str> = all
        .iter()
        .filter(|said| said.severity == Severity::Warning)
        .map(|said| said.code)
        .collect();
    // Single members, one that listens on few addresses, an administrator of every kind, nothing that keeps WAL.
    let known = ["no-standby", "vip-unheard", "admin-sudo-limit", "no-backup"];
    assert!(warned.is_subset(&BTreeSet::from(known)), "{warned:?}");
}
