//! Where a recover proves itself.

use super::*;
use crate::runbook::Work;

#[test]
fn a_proof_through_the_pool_writes_to_a_database_that_the_pool_has() {
    let mut bench = bench();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("inventory/ha-trio.yml");
    let extra = ["{pg_primary_db: test}".to_owned()];
    bench.inventory = crate::inventory::load(&path, &extra).unwrap().inventory;
    bench.model = crate::model::build(&bench.inventory).0.unwrap();
    let book = plan(bench.input(), &bench.request).unwrap();
    let prove = book.steps.iter().find(|step| step.id == "prove").unwrap();
    let Work::Hosts(scripts) = &prove.work else {
        panic!("a program");
    };
    let text = scripts.values().next().unwrap().act.expose();
    assert!(
        text.contains("10.10.10.13 5433 test\n10.10.10.13 5436 postgres"),
        "{text}"
    );
}
