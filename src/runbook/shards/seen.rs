//! What the coordinator's leader says of nodes and shards: one program, read into a struct.

use crate::command::{Frame, quote, whole_program};
use crate::secret::Secret;
use std::collections::BTreeMap;

/// A primary of `pg_dist_node`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CitusNode {
    pub group: u32,
    /// Whether Citus places shards there.
    pub open: bool,
}

/// Nodes and shards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shards {
    pub nodes: Vec<CitusNode>,
    /// Shards by group, without those of reference tables, which are everywhere.
    pub placed: BTreeMap<u32, u64>,
    /// Distributed tables whose rows nothing identifies.
    pub bare: Vec<String>,
    /// Citus can move them in the background.
    pub background: bool,
}

/// Placements by group. A reference table has one on every node, and Citus takes that away with the node.
pub(super) const PLACED: &str = "SELECT p.groupid, count(*) FROM pg_dist_placement p JOIN pg_dist_shard USING (shardid) \
 JOIN pg_dist_partition t USING (logicalrelid) WHERE NOT (t.partmethod = 'n' AND t.repmodel = 't')";
const NODES: &str =
    "SELECT groupid, shouldhaveshards FROM pg_dist_node WHERE noderole = 'primary' ORDER BY 1";
/// A partitioned table itself has no rows.
const BARE: &str = "SELECT c.oid::regclass FROM pg_dist_partition t JOIN pg_class c ON c.oid = t.logicalrelid \
 WHERE NOT (t.partmethod = 'n' AND t.repmodel = 't') AND c.relkind = 'r' AND (c.relreplident = 'n' OR c.relreplident = 'd' \
 AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)) ORDER BY 1";
const BACKGROUND: &str = "SELECT count(*) FROM pg_proc WHERE proname = 'citus_rebalance_start'";

/// The program for the host where the coordinator leads. `functions` are [`super::super::host_functions`].
pub fn survey_program(frame: &Frame, functions: &Secret, database: &str) -> Secret {
    let mut text = format!("{}{}\nbad=0\n", frame.define_mark(), functions.expose());
    let questions = [
        ("nodes", NODES.to_owned()),
        ("placed", format!("{PLACED} GROUP BY 1")),
        ("bare", BARE.to_owned()),
        ("background", BACKGROUND.to_owned()),
    ];
    for (name, question) in questions {
        text.push_str(&format!(
            "mark {name}; sql {} {} || bad=1\n",
            quote(database),
            quote(&question)
        ));
    }
    text.push_str("mark end $bad\n");
    whole_program(&text)
}

/// Reads what it said. `None` when not all of it was answered.
pub fn read_shards(frame: &Frame, output: &str) -> Option<Shards> {
    let sections = frame.sections(output);
    sections.get("end 0")?;
    let rows = |name: &str| {
        let text = sections.get(name).unwrap_or_default().to_owned();
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(str::to_owned).collect::<Vec<String>>()
    };
    let pair = |line: &String| {
        let (group, value) = line.split_once('|')?;
        Some((group.parse().ok()?, value.to_owned()))
    };
    let nodes = rows("nodes");
    let nodes = nodes.iter().filter_map(pair);
    let placed = rows("placed");
    let placed = placed.iter().filter_map(pair);
    Some(Shards {
        nodes: nodes
            .map(|(group, open)| CitusNode {
                group,
                open: open == "t",
            })
            .collect(),
        placed: placed
            .filter_map(|(group, count): (u32, String)| Some((group, count.parse().ok()?)))
            .collect(),
        bare: rows("bare"),
        background: rows("background").first().is_some_and(|count| count != "0"),
    })
}
