//! A backup of each group, on whoever leads it.

use super::{BackupInput, GroupLook};
use crate::command::given;
use crate::model::Group;
use crate::model::backup::stanza;
use crate::names::HostName;
use crate::names::words::count;
use crate::runbook::{Consent, Refusal, Runbook, Script, Step};
use std::collections::BTreeMap;

/// How long a backup may take.
const DAY: u64 = 86_400;

const BACKUP: &str = include_str!("scripts/backup.sh");
const BACKUP_MADE: &str = include_str!("scripts/backup-made.sh");

/// The kind of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackupKind {
    Full,
    Diff,
    Incr,
}

impl BackupKind {
    /// pgBackRest's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Diff => "diff",
            Self::Incr => "incr",
        }
    }

    /// The same in a sentence.
    fn described(self) -> &'static str {
        match self {
            Self::Full => "a full",
            Self::Diff => "a differential",
            Self::Incr => "an incremental",
        }
    }
}

/// A backup of these groups, all at once.
///
/// # Errors
/// A group has no leader, or no repository that can be read.
pub fn plan_backup(
    input: BackupInput<'_>,
    groups: &[&Group],
    kind: BackupKind,
) -> Result<Runbook, Refusal> {
    let mut scripts = BTreeMap::new();
    let mut seen = Vec::new();
    for group in groups {
        input.repository(group)?;
        let look = input.look.group(group)?;
        seen.push(sentence(&look));
        scripts.insert(look.leader.clone(), script(&input, &look, kind));
    }
    let names: Vec<&str> = groups.iter().map(|group| group.cluster.as_str()).collect();
    let hosts: Vec<HostName> = scripts.keys().cloned().collect();
    let title = format!("make {} backup of {}", kind.described(), names.join(", "));
    Ok(Runbook {
        name: "backup",
        aim: title.clone(),
        subject: names.join(","),
        seen,
        risks: Vec::new(),
        consent: Consent::Yes,
        steps: vec![Step::on_all(scripts, "make", title).within(DAY)],
        afterwards: Vec::new(),
        prelude: input.preludes(hosts),
    })
}

fn sentence(look: &GroupLook<'_>) -> String {
    let last = match look.stanza.last_full() {
        Some(set) => format!("last full backup {}", set.label),
        None => "no full backup yet: this one becomes full".to_owned(),
    };
    format!(
        "{}: {} leads; {}, {last}",
        look.group.cluster,
        look.leader,
        count(look.stanza.sets.len(), "backup"),
    )
}

fn script(input: &BackupInput<'_>, look: &GroupLook<'_>, kind: BackupKind) -> Script {
    let stanza = stanza(&look.group.cluster);
    let values = [
        ("STANZA", stanza.as_str()),
        ("KIND", kind.word()),
        ("THIS_RUN", input.run.as_str()),
    ];
    let made = given(&values, BACKUP_MADE);
    Script::new(format!("{}\n{made}", given(&values, BACKUP)), made)
        .require("[ \"$(sql postgres 'SELECT pg_is_in_recovery()')\" = f ] || { echo 'it does not lead any more'; false; }")
}
