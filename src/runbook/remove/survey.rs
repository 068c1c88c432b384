//! What a removal looks at on a host: one program, read into a struct.

use crate::command::{Frame, Sections, given, quote, whole_program};
use crate::secret::Secret;
use std::collections::{BTreeMap, BTreeSet};

/// What is asked of one host.
#[derive(Clone, Debug, Default)]
pub struct Questions {
    /// Units whose state matters.
    pub units: Vec<String>,
    /// Packages that would go.
    pub packages: Vec<String>,
    /// Directories that would be put aside.
    pub directories: Vec<String>,
    /// The database of Citus, where this host's PostgreSQL has one.
    pub citus: Option<String>,
    /// Beginnings of keys in etcd, where this host is a member of it.
    pub keys: Vec<String>,
}

/// What a host said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Left {
    /// Lines of the manifest: what citusctl made there.
    pub manifest: Vec<String>,
    /// By unit: whether it runs or begins with the machine.
    pub units: BTreeMap<String, bool>,
    /// Of those asked for: installed.
    pub packages: BTreeSet<String>,
    /// Of those asked for: there.
    pub directories: BTreeSet<String>,
    /// A postmaster runs on the data directory.
    pub running: bool,
    /// Names of replication slots; `None`: PostgreSQL does not answer.
    pub slots: Option<BTreeSet<String>>,
    /// `pg_dist_node`; `None`: not asked, or no answer.
    pub nodes: Option<Vec<NodeRow>>,
    /// Shards by group, those of reference tables left out, because they are everywhere; `None`: not asked, or no answer.
    pub placed: Option<BTreeMap<u32, u64>>,
    /// Keys in etcd; `None`: no answer.
    pub keys: Option<BTreeSet<String>>,
    /// Users of etcd.
    pub users: BTreeSet<String>,
    /// Our block is in /etc/hosts.
    pub block: bool,
}

/// A row of `pg_dist_node`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRow {
    pub group: u32,
    pub host: String,
    pub port: u16,
}

const NODES: &str =
    "SELECT groupid, nodename, nodeport FROM pg_dist_node ORDER BY noderole = 'primary', nodeid";
/// Placements by group. A reference table has one on every node, and Citus takes that away with the node.
pub(super) const PLACED: &str = "SELECT p.groupid, count(*) FROM pg_dist_placement p JOIN pg_dist_shard USING (shardid) \
 JOIN pg_dist_partition t USING (logicalrelid) WHERE NOT (t.partmethod = 'n' AND t.repmodel = 't')";

/// The program for one host. `functions` are [`super::super::host_functions`].
pub fn survey_program(frame: &Frame, functions: &Secret, ask: &Questions) -> Secret {
    let values = [
        ("UNITS", ask.units.join(" ")),
        ("PACKAGES", ask.packages.join(" ")),
        ("DIRECTORIES", ask.directories.join("\n")),
        ("CITUS", ask.citus.clone().unwrap_or_default()),
        ("NODES", NODES.to_owned()),
        ("PLACED", format!("{PLACED} GROUP BY 1")),
    ];
    let values = values
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let mut text = format!(
        "{}{}\n{}",
        frame.define_mark(),
        functions.expose(),
        given(&values, include_str!("scripts/survey.sh")),
    );
    if !ask.keys.is_empty() {
        text.push_str("mark keys\n");
        for start in &ask.keys {
            text.push_str(&format!(
                "etcd_ctl get --prefix --keys-only {} || bad=1\n",
                quote(start)
            ));
        }
        text.push_str("mark keys-end ${bad:-0}\nmark users; etcd_ctl user list 2>/dev/null\n");
    }
    text.push_str("mark end\n");
    whole_program(&text)
}

/// Reads what a host said. `None` when the answer is not whole.
pub fn read_left(frame: &Frame, output: &str) -> Option<Left> {
    let sections = frame.sections(output);
    sections.get("end")?;
    let answered = |name: &str| {
        sections
            .get(&format!("{name}-end 0"))
            .and(sections.get(name))
    };
    Some(Left {
        manifest: lines(&sections, "manifest"),
        units: units(&sections),
        packages: packages(&sections),
        directories: sections
            .starting_with("directory")
            .map(|(name, _)| name.to_owned())
            .collect(),
        running: sections.get("running").is_some(),
        slots: answered("slots").map(words),
        nodes: answered("nodes").map(|text| text.lines().filter_map(node).collect()),
        placed: answered("placed").and_then(|text| {
            // A mark begins with an empty line.
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            lines.map(pair).collect()
        }),
        keys: answered("keys").map(words),
        users: words(sections.get("users").unwrap_or_default()),
        block: sections.get("block").is_some(),
    })
}

fn lines(sections: &Sections, name: &str) -> Vec<String> {
    let text = sections.get(name).unwrap_or_default();
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(str::to_owned)
        .collect()
}

fn words(text: &str) -> BTreeSet<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn units(sections: &Sections) -> BTreeMap<String, bool> {
    let units = sections.starting_with("unit").map(|(name, text)| {
        let begins = |word: &str| {
            matches!(
                word,
                "active" | "activating" | "reloading" | "deactivating" | "enabled"
            )
        };
        (name.to_owned(), text.split_whitespace().any(begins))
    });
    units.collect()
}

fn packages(sections: &Sections) -> BTreeSet<String> {
    let installed = sections
        .starting_with("package")
        .filter(|(_, text)| text.trim() == "installed");
    installed.map(|(name, _)| name.to_owned()).collect()
}

fn node(line: &str) -> Option<NodeRow> {
    let mut fields = line.trim().split('|');
    Some(NodeRow {
        group: fields.next()?.parse().ok()?,
        host: fields.next()?.to_owned(),
        port: fields.next()?.parse().ok()?,
    })
}

fn pair(line: &str) -> Option<(u32, u64)> {
    let (group, count) = line.trim().split_once('|')?;
    Some((group.parse().ok()?, count.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_left() {
        let output = "@@n manifest\npgsql/pg /pg\n\n@@n unit patroni.service\nactive\nenabled\n@@n unit haproxy.service\ninactive\ndisabled\n\
            @@n package haproxy\ninstalled\n@@n package x\n@@n directory /data/x\n@@n running\n@@n slots\npg_a_2\n@@n slots-end 0\n\
            @@n nodes\n0|10.0.0.1|5432\n2|10.0.0.5|5432\n@@n nodes-end 0\n@@n placed\n2|16\n\n@@n placed-end 0\n@@n keys\n/pg/a/leader\n\n@@n keys-end 1\n@@n end\n";
        let left = read_left(&Frame::new("n"), output).unwrap();
        assert_eq!(left.manifest, ["pgsql/pg /pg"]);
        assert!(left.units["patroni.service"] && !left.units["haproxy.service"]);
        assert_eq!(left.packages.len(), 1);
        assert!(left.running && left.directories.contains("/data/x"));
        assert_eq!(left.nodes.unwrap()[1].group, 2);
        assert_eq!(left.placed, Some(BTreeMap::from([(2, 16)])));
        let failed = output.replace("@@n placed-end 0", "@@n placed-end 1");
        assert_eq!(read_left(&Frame::new("n"), &failed).unwrap().placed, None);
        // Half an answer of etcd is none.
        assert_eq!((left.keys, left.slots.unwrap().len()), (None, 1));
        assert_eq!(read_left(&Frame::new("n"), "@@n manifest\n"), None);
    }
}
