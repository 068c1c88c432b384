//! `backup expire`: what retention, or a set that is named, takes away; the points that lose their way back are told first.

use super::inspect::{Segment, segment};
use super::{BackupInput, GroupLook, PointGroup};
use crate::command::{Frame, given, whole_program};
use crate::fact::BackupSet;
use crate::model::Group;
use crate::model::backup::stanza;
use crate::names::words::count;
use crate::names::{ClusterName, HostName};
use crate::runbook::{Consent, Refusal, Runbook, Script, Step, host_functions};
use crate::secret::Secret;
use std::collections::BTreeMap;

const PLAN: &str = include_str!("scripts/expire-plan.sh");

/// Segments are compared by their numbers: any size orders them.
const SIZE: u64 = 16 << 20;

/// What goes in one group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expiry {
    /// Labels of backups.
    pub backups: Vec<String>,
    /// Ranges of segments, first and last.
    pub segments: Vec<(String, String)>,
}

impl Expiry {
    /// Reads what pgBackRest would do.
    ///
    /// # Errors
    /// pgBackRest's words.
    pub fn read(frame: &Frame, text: &str) -> Result<Self, String> {
        let sections = frame.sections(text);
        if sections.get("ended 0").is_none() {
            let said = sections.get("plan").unwrap_or_default();
            let error = said
                .lines()
                .find_map(|line| Some(line.split_once("ERROR: ")?.1));
            return Err(error
                .unwrap_or("pgBackRest does not say what it would remove")
                .to_owned());
        }
        let mut found = Self::default();
        for line in sections
            .get("plan")
            .unwrap_or_default()
            .lines()
            .map(str::trim)
        {
            if let Some(label) = line.split_once("remove expired backup ").map(|it| it.1) {
                found.backups.push(label.to_owned());
            } else if let Some((_, range)) = line.split_once("remove archive, start = ")
                && let Some((first, last)) = range.split_once(", stop = ")
            {
                found.segments.push((first.to_owned(), last.to_owned()));
            }
        }
        Ok(found)
    }

    fn is_empty(&self) -> bool {
        self.backups.is_empty() && self.segments.is_empty()
    }

    /// As the removals in the script: what is compared before anything is removed.
    fn lines(&self) -> String {
        let backups = self
            .backups
            .iter()
            .map(|label| format!("remove expired backup {label}"));
        let segments = self
            .segments
            .iter()
            .map(|(first, last)| format!("remove archive, start = {first}, stop = {last}"));
        let mut all: Vec<String> = backups.chain(segments).collect();
        all.sort();
        all.join("\n")
    }

    /// Whether a point has its way back still: a backup that stays, and its log.
    fn leaves(&self, point: &PointGroup, sets: &[BackupSet]) -> bool {
        let stay: Vec<BackupSet> = sets
            .iter()
            .filter(|set| !self.backups.contains(&set.label))
            .cloned()
            .collect();
        point.set(&stay).is_some_and(|set| {
            let way = segment(&set.wal_start, SIZE).zip(segment(&point.wal, SIZE));
            let meets = |(first, last): &(String, String)| match (
                way,
                edge(first, 0),
                edge(last, u64::MAX),
            ) {
                (Some(way), Some(first), Some(last)) => is_on(way, (first, last)),
                _ => true,
            };
            !self.segments.iter().any(meets)
        })
    }
}

/// The end of a range: a segment, or all those of a directory of the archive (sixteen digits), of which `beyond` is the number
/// past this end.
fn edge(name: &str, beyond: u64) -> Option<Segment> {
    match name.len() {
        16 => {
            let (timeline, first) = segment(&format!("{name}00000000"), SIZE)?;
            let last = first + (1 << 32) / SIZE - 1;
            Some((timeline, first.max(last.min(beyond))))
        }
        _ => segment(name, SIZE),
    }
}

/// Whether one of these segments may be on the way from one to another: on a timeline between theirs, at their positions.
fn is_on((from, to): (Segment, Segment), (first, last): (Segment, Segment)) -> bool {
    let mut timelines = from.0.max(first.0)..=to.0.min(last.0);
    timelines.any(|timeline| {
        let begin = if timeline == first.0 { first.1 } else { 0 };
        let end = if timeline == last.0 { last.1 } else { u64::MAX };
        begin <= to.1 && from.1 <= end
    })
}

/// The program that asks a leader what would go.
pub fn expire_program(
    frame: &Frame,
    input: BackupInput<'_>,
    group: &Group,
    set: Option<&str>,
) -> Option<(HostName, Secret)> {
    let look = input.look.group(group).ok()?;
    let host = input.model.hosts.get(&look.leader)?;
    let text = format!(
        "{}{}{}\nmark plan\nexpiry --dry-run\nmark \"ended $?\"\n",
        frame.define_mark(),
        host_functions(input.model, host).expose(),
        defined(group, set)
    );
    Some((look.leader, whole_program(&text)))
}

fn defined(group: &Group, set: Option<&str>) -> String {
    let stanza = stanza(&group.cluster);
    given(
        &[
            ("STANZA", stanza.as_str()),
            ("SET", set.unwrap_or_default()),
        ],
        PLAN,
    )
}

/// Plans it.
///
/// # Errors
/// A group has no leader or no repository that can be read.
pub fn plan_expire(
    input: BackupInput<'_>,
    groups: &[&Group],
    set: Option<&str>,
    expiries: &BTreeMap<ClusterName, Expiry>,
) -> Result<Runbook, Refusal> {
    let mut looks = Vec::new();
    for group in groups {
        input.repository(group)?;
        looks.push(input.look.group(group)?);
    }
    let going = |look: &GroupLook<'_>| {
        expiries
            .get(&look.group.cluster)
            .cloned()
            .unwrap_or_default()
    };
    let scripts: BTreeMap<HostName, Script> = looks
        .iter()
        .filter(|look| !going(look).is_empty())
        .map(|look| (look.leader.clone(), script(look, set, &going(look))))
        .collect();
    let risks = lost(input, &looks, expiries);
    let names: Vec<&str> = groups.iter().map(|group| group.cluster.as_str()).collect();
    let loses = expiries.values().any(|expiry| !expiry.backups.is_empty()) || !risks.is_empty();
    let hosts: Vec<HostName> = scripts.keys().cloned().collect();
    let title = "remove what has expired";
    Ok(Runbook {
        name: "expire",
        aim: format!("{title} from the repositories of {}", names.join(", ")),
        subject: names.join(","),
        seen: looks
            .iter()
            .map(|look| sentence(look, &going(look)))
            .collect(),
        risks,
        consent: if loses { Consent::Name } else { Consent::Yes },
        steps: match scripts.is_empty() {
            true => Vec::new(),
            false => vec![Step::on_all(scripts, "expire", title).within(60)],
        },
        afterwards: Vec::new(),
        prelude: input.preludes(hosts),
    })
}

fn sentence(look: &GroupLook<'_>, expiry: &Expiry) -> String {
    let cluster = &look.group.cluster;
    if expiry.is_empty() {
        return format!(
            "{cluster}: nothing has expired: {} kept",
            count(look.stanza.sets.len(), "backup")
        );
    }
    let stay = look
        .stanza
        .sets
        .iter()
        .filter(|set| !expiry.backups.contains(&set.label))
        .count();
    let segments = expiry
        .segments
        .iter()
        .map(|(first, last)| format!("; segments {first} to {last} are removed"));
    let backups = match expiry.backups.as_slice() {
        [] => "no backup is removed".to_owned(),
        labels => format!("backups {} are removed", labels.join(", ")),
    };
    format!(
        "{cluster}: {backups}{}; {} kept",
        segments.collect::<String>(),
        count(stay, "backup")
    )
}

/// The points that all groups can return to now, and not afterwards.
fn lost(
    input: BackupInput<'_>,
    looks: &[GroupLook<'_>],
    expiries: &BTreeMap<ClusterName, Expiry>,
) -> Vec<String> {
    let nothing = Expiry::default();
    let mut sentences = Vec::new();
    for point in input.look.points() {
        let goes = looks.iter().find(|look| {
            let (at, sets) = (point.group(look.group.cluster.as_str()), &look.stanza.sets);
            let expiry = expiries.get(&look.group.cluster).unwrap_or(&nothing);
            at.is_some_and(|at| nothing.leaves(at, sets) && !expiry.leaves(at, sets))
        });
        if let Some(look) = goes {
            let cluster = &look.group.cluster;
            sentences.push(format!(
                "the point `{}` has no way back any more: {cluster} keeps no backup and log for it",
                point.name
            ));
        }
    }
    sentences
}

fn script(look: &GroupLook<'_>, set: Option<&str>, expiry: &Expiry) -> Script {
    let values = [
        ("PLANNED", expiry.lines()),
        ("LABELS", expiry.backups.join(" ")),
    ];
    let values = values
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let defined = given(&values, &defined(look.group, set));
    let require = "[ \"$(sql postgres 'SELECT pg_is_in_recovery()')\" = f ] || { echo 'it does not lead any more'; exit 1; }\n\
                   [ \"$(expiry --dry-run | removals)\" = \"$PLANNED\" ] || { echo 'the repository has changed since the plan: run it again'; exit 1; }";
    // A range of segments alone leaves nothing behind by which to know it but the plan.
    let holds = "there=$(as_dbsu /usr/bin/pgbackrest --stanza=\"$STANZA\" --log-level-console=off --output=json info)\n\
                 for label in $LABELS; do case $there in *\"\\\"$label\\\"\"*) echo \"backup $label is there still\"; exit 1 ;; esac; done\n\
                 [ -n \"$LABELS\" ] || [ -z \"$(expiry --dry-run | removals)\" ] || { echo 'segments are there still'; exit 1; }";
    Script::new(
        format!("{defined}\nexpiry | grep -v ': --'"),
        format!("{defined}\n{holds}"),
    )
    .require(format!("{defined}\n{require}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(label: &str, start: &str, stop: &str, lsn_stop: u64) -> BackupSet {
        BackupSet {
            label: label.to_owned(),
            wal_start: start.to_owned(),
            wal_stop: stop.to_owned(),
            lsn_stop,
            ..BackupSet::default()
        }
    }

    fn point() -> PointGroup {
        PointGroup {
            cluster: "pg-test".to_owned(),
            system: "1".to_owned(),
            timeline: 1,
            lsn: "0/9000000".to_owned(),
            wal: "000000010000000000000009".to_owned(),
            at: 0,
            history: Vec::new(),
        }
    }

    #[test]
    fn segments_of_other_timelines_are_not_on_the_way() {
        let sets = [set(
            "F",
            "0000000E0000000000000010",
            "0000000E0000000000000011",
            1,
        )];
        let at = PointGroup {
            timeline: 14,
            wal: "0000000E0000000000000020".to_owned(),
            lsn: "0/20000000".to_owned(),
            ..point()
        };
        let expiry = |first: &str, last: &str| Expiry {
            segments: vec![(first.to_owned(), last.to_owned())],
            ..Expiry::default()
        };
        // The archive's directories of older timelines.
        assert!(expiry("0000000900000000", "0000000B0000000000000016").leaves(&at, &sets));
        assert!(expiry("0000000E0000000000000001", "0000000E000000000000000F").leaves(&at, &sets));
        assert!(!expiry("0000000E0000000000000001", "0000000E0000000000000010").leaves(&at, &sets));
        assert!(!expiry("0000000900000000", "0000000E00000000").leaves(&at, &sets));
        assert!(!expiry("unreadable", "0000000B0000000000000016").leaves(&at, &sets));
    }

    #[test]
    fn reads_what_would_go() {
        let said = "\n@@n plan\n2026-11-30 13:16:10.519 P00   INFO: [DRY-RUN] repo1: expire full backup set 20261130-131236F, 20261130-131236F_20261130-131602I\n2026-11-30 13:16:10.519 P00   INFO: [DRY-RUN] repo1: remove expired backup 20261130-131236F\n2026-11-30 13:16:10.520 P00   INFO: [DRY-RUN] repo1: 17-1 remove archive, start = 000000010000000000000006, stop = 00000001000000000000000C\n\n@@n ended 0\n";
        let frame = Frame::new("n");
        let found = Expiry::read(&frame, said).unwrap();
        assert_eq!(found.backups, ["20261130-131236F"]);
        assert_eq!(
            found.lines(),
            "remove archive, start = 000000010000000000000006, stop = 00000001000000000000000C\nremove expired backup 20261130-131236F"
        );
        let failed =
            "\n@@n plan\n2026 P00  ERROR: [032]: backup set x is not valid\n\n@@n ended 32\n";
        assert_eq!(
            Expiry::read(&frame, failed).unwrap_err(),
            "[032]: backup set x is not valid"
        );
        assert!(Expiry::read(&frame, "").is_err());
    }

    #[test]
    fn a_point_keeps_its_way_back_only_with_a_backup_and_its_log() {
        let sets = [
            set(
                "old",
                "000000010000000000000002",
                "000000010000000000000002",
                0x0200_0000,
            ),
            set(
                "new",
                "000000010000000000000007",
                "000000010000000000000007",
                0x0700_0000,
            ),
        ];
        let going = |backups: &[&str], segments: &[(&str, &str)]| Expiry {
            backups: backups.iter().map(|it| (*it).to_owned()).collect(),
            segments: segments
                .iter()
                .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
                .collect(),
        };
        assert!(
            going(
                &["old"],
                &[("000000010000000000000002", "000000010000000000000006")]
            )
            .leaves(&point(), &sets)
        );
        assert!(going(&["new"], &[]).leaves(&point(), &sets));
        assert!(
            !going(
                &["new"],
                &[("000000010000000000000003", "000000010000000000000005")]
            )
            .leaves(&point(), &sets)
        );
        assert!(!going(&["old", "new"], &[]).leaves(&point(), &sets));
    }
}
