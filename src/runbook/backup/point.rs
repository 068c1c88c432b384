//! A point to which all groups of a formation can return together.
//!
//! All leaders hold the locks that Citus 14 takes for its own restore points (no distributed transaction is between its
//! decision and its end then), write a record of the same name, and let go once all have written. It counts when each group's
//! segment with the record can be read back from its repository.

use super::survey::POINTS;
use super::{BackupInput, GroupLook};
use crate::command::{given, quote, whole_program};
use crate::fact::{BackupSet, lsn};
use crate::model::Formation;
use crate::model::backup::stanza;
use crate::names::HostName;
use crate::runbook::{Consent, Refusal, Runbook, Script, Step};
use crate::secret::Secret;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const HOLD: &str = include_str!("scripts/point-hold.sh");
const HOLD_SQL: &str = include_str!("scripts/point.sql");
const HOLDS: &str = include_str!("scripts/point-holds.sh");
const ARCHIVE: &str = include_str!("scripts/point-archived.sh");

/// Where the leaders talk with us while a point is made.
fn directory(name: &str) -> String {
    format!("/run/citusctl-points/{name}")
}

/// A point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestorePoint {
    pub name: String,
    /// When it was made, in seconds since 1970, by the clock of the first group's leader.
    pub at: i64,
    pub formation: String,
    pub groups: Vec<PointGroup>,
}

/// Where a point is in the log of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointGroup {
    pub cluster: String,
    pub system: String,
    pub timeline: u32,
    pub lsn: String,
    pub wal: String,
    pub at: i64,
    /// The timelines that led to it: number, and where it was left.
    pub history: Vec<(u32, String)>,
}

impl PointGroup {
    /// The newest backup from which recovery reaches the point.
    pub fn set<'a>(&self, sets: &'a [BackupSet]) -> Option<&'a BackupSet> {
        let at = lsn(&self.lsn)?;
        let fits = |set: &&BackupSet| {
            let timeline = set
                .wal_stop
                .get(..8)
                .and_then(|digits| u32::from_str_radix(digits, 16).ok());
            let left = self
                .history
                .iter()
                .find(|(number, _)| Some(*number) == timeline);
            let on_the_way = timeline == Some(self.timeline)
                || left
                    .and_then(|(_, end)| lsn(end))
                    .is_some_and(|end| set.lsn_stop <= end);
            !set.error && !set.gone && on_the_way && set.lsn_stop <= at
        };
        sets.iter().filter(fits).max_by_key(|set| set.lsn_stop)
    }
}

impl RestorePoint {
    /// Reads a line of the list.
    pub fn read(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }

    /// The group of that name.
    pub fn group(&self, cluster: &str) -> Option<&PointGroup> {
        self.groups.iter().find(|group| group.cluster == cluster)
    }
}

/// The name of a point: ours where none is given, so that none is used twice.
fn sound(name: &str) -> Result<(), Refusal> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    match (1..=60).contains(&name.len())
        && name.bytes().all(letter)
        && !name.starts_with(['-', '.'])
    {
        true => Ok(()),
        false => Err(Refusal::new(
            format!("`{name}` is no name for a point"),
            "1 to 60 letters, digits, `-`, `_` and `.`",
        )),
    }
}

/// Makes a point in all groups of the formation.
///
/// # Errors
/// A group has no leader or no repository that can be read, or the name was used before.
pub fn plan_point(input: BackupInput<'_>, name: &str) -> Result<Runbook, Refusal> {
    sound(name)?;
    let formation = input.formation()?;
    if input.look.points().iter().any(|point| point.name == name) {
        return Err(Refusal::new(
            format!(
                "there is a point `{name}` already: recovery stops at the first record of a name"
            ),
            "choose another name",
        ));
    }
    let mut looks = Vec::new();
    for group in &formation.groups {
        input.repository(group)?;
        looks.push(input.look.group(group)?);
    }
    let steps = steps(formation, &looks, name);
    Ok(Runbook {
        name: "point",
        aim: format!(
            "a point `{name}` to which all groups of {} can return",
            formation.name
        ),
        subject: formation.name.to_string(),
        seen: looks
            .iter()
            .map(|look| format!("{}: {} leads", look.group.cluster, look.leader))
            .collect(),
        risks: match formation.is_citus() {
            true => vec![
                "transactions over several nodes wait while it is made (well below a second)"
                    .to_owned(),
            ],
            false => Vec::new(),
        },
        consent: Consent::Yes,
        steps,
        afterwards: Vec::new(),
        prelude: input.preludes(looks.iter().map(|look| look.leader.clone())),
    })
}

fn steps(formation: &Formation, looks: &[GroupLook<'_>], name: &str) -> Vec<Step> {
    let all = |script: &dyn Fn(&GroupLook<'_>) -> Script| -> BTreeMap<HostName, Script> {
        looks
            .iter()
            .map(|look| (look.leader.clone(), script(look)))
            .collect()
    };
    let (first, others) = match formation.is_citus() {
        true => looks.split_at(1),
        false => looks.split_at(looks.len()),
    };
    let begin = |looks: &[GroupLook<'_>], id: &'static str, title: &str| {
        let scripts: BTreeMap<_, _> = looks
            .iter()
            .map(|look| (look.leader.clone(), hold(formation, name)))
            .collect();
        (!scripts.is_empty()).then(|| Step::on_all(scripts, id, title).within(12))
    };
    let dir = quote(&directory(name));
    let signal = |what: &str, holds: &str| {
        let (act, holds) = (
            format!("as_dbsu touch {dir}/{what}"),
            format!("DIR={dir}; WANTED={holds}\n{HOLDS}"),
        );
        move |_: &GroupLook<'_>| Script::new(act.clone(), holds.clone())
    };
    let archived = |look: &GroupLook<'_>| {
        let stanza = stanza(&look.group.cluster);
        let held = directory(name);
        let holds = given(&[("STANZA", stanza.as_str()), ("DIR", &held)], ARCHIVE);
        Script::new("sql postgres 'SELECT pg_switch_wal()' >/dev/null", holds)
    };
    let mut steps = Vec::new();
    steps.extend(begin(
        first,
        "hold-first",
        "hold back what is distributed, on the first group",
    ));
    steps.extend(begin(
        others,
        "hold-others",
        "hold back what is distributed, on the other groups",
    ));
    steps.push(
        Step::on_all(
            all(&signal("go", "made")),
            "make",
            format!("write the record `{name}`"),
        )
        .within(12),
    );
    steps.push(Step::on_all(all(&signal("release", "done")), "release", "let go").within(12));
    steps.push(
        Step::on_all(
            all(&archived),
            "archived",
            "read the segment back from the repository",
        )
        .within(180),
    );
    steps
}

/// A session in the background that locks, waits for us, writes the record, and waits again. Each wait has an end.
fn hold(formation: &Formation, name: &str) -> Script {
    let dir = directory(name);
    let locks = match formation.is_citus() {
        true => "yes",
        false => "no",
    };
    let sql = HOLD_SQL
        .replace("@DIR@", &dir)
        .replace("@NAME@", name)
        .replace("@LOCKS@", locks);
    let database = match formation.is_citus() {
        true => formation.primary_db.as_str(),
        false => "postgres",
    };
    let values = [("DIR", dir.as_str()), ("DB", database), ("HELD", &sql)];
    let holds = format!("DIR={}; WANTED=locked\n{HOLDS}", quote(&dir));
    Script::new(given(&values, HOLD), holds)
}

/// The program that tells what a leader wrote.
pub fn made_program(name: &str) -> Secret {
    whole_program(&format!("cat {}/made\n", quote(&directory(name))))
}

/// Puts together what the leaders wrote.
///
/// # Errors
/// One of them has no record: then there is no point.
pub fn read_made(
    formation: &Formation,
    name: &str,
    made: &BTreeMap<HostName, Result<String, String>>,
) -> Result<RestorePoint, Refusal> {
    let mut groups = Vec::new();
    for group in &formation.groups {
        let mut answers = group
            .members
            .iter()
            .filter_map(|member| made.get(&member.host)?.as_ref().ok());
        let found = answers.find_map(|text| serde_json::from_str::<PointGroup>(text.trim()).ok());
        groups.push(PointGroup {
            cluster: group.cluster.to_string(),
            ..found.ok_or_else(|| {
                Refusal::new(
                    format!("{}: its leader does not say where the point is: it is not complete and does not count", group.cluster),
                    "make another one",
                )
            })?
        });
    }
    Ok(RestorePoint {
        name: name.to_owned(),
        at: groups.first().map_or(0, |group| group.at),
        formation: formation.name.to_string(),
        groups,
    })
}

/// Writes the point into the list on these hosts.
pub fn plan_record(input: BackupInput<'_>, point: &RestorePoint) -> Runbook {
    let line = serde_json::to_string(point).unwrap_or_default();
    let values = [("POINTS", POINTS), ("LINE", line.as_str())];
    let act = given(
        &values,
        "mkdir -p \"${POINTS%/*}\"\n[ -s \"$POINTS\" ] || (umask 077; : >\"$POINTS\")\nprintf '%s\\n' \"$LINE\" >>\"$POINTS\"\nsync \"$POINTS\"\n",
    );
    let holds = given(
        &values,
        "grep -qxF -- \"$LINE\" \"$POINTS\" 2>/dev/null || { echo 'not in the list'; false; }\n",
    );
    let hosts = input.look.hosts.keys();
    let scripts: BTreeMap<HostName, Script> = hosts
        .map(|host| (host.clone(), Script::new(act.clone(), holds.clone())))
        .collect();
    Runbook {
        name: "point",
        aim: format!("remember the point `{}`", point.name),
        subject: point.formation.clone(),
        seen: Vec::new(),
        risks: Vec::new(),
        consent: Consent::Yes,
        steps: vec![Step::on_all(
            scripts,
            "record",
            format!("remember the point `{}`", point.name),
        )],
        afterwards: Vec::new(),
        prelude: BTreeMap::new(),
    }
}
