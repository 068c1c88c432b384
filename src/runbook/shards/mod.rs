//! Shards of a Citus formation: moved away from a worker group before it leaves, and to one that is new.
//!
//! Citus moves them in the background while they are read and written; the steps here begin that and watch it. A run that is
//! interrupted leaves Citus at work, and the next one goes on watching.

mod seen;

pub use seen::{Shards, read_shards, survey_program};

use super::{Consent, Refusal, Runbook, Script, Step};
use crate::command::{given, quote};
use crate::model::{Formation, Group};
use crate::names::HostName;
use crate::names::words::count;
use crate::secret::Secret;
use seen::PLACED;
use std::collections::BTreeMap;

/// A day: moves take as long as the data needs.
const PATIENCE: u64 = 86_400;

/// A formation and what its coordinator's leader says.
#[derive(Clone, Debug)]
pub struct ShardCase<'a> {
    pub formation: &'a Formation,
    pub group: &'a Group,
    /// Where the coordinator leads.
    pub leader: &'a HostName,
    pub shards: &'a Shards,
    /// Writes to a shard wait while it moves: for tables without a replica identity.
    pub block_writes: bool,
    /// Functions for steps on that host.
    pub functions: Secret,
}

/// A worker group, and its number.
///
/// # Errors
/// There is no Citus, or the group is its coordinator.
pub fn worker(formation: &Formation, group: &Group) -> Result<u32, Refusal> {
    let number = group.number.filter(|_| formation.is_citus());
    match number {
        Some(number) if !group.is_coordinator() => Ok(number),
        Some(_) => Err(Refusal::new(
            format!(
                "{} is the coordinator: it comes first and leaves last",
                group.cluster
            ),
            "name a worker group; `citusctl status` lists them",
        )),
        None => Err(Refusal::new(
            format!("{} is no group of a Citus formation", group.cluster),
            "only formations with `pg_mode: citus` have shards",
        )),
    }
}

/// All shards of a worker group move to the others, and Citus places none there from now on.
///
/// # Errors
/// Nowhere to move them, or a table that cannot move while it is written.
pub fn drain(case: &ShardCase<'_>) -> Result<Runbook, Refusal> {
    let number = worker(case.formation, case.group)?;
    let node = case.shards.nodes.iter().find(|node| node.group == number);
    let Some(node) = node else {
        return Err(Refusal::new(
            format!("{}: pg_dist_node has no group {number}", case.group.cluster),
            "nothing is placed there; `citusctl apply` registers a group",
        ));
    };
    let placed = case.shards.placed.get(&number).copied().unwrap_or_default();
    if placed > 0 {
        case.has_room(number)?;
        case.movable()?;
    }
    let mut book = case.book(
        "drain",
        format!("move all shards of group {number} to the other groups"),
    );
    book.seen = vec![match (placed, node.open) {
        (0, false) => format!("no shard is on group {number}, and Citus places none there"),
        _ => format!(
            "{} on group {number}",
            count(usize::try_from(placed).unwrap_or(usize::MAX), "shard")
        ),
    }];
    book.steps = match (placed, node.open) {
        (0, false) => Vec::new(),
        _ => vec![case.open(number, false), case.empty(number)],
    };
    book.afterwards = vec![format!(
        "to take its hosts out: `citusctl group remove {number} --confirm {}`; to use it again: `citusctl group add {number} --rebalance`",
        case.group.cluster
    )];
    Ok(book)
}

/// A worker group takes shards, and Citus spreads those that there are over all groups.
///
/// # Errors
/// It is not registered, or a table cannot move while it is written.
pub fn rebalance(case: &ShardCase<'_>) -> Result<Runbook, Refusal> {
    let number = worker(case.formation, case.group)?;
    if !case.shards.nodes.iter().any(|node| node.group == number) {
        return Err(Refusal::new(
            format!("{}: pg_dist_node has no group {number}", case.group.cluster),
            "`citusctl apply` registers it",
        ));
    }
    case.movable()?;
    if !case.shards.background {
        return Err(case.too_old());
    }
    let aim = format!("spread the shards over all groups, group {number} among them");
    let mut book = case.book("rebalance", aim);
    book.steps = vec![case.open(number, true), case.spread()];
    Ok(book)
}

impl ShardCase<'_> {
    fn book(&self, name: &'static str, aim: String) -> Runbook {
        let risks = match self.block_writes {
            true => vec!["writes to a shard wait while it moves".to_owned()],
            false => Vec::new(),
        };
        Runbook {
            name,
            aim,
            subject: self.group.cluster.to_string(),
            seen: Vec::new(),
            risks,
            consent: Consent::Yes,
            steps: Vec::new(),
            afterwards: Vec::new(),
            prelude: BTreeMap::from([(self.leader.clone(), self.functions.clone())]),
        }
    }

    fn too_old(&self) -> Refusal {
        Refusal::new(
            format!(
                "{}: this Citus moves no shards in the background",
                self.formation.name
            ),
            "Citus 11.1 and later do; before, `SELECT rebalance_table_shards()` by hand",
        )
    }

    /// Somebody else who takes shards.
    fn has_room(&self, number: u32) -> Result<(), Refusal> {
        let others = self.shards.nodes.iter();
        if others.clone().any(|node| node.group != number && node.open) {
            return Ok(());
        }
        Err(Refusal::new(
            format!("{}: no other group takes shards", self.group.cluster),
            "bring one in with `citusctl group add N`, or let one that was drained take them again: `citusctl group add N --rebalance`",
        ))
    }

    /// What moves while it is written is told from its rows by a key.
    fn movable(&self) -> Result<(), Refusal> {
        if self.block_writes || self.shards.bare.is_empty() {
            return Ok(());
        }
        Err(Refusal::new(
            format!(
                "tables without a primary key or another replica identity cannot move while they are written: {}",
                self.shards.bare.join(", ")
            ),
            "`ALTER TABLE ... REPLICA IDENTITY FULL`, or `--block-writes`: writes to a shard then wait while it moves",
        ))
    }

    fn sql(&self, statement: &str) -> String {
        format!(
            "sql {} {}",
            quote(&self.formation.primary_db),
            quote(statement)
        )
    }

    fn step(&self, id: &'static str, title: String, script: Script) -> Step {
        let leads = format!(
            "[ \"$({})\" = f ] || {{ echo 'PostgreSQL here leads no more'; false; }}",
            self.sql("SELECT pg_is_in_recovery()")
        );
        Step::on(self.leader, id, title, script.require(leads))
    }

    /// Whether Citus places shards on a group.
    fn open(&self, number: u32, open: bool) -> Step {
        let of = format!("FROM pg_dist_node WHERE groupid = {number} AND noderole = 'primary'");
        let act = self.sql(&format!(
            "SELECT citus_set_node_property(nodename, nodeport, 'shouldhaveshards', {open}) {of}"
        ));
        let now = self.sql(&format!("SELECT bool_and(shouldhaveshards) {of}"));
        let (wanted, title) = match open {
            true => ("t", format!("let Citus place shards on group {number}")),
            false => (
                "f",
                format!("let Citus place no more shards on group {number}"),
            ),
        };
        let holds = format!(
            "open=$({now}) || {{ echo 'PostgreSQL does not answer'; false; }}\n\
             [ \"$open\" = {wanted} ] || {{ echo \"Citus says $open\"; false; }}"
        );
        self.step(
            "placing",
            title,
            Script::new(format!("{act} >/dev/null"), holds),
        )
    }

    /// No shard is on a group.
    fn empty(&self, number: u32) -> Step {
        let left = self.sql(&format!(
            "SELECT coalesce(sum(count), 0) FROM ({PLACED} AND p.groupid = {number} GROUP BY 1) AS placed"
        ));
        let begin = match self.shards.background {
            true => self.begin("drain_only := true, "),
            false => {
                let drain = format!(
                    "SELECT citus_drain_node(nodename, nodeport) FROM pg_dist_node WHERE groupid = {number} AND noderole = 'primary'"
                );
                format!("{} >/dev/null", self.sql(&drain))
            }
        };
        let title = format!("move the shards of group {number}");
        self.moves("moves", title, &left, "shards are left on it", &begin)
    }

    /// Citus itself has nothing more to move.
    fn spread(&self) -> Step {
        let left = self.sql("SELECT count(*) FROM get_rebalance_table_shards_plan()");
        let begin = self.begin("");
        self.moves(
            "moves",
            "spread the shards".to_owned(),
            &left,
            "moves are left",
            &begin,
        )
    }

    fn begin(&self, options: &str) -> String {
        let mode = if self.block_writes {
            "block_writes"
        } else {
            "auto"
        };
        let start =
            format!("SELECT citus_rebalance_start({options}shard_transfer_mode := '{mode}')");
        format!("{} >/dev/null", self.sql(&start))
    }

    /// Begins the moves unless they are under way, and watches them: each look that shows another number is a line. Citus
    /// that ends without having moved anything, or says that it failed, ends the step.
    fn moves(&self, id: &'static str, title: String, left: &str, words: &str, begin: &str) -> Step {
        let jobs = "FROM pg_dist_background_job WHERE job_type = 'rebalance'";
        let running = self.sql(&format!(
            "SELECT count(*) {jobs} AND state IN ('scheduled', 'running', 'cancelling', 'failing')"
        ));
        let failed = self.sql(&format!(
            "SELECT message FROM pg_dist_background_task WHERE status IN ('error', 'unscheduled', 'cancelled') AND message IS NOT NULL \
             AND job_id = (SELECT max(job_id) {jobs} AND state IN ('failed', 'cancelled')) LIMIT 1"
        ));
        let (running, failed) = match self.shards.background {
            true => (running, failed),
            false => ("echo 0".to_owned(), ":".to_owned()),
        };
        let values = [("WORDS", words)];
        let asks = format!("left() {{ {left}; }}\n");
        let act = format!(
            "{asks}running() {{ {running}; }}\nfailed() {{ {failed}; }}\nbegin() {{ {begin}; }}\n{}",
            given(&values, include_str!("scripts/moves.sh"))
        );
        let holds = format!("{asks}{}", given(&values, include_str!("scripts/moved.sh")));
        self.step(id, title, Script::new(act, holds))
            .within(PATIENCE)
    }
}

#[cfg(test)]
mod tests;
