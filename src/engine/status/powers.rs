//! Who may do what in a group and what its sessions begin with, against what is declared.

use super::findings::Findings;
use super::{StatusAccess, StatusAnswers};
use crate::fact;
use crate::model::Group;

/// Judges what the members of a group told. A leader that answers and tells nothing of this is not known to be fine.
pub(super) fn judge(
    group: &Group,
    access: &StatusAccess,
    answers: &StatusAnswers,
    said: &mut Findings,
) {
    let Some(declared) = access.declared.get(&group.cluster) else {
        return;
    };
    for member in &group.members {
        let Some(Ok(seen)) = answers.hosts.get(&member.host) else {
            continue;
        };
        let Some(Ok(postgres)) = &seen.postgres else {
            continue;
        };
        let place = match postgres.recovery {
            true => member.host.to_string(),
            false => group.cluster.to_string(),
        };
        let Some(powers) = &seen.powers else {
            said.problem(format!(
                "{place}: what {} runs with, and who may do what in it, is not known: its PostgreSQL did not tell",
                member.name
            ));
            continue;
        };
        let found = fact::judge(declared, powers);
        for text in found.broken.into_iter().chain(found.weak) {
            said.problem(format!("{place}: {text}"));
        }
        for text in found.noted {
            said.warn(format!("{place}: {text}"));
        }
    }
}
