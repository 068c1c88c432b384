//! A host that has returned follows the leader: its copy is compared with the leader's before its Patroni starts, and in the
//! end it streams from this leader, is of its history, and has replayed a mark that was written meanwhile.

use super::Input;
use crate::command::quote;
use crate::model::guard::{GUARD, guard_case};
use crate::model::{Host, Model};
use crate::runbook::{Script, Step};

/// A copy that parts from the leader's is put aside and cloned anew, and never started: of two timelines of one number
/// PostgreSQL would take the other's for its own. Only where its own end holds no transaction pg_rewind may have it. In a group
/// of which nobody was left one of those that return leads it.
pub(super) fn follow(input: Input<'_>, host: &Host) -> Step {
    let guard = guard(input.model, host);
    let act = format!("{guard}{}", include_str!("scripts/follow.sh"));
    let holds = format!("{guard}{}", include_str!("scripts/follows.sh"));
    let name = host
        .pg
        .as_ref()
        .map(|member| member.name.to_string())
        .unwrap_or_default();
    Step::on(
        &host.name,
        "follow",
        format!("see that {name} follows the leader, or leads"),
        Script::new(act, holds),
    )
    .within(600)
}

/// `guard VERB ...` runs the guard of this version as PostgreSQL's own user, whatever is installed there.
pub(super) fn guard(model: &Model, host: &Host) -> String {
    let found = model.group_on(&host.name).zip(host.pg.as_ref());
    let Some(((formation, group), member)) = found else {
        return String::new();
    };
    let case = guard_case(&host.typed(), formation, group, member);
    format!(
        "guard() {{ as_dbsu env GUARD={} python3 - \"$@\" <<'CITUSCTL_GUARD'\n{GUARD}CITUSCTL_GUARD\n}}\n",
        quote(&case.to_string())
    )
}
