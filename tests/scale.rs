//! Twice the hosts cost about twice as much: counted in allocated bytes, which no load of the machine changes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

use citusctl::catalog::{Assets, Catalog};
use citusctl::inventory;
use citusctl::inventory::parameters::check_vars;
use citusctl::lint;
use citusctl::model;
use citusctl::pki::Ca;
use citusctl::plan::Compiler;
use citusctl::plan::context::ContextInput;
use citusctl::template::Engine;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use time::OffsetDateTime;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Twice the hosts may cost this much in hundredths.
const MOST: usize = 250;

fn engine(assets: &Assets) -> Engine {
    let templates = assets.iter().filter(|(path, _)| !path.ends_with(".yml"));
    let texts = templates.map(|(path, asset)| (path.to_owned(), asset.text.clone()));
    Engine::new(texts.collect::<Vec<_>>())
}

/// Bytes that `check` allocates for so many hosts; with a limit, those of the hosts that it names.
fn allocated(hosts: usize, limit: Option<&str>) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("inventory.yml");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("ci/formations");
    let text = Command::new("sh")
        .arg(script)
        .arg(hosts.to_string())
        .output()
        .unwrap();
    std::fs::write(&path, &text.stdout).unwrap();
    let assets = Assets::embedded();
    let templates = engine(&assets);
    let catalog = Catalog::parse(assets).unwrap();
    let now = OffsetDateTime::now_utc();
    let ca = Ca::outlined("scale", now).unwrap();
    let region = Region::new(ALLOCATOR);

    let inventory = inventory::load(&path, &[]).unwrap().inventory;
    assert!(!check_vars(&inventory).has_errors());
    let (model, said) = model::build(&inventory);
    let model = model.unwrap();
    assert!(!said.has_errors() && !lint::check(&inventory, &model).has_errors());
    let input = ContextInput {
        inventory: &inventory,
        model: &model,
        ca: &ca,
        now,
        traits: &BTreeMap::new(),
        patroni: &BTreeMap::new(),
    };
    let limit: Option<BTreeSet<_>> = limit.map(|pattern| {
        let found = inventory::select(&inventory, pattern).unwrap();
        found.into_iter().collect()
    });
    let compiler = Compiler {
        catalog: &catalog,
        templates: &templates,
        input: &input,
        limit: limit.as_ref(),
    };
    let compiled = compiler.stream("site", |_, desired| assert!(!desired.stages.is_empty()));
    let wanted = limit.as_ref().map_or(hosts, BTreeSet::len);
    assert!(compiled.unwrap().len() >= wanted);
    let change = region.change();
    change.bytes_allocated + usize::try_from(change.bytes_reallocated).unwrap_or_default()
}

fn assert_growth(small: usize, large: usize, most: usize) {
    let growth = large * 100 / small;
    assert!(
        growth <= most,
        "{small} bytes, then {large}: {growth} %, at most {most} %"
    );
}

#[test]
fn twice_the_hosts_allocate_about_twice_as_much() {
    assert_growth(allocated(1000, None), allocated(2000, None), MOST);
    // One test, because both count the same allocator.
    let one = Some("10.64.0.4");
    assert_growth(allocated(250, one), allocated(500, one), MOST);
    planted_square();
}

/// What grows with the square is found.
fn planted_square() {
    let cost = |hosts: usize| {
        let region = Region::new(ALLOCATOR);
        let copies: Vec<Vec<u64>> = (0..hosts).map(|_| vec![1; hosts]).collect();
        assert_eq!(copies.len(), hosts);
        region.change().bytes_allocated
    };
    let (small, large) = (cost(500), cost(1000));
    assert!(large * 100 / small > MOST, "{small} {large}");
}
