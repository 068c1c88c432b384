//! etcd's members: one at a time, a learner before a voter, and never a step that the majority would not survive.

mod add;
mod content;
mod quorum;
mod remove;
mod replace;
mod reset;
mod restore;
mod snapshot;
mod view;

pub use add::add;
pub(super) use add::forget_one;
pub use content::whole;
pub use quorum::Quorum;
pub use remove::remove;
pub use replace::{question as replaced_question, replaces};
pub use reset::reset;
pub use restore::{reset_empty, restore};
pub use snapshot::{Snapshot, save_program};
pub use view::{EtcdView, MemberView};

use super::recover::Input;
use super::{Refusal, Runbook, Script};
use crate::command::given;
use crate::runbook::Consent;

/// What a procedure on a cluster that has a majority begins with.
fn book(view: &EtcdView<'_>, name: &'static str, aim: String) -> Runbook {
    Runbook {
        name,
        aim,
        subject: view.etcd.name.clone(),
        seen: view.sentences(),
        risks: Vec::new(),
        consent: Consent::Yes,
        steps: Vec::new(),
        afterwards: Vec::new(),
        prelude: super::recover::preludes(view.input),
    }
}

/// Checked on the host that is asked, immediately before a change of membership, which makes them so many `voters` and
/// so many `alive` more or fewer. The etcd that will be changed answers, and not what was seen of its hosts ([`EtcdView`]).
fn enforce(voters: i32, alive: i32) -> String {
    let more = [voters.to_string(), alive.to_string()];
    let values = [("MORE_VOTERS", more[0].as_str()), ("MORE_ALIVE", &more[1])];
    given(&values, include_str!("scripts/quorum.sh"))
}

/// What begins anew is for a cluster that has no majority any more.
fn no_majority(view: &EtcdView<'_>) -> Result<(), Refusal> {
    match view.input.seen.majority() {
        None => Ok(()),
        Some(_) => Err(Refusal::new(
            format!("etcd has a majority: {}", view.quorum()),
            "`citusctl etcd add HOST` and `citusctl etcd remove MEMBER` change its members",
        )),
    }
}

/// Ends the member on a host at once.
fn stop() -> Script {
    Script::new(
        "etcd_stop",
        "if systemctl is-active -q etcd.service; then echo 'etcd still runs'; false; fi",
    )
}

/// Nothing can be changed without a majority.
fn majority(view: &EtcdView<'_>, input: Input<'_>) -> Result<crate::names::HostName, Refusal> {
    input.seen.majority().cloned().ok_or_else(|| {
        Refusal::new(
            format!("etcd has no majority: {}", view.quorum()),
            "start the members that are off; when they are gone for good: `citusctl etcd reset --to HOST`",
        )
    })
}

#[cfg(test)]
mod tests;
