//! Shared options that narrow what is done, at verbs that do not act by them.

use super::options::Common;
use crate::app::failure::{Failure, code};

/// Verbs that act on whole formations, or on the groups and members that their own arguments name, and what those are.
const NOT_BY_HOSTS: [(&str, &str); 12] = [
    ("backup", "`--group` names groups"),
    ("restore", "a formation returns as a whole"),
    ("recover", "`--survivor` and `--fenced` name hosts"),
    ("start", "a formation starts as a whole"),
    ("etcd", "its verbs take the host as an argument"),
    ("switchover", "`--group` names the group"),
    ("failover", "`--group` names the group"),
    ("restart", "it takes a member, or `--group`"),
    ("reload", "`--group` names groups"),
    ("reinit", "it takes a member"),
    ("pause", "`--group` names groups"),
    ("resume", "`--group` names groups"),
];

/// Whether a verb acts by `--limit`.
pub(super) fn limits(verb: &str) -> bool {
    NOT_BY_HOSTS.iter().all(|(name, _)| *name != verb)
}

/// Refuses what would be ignored: who narrows a restore to one group must not get all of them.
pub(super) fn refuse_ignored(common: &Common, verb: &str) -> Result<(), Failure> {
    let Some((_, instead)) = NOT_BY_HOSTS.iter().find(|(name, _)| *name == verb) else {
        return Ok(());
    };
    let given = [
        ("--limit", common.limit.is_some()),
        ("--tags", !common.tags.is_empty()),
        ("--skip-tags", !common.skip_tags.is_empty()),
    ];
    match given.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((option, _)) => Err(Failure::new(
            code::USAGE,
            format!("`citusctl {verb}` does not act by `{option}`: nothing was done"),
        )
        .hint(format!("leave it out: {instead}"))),
    }
}
