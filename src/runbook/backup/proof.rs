//! What a restored formation in a lab has to show: rows that agree everywhere, pages that are sound.

mod pages;
#[cfg(test)]
mod tests;

pub use pages::judge_pages;

use super::inspect::{Finding, Proof};
use super::rehearse::Rehearsal;
use crate::command::{Frame, Sections, given, whole_program};
use crate::inventory::param;
use crate::model::{Formation, Group, Host, Model};
use crate::names::HostName;
use crate::names::words::count;
use crate::runbook::host_functions;
use crate::secret::Secret;
use std::collections::BTreeMap;

const ROWS: &str = include_str!("scripts/rehearse-rows.sh");
const PAGES: &str = include_str!("scripts/rehearse-pages.sh");

/// What hosts said, or why they did not.
pub type Said = BTreeMap<HostName, Result<String, String>>;

/// Counts rows; `until`: on a standby, which has to be as far as its leader was.
pub fn rows_program(frame: &Frame, model: &Model, host: &Host, until: Option<&str>) -> Secret {
    program(
        frame,
        model,
        host,
        &[("UNTIL", until.unwrap_or_default())],
        ROWS,
    )
}

/// How far a leader's log is.
pub fn position_program(model: &Model, host: &Host) -> Secret {
    let functions = host_functions(model, host);
    whole_program(&format!(
        "{}sql postgres 'SELECT pg_current_wal_flush_lsn()'\n",
        functions.expose()
    ))
}

/// Asks a leader a query of the operator's.
pub fn query_program(model: &Model, host: &Host, database: &str, query: &str) -> Secret {
    let values = [("DB", database), ("QUERY", query)];
    let functions = host_functions(model, host);
    let text = given(&values, "sql \"$DB\" \"$QUERY\" 2>&1; exit $?");
    whole_program(&format!("{}\n{text}", functions.expose()))
}

/// Looks into the pages of a leader, which stops for it; `keep`: it is started again.
pub fn pages_program(frame: &Frame, model: &Model, host: &Host, keep: bool) -> Secret {
    let socket = host.typed().get(param::PG_LOCALHOST);
    let keep = if keep { "yes" } else { "" };
    program(
        frame,
        model,
        host,
        &[("SOCKET", socket.as_str()), ("KEEP", keep)],
        PAGES,
    )
}

/// Whether a host has a way out of the lab.
pub fn ways_out_program() -> Secret {
    whole_program("ip -o route show default; ip -o -6 route show default; echo asked")
}

fn program(
    frame: &Frame,
    model: &Model,
    host: &Host,
    values: &[(&str, &str)],
    text: &str,
) -> Secret {
    let functions = host_functions(model, host);
    whole_program(&format!(
        "{}{}\n{}",
        frame.define_mark(),
        functions.expose(),
        given(values, text)
    ))
}

/// Whether no host of the lab reaches anything outside of it.
pub fn judge_ways_out(formation: &str, said: &Said) -> Finding {
    let finding = |proof, words: String| Finding::new(formation, "isolation", proof, words);
    for (host, answer) in said {
        match answer.as_deref().map(str::trim) {
            Ok("asked") => {}
            Ok(route) => {
                return finding(
                    Proof::Fails,
                    format!("{host}: it has a way out of the lab: {route}"),
                );
            }
            Err(why) => return finding(Proof::Unknown, format!("{host}: {why}")),
        }
    }
    match said.is_empty() {
        true => finding(Proof::Unknown, "no host was asked".to_owned()),
        false => finding(
            Proof::Holds,
            "no host of the lab has a route out of it".to_owned(),
        ),
    }
}

/// Tables and their rows, by database.
type Counts = BTreeMap<String, BTreeMap<String, i64>>;

fn counts(sections: &Sections, kind: &str) -> Option<Counts> {
    let mut found = Counts::new();
    for (name, text) in sections.starting_with(kind) {
        // Beside it there may be what a server has to say.
        let line = text.lines().find(|line| line.starts_with('{'));
        let tables = match line {
            Some(line) => serde_json::from_str(line).ok()?,
            None => BTreeMap::new(),
        };
        found.insert(name.to_owned(), tables);
    }
    Some(found)
}

fn sum(counts: &Counts) -> (usize, i64) {
    let tables = counts.values().map(BTreeMap::len).sum();
    (tables, counts.values().flat_map(BTreeMap::values).sum())
}

/// The first table in which two differ.
fn difference(one: &Counts, other: &Counts) -> Option<String> {
    let tables = |counts: &Counts| -> BTreeMap<String, i64> {
        let of = |(db, tables): (&String, &BTreeMap<String, i64>)| {
            let db = db.clone();
            tables
                .iter()
                .map(move |(table, rows)| (format!("{db}: {table}"), *rows))
                .collect::<Vec<_>>()
        };
        counts.iter().flat_map(of).collect()
    };
    let (one, other) = (tables(one), tables(other));
    let names = one.keys().chain(other.keys());
    let rows = |of: &BTreeMap<String, i64>, name: &String| {
        of.get(name).map_or("no such table".to_owned(), |rows| {
            count(usize::try_from(*rows).unwrap_or_default(), "row")
        })
    };
    let differs = names
        .into_iter()
        .find(|name| one.get(*name) != other.get(*name))?;
    Some(format!(
        "{differs}: {} and {}",
        rows(&one, differs),
        rows(&other, differs)
    ))
}

/// Judges the rows of a formation.
pub fn judge_rows(
    frame: &Frame,
    formation: &Formation,
    rehearsal: &Rehearsal,
    said: &Said,
) -> Vec<Finding> {
    let judge = Judge { frame, said };
    let mut findings: Vec<Finding> = formation
        .groups
        .iter()
        .map(|group| {
            judge
                .group(group, rehearsal)
                .unwrap_or_else(|finding| finding)
        })
        .collect();
    if formation.is_citus() {
        findings.extend(judge.distributed(formation, rehearsal));
    }
    findings
}

struct Judge<'a> {
    frame: &'a Frame,
    said: &'a Said,
}

impl Judge<'_> {
    fn sections(&self, host: &HostName) -> Result<Sections, String> {
        let answer = self
            .said
            .get(host)
            .ok_or_else(|| "it was not asked".to_owned())?;
        let sections = self.frame.sections(answer.as_ref().map_err(Clone::clone)?);
        if let Some((what, said)) = sections.starting_with("failed").next() {
            let error = said.lines().find(|line| line.contains("ERROR"));
            return Err(format!("{what}: {}", error.unwrap_or("it says nothing")));
        }
        let whole = sections.get("end").is_some();
        whole
            .then_some(sections)
            .ok_or_else(|| "its answer is not whole".to_owned())
    }

    fn group(&self, group: &Group, rehearsal: &Rehearsal) -> Result<Finding, Finding> {
        let cluster = group.cluster.as_str();
        let finding = |proof, words: String| Finding::new(cluster, "rows", proof, words);
        let leader = leader(rehearsal, cluster)
            .ok_or_else(|| finding(Proof::Unknown, "no member of it was restored".to_owned()))?;
        let own = self
            .rows(leader)
            .map_err(|why| finding(Proof::Unknown, format!("{leader}: {why}")))?;
        for member in group
            .members
            .iter()
            .map(|member| &member.host)
            .filter(|host| *host != leader)
        {
            let rows = self
                .rows(member)
                .map_err(|why| finding(Proof::Unknown, format!("{member}: {why}")))?;
            if let Some(difference) = difference(&own, &rows) {
                return Err(finding(
                    Proof::Fails,
                    format!("{leader} and {member} differ: {difference}"),
                ));
            }
        }
        let (tables, rows) = sum(&own);
        let words = format!(
            "{} with {rows} rows, equal on {}",
            count(tables, "table"),
            count(group.members.len(), "member")
        );
        Ok(finding(Proof::Holds, words))
    }

    fn rows(&self, host: &HostName) -> Result<Counts, String> {
        let sections = self.sections(host)?;
        match sections.get("behind").map(str::trim) {
            None | Some("f") => {}
            Some(_) => {
                return Err("it did not come as far as its leader within a minute".to_owned());
            }
        }
        let found =
            counts(&sections, "rows").ok_or_else(|| "its rows could not be counted".to_owned())?;
        match found.is_empty() {
            true => Err("it names no database".to_owned()),
            false => Ok(found),
        }
    }

    /// What all nodes say of distributed tables, against what the shards hold.
    fn distributed(&self, formation: &Formation, rehearsal: &Rehearsal) -> Vec<Finding> {
        let name = formation.name.as_str();
        let finding = |proof, words: String| Finding::new(name, "distributed", proof, words);
        let mut first: Option<(&HostName, Counts)> = None;
        for group in &formation.groups {
            let Some(leader) = leader(rehearsal, group.cluster.as_str()) else {
                return vec![finding(
                    Proof::Unknown,
                    format!("{}: no member of it was restored", group.cluster),
                )];
            };
            let sections = match self.sections(leader) {
                Ok(sections) => sections,
                Err(why) => return vec![finding(Proof::Unknown, format!("{leader}: {why}"))],
            };
            let (through, shards) = (
                counts(&sections, "distributed"),
                counts(&sections, "shards"),
            );
            let (Some(through), Some(shards)) = (through, shards) else {
                return vec![finding(
                    Proof::Unknown,
                    format!("{leader}: its distributed tables could not be counted"),
                )];
            };
            if let Some(difference) = short(&through, &shards) {
                return vec![finding(Proof::Fails, format!("{leader}: {difference}"))];
            }
            match &first {
                None => first = Some((leader, through)),
                Some((other, same)) => {
                    if let Some(difference) = difference(same, &through) {
                        return vec![finding(
                            Proof::Fails,
                            format!("{other} and {leader} differ: {difference}"),
                        )];
                    }
                }
            }
        }
        let (tables, rows) = first.map(|(_, counts)| sum(&counts)).unwrap_or_default();
        vec![match tables {
            0 => finding(Proof::Skipped, "there is no distributed table".to_owned()),
            _ => finding(
                Proof::Holds,
                format!(
                    "{} with {rows} rows: the same through every node, and in the shards",
                    count(tables, "distributed table")
                ),
            ),
        }]
    }
}

/// A table whose shards hold another number of rows.
fn short(through: &Counts, shards: &Counts) -> Option<String> {
    shards.iter().find_map(|(db, tables)| {
        let (table, rows) = tables
            .iter()
            .find(|(table, rows)| through.get(db).and_then(|of| of.get(*table)) != Some(*rows))?;
        Some(format!(
            "{db}: the shards of {table} hold {rows} rows, and a query counts another number"
        ))
    })
}

fn leader<'a>(rehearsal: &'a Rehearsal, cluster: &str) -> Option<&'a HostName> {
    let group = rehearsal
        .groups
        .iter()
        .find(|group| group.cluster == cluster);
    group.map(|group| &group.member)
}
