//! Plans and refusals by their words.

use super::seen::CitusNode;
use super::*;
use crate::command::Frame;
use crate::model::Model;
use crate::runbook::Work;

fn model(name: &str) -> Model {
    let path = format!("{}/inventory/{name}.yml", env!("CARGO_MANIFEST_DIR"));
    let loaded = crate::inventory::load(path.as_ref(), &[]).unwrap();
    crate::model::build(&loaded.inventory).0.unwrap()
}

fn shards() -> Shards {
    let frame = Frame::new("n");
    let output = "@@n nodes\n0|f\n1|t\n2|t\n@@n placed\n1|16\n2|16\n@@n bare\n@@n background\n1\n@@n end 0\n";
    read_shards(&frame, output).unwrap()
}

fn planned(
    name: &str,
    at: usize,
    shards: &Shards,
    block_writes: bool,
    plan: fn(&ShardCase<'_>) -> Result<Runbook, Refusal>,
) -> Result<Runbook, Refusal> {
    let model = model(name);
    let formation = &model.formations[0];
    let leader = formation.groups[0].members[0].host.clone();
    plan(&ShardCase {
        formation,
        group: &formation.groups[at],
        leader: &leader,
        shards,
        block_writes,
        functions: Secret::new("sql() { :; }"),
    })
}

fn refused(plan: Result<Runbook, Refusal>, words: &str) {
    let refusal = plan.unwrap_err();
    assert!(refusal.reason.contains(words), "{refusal:?}");
}

fn titles(book: &Runbook) -> Vec<&str> {
    book.steps.iter().map(|step| step.title.as_str()).collect()
}

#[test]
fn half_an_answer_is_none() {
    let frame = Frame::new("n");
    assert_eq!(read_shards(&frame, "@@n nodes\n0|f\n@@n end 1\n"), None);
    let shards = shards();
    assert_eq!(
        shards.nodes[1],
        CitusNode {
            group: 1,
            open: true
        }
    );
    assert_eq!((shards.placed[&2], shards.background), (16, true));
}

#[test]
fn a_drain_closes_the_group_and_moves_its_shards() {
    let book = planned("citus-min", 2, &shards(), false, drain).unwrap();
    let wanted = [
        "let Citus place no more shards on group 2",
        "move the shards of group 2",
    ];
    assert_eq!(titles(&book), wanted);
    assert_eq!(book.seen, ["16 shards on group 2"]);
    let Work::Hosts(scripts) = &book.steps[1].work else {
        panic!("not on a host");
    };
    let act = scripts.values().next().unwrap().act.expose();
    assert!(
        act.contains("drain_only := true, shard_transfer_mode := '\\''auto'\\''"),
        "{act}"
    );
}

#[test]
fn one_that_is_empty_and_closed_needs_nothing() {
    let mut shards = shards();
    shards.placed.remove(&2);
    shards.nodes[2].open = false;
    let book = planned("citus-min", 2, &shards, false, drain).unwrap();
    assert!(book.steps.is_empty());
}

#[test]
fn what_cannot_be_drained_is_refused() {
    refused(
        planned("citus-min", 0, &shards(), false, drain),
        "is the coordinator",
    );
    refused(
        planned("ha-trio", 0, &shards(), false, drain),
        "no group of a Citus formation",
    );
    let mut only = shards();
    only.nodes[1].open = false;
    refused(
        planned("citus-min", 2, &only, false, drain),
        "no other group takes shards",
    );
    let mut unknown = shards();
    unknown.nodes.pop();
    refused(
        planned("citus-min", 2, &unknown, false, drain),
        "pg_dist_node has no group 2",
    );
    let mut bare = shards();
    bare.bare.push("events".into());
    refused(
        planned("citus-min", 2, &bare, false, drain),
        "cannot move while they are written: events",
    );
    let blocking = planned("citus-min", 2, &bare, true, drain).unwrap();
    assert_eq!(blocking.risks, ["writes to a shard wait while it moves"]);
}

#[test]
fn a_group_that_came_takes_shards() {
    let book = planned("citus-min", 2, &shards(), false, rebalance).unwrap();
    assert_eq!(
        titles(&book),
        ["let Citus place shards on group 2", "spread the shards"]
    );
    let mut old = shards();
    old.background = false;
    refused(
        planned("citus-min", 2, &old, false, rebalance),
        "moves no shards in the background",
    );
}
